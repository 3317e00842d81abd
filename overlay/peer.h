// One peer of the overlay: a state machine without I/O, clock or threads.
//
// A host (the simulator, the node) hands it inputs through the methods below; it appends what it
// wants done to the outbox of the step (outbox.h lists the host's duties). Two peers built with the
// same arguments and fed the same inputs leave the same outputs. A peer never asks which host it
// has.
//
// The parts (routing table, lookups, links, relay, store, ...) do not know each other; they meet
// here. Parts that a run does not use cost 8 bytes together.
//
// Thread rule: one caller at a time; distinct peers are independent. Errors: bad or late input from
// others is counted (drop_reason.h) and dropped; calls that break a stated requirement are
// asserted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "overlay/command.h"
#include "overlay/lazy.h"
#include "overlay/link.h"
#include "overlay/lookup.h"
#include "overlay/message.h"
#include "overlay/node_id.h"
#include "overlay/peer_parts.h"
#include "overlay/peer_ref.h"
#include "overlay/prefetch.h"
#include "overlay/ring.h"
#include "overlay/rng.h"
#include "overlay/routing_table.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

enum class PeerState : std::uint8_t { kIdle, kJoining, kJoined, kLeft };

class Peer {
 public:
  // `self` names this peer in the directory of every step; `seed` fixes all its random choices.
  Peer() = default;
  Peer(PeerRef self, const NodeId& id, std::uint64_t seed) : self_(self), id_(id), rng_(seed) {}

  // A message from `from`, over the link that proves it. Its list stays the host's.
  void Receive(PeerRef from, const Message& message, const Step& step);

  // To be called at next_deadline(). Early calls do nothing, late calls do the work once.
  void Tick(const Step& step);

  // Payloads in the command pass to the peer.
  void Execute(const Command& command, const Step& step);

  void LinkUp(PeerRef peer, const LinkAttributes& attributes, const Step& step);
  void LinkDown(PeerRef peer, LinkDownReason reason, const Step& step);
  void LinkPressureChanged(PeerRef peer, LinkPressure pressure, const Step& step);

  // To be called when a copy of an older state goes on, after a restart from a snapshot: what it
  // draws next must not be what its lost life has drawn, or others take new messages for repeats.
  void Reseed(std::uint64_t seed) { rng_ = Rng(seed); }

  // A record that this peer held in an earlier life, to be held again; its payload passes to the
  // peer. Nobody is answered.
  void Restore(const Record& record, const Step& step);

  // When the peer next has something to do of itself; kNever if it has not. May change after any
  // call.
  Time next_deadline() const { return deadline_; }

  PeerRef self() const { return self_; }
  const NodeId& id() const { return id_; }
  PeerState state() const { return state_; }
  const RoutingTable& table() const { return table_; }
  std::span<const Link> links() const;
  const Ring* ring() const { return ring_.get(); }
  const PeerParts* parts() const { return parts_.get(); }
  // What it knows of islands; null while it had no reason to look.
  const IslandWatch* watch() const;

  // A hint that Receive will be called soon.
  void Prefetch() const {
    PrefetchLine(this);
    PrefetchLine(reinterpret_cast<const char*>(this) + kCacheLine);
  }
  void PrefetchParts() const {
    table_.Prefetch();
    if (ring_) ring_->Prefetch();
  }
  void PrefetchRing() const {
    if (ring_) ring_->fingers().Prefetch();
  }
  void PrefetchContacts(const NodeId& towards) const {
    table_.PrefetchBucket(CommonPrefixLength(id_, towards));
  }

  // Starts life as a long-joined member with this table, as an exact pre-built world needs it. The
  // first refresh of its buckets falls due at `first_refresh`. Requires kIdle.
  void Build(RoutingTable table, Time first_refresh);
  // Likewise for healing: `sketch` are the members of the island that IslandDigest::Choose has
  // picked. Requires that Build was called and that the configuration heals.
  void BuildIsland(std::span<const PeerRef> sketch, const Step& step);
  // Likewise for the ring (see Ring::Build). Requires that Build was called.
  void BuildRing(std::span<const PeerRef> successors, std::span<const PeerRef> predecessors,
                 std::span<const Finger> fingers, Time start, const Step& step);

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(self_, id_, rng_, state_, next_ping_, table_, refresh_at_, deadline_, ring_, parts_);
  }

 private:
  PartStep Part(const Step& step) { return PartStep{{step}, self_, id_, rng_}; }
  PeerParts& EnsureParts() { return parts_.Ensure(); }

  // peer.cc: messages and bookkeeping of contacts. Families that go to one part are handled as one.
  void Handle(PeerRef from, const Ping& ping, const PartStep& step);
  void Handle(PeerRef from, const Pong& pong, const PartStep& step);
  void Handle(PeerRef from, const FindNode& find, const PartStep& step);
  void Handle(PeerRef from, const FindValue& find, const PartStep& step);
  void Handle(PeerRef from, const Nodes& nodes, const PartStep& step);
  void Handle(PeerRef from, const Value& value, const PartStep& step);
  void Handle(PeerRef from, const Store& store, const PartStep& step);
  void Handle(PeerRef from, const StoreAck& ack, const PartStep& step);
  void Handle(PeerRef from, const Leave& leave, const PartStep& step);
  void Handle(PeerRef from, const Evict& evict, const PartStep& step);
  void Handle(PeerRef from, const Forward& forward, const PartStep& step);
  void Handle(PeerRef from, const HopAck& ack, const PartStep& step);
  void Handle(PeerRef from, const HopProbe& probe, const PartStep& step);
  void Handle(PeerRef from, const FindSuccessor& find, const PartStep& step);
  void Handle(PeerRef from, const SuccessorFound& found, const PartStep& step);
  void Handle(PeerRef from, const AskNeighbours& ask, const PartStep& step);
  void Handle(PeerRef from, const RingNeighbours& neighbours, const PartStep& step);
  void Handle(PeerRef from, const tombolo::Notify& notify, const PartStep& step);
  void Handle(PeerRef from, const RingLeave& leave, const PartStep& step);
  void Handle(PeerRef from, const GossipPush& push, const PartStep& step);
  void Handle(PeerRef from, const GossipHave& have, const PartStep& step);
  void Handle(PeerRef from, const GossipGraft& graft, const PartStep& step);
  void Handle(PeerRef from, const GossipPrune& prune, const PartStep& step);
  void Handle(PeerRef from, const GossipCount& count, const PartStep& step);
  void Handle(PeerRef from, const IslandProbe& probe, const PartStep& step);
  void Handle(PeerRef from, const IslandReply& reply, const PartStep& step);
  void Handle(PeerRef from, const MergeMessages::Variant& message, const PartStep& step);
  void Handle(PeerRef from, const LeaseUpdate& update, const PartStep& step);
  void Handle(PeerRef from, const LeaseAck& ack, const PartStep& step);
  void Handle(PeerRef from, const LeaseMoved& moved, const PartStep& step);
  void Handle(PeerRef from, const LeaseCrowded& crowded, const PartStep& step);
  void Handle(PeerRef from, const FindLease& find, const PartStep& step);
  void Handle(PeerRef from, const LeaseFound& found, const PartStep& step);
  void Handle(PeerRef from, const RoomMessages::Variant& message, const PartStep& step);
  void Refuse(const Command& command, FailReason reason, const PartStep& step);
  int LevelOf(PeerRef peer, const PartStep& step) const;
  // Every message proves that its sender is alive (Kademlia 2002, section 2.2). Inlined here, as
  // Settle is below, because every message comes this way: a peer that is nothing but a ring has
  // next to nothing to note.
  void SeenAlive(PeerRef from, const PartStep& step) {
    if (step.config.has_table()) return SeenInTable(from, step);
    if (ring_ && ring_->Listens(step)) HeardOnRing(from, step);
  }
  void SeenInTable(PeerRef from, const PartStep& step);
  void SeenSilent(PeerRef peer, const PartStep& step);
  void SeenDead(PeerRef peer, const PartStep& step);
  void AskWhetherAlive(PeerRef peer, const PartStep& step);
  void ExpirePings(const PartStep& step);
  ListHandle ClosestList(PeerRef asker, const NodeId& target, std::uint32_t more,
                         const PartStep& step);
  // After every input: frees what is no longer used and works out the next deadline.
  void Settle() {
    deadline_ = ring_ ? std::min(refresh_at_, ring_->next_deadline()) : refresh_at_;
    if (parts_) SettleParts();
  }
  void SettleParts();

  // peer_upkeep.cc: joining, refreshing, leaving.
  void Start(const Join& join, const PartStep& step);
  void JoinThrough(PeerRef peer, const PartStep& step);
  void StartUpkeep(const PartStep& step);
  void StartSelfLookup(const PartStep& step);
  void StartBuckets(const PartStep& step);
  Time NextRefresh(const PartStep& step);
  void ContinueUpkeep(const PartStep& step);
  void UpkeepLookupDone(const LookupState& done, const PartStep& step);
  void EndUpkeep(const PartStep& step);
  void Start(const Depart& depart, const PartStep& step);
  void SayGoodbye(const PartStep& step);

  // peer_links.cc, peer_relay.cc: links, relaying and direct connections.
  void Start(const Send& send, const PartStep& step);
  void Start(const Connect& connect, const PartStep& step);
  void Start(const Disconnect& disconnect, const PartStep& step);
  RelayParts* Relaying();
  const RelayParts* Relaying() const;
  RelayParts& StartRelaying(const PartStep& step);
  void LostLink(PeerRef peer, LinkDownReason reason, const PartStep& step);
  void MaintainLinks(const PartStep& step);
  void AskTheLinked(const PartStep& step);
  bool IsReachable(PeerRef peer, const PartStep& step) const;
  RelayParts* HeardOverLink(PeerRef from, const PartStep& step);
  void DrainRelayNews(const PartStep& step);
  void TickRelaying(const PartStep& step);

  // peer_ring.cc: the ring.
  Neighbours* NeighbourSet();
  void LearnNeighbour(PeerRef peer, const PartStep& step);
  void ForgetNeighbour(PeerRef peer, const PartStep& step);
  void HeardOnRing(PeerRef from, const PartStep& step);
  void TickRing(const PartStep& step);
  void StartRing(const Join& join, const PartStep& step);
  void EndRingJoin(const PartStep& step);

  // peer_gossip.cc: broadcasts.
  void Start(const Broadcast& broadcast, const PartStep& step);
  void Start(const Subscribe& subscribe, const PartStep& step);
  void Start(const Unsubscribe& unsubscribe, const PartStep& step);
  Gossip& StartGossip(const PartStep& step);
  Gossip* GossipOverLink(PeerRef from, const PartStep& step);

  // peer_islands.cc: noticing other islands.
  IslandWatch* Watch();
  IslandWatch& EnsureWatch();
  std::uint64_t IslandLabel(const PartStep& step) const;
  std::uint32_t IslandSize(const PartStep& step);
  bool IsContact(PeerRef peer, const PartStep& step);
  void JoinIsland(std::span<const PeerRef> bootstrap, const PartStep& step);
  void JoinedIsland(const PartStep& step);
  void SurveyIsland(const PartStep& step);
  void LostContact(PeerRef peer, const PartStep& step);
  std::vector<PeerRef> LostPeers(const PartStep& step);
  void RememberLost(std::span<const PeerRef> lost, const PartStep& step);
  void RememberStranger(PeerRef peer, const PartStep& step);
  void SampleIsland(const LookupState& done, const PartStep& step);
  void TickIslands(const PartStep& step);
  void ProbeLost(const PartStep& step);
  PeerRef ExchangePartner(const PartStep& step);
  void AskIsland(PeerRef peer, const PartStep& step);
  void HeardOfIsland(PeerRef from, ListHandle sketch, const SketchAges& ages, bool answer,
                     const PartStep& step);

  // peer_heal.cc: merging with them.
  void Start(const Introduce& introduce, const PartStep& step);
  bool CanMerge(const PartStep& step);
  MergeStep ForMerge(const PartStep& step);
  void TickMerge(const PartStep& step);

  // peer_store.cc: records, puts and gets.
  std::optional<Record> LocalRecord(const NodeId& key, Time now) const;
  void Start(const Put& put, const PartStep& step);
  void Start(const Get& get, const PartStep& step);
  void StartKeyLookup(const KeyLookup& lookup, const PartStep& step);
  void KeyLookupDone(const LookupState& done, const PartStep& step);
  void TickStore(const PartStep& step);
  void HandOverRecords(const PartStep& step);

  // peer_attach.cc: clients and rooms.
  void RefuseAttach(const Command& command, const PartStep& step);
  void Start(const AttachClient& attach, const PartStep& step);
  void Start(const DetachClient& detach, const PartStep& step);
  void Start(const ResolveClient& resolve, const PartStep& step);
  void Start(const JoinRoom& join, const PartStep& step);
  void Start(const LeaveRoom& leave, const PartStep& step);
  void CompareWithHeld(const NodeId& client, const PartStep& step);
  void LeaveRooms(const NodeId& client, const PartStep& step);
  void EndAttach(const PartStep& step);
  void RenewAttached(const PartStep& step);  // to be called when islands have merged
  void StartLeaseLookups(const PartStep& step);
  void LeaseLookupDone(const LookupState& done, const PartStep& step);
  void ResolveDone(const LookupState& done, const PartStep& step);
  void AttachLookupRefused(const LookupGoal& goal, const PartStep& step);
  void TellCrowded(PeerRef home, const PartStep& step);
  void TickAttach(const PartStep& step);

  // peer_lookup.cc: what becomes of lookups, puts and gets.
  void Start(const Lookup& lookup, const PartStep& step);
  void StartLookup(const LookupGoal& goal, const PartStep& step);
  void HeardLate(PeerRef from, const PartStep& step);
  void DrainLookups(const PartStep& step);
  void LookupRefused(const LookupGoal& goal, const PartStep& step);
  void LookupEnded(const LookupState& done, const PartStep& step);
  void NotifyLookupDone(const LookupState& done, const PartStep& step);

  PeerRef self_ = PeerRef::kNone;
  NodeId id_;
  Rng rng_;
  PeerState state_ = PeerState::kIdle;
  std::uint16_t next_ping_ = 0;
  RoutingTable table_;
  Time refresh_at_ = kNever;
  Time deadline_ = kNever;
  Lazy<Ring> ring_;
  Lazy<PeerParts> parts_;
};

}  // namespace tombolo
