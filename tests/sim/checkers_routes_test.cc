#include "sim/checkers_routes.h"

#include <gtest/gtest.h>

#include "sim/greedy_route.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions Both(std::uint32_t peers) {
  WorldOptions options = ToyOptions(peers);
  options.core.overlay = OverlayKind::kBoth;
  return options;
}

TEST(WalkRoute, ComesCloserWithEveryHop) {
  const World world(Both(500));
  for (std::uint32_t i = 0; i < 500; ++i) {
    const Walk walk = WalkRoute(world, PeerRef{i}, PeerRef{(i * 7 + 3) % 500});
    EXPECT_TRUE(walk.arrived);
    EXPECT_LE(walk.hops, 9U);
    EXPECT_EQ(walk.ring_hops, 0U);
  }
  const Walk none = WalkRoute(world, PeerRef{5}, PeerRef{5});
  EXPECT_TRUE(none.arrived);
  EXPECT_EQ(none.hops, 0U);
}

TEST(WalkRoute, TakesTheRingWhereTablesAreEmpty) {
  WorldOptions options = Both(100);
  options.missing_share = 1;
  const World world(options);
  const Walk walk = WalkRoute(world, PeerRef{0}, PeerRef{50});
  EXPECT_TRUE(walk.arrived);
  EXPECT_GT(walk.hops, 2U);  // 16 successors at a time
}

TEST(WalkRoute, SaysWhereItEnds) {
  WorldOptions options = ToyOptions(100);  // no ring
  options.missing_share = 1;
  const World world(options);
  const Walk walk = WalkRoute(world, PeerRef{3}, PeerRef{50});
  EXPECT_FALSE(walk.arrived);
  EXPECT_EQ(walk.end, PeerRef{3});
}

TEST(WalkRoute, DoesNotCrossACut) {
  World world(Both(100));
  std::vector<std::uint16_t> islands(100, 0);
  for (std::size_t i = 50; i < 100; ++i) islands[i] = 1;
  world.PartitionInto(islands);
  EXPECT_FALSE(WalkRoute(world, PeerRef{3}, PeerRef{80}).arrived);
  EXPECT_TRUE(WalkRoute(world, PeerRef{3}, PeerRef{40}).arrived);
}

TEST(WalkRoute, TakesAnotherWayWhenItIsRepeated) {
  WorldOptions options = ToyOptions(200);  // no ring
  options.core.table.k = 4;
  options.core.relay.detours = 0;  // and no way back
  options.missing_share = 0.5;
  const World world(options);
  int cured = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const PeerRef from{i};
    const PeerRef to{(i * 7 + 3) % 200};
    const Walk once = WalkRoute(world, from, to);
    const Walk more = WalkRoute(world, from, to, 4);
    EXPECT_EQ(once.tries, 1U);
    EXPECT_LE(more.tries, 4U);
    EXPECT_EQ(once.arrived, more.tries == 1);
    if (more.arrived && more.tries > 1) ++cured;
  }
  EXPECT_GT(cured, 5);
}

TEST(CheckRoutable, LooksAtAllPairsOfASmallWorldAndAtSomeOfALargeOne) {
  const Finding small = CheckRoutable(World(Both(150)));
  EXPECT_EQ(small.checked, 150U * 150U);
  EXPECT_TRUE(small.ok());
  const Finding large = CheckRoutable(World(Both(2500)));
  EXPECT_EQ(large.checked, 10'000U);
  EXPECT_TRUE(large.ok());
}

TEST(CheckRoutable, FindsIslands) {
  WorldOptions options = Both(100);
  options.islands = {60, 40};
  const Finding finding = CheckRoutable(World(options));
  EXPECT_EQ(finding.broken, 2U * 60 * 40);
  EXPECT_NE(finding.detail.find("a route to peer"), std::string::npos);
}

TEST(CheckRoutable, ALongWayRoundIsNotARoute) {
  WorldOptions options = Both(400);
  options.missing_share = 1;  // the ring alone: up to 400 / 2 / 16 hops
  const Finding finding = CheckRoutable(World(options));
  EXPECT_FALSE(finding.ok());
  EXPECT_NE(finding.detail.find("hops, allowed are 12"), std::string::npos) << finding.detail;
}

TEST(CheckNoLoops, FollowsTheRelaysOverTheirLinks) {
  WorldOptions options = Both(300);
  EXPECT_EQ(CheckNoLoops(World(options)).checked, 0U);  // no links, nothing to follow
  options.core.links = LinkConfig();
  const Finding finding = CheckNoLoops(World(options));
  EXPECT_EQ(finding.checked, 1000U);
  EXPECT_TRUE(finding.ok()) << finding.detail;
}

TEST(DeliverabilityTracker, WhoCouldBeReachedHasToStayReachable) {
  WorldOptions options = ToyOptions(200);
  options.core.table.k = 1;
  World world(options);
  DeliverabilityTracker tracker(world, 300);
  EXPECT_EQ(tracker.finding().checked, 0U);
  tracker.Look(world);
  EXPECT_EQ(tracker.finding().checked, 300U);
  EXPECT_TRUE(tracker.finding().ok());
  world.RunFor(Duration::Seconds(3));
  world.CrashShare(0.5);
  tracker.Look(world);
  EXPECT_FALSE(tracker.finding().ok());
  EXPECT_EQ(tracker.finding().at, Time{3'000'000});
  // Who died counts neither way, and nobody is counted twice.
  const std::uint64_t broken = tracker.finding().broken;
  EXPECT_LT(broken, 150U);
  tracker.Look(world);
  EXPECT_EQ(tracker.finding().broken, broken);
}

// A walk goes by contacts, and who cannot be dialled is reached over links alone.
TEST(DeliverabilityTracker, WhoCannotBeDialledIsLeftOut) {
  WorldOptions options = ToyOptions(100);
  options.nat_share = 0.5;
  World world(options);
  DeliverabilityTracker tracker(world, 400);
  tracker.Look(world);
  EXPECT_GT(tracker.finding().checked, 50U);
  EXPECT_LT(tracker.finding().checked, 200U) << "a quarter of the pairs";
}

}  // namespace
}  // namespace tombolo::sim
