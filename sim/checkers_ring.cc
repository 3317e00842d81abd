#include "sim/checkers_ring.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "sim/conditions.h"
#include "sim/greedy_route.h"

namespace tombolo::sim {
namespace {

std::string Text(std::uint64_t number) { return std::to_string(number); }

// Members by id, and where each one's best successor stands among them.
class RingCheck {
 public:
  explicit RingCheck(const World& world) : world_(world) {
    for (const PeerRef peer : world.oracle().live()) {
      if (IsOnRing(peer)) members_.push_back(peer);
    }
    for (const PeerRef member : members_) {
      const std::span<const PeerRef> successors = SuccessorsOf(world.peer(member));
      const auto next = std::find_if(successors.begin(), successors.end(),
                                     [&](PeerRef successor) { return IsOnRing(successor); });
      next_.push_back(next == successors.end() ? kNobody : PlaceOf(*next));
    }
    // Alone, nobody needs a successor.
    if (members_.size() == 1) next_[0] = 0;
    shape_ = FollowRing(next_);
  }

  // The first member at or after this id clockwise is at this place; members_.size() after the
  // last.
  std::uint32_t PlaceFrom(const NodeId& id) const {
    const auto at = std::partition_point(members_.begin(), members_.end(), [&](PeerRef member) {
      return world_.directory().id(member) < id;
    });
    return static_cast<std::uint32_t>(at - members_.begin());
  }
  std::uint32_t PlaceOf(PeerRef member) const { return PlaceFrom(world_.directory().id(member)); }

  Finding OneRing() const {
    Finding finding = StartFinding(world_, Invariant::kOneRing);
    finding.checked = members_.size();
    if (members_.empty() || shape_.cycles.size() == 1) return finding;
    const std::uint32_t offender = shape_.cycles.size() < 2 ? 0 : shape_.cycles[1].first;
    finding.Report(members_[offender], "there are " + Text(shape_.cycles.size()) +
                                           " rings, this peer is " +
                                           (shape_.cycles.empty() ? "on none" : "on the second"));
    return finding;
  }

  Finding Ordered() const {
    Finding finding = StartFinding(world_, Invariant::kOrdered);
    finding.checked = shape_.cycles.size();
    for (const RingShape::Cycle& cycle : shape_.cycles) {
      if (cycle.turns > 1) {
        finding.Report(members_[cycle.first],
                       "its ring goes round the id space " + Text(cycle.turns) + " times");
      }
    }
    return finding;
  }

  Finding NoAppendage() const {
    Finding finding = StartFinding(world_, Invariant::kNoAppendage);
    finding.checked = members_.size();
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!shape_.on_cycle[i]) finding.Report(members_[i], "no ring leads back to it");
    }
    return finding;
  }

  Finding LiveSuccessor() const {
    Finding finding = StartFinding(world_, Invariant::kLiveSuccessor);
    finding.checked = members_.size();
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (next_[i] == kNobody) finding.Report(members_[i], "none of its successors is alive");
    }
    const auto length = static_cast<std::size_t>(world_.options().core.successors());
    const std::size_t wanted = std::min(length + 1, members_.size());
    const std::size_t principals = CountPrincipals();
    if (principals < wanted) {
      finding.Report(PeerRef::kNone, Text(principals) +
                                         " members are skipped by no successor list, " +
                                         Text(wanted) + " are wanted");
    }
    return finding;
  }

  Finding LeafSets() const {
    Finding finding = StartFinding(world_, Invariant::kLeafSet);
    finding.checked = members_.size();
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
      const Peer& peer = world_.peer(members_[i]);
      const Config& core = world_.options().core;
      const bool ahead = IsTrueSide(i, SuccessorsOf(peer), core.successors(), 1);
      const bool behind =
          IsTrueSide(i, PredecessorsOf(peer), core.predecessors(), members_.size() - 1);
      if (ahead && behind) continue;
      finding.Report(members_[i], ahead ? "its predecessors are not the nearest members"
                                        : "its successors are not the nearest members");
    }
    return finding;
  }

 private:
  bool IsOnRing(PeerRef peer) const {
    return IsMember(world_, peer) && world_.directory().dialable(peer);
  }

  // Members whom no list skips: that lie between no two entries next to each other, the owner
  // counting as the first.
  std::size_t CountPrincipals() const {
    std::vector<bool> skipped(members_.size(), false);
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
      NodeId before = world_.directory().id(members_[i]);
      for (const PeerRef successor : SuccessorsOf(world_.peer(members_[i]))) {
        const NodeId& id = world_.directory().id(successor);
        SkipBetween(before, id, skipped);
        before = id;
      }
    }
    return static_cast<std::size_t>(std::count(skipped.begin(), skipped.end(), false));
  }

  // Marks the members strictly between two ids, clockwise.
  void SkipBetween(const NodeId& from, const NodeId& to, std::vector<bool>& skipped) const {
    const auto count = static_cast<std::uint32_t>(members_.size());
    const NodeId gap = ClockwiseDistance(from, to);
    for (std::uint32_t i = PlaceFrom(from), steps = 0; steps < count; ++i, ++steps) {
      const NodeId& id = world_.directory().id(members_[i % count]);
      if (id == from) continue;
      if (!(ClockwiseDistance(from, id) < gap)) return;
      skipped[i % count] = true;
    }
  }

  // Whether the members of a side of `place`, in its order, begin with the nearest, found by
  // going `step` places at a time. `room`: in the list.
  bool IsTrueSide(std::uint32_t place, std::span<const PeerRef> side, int room,
                  std::size_t step) const {
    const auto hidden =
        static_cast<std::size_t>(std::count_if(side.begin(), side.end(), [&](PeerRef peer) {
          return IsMember(world_, peer) && !IsOnRing(peer);
        }));
    const std::size_t wanted =
        std::min({kLeaves, members_.size() - 1, static_cast<std::size_t>(room) - hidden});
    std::size_t right = 0;
    std::size_t at = place;
    for (const PeerRef neighbour : side) {
      if (right == wanted) return true;
      if (!IsOnRing(neighbour)) continue;
      at = (at + step) % members_.size();
      if (members_[at] != neighbour) return false;
      ++right;
    }
    return right == wanted;
  }

  const World& world_;
  std::vector<PeerRef> members_;
  std::vector<std::uint32_t> next_;
  RingShape shape_;
};

}  // namespace

// Walks from every member until it meets a walk: its own makes a cycle.
RingShape FollowRing(const std::vector<std::uint32_t>& next) {
  RingShape shape;
  shape.on_cycle.assign(next.size(), false);
  std::vector<std::uint32_t> walk_of(next.size(), kNobody);
  for (std::uint32_t start = 0; start < next.size(); ++start) {
    std::uint32_t at = start;
    while (at != kNobody && walk_of[at] == kNobody) {
      walk_of[at] = start;
      at = next[at];
    }
    if (at == kNobody || walk_of[at] != start) continue;
    RingShape::Cycle cycle{at, 0};
    for (bool first = true; first || at != cycle.first; at = next[at], first = false) {
      shape.on_cycle[at] = true;
      if (next[at] <= at) ++cycle.turns;
    }
    shape.cycles.push_back(cycle);
  }
  return shape;
}

std::vector<Finding> CheckRing(const World& world) {
  std::vector<Finding> findings;
  if (world.options().core.has_ring()) {
    const RingCheck check(world);
    findings = {check.OneRing(), check.Ordered(), check.NoAppendage(), check.LiveSuccessor(),
                check.LeafSets()};
    return findings;
  }
  for (const Invariant invariant :
       {Invariant::kOneRing, Invariant::kOrdered, Invariant::kNoAppendage,
        Invariant::kLiveSuccessor, Invariant::kLeafSet}) {
    findings.push_back(StartFinding(world, invariant));
  }
  return findings;
}

}  // namespace tombolo::sim
