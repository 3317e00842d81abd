// The ring of a peer.
#include <cassert>
#include <vector>

#include "overlay/peer.h"

namespace tombolo {

// The peers next to us: of the ring where there is one, else those that relaying has picked up.
// Null if there are neither.
Neighbours* Peer::NeighbourSet() {
  if (ring_) return &ring_->neighbours();
  RelayParts* relaying = Relaying();
  return relaying != nullptr ? &relaying->neighbours : nullptr;
}

void Peer::LearnNeighbour(PeerRef peer, const PartStep& step) {
  if (ring_) return ring_->Heard(peer, step);
  if (RelayParts* relaying = Relaying()) relaying->neighbours.Learn(peer, step);
}

void Peer::ForgetNeighbour(PeerRef peer, const PartStep& step) {
  if (ring_) return ring_->Bury(peer, step);
  if (RelayParts* relaying = Relaying()) relaying->neighbours.Forget(peer);
}

// What SeenAlive comes to where there are no k-buckets. Requires a ring that listens.
void Peer::HeardOnRing(PeerRef from, const PartStep& step) {
  if (from != self_ && IsReachable(from, step)) ring_->Heard(from, step);
}

void Peer::BuildRing(std::span<const PeerRef> successors, std::span<const PeerRef> predecessors,
                     std::span<const Finger> fingers, Time start, const Step& step) {
  assert(state_ == PeerState::kJoined);
  ring_.Ensure().Build(successors, predecessors, fingers, start, Part(step));
  Settle();
}

// ---- Life.

// Joins an overlay that is nothing but a ring.
void Peer::StartRing(const Join& join, const PartStep& step) {
  ring_.Ensure().Join(step.lists.Get(join.bootstrap), step);
  EndRingJoin(step);
}

// To be called when an answer may have made this peer a member.
void Peer::EndRingJoin(const PartStep& step) {
  if (state_ != PeerState::kJoining || step.config.has_table() || !ring_->is_member()) return;
  state_ = PeerState::kJoined;
  if (step.config.links.max_links > 0) StartRelaying(step).links.StartMaintenance(step.now);
  step.out.Notify(Joined{static_cast<std::uint32_t>(ring_->neighbours().all().size())});
}

void Peer::TickRing(const PartStep& step) {
  if (ring_->next_deadline() > step.now) return;
  std::vector<PeerRef> silent;
  ring_->Expire(step, silent);
  for (const PeerRef peer : silent) SeenDead(peer, step);
  ring_->RunDue(step);
  EndRingJoin(step);
}

// ---- Messages. Whoever has no ring ignores them.

void Peer::Handle(PeerRef from, const FindSuccessor& find, const PartStep& step) {
  if (!ring_) return step.out.Drop(DropReason::kUnknownRpc);
  // An asker may not be a member yet.
  if (from != find.asker) SeenAlive(from, step);
  ring_->OnFind(find, step);
}

void Peer::Handle(PeerRef from, const SuccessorFound& found, const PartStep& step) {
  if (!ring_) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  ring_->OnFound(found, step);
  EndRingJoin(step);
}

void Peer::Handle(PeerRef from, const AskNeighbours& ask, const PartStep& step) {
  if (!ring_) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  ring_->OnAsk(from, ask, step);
}

void Peer::Handle(PeerRef from, const RingNeighbours& neighbours, const PartStep& step) {
  if (!ring_) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  if (!ring_->OnNeighbours(from, neighbours, step)) step.out.Drop(DropReason::kUnknownRpc);
  EndRingJoin(step);
}

void Peer::Handle(PeerRef from, const tombolo::Notify&, const PartStep& step) {
  if (!ring_) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  ring_->OnNotify(from, step);
}

void Peer::Handle(PeerRef from, const RingLeave& leave, const PartStep& step) {
  if (!ring_) return step.out.Drop(DropReason::kUnknownRpc);
  table_.Remove(from, LevelOf(from, step));
  ring_->OnLeave(from, leave, step);
}

}  // namespace tombolo
