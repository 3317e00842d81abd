// Merging: unification of the rings.
#include <algorithm>
#include <array>

#include "overlay/merge.h"
#include "overlay/node_id.h"

namespace tombolo {
namespace {

constexpr std::size_t kTold = 4;       // neighbours per side that MergeMeet names
constexpr std::size_t kNextHops = 3;   // candidates per hop of MergeLookup
constexpr std::size_t kLookedAt = 16;  // contacts that a next hop is chosen from

// True if `peer` lies strictly between `from` and `to`, clockwise.
bool IsBetween(const NodeId& from, const NodeId& peer, const NodeId& to) {
  const NodeId way = ClockwiseDistance(from, peer);
  return way != NodeId{} && way < ClockwiseDistance(from, to);
}

}  // namespace

// The first that is not suspected.
PeerRef Merge::Nearest(std::span<const PeerRef> side, const MergeStep& step) const {
  for (const PeerRef peer : side) {
    if (!sends_.IsSuspect(peer, step.now)) return peer;
  }
  return PeerRef::kNone;
}

void Merge::Begin(const MergeStep& step) {
  if (!idle()) return;
  successor_ = Nearest(step.ring.successors(), step);
  predecessor_ = Nearest(step.ring.predecessors(), step);
}

// Finds the place of `target` in the ring of our island.
void Merge::Place(MergeSession& session, PeerRef target, int ttl, const MergeStep& step) {
  if (!IsSane(target, step)) return;
  const NodeId& id = step.ids.id(target);
  const PeerRef successor = Nearest(step.ring.successors(), step);
  const PeerRef predecessor = Nearest(step.ring.predecessors(), step);
  const bool next = successor == PeerRef::kNone || predecessor == PeerRef::kNone ||
                    IsBetween(step.self_id, id, step.ids.id(successor)) ||
                    IsBetween(step.ids.id(predecessor), id, step.self_id);
  if (next) return LearnForeign(target, session, step);
  if (target == successor || target == predecessor) return;
  const std::vector<PeerRef> towards = TowardsOnRing(session, target, step);
  if (towards.empty() || ttl <= 0) return Meet(target, MeetKind::kMeet, step);
  Send(MergeLookup{0, session.id, target, static_cast<std::uint8_t>(ttl - 1)}, {}, towards, step,
       PeerRef::kNone, true);
}

// Own contacts that are strictly nearer to the target than we are, nearest first.
std::vector<PeerRef> Merge::TowardsOnRing(const MergeSession& session, PeerRef target,
                                          const MergeStep& step) const {
  const NodeId& id = step.ids.id(target);
  std::array<PeerRef, kLookedAt> closest;
  const std::size_t count = step.table.Closest(step.self_id, id, kLookedAt, step.ids, closest);
  std::vector<PeerRef> towards(closest.begin(),
                               closest.begin() + static_cast<std::ptrdiff_t>(count));
  for (const PeerRef peer : step.ring.all()) {
    if (std::find(towards.begin(), towards.end(), peer) == towards.end()) towards.push_back(peer);
  }
  const NodeId own = RingDistance(step.self_id, id);
  std::erase_if(towards, [&](PeerRef peer) {
    return peer == target || IsSuspect(peer, step) || !IsSane(peer, step) ||
           session.IsForeign(peer) || RingDistance(step.ids.id(peer), id) >= own;
  });
  const std::size_t kept = std::min(towards.size(), kNextHops);
  std::partial_sort(towards.begin(), towards.begin() + static_cast<std::ptrdiff_t>(kept),
                    towards.end(), [&](PeerRef a, PeerRef b) {
                      const NodeId from_a = RingDistance(step.ids.id(a), id);
                      const NodeId from_b = RingDistance(step.ids.id(b), id);
                      if (from_a != from_b) return from_a < from_b;
                      return step.ids.id(a) < step.ids.id(b);
                    });
  towards.resize(kept);
  return towards;
}

void Merge::On(PeerRef from, const MergeLookup& lookup, const MergeStep& step) {
  if (!step.ids.Contains(lookup.target)) return step.out.Drop(DropReason::kUnknownRpc);
  if (!Acknowledge(from, lookup.rpc, step)) return;
  Place(Use(lookup.session, step), lookup.target, lookup.ttl, step);
}

void Merge::Meet(PeerRef to, MeetKind kind, const MergeStep& step) {
  std::vector<PeerRef> named;
  const auto name = [&](std::span<const PeerRef> side, std::size_t most) {
    for (const PeerRef peer : side) {
      if (named.size() >= most) return;
      if (!sends_.IsSuspect(peer, step.now)) named.push_back(peer);
    }
  };
  name(step.ring.successors(), kTold);
  const std::size_t successors = named.size();
  name(step.ring.predecessors(), successors + kTold);
  Send(MergeMeet{0, {}, static_cast<std::uint8_t>(successors), kind}, named, std::span(&to, 1),
       step);
}

void Merge::On(PeerRef from, const MergeMeet& meet, const MergeStep& step) {
  if (!Acknowledge(from, meet.rpc, step)) return;
  const std::span<const PeerRef> borrowed = step.lists.Get(meet.contacts);
  const std::vector<PeerRef> named(borrowed.begin(), borrowed.end());
  const std::size_t split = std::min<std::size_t>(meet.successors, named.size());
  std::erase(released_by_, from);
  if (meet.kind == MeetKind::kRelease) {
    if (released_by_.size() >= kMaxReleased) released_by_.erase(released_by_.begin());
    released_by_.push_back(from);
  }
  NoteStranger(from, step);
  Learn(from, step);
  for (const PeerRef peer : named) {
    if (Learn(peer, step)) AddForeign(peer, step);
  }
  const std::span<const PeerRef> all(named);
  if (meet.kind == MeetKind::kMeet &&
      KnowsBetween(from, all.first(split), all.subspan(split), step)) {
    Meet(from, MeetKind::kAnswer, step);
  }
}

// True if we know somebody nearer to `other` than the first of its successors or predecessors.
bool Merge::KnowsBetween(PeerRef other, std::span<const PeerRef> successors,
                         std::span<const PeerRef> predecessors, const MergeStep& step) const {
  const NodeId& id = step.ids.id(other);
  const auto nearer = [&](PeerRef peer) {
    if (peer == other || sends_.IsSuspect(peer, step.now)) return false;
    const NodeId& known = step.ids.id(peer);
    const bool after = successors.empty() || !step.ids.Contains(successors.front()) ||
                       IsBetween(id, known, step.ids.id(successors.front()));
    const bool before = predecessors.empty() || !step.ids.Contains(predecessors.front()) ||
                        IsBetween(step.ids.id(predecessors.front()), known, id);
    return after || before;
  };
  return std::any_of(step.ring.all().begin(), step.ring.all().end(), nearer);
}

// Tells those whom a change of our nearest neighbours concerns.
void Merge::Announce(const MergeStep& step) {
  AnnounceChange(successor_, Nearest(step.ring.successors(), step), step);
  AnnounceChange(predecessor_, Nearest(step.ring.predecessors(), step), step);
}

void Merge::AnnounceChange(PeerRef& announced, PeerRef nearest, const MergeStep& step) {
  if (announced == nearest) return;
  const PeerRef old = announced;
  announced = nearest;
  if (nearest != PeerRef::kNone) Meet(nearest, MeetKind::kMeet, step);
  const bool tell = IsSane(old, step) && !IsSuspect(old, step) &&
                    std::find(released_by_.begin(), released_by_.end(), old) == released_by_.end();
  if (tell) Meet(old, MeetKind::kRelease, step);
}

}  // namespace tombolo
