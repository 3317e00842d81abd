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

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overlay/contact_lists.h"
#include "overlay/directory.h"
#include "overlay/outbox.h"
#include "overlay/peer.h"
#include "sim/action_queue.h"
#include "sim/event_queue.h"
#include "sim/metrics.h"
#include "sim/network.h"
#include "sim/operation.h"
#include "sim/options.h"
#include "sim/oracle.h"
#include "sim/payload_store.h"
#include "sim/slab.h"
#include "sim/timer_queue.h"
#include "sim/workload.h"

namespace tombolo::sim {

// An event of a peer, as recorded for an observer.
struct LoggedEvent {
  Time at;
  PeerRef peer = PeerRef::kNone;
  Event event;
};

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

  // ---- Membership. A peer that is down answers nothing and never returns.

  // A new peer that is not part of the overlay yet. The id is drawn from the seed unless given.
  // Requires that no other peer has the id.
  PeerRef AddPeer(std::optional<NodeId> id = std::nullopt,
                  std::optional<bool> dialable = std::nullopt);
  // Lets `peer` join through the given peers, or through random live ones if none are given.
  void Join(PeerRef peer, std::span<const PeerRef> bootstrap = {});
  void Crash(PeerRef peer);
  void Leave(PeerRef peer);
  // Crashes a random share (0..1) of the live peers at once.
  void CrashShare(double share);

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
  OperationId StartConnect(PeerRef source, const NodeId& target);
  void Disconnect(PeerRef source, const NodeId& target);

  const Operation& operation(OperationId id) const { return operations_[id & kSlotMask]; }
  std::string_view value_of(const Operation& get) const;
  // The result of an operation that has ended; frees its number.
  Operation TakeOperation(OperationId id);
  // Operations that have not ended.
  std::uint32_t active_operations() const { return active_operations_; }

  // Runs until the operation has ended, at most until `limit`. True if it has.
  bool RunUntilEnded(OperationId id, Time limit);

  // Begins a workload; it starts at its `start`, or now if that has passed. Requires Validate() to
  // pass.
  void AddWorkload(const WorkloadOptions& workload);

  // A uniformly random live peer, by the world's own generator. Requires live_count() > 0.
  PeerRef RandomLivePeer();
  NodeId RandomId();

  // ---- Observation.

  const WorldOptions& options() const { return options_; }
  const Metrics& metrics() const { return metrics_; }
  void ResetMetrics();
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::size_t in_flight() const { return queue_.size(); }
  // Lists and payloads that somebody holds; zero when nothing is in flight, stored or kept in a
  // result.
  std::size_t lists_in_use() const { return lists_.in_use(); }
  std::size_t payloads_in_use() const { return payloads_.in_use(); }

  // Records the events of all peers, up to `limit` of them; the oldest are kept, the rest is
  // counted.
  void RecordEvents(std::size_t limit) { event_limit_ = limit; }
  std::span<const LoggedEvent> events() const { return events_; }
  std::uint64_t events_missed() const { return events_missed_; }
  void ClearEvents();
  // The content of a payload in a recorded event.
  std::string_view bytes_of(const Payload& payload) const { return payloads_.bytes(payload); }

  // Everything but the outbox, which is empty between calls. A file that does not fit together
  // fails the archive; the world is then of no use.
  template <class Archive>
  void Serialize(Archive& archive) {
    archive(options_, rng_, now_, directory_);
    SerializePeers(archive);
    archive(up_, sequence_, live_count_, network_, oracle_, queue_, timers_, actions_, flights_,
            lists_, payloads_, operations_, active_operations_, active_connects_, operations_begun_,
            workloads_, metrics_, trace_hash_, events_, event_limit_, events_missed_);
    if constexpr (Archive::kReading) {
      if (archive.ok() && !IsConsistent())
        archive.Fail("the parts of the world do not fit together");
    }
  }

 private:
  static constexpr std::uint32_t kSlotBits = 24;  // an operation number is (generation, slot)
  static constexpr std::uint32_t kSlotMask = (1U << kSlotBits) - 1;

  enum class FlightKind : std::uint8_t { kMessage, kDial, kLinkUp, kLinkDown };

  // Something on its way to a peer.
  struct Flight {
    FlightKind kind = FlightKind::kMessage;
    LinkDownReason reason = LinkDownReason::kClosed;
    Message message;
  };

  struct Workload {
    WorkloadOptions options;
    Rng rng;
    std::uint64_t done = 0;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(options, rng, done);
    }
  };

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

  // world.cc: the loop.
  Step MakeStep() { return Step{now_, options_.core, directory_, lists_, outbox_}; }
  bool ProcessNext(Time end);
  void PrefetchAhead();
  void PrefetchPeer(const QueueEntry& entry) const;
  void PrefetchContacts(const QueueEntry& entry) const;
  void Deliver(const QueueEntry& entry);
  void DeliverMessage(const QueueEntry& entry, const Message& message);
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
  void DialLink(PeerRef from, PeerRef to);
  void ArriveDial(PeerRef from, PeerRef to);
  void ArriveLinkUp(PeerRef from, PeerRef to);
  void ArriveLinkDown(PeerRef from, PeerRef to, LinkDownReason reason);
  void HangUp(PeerRef from, PeerRef to);
  void CutLinksOf(PeerRef peer, LinkDownReason reason, Duration notice);

  // world_membership.cc: joins, deaths and churn.
  void StartMembership();
  void BuildWorld();
  void ScheduleSessionEnd(PeerRef peer, bool residual);
  void ScheduleArrival();
  void Arrive();
  void ScheduleRate(std::uint32_t kind);
  void HappenAtRate(std::uint32_t kind);
  void JoinNext(std::uint32_t index);
  void Kill(PeerRef peer);
  void TakeDown(PeerRef peer);
  void Bury(PeerRef peer);
  bool DrawDialable(PeerRef peer) const;

  // world_operations.cc: commands and their ends.
  OperationId Begin(OperationKind kind, PeerRef source, const NodeId& key, bool recorded);
  void Issue(PeerRef source, const Command& command);
  OperationId BeginSend(PeerRef source, const NodeId& target, std::uint32_t size,
                        const SendOptions& options, bool recorded);
  OperationId BeginPut(PeerRef source, const NodeId& key, std::string value,
                       const PutOptions& options, bool recorded);
  void FireWorkload(std::uint32_t index);
  void BeginWorkloadOperation(Workload& workload);
  void HandleEvent(PeerRef peer, const Event& event);
  void DiscardEvent(const Event& event);
  void OnEvent(PeerRef peer, const LookupDone& done);
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
  Oracle oracle_;
  EventQueue queue_;
  TimerQueue timers_;
  ActionQueue actions_;
  Slab<Flight> flights_;
  ContactLists lists_;
  PayloadStore payloads_;
  Slab<Operation> operations_;
  std::uint32_t active_operations_ = 0;
  std::uint32_t active_connects_ = 0;
  std::uint64_t operations_begun_ = 0;
  std::vector<Workload> workloads_;
  Metrics metrics_;
  std::uint64_t trace_hash_ = 0;
  std::vector<LoggedEvent> events_;
  std::size_t event_limit_ = 0;
  std::uint64_t events_missed_ = 0;
  std::int64_t prefetched_us_ = -1;  // slot of the queue at the last look ahead
  Outbox outbox_;                    // empty between steps
};

}  // namespace tombolo::sim
