#include "sim/heal_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sim/checkers.h"
#include "sim/islands.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions Apart(const std::vector<std::uint32_t>& sizes, std::uint64_t seed = 1) {
  std::uint32_t peers = 0;
  for (const std::uint32_t size : sizes) peers += size;
  WorldOptions options = ToyOptions(peers, StartMode::kBuilt, seed);
  options.core.overlay = OverlayKind::kBoth;
  options.islands = sizes;
  return options;
}

bool Always() { return true; }

HealFigures Heal(World& world, const HealOptions& options = {}) {
  return MeasureHeal(world, options, world.options().islands, Always);
}

// They carry what has no closer way: a send may not have to wait for the next maintenance. The rest
// of the lists comes with later stabilisations.
TEST(Merge, LinksNewNeighboursSoon) {
  WorldOptions options = Apart({60, 60});
  options.core.links.max_links = 96;
  options.core.links.reserved = 8;
  options.core.links.maintenance_interval = Duration::Hours(1);
  World world(options);
  world.RunFor(Duration::Seconds(1));
  const Islands islands(options);
  world.Introduce(islands.members(0).front(), islands.members(1).front());
  world.RunFor(Duration::Seconds(6));
  for (const PeerRef ref : world.oracle().live()) {
    const Peer& peer = world.peer(ref);
    const Neighbours& neighbours = peer.ring()->neighbours();
    for (const PeerRef next :
         {neighbours.successors().front(), neighbours.predecessors().front()}) {
      const auto leads_there = [&](const Link& link) { return link.peer == next; };
      EXPECT_TRUE(std::ranges::any_of(peer.links(), leads_there)) << Index(ref);
    }
  }
}

TEST(MeasureHeal, TwoIslandsBecomeOneOverlay) {
  World world(Apart({150, 150}));
  const HealFigures heal = Heal(world);
  EXPECT_TRUE(heal.healed);
  ASSERT_TRUE(heal.ring_ok && heal.tables_ok);
  EXPECT_EQ(heal.delay, Duration::Milliseconds(50));
  EXPECT_GT(*heal.ring_ok, Duration{});
  EXPECT_GT(heal.merge_messages, 0U);
  EXPECT_GT(heal.acks, 0U);
  EXPECT_GT(heal.busiest, 0U);
  EXPECT_EQ(heal.false_empty, 0U);
  EXPECT_GE(heal.walks_during_ok * 1000, heal.walks_during * 999);
  EXPECT_EQ(heal.walks_after, 300U * 300U);
  EXPECT_EQ(heal.walks_after, heal.walks_after_ok);
  EXPECT_EQ(heal.sends, 0U);  // no links
  // The lists of neighbours fill up as the ring is stabilised.
  world.RunFor(Duration::Minutes(5));
  for (const Finding& finding : RunCheckers(world, true))
    EXPECT_TRUE(finding.ok()) << Describe(world, finding);
}

TEST(MeasureHeal, SeveralIslandsInEitherTopology) {
  for (const Bridges topology : {Bridges::kHub, Bridges::kChain}) {
    World world(Apart({80, 40, 60, 20}));
    HealOptions options;
    options.topology = topology;
    EXPECT_TRUE(Heal(world, options).healed);
  }
}

TEST(MeasureHeal, SendsOfAnIslandArriveWhileItMerges) {
  WorldOptions options = Apart({100, 100});
  options.core.links = LinkConfig();
  World world(options);
  const HealFigures heal = Heal(world);
  EXPECT_GT(heal.sends, 0U);
  EXPECT_EQ(heal.sends, heal.delivered);
}

TEST(MeasureHeal, WithoutABridgeNothingHappensUntilTheLimit) {
  WorldOptions world_options = Apart({100, 100});
  world_options.core.heal.enabled = false;
  World world(world_options);
  HealOptions options;
  options.limit = Duration::Seconds(20);
  const HealFigures heal = Heal(world, options);
  EXPECT_FALSE(heal.healed);
  EXPECT_FALSE(heal.ring_ok);
  EXPECT_FALSE(heal.tables_ok);
  EXPECT_EQ(heal.merge_messages, 0U);
  EXPECT_GT(heal.background_messages, 0U);  // the rings look after themselves
  EXPECT_GT(heal.false_empty, 0U);
  EXPECT_LT(heal.walks_after_ok, heal.walks_after);
  EXPECT_EQ(world.now(), Time{20'000'000});
}

TEST(MeasureHeal, AFalseAlarmCostsALookup) {
  World world(Apart({300}));
  HealOptions options;
  options.false_alarms = 10;
  const HealFigures heal = Heal(world, options);
  EXPECT_TRUE(heal.healed);
  EXPECT_GT(heal.merge_messages, 0U);
  EXPECT_LE(heal.merge_messages, 60U);
  EXPECT_EQ(heal.refresh_messages, 0U);
}

TEST(MeasureHeal, ACutWorldIsHealedByWhatItRemembers) {
  WorldOptions world_options = Apart({60, 60});
  world_options.islands.clear();
  World world(world_options);
  HealOptions options;
  options.start = HealStart::kSplit;
  const HealFigures heal = MeasureHeal(world, options, std::vector<std::uint32_t>{60, 60}, Always);
  EXPECT_TRUE(heal.ring_ok);
  ASSERT_TRUE(heal.detected);
  EXPECT_GT(heal.merge_messages, 0U);
  EXPECT_EQ(heal.walks_after, heal.walks_after_ok);
}

// Newcomers are part of the one overlay in the end.
TEST(MeasureHeal, IslandsMergeWhilePeersComeAndGo) {
  for (const HealStart start : {HealStart::kSeparate, HealStart::kSplit}) {
    WorldOptions world_options = Apart({100, 60});
    if (start == HealStart::kSplit) world_options.islands.clear();
    World world(world_options);
    HealOptions options;
    options.start = start;
    options.cut = Duration::Minutes(5);
    options.churn_half_life = Duration::Minutes(10);
    options.limit = Duration::Hours(2);  // what the dead leave empty is refreshed every hour
    const HealFigures heal =
        MeasureHeal(world, options, std::vector<std::uint32_t>{100, 60}, Always);
    EXPECT_TRUE(heal.healed) << static_cast<int>(start);
    // Of 160 peers 160 ln 2 / 10 die a minute, for two minutes.
    EXPECT_NEAR(static_cast<double>(world.metrics().crashes), 22.2, 14);
    EXPECT_EQ(world.metrics().joins, world.metrics().crashes);
    EXPECT_EQ(world.live_count(), 160U);
  }
}

TEST(MeasureHeal, OneDirectionFirst) {
  WorldOptions world_options = Apart({100, 100});
  world_options.islands.clear();
  World world(world_options);
  HealOptions options;
  options.start = HealStart::kSplit;
  options.cut = Duration::Minutes(10);
  options.one_way = Duration::Seconds(20);
  const HealFigures heal =
      MeasureHeal(world, options, std::vector<std::uint32_t>{100, 100}, Always);
  EXPECT_TRUE(heal.healed);
  ASSERT_TRUE(heal.detected && heal.ring_ok);
  EXPECT_GT(*heal.detected, options.one_way);  // no answer gets through before
  EXPECT_GT(*heal.ring_ok, options.one_way);
}

// Nobody but the two that are introduced knows of the other island, and their first merge fails.
TEST(MeasureHeal, AnIntroductionIsNotLostWithAPathThatIsBadForAWhile) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    World world(Apart({72, 100}, seed));
    HealOptions options;
    options.one_way = Duration::Seconds(30);
    options.limit = Duration::Minutes(30);
    const HealFigures heal = Heal(world, options);
    EXPECT_TRUE(heal.healed) << seed;
  }
}

TEST(MeasureHeal, CanBeCutShort) {
  World world(Apart({50, 50}));
  int looks = 0;
  MeasureHeal(world, {}, world.options().islands, [&] { return ++looks < 3; });
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(world.now(), Time{3 * 25'000});
}

}  // namespace
}  // namespace tombolo::sim
