// Merging with other islands: where the merge meets table and ring.
#include <algorithm>
#include <span>
#include <variant>
#include <vector>

#include "overlay/peer.h"

namespace tombolo {
namespace {

// Most merges are over by then: they take some 30 one-way delays. Relayed messages are tried for
// longer.
constexpr Duration kLinkAfterMerge = Duration::Seconds(2);

}  // namespace

// Only members with both a table and a ring heal.
bool Peer::CanMerge(const PartStep& step) {
  return step.config.heals() && state_ == PeerState::kJoined && NeighbourSet() != nullptr;
}

// Requires CanMerge.
MergeStep Peer::ForMerge(const PartStep& step) {
  return MergeStep{step, table_, *NeighbourSet(), IslandLabel(step)};
}

// Who has not found an overlay yet has none to merge with another: it joins.
void Peer::Start(const Introduce& introduce, const PartStep& step) {
  if (state_ == PeerState::kJoining) return JoinThrough(introduce.peer, step);
  if (!CanMerge(step)) return;
  const MergeStep merging = ForMerge(step);
  Merge& merge = EnsureParts().healing.Ensure().merge.Ensure();
  merge.Begin(merging);
  merge.Introduce(introduce.peer, merging);
}

// The sender becomes a contact after its message was looked at: the merge wants to know whether it
// was one before. Who is joining still has no island to merge, but somebody to join through now.
void Peer::Handle(PeerRef from, const MergeMessages::Variant& message, const PartStep& step) {
  if (!CanMerge(step)) {
    if (state_ == PeerState::kJoining) SeenAlive(from, step);
    return step.out.Drop(DropReason::kNotJoined);
  }
  const MergeStep merging = ForMerge(step);
  Merge& merge = EnsureParts().healing.Ensure().merge.Ensure();
  merge.Begin(merging);
  merge.Heard(from);
  std::visit([&](const auto& body) { merge.On(from, body, merging); }, message);
  if (const auto* stranger = std::get_if<UnifyDetected>(&message)) {
    const bool confided = step.config.heal.strategy == MergeStrategy::kZip;
    if (confided && merging.ring.Contains(from)) RememberStranger(stranger->target, step);
  }
  SeenAlive(from, step);
  merge.Announce(merging);
  // New neighbours carry what has no closer way, and the next maintenance may be long in coming.
  // But not at once: whoever has become a contact through a link is no news to the merge any more.
  if (RelayParts* relaying = Relaying()) {
    Links& links = relaying->links;
    links.StartMaintenance(std::min(links.next_deadline(), step.now + kLinkAfterMerge));
  }
}

// Of another island: the path to it may be bad for a while, and nobody else may know of it.
void Peer::RememberStranger(PeerRef peer, const PartStep& step) {
  if (!step.ids.Contains(peer)) return;
  EnsureWatch();
  RememberLost(std::span(&peer, 1), step);
}

void Peer::TickMerge(const PartStep& step) {
  if (!parts_->healing->merge) return;
  if (!CanMerge(step)) return parts_->healing->merge.Reset();
  Merge& merge = *parts_->healing->merge;
  const MergeStep merging = ForMerge(step);
  const bool met = merge.RefreshDue(step.now);
  std::vector<PeerRef> dead;
  merge.Tick(merging, dead);
  for (const PeerRef peer : dead) {
    RememberStranger(peer, step);
    SeenDead(peer, step);
  }
  merge.Announce(merging);
  if (met) RenewAttached(step);
}

}  // namespace tombolo
