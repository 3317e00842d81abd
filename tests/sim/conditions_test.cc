#include "sim/conditions.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sim/islands.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions Both(std::uint32_t peers) {
  WorldOptions options = ToyOptions(peers);
  options.core.overlay = OverlayKind::kBoth;
  return options;
}

constexpr std::array kAll = {Condition::kRingOk, Condition::kTablesOk, Condition::kAllRoutable};

TEST(Conditions, HaveNames) {
  for (const Condition condition : kAll)
    EXPECT_EQ(FindCondition(kConditionNames[static_cast<std::size_t>(condition)]), condition);
  EXPECT_EQ(FindCondition("ring"), std::nullopt);
}

TEST(Conditions, HoldInABuiltWorld) {
  for (const std::uint32_t peers : {1U, 2U, 3U, 20U, 300U, 2500U}) {
    const World world(Both(peers));
    for (const Condition condition : kAll)
      EXPECT_TRUE(Holds(world, condition)) << peers << " peers";
  }
}

TEST(Conditions, DoNotHoldInIslands) {
  WorldOptions options = Both(300);
  options.islands = {150, 150};
  const World world(options);
  for (const Condition condition : kAll) EXPECT_FALSE(Holds(world, condition));
  // Where the next peer is of the other island.
  const Islands islands(options);
  std::uint64_t borders = 0;
  for (std::uint32_t i = 0; i < 300; ++i)
    borders += islands.of(PeerRef{i}) != islands.of(PeerRef{(i + 1) % 300}) ? 1 : 0;
  EXPECT_EQ(CountWrongSuccessors(world), borders);
}

// From the moment of the cut: what the tables still hold of the other side is of no use.
TEST(Conditions, DoNotHoldWhileTheNetworkIsCut) {
  World world(Both(300));
  world.Partition(std::array{.5, .5});
  for (const Condition condition : kAll) EXPECT_FALSE(Holds(world, condition));
  world.Heal();
  for (const Condition condition : kAll) EXPECT_TRUE(Holds(world, condition));
  world.Isolate(PeerRef{7});
  for (const Condition condition : kAll) EXPECT_FALSE(Holds(world, condition));
}

// What a finding names is the first thing that is wrong, and it is one where the condition fails.
TEST(Conditions, WhatIsWrongIsFound) {
  World world(Both(60));
  for (const Condition condition : kAll) {
    const Finding finding = CheckCondition(world, condition);
    EXPECT_TRUE(finding.ok());
    EXPECT_GT(finding.checked, 0U);
  }
  const PeerRef alone = world.oracle().live()[7];
  world.RunUntil(Time{} + Duration::Milliseconds(1500));
  world.Isolate(alone);
  const PeerRef before = world.oracle().live()[6];
  const PeerRef after = world.oracle().live()[8];
  const auto name = [](PeerRef peer) { return "peer " + std::to_string(Index(peer)); };
  const Finding ring = CheckCondition(world, Condition::kRingOk);
  EXPECT_EQ(ring.invariant, Invariant::kOneRing);
  EXPECT_EQ(ring.checked, 60U);
  EXPECT_EQ(ring.broken, 2U) << "its own successor, and that of the one before";
  EXPECT_EQ(ring.peer, before);
  EXPECT_EQ(ring.at, Time{} + Duration::Milliseconds(1500));
  EXPECT_EQ(ring.detail, "it cannot talk to its successor, " + name(alone));
  const Finding tables = CheckCondition(world, Condition::kTablesOk);
  EXPECT_EQ(tables.invariant, Invariant::kNoFalseEmpty);
  EXPECT_FALSE(tables.ok());
  const Finding routes = CheckCondition(world, Condition::kAllRoutable);
  EXPECT_EQ(routes.invariant, Invariant::kRoutable);
  EXPECT_EQ(routes.checked, 3600U);
  EXPECT_EQ(routes.broken, 2U * 59U) << "all to it, and all from it";
  EXPECT_EQ(routes.peer, world.oracle().live()[0]);
  EXPECT_TRUE(routes.detail.starts_with("a route to " + name(alone) + " ends at peer "));
  world.Heal();
  world.Crash(after);
  EXPECT_TRUE(CheckCondition(world, Condition::kRingOk).ok());
}

TEST(Conditions, WithoutALiveSuccessorTheNextMemberIsNamed) {
  World world(Both(100));
  const std::vector<PeerRef> live(world.oracle().live().begin(), world.oracle().live().end());
  for (std::size_t i = 11; i < 11 + 16; ++i) world.Crash(live[i]);
  const Finding finding = CheckCondition(world, Condition::kRingOk);
  EXPECT_EQ(finding.broken, 1U);
  EXPECT_EQ(finding.peer, live[10]);
  EXPECT_EQ(finding.detail,
            "it has no live successor, which is peer " + std::to_string(Index(live[27])));
}

TEST(Conditions, AWorldWithoutARingHasNoRightOne) {
  EXPECT_FALSE(Holds(World(ToyOptions(10)), Condition::kRingOk));
}

TEST(Conditions, ALostPeerInTheRingIsTolerated) {
  // The first *live* successor counts.
  World world(Both(100));
  world.Crash(PeerRef{10});
  EXPECT_TRUE(Holds(world, Condition::kRingOk));
}

TEST(Conditions, WithoutAnyLiveSuccessorTheRingIsNotRight) {
  World world(Both(100));
  for (std::uint32_t i = 11; i < 11 + 16; ++i) world.Crash(PeerRef{i});
  EXPECT_FALSE(Holds(world, Condition::kRingOk));
  EXPECT_EQ(CountWrongSuccessors(world), 1U);
}

TEST(Conditions, ANewcomerCountsOnceItHasJoined) {
  World world(Both(60));
  const PeerRef newcomer = world.AddPeer();
  world.Join(newcomer);
  EXPECT_FALSE(IsMember(world, newcomer));
  EXPECT_TRUE(Holds(world, Condition::kRingOk));
  world.RunFor(Duration::Minutes(3));
  EXPECT_TRUE(IsMember(world, newcomer));
  EXPECT_TRUE(Holds(world, Condition::kRingOk));
}

TEST(Conditions, AWatchGoesOnWhereItFoundAnOffender) {
  World world(Both(100));
  ConditionWatch watch(Condition::kRingOk);
  EXPECT_TRUE(watch.Holds(world));
  for (std::uint32_t i = 41; i < 41 + 16; ++i) world.Crash(PeerRef{i});
  EXPECT_FALSE(watch.Holds(world));
  EXPECT_EQ(watch.place(), 40U);
  EXPECT_FALSE(watch.Holds(world));
  EXPECT_EQ(watch.place(), 40U);
  // What was right when it was passed is looked at again before the whole is called right.
  ConditionWatch later(Condition::kRingOk, 60);
  EXPECT_FALSE(later.Holds(world));
  EXPECT_EQ(later.place(), 40U);
}

TEST(Conditions, RunUntilStopsWhenItIsReached) {
  World world(Both(100));
  const Wait at_once = RunUntil(world, Condition::kTablesOk, Duration::Minutes(1));
  EXPECT_TRUE(at_once.reached);
  EXPECT_EQ(at_once.seconds, 0);
  EXPECT_EQ(at_once.messages, 0U);
  EXPECT_EQ(world.now(), Time{});
}

TEST(Conditions, RunUntilGivesUpAtTheLimit) {
  WorldOptions options = Both(100);
  options.core.heal.enabled = false;
  options.islands = {50, 50};
  World world(options);
  const Wait wait =
      RunUntil(world, Condition::kRingOk, Duration::Seconds(40), Duration::Seconds(7));
  EXPECT_FALSE(wait.reached);
  EXPECT_EQ(wait.seconds, 40);
  EXPECT_EQ(wait.messages, world.metrics().total_messages());
  EXPECT_GT(wait.messages, 0U);
}

}  // namespace
}  // namespace tombolo::sim
