// A simulated world: peers of the core, a network between them, and a clock that jumps from event
// to event.
//
// Deterministic: equal options and equal calls give equal runs. Events are processed in a total
// order: by time; at equal times messages first (by receiver, sender, sender's sequence), then
// timers (by peer), then what the world itself has scheduled. `trace_hash` sums a hash of every
// transmission.
//
// A World is a value: several live in one process, a copy is an independent branch of the run, and
// Serialize stores and restores all of it. Thread rule: one caller at a time; distinct worlds are
// independent. Peers are numbered by PeerRef; numbers of peers that are down are not reused.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overlay/contact_lists.h"
#include "overlay/directory.h"
#include "overlay/outbox.h"
#include "overlay/payload_store.h"
#include "overlay/peer.h"
#include "sim/action_queue.h"
#include "sim/attached.h"
#include "sim/event_queue.h"
#include "sim/fault_injector.h"
#include "sim/fault_state.h"
#include "sim/flights.h"
#include "sim/message_log.h"
#include "sim/metrics.h"
#include "sim/network.h"
#include "sim/operation.h"
#include "sim/options.h"
#include "sim/oracle.h"
#include "sim/partition.h"
#include "sim/slab.h"
#include "sim/timer_queue.h"
#include "sim/workload.h"
#include "sim/world_rows.h"

namespace tombolo::sim {

class World {
 public:
  // Requires options.Validate() to pass.
  explicit World(const WorldOptions& options);

  // ---- Time.

  Time now() const { return now_; }

  // Processes every event up to and including `end` and sets the clock to it.
  void RunUntil(Time end);
  void RunFor(Duration span) { RunUntil(now_ + span); }

  // The same, but stops after `events_max` events: returns false if there is more to do before
  // `end`. Callers that show progress or listen for interrupts run in such slices.
  bool RunSlice(Time end, std::uint64_t events_max);

  // ---- Membership. A peer that is down answers nothing; it returns by Restart alone.

  // A new peer that is not part of the overlay yet. The id is drawn from the seed unless given.
  // Requires that no other peer has the id.
  PeerRef AddPeer(std::optional<NodeId> id = std::nullopt,
                  std::optional<bool> dialable = std::nullopt);
  // Lets `peer` join through the given peers, or through random live ones if none are given.
  void Join(PeerRef peer, std::span<const PeerRef> bootstrap = {});
  // With `keep_state` the peer goes on from its state when it is restarted.
  void Crash(PeerRef peer, bool keep_state = false);
  // Brings back a peer that is down, under its number and id: from the state that a crash has kept
  // unless told to `forget` it, else without any, joining anew. Requires that it is down.
  void Restart(PeerRef peer, bool forget = false);
  // Lets the peer stand still: what reaches it waits, and comes at once when it goes on. Commands
  // are carried out nevertheless. Requires that it is up.
  void Pause(PeerRef peer, Duration span);
  void Leave(PeerRef peer);
  // Crashes a random share (0..1) of the live peers at once.
  void CrashShare(double share);

  // ---- Partitions (partition.h). Messages across a cut vanish; links and dials across it go down
  // when the keepalive time-out is over, unless the path is back by then. Newcomers go to the
  // island of the first peer they are told to join through, or to a random one.

  // Random islands of these shares of the live peers. Requires !CheckShares(shares).
  void Partition(std::span<const double> shares, Crossing crossing = Crossing::kNone);
  // The island of every peer by number. Requires one number, below kMostIslands, per peer.
  void PartitionInto(std::span<const std::uint16_t> island_of_peer,
                     Crossing crossing = Crossing::kNone);
  // An island of its own.
  void Isolate(PeerRef peer);
  // Messages from `a` no longer reach `b`, nor those of `b` `a` unless the cut is one way.
  void Cut(PeerRef a, PeerRef b, bool one_way = false);
  // The two may talk although their islands are cut, and `a`, if it is up, hears of `b`.
  void Bridge(PeerRef a, PeerRef b);
  // Tells `a` of `b`, in another island perhaps. Requires that `a` is up.
  void Introduce(PeerRef a, PeerRef b);
  void Heal();  // every path is back

  // The island's number: 0 without a partition, -1 if isolated, -2 for an injected bridge node.
  int island_of(PeerRef peer) const { return reach_.island_of(peer); }
  bool CanTalk(PeerRef from, PeerRef to) const { return reach_.CanTalk(from, to); }
  bool CanTalkBothWays(PeerRef a, PeerRef b) const { return reach_.CanTalkBothWays(a, b); }

  bool is_up(PeerRef peer) const { return up_[Index(peer)] != 0; }
  std::uint32_t peer_count() const { return static_cast<std::uint32_t>(peers_.size()); }
  std::uint32_t live_count() const { return live_count_; }
  const Peer& peer(PeerRef peer) const { return peers_[Index(peer)]; }
  const Directory& directory() const { return directory_; }
  const Oracle& oracle() const { return oracle_; }

  // ---- Operations. The source must be up. Recorded: read the result with `operation` once it has
  // ended and give it back with TakeOperation; workloads record nothing but metrics.

  OperationId StartLookup(PeerRef source, const NodeId& key);
  OperationId StartSend(PeerRef source, const NodeId& target, std::uint32_t size,
                        const SendOptions& options = {});
  OperationId StartPut(PeerRef source, const NodeId& key, std::string value,
                       const PutOptions& options = {});
  OperationId StartGet(PeerRef source, const NodeId& key);
  OperationId StartBroadcast(PeerRef source, std::uint32_t size,
                             const BroadcastOptions& options = {});
  // The live peer closest to a key of this number: the same one while it lives.
  PeerRef SenderOf(std::uint32_t number) const;
  void Subscribe(PeerRef peer, std::uint64_t topic);
  void Unsubscribe(PeerRef peer, std::uint64_t topic);
  OperationId StartConnect(PeerRef source, const NodeId& target);
  void Disconnect(PeerRef source, const NodeId& target);

  // ---- Clients, which are no peers (overlay/leases_home.h, rooms.h). The world knows where each
  // of them is and what it is a member of; a client whose home goes down, or loses it, has none
  // until it is attached again, as those of workloads are by themselves.

  // Attaches a client, or moves it, with its rooms. The home must be up.
  OperationId StartAttach(PeerRef home, const NodeId& client, std::uint64_t sequence = 0);
  OperationId StartResolve(PeerRef source, const NodeId& client);
  // These require a client that was attached.
  void Detach(const NodeId& client);
  void EnterRoom(const NodeId& client, const NodeId& room);
  void ExitRoom(const NodeId& client, const NodeId& room);
  const std::map<NodeId, AttachedClient>& clients() const { return clients_; }

  const Operation& operation(OperationId id) const { return operations_[id & kSlotMask]; }
  std::string_view value_of(const Operation& get) const;
  // The result of an operation that has ended; frees its number.
  Operation TakeOperation(OperationId id);
  std::uint32_t active_operations() const { return active_operations_; }

  // Runs until the operation has ended, at most until `limit`. True if it has.
  bool RunUntilEnded(OperationId id, Time limit);

  // Begins a workload at its `start`, or now if that has passed. Requires Validate() to pass.
  void AddWorkload(const WorkloadOptions& workload);

  // A uniformly random live peer, by the world's own generator. Requires live_count() > 0.
  PeerRef RandomLivePeer();
  NodeId RandomId();

  // ---- Observation.

  const WorldOptions& options() const { return options_; }
  const Metrics& metrics() const { return metrics_; }
  void ResetMetrics();
  // Counts from now on, per peer, the messages of these kinds that it receives.
  void WatchKinds(const std::array<bool, kMessageKinds>& kinds);
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::size_t in_flight() const { return queue_.size(); }
  // Lists and payloads in use; zero when nothing is in flight, stored or kept in a result.
  std::size_t lists_in_use() const { return lists_.in_use(); }
  std::size_t payloads_in_use() const { return payloads_.in_use(); }

  // Records the events of all peers: the oldest `limit` are kept, the rest is counted.
  void RecordEvents(std::size_t limit) { event_limit_ = limit; }
  std::span<const LoggedEvent> events() const { return events_; }
  std::uint64_t events_missed() const { return events_missed_; }
  void ClearEvents();
  // Likewise the messages that peers hand to the network. They are not part of a file.
  MessageLog& message_log() { return message_log_; }
  // The content of a payload in a recorded event.
  std::string_view bytes_of(const Payload& payload) const { return payloads_.bytes(payload); }

  // Everything but the outbox, which is empty between calls. A file that does not fit together
  // fails the archive; the world is then of no use.
  template <class Archive>
  void Serialize(Archive& archive) {
    archive(options_, rng_, now_, directory_);
    SerializePeers(archive);
    archive(up_, sequence_, live_count_, network_, reach_, faults_, flaps_, returns_, oracle_,
            queue_, timers_, actions_, flights_, lists_, payloads_, operations_);
    archive(active_operations_, active_connects_, active_broadcasts_, operations_begun_,
            load_clients_, workloads_, metrics_, trace_hash_, events_, event_limit_,
            events_missed_);
    SerializeMap(archive, clients_);
    if constexpr (Archive::kReading) {
      if (archive.ok() && !IsConsistent())
        archive.Fail("the parts of the world do not fit together");
    }
  }

 private:
  static constexpr std::uint32_t kSlotBits = 24;  // an operation number is (generation, slot)
  static constexpr std::uint32_t kSlotMask = (1U << kSlotBits) - 1;

  // One by one: a peer takes far more room than the few bytes that a file needs to claim one.
  template <class Archive>
  void SerializePeers(Archive& archive) {
    if constexpr (Archive::kReading) {
      peers_.clear();
      for (std::size_t i = 0; i < directory_.size() && archive.ok(); ++i)
        archive(peers_.emplace_back());
    } else {
      for (Peer& peer : peers_) archive(peer);
    }
  }

  bool IsConsistent() const;

  // world.cc: the loop. A peer sees its step by its own clock.
  Step MakeStep() { return Step{now_, options_.core, directory_, lists_, outbox_}; }
  Step MakeStep(PeerRef peer) {
    return Step{faults_.LocalTime(peer, now_), options_.core, directory_, lists_, outbox_};
  }
  void ArmTimer(PeerRef peer);
  [[gnu::always_inline]] inline bool ProcessNext(Time end);
  [[gnu::always_inline]] inline void PrefetchAhead();
  [[gnu::always_inline]] inline void PrefetchTimers() const;
  void PrefetchSlots();
  void PrefetchPeer(const QueueEntry& entry) const;
  void PrefetchContacts(const QueueEntry& entry) const;
  void PrefetchBuckets(const QueueEntry& entry) const;
  void Deliver(const QueueEntry& entry);
  void DeliverMessage(const QueueEntry& entry, const Message& message, const Step& step);
  void Fire(const Timer& timer);
  void Perform(const Action& action);
  void Drain(PeerRef peer);
  void DrainRest(PeerRef peer);
  void Transmit(PeerRef from, PeerRef to, const Message& message);
  void Discard(const Message& message);
  void Schedule(PeerRef from, PeerRef to, Duration delay, const Flight& flight);
  void CountTrace(const QueueEntry& entry, std::uint64_t content);

  // world_links.cc: links between peers.
  bool HasLink(PeerRef from, PeerRef to) const;
  bool CanReach(PeerRef from, PeerRef to, const Message& message);
  [[gnu::noinline]] bool HasPath(PeerRef from, PeerRef to);
  void DialLink(PeerRef from, PeerRef to);
  void ArriveDial(PeerRef from, PeerRef to);
  void ArriveLinkUp(PeerRef from, PeerRef to);
  void ArriveLinkDown(PeerRef from, PeerRef to, LinkDownReason reason);
  void HangUp(PeerRef from, PeerRef to);
  void CutLinksOf(PeerRef peer, LinkDownReason reason, Duration notice);

  // world_partition.cc: islands, and links across a cut.
  std::vector<std::uint16_t> DrawIslands(std::span<const double> shares, Rng& rng) const;
  void Separate(std::vector<std::uint16_t> islands, Crossing crossing);
  void ScheduleSilence(PeerRef peer);
  void SilenceLinksOf(PeerRef peer);
  void SilenceAll(std::uint32_t first);
  void LoseLink(PeerRef from, PeerRef to, LinkDownReason reason = LinkDownReason::kTimeout);
  void TellClosed(PeerRef from, PeerRef to);
  PeerRef RandomReachable(PeerRef peer);

  // world_faults.cc: injected faults.
  void Count(Injected kind, std::uint64_t number = 1) {
    metrics_.injected[static_cast<std::size_t>(kind)] += number;
  }
  Duration DrawMean(Duration mean);
  void ScheduleFault(std::uint32_t rate);
  void BeginFault(std::uint32_t rate);
  PeerRef DrawFaulty();
  PeerRef DrawOtherEnd(PeerRef peer);
  void BeginFlap();
  void TurnFlap(std::uint32_t slot);
  void BeginClog();
  void BeginSwizzle();
  void BeginPartition();
  void EndIslands();
  void BeginLoss(FaultRate kind);
  void LoseEnd(PeerRef holder, PeerRef loser);
  void BeginPeerFault(FaultRate kind);
  void MoveMass(FaultRate kind);
  Message Lie(const Message& message);
  Message Falsify(const Message& message);
  bool Arrives(const QueueEntry& entry, const Flight& flight);
  bool Swallow(PeerRef from, PeerRef peer, const Message& message);
  void ScheduleFlood(PeerRef peer);
  void Flood(PeerRef peer);
  FlightKind Disturb(PeerRef from, PeerRef to, std::uint32_t sequence, const Message& message,
                     Duration& delay);
  void SendCopy(PeerRef from, PeerRef to, const Message& message, Duration delay);

  // world_restart.cc: peers that come back.
  void Continue(PeerRef peer);
  void BeginCrash();
  void TurnReturn(std::uint32_t slot);
  void ForgetReturn(std::uint32_t slot);
  Peer CopyState(PeerRef peer);

  // world_membership.cc: joins, deaths and churn.
  void StartMembership();
  void BuildWorld();
  void ScheduleSessionEnd(PeerRef peer, bool residual);
  void ScheduleArrival();
  void Arrive();
  void ScheduleRate(std::uint32_t kind);
  void HappenAtRate(std::uint32_t kind);
  void JoinNext(std::uint32_t index);
  void Kill(PeerRef peer, bool keep_state = false);
  void TakeDown(PeerRef peer);
  void Bury(PeerRef peer);
  bool DrawDialable(PeerRef peer) const;
  NodeId NewId();

  // world_operations.cc: commands and their ends.
  OperationId Begin(OperationKind kind, PeerRef source, const NodeId& key, bool recorded);
  void Issue(PeerRef source, const Command& command);
  OperationId BeginSend(PeerRef source, const NodeId& target, std::uint32_t size,
                        const SendOptions& options, bool recorded);
  OperationId BeginPut(PeerRef source, const NodeId& key, std::string value,
                       const PutOptions& options, bool recorded);

  // world_attach.cc: clients and rooms.
  OperationId BeginAttach(PeerRef home, const NodeId& client, std::uint64_t sequence,
                          bool recorded);
  void LoseClients(PeerRef peer);
  void LoseHome(AttachedClient& client);
  void Reattach(std::uint32_t number);
  void AttachLoad(const WorkloadOptions& options);
  void BeginAttachOperation(const WorkloadOptions& options, Rng& rng);
  void OnEvent(PeerRef peer, const ClientAttached& attached);
  void OnEvent(PeerRef peer, const ClientResolved& resolved);
  void OnEvent(PeerRef peer, const LeaseLost& lost);

  // world_gossip.cc: broadcasts.
  OperationId BeginBroadcast(PeerRef source, std::uint32_t size, const BroadcastOptions& options,
                             bool recorded);
  static bool MarkReached(Operation& operation, PeerRef peer);
  void OnEvent(PeerRef peer, const BroadcastArrived& arrived);
  void OnEvent(PeerRef peer, const BroadcastDone& done);
  void ExpireBroadcast(OperationId id);
  void FinishBroadcast(Operation& operation);

  void FireWorkload(std::uint32_t index);
  void BeginWorkloadOperation(RunningWorkload& workload);
  void HandleEvent(PeerRef peer, const Event& event);
  void DiscardEvent(const Event& event);
  void OnEvent(PeerRef peer, const LookupDone& done);
  void OnEvent(PeerRef peer, const KeyProbed& probed);
  void OnEvent(PeerRef peer, const PutDone& done);
  void OnEvent(PeerRef peer, const GetDone& done);
  void OnEvent(PeerRef peer, const PeerUp& up);
  void OnEvent(PeerRef peer, const Delivered& delivered);
  void OnEvent(PeerRef peer, const Failed& failed);
  Operation* ActiveOperation(std::uint32_t request);
  void End(Operation& operation, OperationStatus status);
  void VoidOrphans();
  NodeId KeyOf(std::uint32_t index) const;

  WorldOptions options_;
  Rng rng_;  // membership, workloads of callers, random choices of verbs
  Time now_;
  Directory directory_;
  std::vector<Peer> peers_;
  std::vector<std::uint8_t> up_;
  std::vector<std::uint32_t> sequence_;  // transmissions per sender
  std::uint32_t live_count_ = 0;
  Network network_;
  Reachability reach_;
  FaultInjector faults_;
  Slab<Flap> flaps_;
  Slab<Return> returns_;
  Oracle oracle_;
  EventQueue queue_;
  TimerQueue timers_;
  ActionQueue actions_;
  Flights flights_;
  ContactLists lists_;
  PayloadStore payloads_;
  Slab<Operation> operations_;
  std::uint32_t active_operations_ = 0;
  std::uint32_t active_connects_ = 0;
  std::vector<OperationId> active_broadcasts_;
  std::uint64_t operations_begun_ = 0;
  std::map<NodeId, AttachedClient> clients_;
  std::uint32_t load_clients_ = 0;  // of workloads, so far
  std::vector<RunningWorkload> workloads_;
  Metrics metrics_;
  std::uint64_t trace_hash_ = 0;
  std::vector<LoggedEvent> events_;
  std::size_t event_limit_ = 0;
  std::uint64_t events_missed_ = 0;
  std::int64_t prefetched_us_ = -1;  // slot of the queue at the last look ahead
  Outbox outbox_;                    // empty between steps
  MessageLog message_log_;
};

}  // namespace tombolo::sim
