#include "sim/conditions.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <string>
#include <utility>

#include "sim/checkers_tables.h"
#include "sim/greedy_route.h"

namespace tombolo::sim {
namespace {

// How many things there are to look at.
std::uint64_t PlaceCount(const World& world, Condition condition) {
  const std::uint64_t peers = world.oracle().live().size();
  if (condition != Condition::kAllRoutable) return peers;
  return peers <= kAllPairsPeers ? peers * peers : kSampledPairs;
}

// The next member clockwise of the one at `position`; itself if it is alone.
PeerRef NextMember(const World& world, std::uint64_t position) {
  const std::span<const PeerRef> live = world.oracle().live();
  for (std::size_t i = 1; i < live.size(); ++i) {
    const PeerRef next = live[(position + i) % live.size()];
    if (IsMember(world, next)) return next;
  }
  return live[position];
}

bool RingIsRight(const World& world, std::uint64_t position) {
  const PeerRef peer = world.oracle().live()[position];
  if (!IsMember(world, peer)) return true;
  const PeerRef next = NextMember(world, position);
  if (next == peer) return true;
  return FirstLiveSuccessor(world, peer) == next && world.CanTalkBothWays(peer, next);
}

std::pair<PeerRef, PeerRef> PairOf(const World& world, std::uint64_t number) {
  const std::span<const PeerRef> live = world.oracle().live();
  if (live.size() <= kAllPairsPeers)
    return {live[number / live.size()], live[number % live.size()]};
  Rng rng = Rng::Split(0x7061697273, number);
  const PeerRef from = live[rng.Below(static_cast<std::uint32_t>(live.size()))];
  return {from, live[rng.Below(static_cast<std::uint32_t>(live.size()))]};
}

bool PairIsRight(const World& world, std::uint64_t number) {
  const auto [from, to] = PairOf(world, number);
  if (!IsMember(world, from) || !IsMember(world, to)) return true;
  return WalkRoute(world, from, to).arrived;
}

bool IsRight(const World& world, Condition condition, std::uint64_t place) {
  switch (condition) {
    case Condition::kRingOk:
      return RingIsRight(world, place);
    case Condition::kTablesOk:
      return !FirstFalseEmpty(world, place);
    case Condition::kAllRoutable:
      return PairIsRight(world, place);
  }
  return false;
}

std::string NameOfPeer(PeerRef peer) { return "peer " + std::to_string(Index(peer)); }

// What is wrong with the ring at a position where it is.
std::string RingDetail(const World& world, std::uint64_t position) {
  const PeerRef next = NextMember(world, position);
  const PeerRef first = FirstLiveSuccessor(world, world.oracle().live()[position]);
  if (first == PeerRef::kNone) return "it has no live successor, which is " + NameOfPeer(next);
  if (first == next) return "it cannot talk to its successor, " + NameOfPeer(next);
  return "it takes " + NameOfPeer(first) + " for its successor, which is " + NameOfPeer(next);
}

// Who is the first offender, at a place that is not right.
void Explain(const World& world, Condition condition, std::uint64_t place, Finding& finding) {
  if (condition == Condition::kRingOk) {
    finding.peer = world.oracle().live()[place];
    finding.detail = RingDetail(world, place);
    return;
  }
  const auto [from, to] = PairOf(world, place);
  finding.peer = from;
  finding.detail =
      "a route to " + NameOfPeer(to) + " ends at " + NameOfPeer(WalkRoute(world, from, to).end);
}

}  // namespace

std::optional<Condition> FindCondition(std::string_view name) {
  const auto found = std::find(kConditionNames.begin(), kConditionNames.end(), name);
  if (found == kConditionNames.end()) return std::nullopt;
  return static_cast<Condition>(found - kConditionNames.begin());
}

bool IsMember(const World& world, PeerRef peer) {
  return world.is_up(peer) && world.peer(peer).state() == PeerState::kJoined;
}

PeerRef FirstLiveSuccessor(const World& world, PeerRef peer) {
  const std::span<const PeerRef> successors = SuccessorsOf(world.peer(peer));
  const auto live = std::find_if(successors.begin(), successors.end(),
                                 [&](PeerRef s) { return IsMember(world, s); });
  return live == successors.end() ? PeerRef::kNone : *live;
}

std::uint64_t CountWrongSuccessors(const World& world) {
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < world.oracle().live().size(); ++i)
    wrong += RingIsRight(world, i) ? 0 : 1;
  return wrong;
}

bool ConditionWatch::Holds(const World& world) {
  const std::uint64_t count = PlaceCount(world, condition_);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t place = (place_ + i) % count;
    if (IsRight(world, condition_, place)) continue;
    place_ = place;
    return false;
  }
  return true;
}

bool Holds(const World& world, Condition condition) {
  return ConditionWatch(condition).Holds(world);
}

Finding CheckCondition(const World& world, Condition condition) {
  if (condition == Condition::kTablesOk) return CheckTables(world);
  const bool ring = condition == Condition::kRingOk;
  Finding finding = StartFinding(world, ring ? Invariant::kOneRing : Invariant::kRoutable);
  finding.checked = PlaceCount(world, condition);
  for (std::uint64_t place = 0; place < finding.checked; ++place) {
    if (IsRight(world, condition, place)) continue;
    if (finding.broken++ == 0) Explain(world, condition, place, finding);
  }
  return finding;
}

Wait RunUntil(World& world, Condition condition, Duration limit, Duration poll) {
  assert(poll > Duration{});
  const Time begin = world.now();
  const std::uint64_t messages = world.metrics().total_messages();
  ConditionWatch watch(condition);
  Wait wait;
  for (;;) {
    wait.reached = watch.Holds(world);
    if (wait.reached || world.now() >= begin + limit) break;
    world.RunUntil(std::min(begin + limit, world.now() + poll));
  }
  wait.seconds = (world.now() - begin).seconds();
  wait.messages = world.metrics().total_messages() - messages;
  return wait;
}

}  // namespace tombolo::sim
