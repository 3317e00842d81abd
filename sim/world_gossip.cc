// Broadcasts of a world: begun, followed from peer to peer, and ended.
//
// The world recognises a broadcast by the handle of its payload, of which the operation has a
// share. It ends when everybody who was up at its start has it, at its deadline otherwise; an
// acknowledged one when its origin says so.
#include <algorithm>
#include <cassert>
#include <utility>

#include "sim/world.h"

namespace tombolo::sim {
namespace {

// Requires a peer that was in the world at the start of the broadcast.
bool HasIt(const Operation& operation, PeerRef peer) {
  return (operation.has_it[Index(peer) / 64] >> (Index(peer) % 64) & 1U) != 0;
}

}  // namespace

OperationId World::StartBroadcast(PeerRef source, std::uint32_t size,
                                  const BroadcastOptions& options) {
  return BeginBroadcast(source, size, options, true);
}

void World::Subscribe(PeerRef peer, std::uint64_t topic) {
  assert(is_up(peer));
  Issue(peer, tombolo::Subscribe{topic});
}

void World::Unsubscribe(PeerRef peer, std::uint64_t topic) {
  assert(is_up(peer));
  Issue(peer, tombolo::Unsubscribe{topic});
}

OperationId World::BeginBroadcast(PeerRef source, std::uint32_t size,
                                  const BroadcastOptions& options, bool recorded) {
  const OperationId id = Begin(OperationKind::kBroadcast, source, directory_.id(source), recorded);
  tombolo::Broadcast broadcast;
  broadcast.request = id;
  broadcast.topic = options.topic;
  broadcast.payload =
      payloads_.Add(options.bytes.empty() ? size : static_cast<std::uint32_t>(options.bytes.size()),
                    options.bytes);
  broadcast.ttl = options.ttl;
  broadcast.max_hops = options.max_hops;
  broadcast.acknowledge = options.acknowledge;
  broadcast.deadline = options.deadline;
  payloads_.Share(broadcast.payload);
  Operation& operation = operations_[id & kSlotMask];
  operation.value = broadcast.payload;
  operation.acknowledge = options.acknowledge;
  operation.wanted = live_count_ - 1;
  operation.population = peer_count();
  operation.has_it.assign((peer_count() + 63) / 64, 0);
  MarkReached(operation, source);
  active_broadcasts_.push_back(id);
  // After whatever the origin says at its own deadline.
  actions_.Schedule(now_ + options.deadline + Duration::Milliseconds(1),
                    Action::Kind::kBroadcastEnd, id);
  Issue(source, broadcast);
  return id;
}

// False if the peer had it before, or came later than the broadcast.
bool World::MarkReached(Operation& operation, PeerRef peer) {
  const std::size_t word = Index(peer) / 64;
  const std::uint64_t bit = std::uint64_t{1} << (Index(peer) % 64);
  if (Index(peer) >= operation.population || (operation.has_it[word] & bit) != 0) return false;
  operation.has_it[word] |= bit;
  return true;
}

void World::OnEvent(PeerRef peer, const BroadcastArrived& arrived) {
  for (const OperationId id : active_broadcasts_) {
    Operation* operation = ActiveOperation(id);
    if (operation == nullptr || operation->value.handle != arrived.payload.handle) continue;
    if (!MarkReached(*operation, peer)) {
      ++metrics_.broadcasts.repeated;
      return;
    }
    ++operation->reached;
    operation->hops = std::max<std::uint16_t>(operation->hops, arrived.hops);
    operation->last_reached = now_;
    metrics_.broadcasts.hops.Add(arrived.hops);
    metrics_.broadcasts.delay.Add((now_ - operation->started).us);
    if (!operation->acknowledge && operation->reached == operation->wanted) {
      End(*operation, OperationStatus::kSucceeded);
    }
    return;
  }
}

void World::OnEvent(PeerRef, const BroadcastDone& done) {
  Operation* operation = ActiveOperation(done.request);
  if (operation == nullptr) return;
  operation->acknowledged = done.delivered;
  End(*operation, OperationStatus::kSucceeded);
}

// Its time is over: who of those that are still up does not have it?
void World::ExpireBroadcast(OperationId id) {
  Operation* operation = ActiveOperation(id);
  if (operation == nullptr) return;
  const std::span<const PeerRef> live = oracle_.live();
  const bool all = std::all_of(live.begin(), live.end(), [&](PeerRef peer) {
    return Index(peer) >= operation->population || HasIt(*operation, peer);
  });
  operation->reason = FailReason::kDeadline;
  End(*operation, all ? OperationStatus::kSucceeded : OperationStatus::kFailed);
}

// Counts, among those who were up at the start and still are, who has it.
void World::FinishBroadcast(Operation& operation) {
  std::erase_if(active_broadcasts_,
                [&](OperationId id) { return (id & kSlotMask) == operations_.IndexOf(operation); });
  if (operation.reached > 0 && !operation.acknowledge) operation.ended = operation.last_reached;
  if (operation.status == OperationStatus::kVoid) return;
  for (const PeerRef peer : oracle_.live()) {
    if (peer == operation.source || Index(peer) >= operation.population) continue;
    ++metrics_.broadcasts.wanted;
    metrics_.broadcasts.reached += HasIt(operation, peer) ? 1 : 0;
  }
}

// The live peer closest to a key of this number: the same one while it lives.
PeerRef World::SenderOf(std::uint32_t number) const {
  return oracle_.ClosestOne(KeyOf(number), PeerRef::kNone, directory_);
}

}  // namespace tombolo::sim
