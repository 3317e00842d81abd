#include "sim/conditions.h"

#include <algorithm>
#include <cassert>
#include <span>

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

bool PairIsRight(const World& world, std::uint64_t number) {
  const std::span<const PeerRef> live = world.oracle().live();
  std::uint64_t from = number / live.size();
  std::uint64_t to = number % live.size();
  if (live.size() > kAllPairsPeers) {
    Rng rng = Rng::Split(0x7061697273, number);
    from = rng.Below(static_cast<std::uint32_t>(live.size()));
    to = rng.Below(static_cast<std::uint32_t>(live.size()));
  }
  if (!IsMember(world, live[from]) || !IsMember(world, live[to])) return true;
  return WalkRoute(world, live[from], live[to]).arrived;
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

bool ConditionWatch::IsRight(const World& world, std::uint64_t place) const {
  switch (condition_) {
    case Condition::kRingOk:
      return RingIsRight(world, place);
    case Condition::kTablesOk:
      return !FirstFalseEmpty(world, place);
    case Condition::kAllRoutable:
      return PairIsRight(world, place);
  }
  return false;
}

bool ConditionWatch::Holds(const World& world) {
  const std::uint64_t count = PlaceCount(world, condition_);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t place = (place_ + i) % count;
    if (IsRight(world, place)) continue;
    place_ = place;
    return false;
  }
  return true;
}

bool Holds(const World& world, Condition condition) {
  return ConditionWatch(condition).Holds(world);
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
