// Merging with other islands: where the merge meets table and ring.
#include "overlay/peer.h"

namespace tombolo {

// Only members with both a table and a ring heal.
bool Peer::CanMerge(const PartStep& step) {
  return step.config.heals() && state_ == PeerState::kJoined && NeighbourSet() != nullptr;
}

// Requires CanMerge.
MergeStep Peer::ForMerge(const PartStep& step) {
  return MergeStep{step, table_, *NeighbourSet(), IslandLabel(step)};
}

void Peer::Start(const Introduce& introduce, const PartStep& step) {
  if (!CanMerge(step)) return;
  const MergeStep merging = ForMerge(step);
  Merge& merge = EnsureParts().healing.Ensure().merge.Ensure();
  merge.Begin(merging);
  merge.Introduce(introduce.peer, merging);
}

// The sender becomes a contact after its message was looked at: the merge wants to know whether it
// was one before.
template <class Body>
void Peer::HandleMerge(PeerRef from, const Body& body, const PartStep& step) {
  if (!CanMerge(step)) return step.out.Drop(DropReason::kNotJoined);
  const MergeStep merging = ForMerge(step);
  Merge& merge = EnsureParts().healing.Ensure().merge.Ensure();
  merge.Begin(merging);
  merge.Heard(from);
  merge.On(from, body, merging);
  SeenAlive(from, step);
  merge.Announce(merging);
}

void Peer::TickMerge(const PartStep& step) {
  if (!parts_->healing->merge) return;
  if (!CanMerge(step)) return parts_->healing->merge.Reset();
  Merge& merge = *parts_->healing->merge;
  const MergeStep merging = ForMerge(step);
  const bool met = merge.RefreshDue(step.now);
  std::vector<PeerRef> dead;
  merge.Tick(merging, dead);
  for (const PeerRef peer : dead) SeenDead(peer, step);
  merge.Announce(merging);
  if (met) RenewAttached(step);
}

void Peer::Handle(PeerRef from, const MergeConfirm& confirm, const PartStep& step) {
  HandleMerge(from, confirm, step);
}

void Peer::Handle(PeerRef from, const MergeConfirmed& confirmed, const PartStep& step) {
  HandleMerge(from, confirmed, step);
}

void Peer::Handle(PeerRef from, const MergeSync& sync, const PartStep& step) {
  HandleMerge(from, sync, step);
}

void Peer::Handle(PeerRef from, const MergeSyncReply& reply, const PartStep& step) {
  HandleMerge(from, reply, step);
}

void Peer::Handle(PeerRef from, const MergeBridge& bridge, const PartStep& step) {
  HandleMerge(from, bridge, step);
}

void Peer::Handle(PeerRef from, const MergeFill& fill, const PartStep& step) {
  HandleMerge(from, fill, step);
}

void Peer::Handle(PeerRef from, const MergeLookup& lookup, const PartStep& step) {
  HandleMerge(from, lookup, step);
}

void Peer::Handle(PeerRef from, const MergeMeet& meet, const PartStep& step) {
  HandleMerge(from, meet, step);
}

void Peer::Handle(PeerRef from, const MergeAck& ack, const PartStep& step) {
  HandleMerge(from, ack, step);
}

void Peer::Handle(PeerRef from, const MergeRefresh& refresh, const PartStep& step) {
  HandleMerge(from, refresh, step);
}

void Peer::Handle(PeerRef from, const MergeRefreshed& refreshed, const PartStep& step) {
  HandleMerge(from, refreshed, step);
}

}  // namespace tombolo
