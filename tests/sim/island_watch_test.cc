// Worlds in which peers notice islands: how soon, and at what cost.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "sim/world.h"

namespace tombolo::sim {
namespace {

WorldOptions HealingWorld(std::uint32_t peers, std::uint64_t seed) {
  WorldOptions options;
  options.peers = peers;
  options.seed = seed;
  options.core.overlay = OverlayKind::kBoth;
  return options;
}

template <class M>
std::uint64_t Sent(const World& world) {
  return world.metrics().messages[Message(M{}).index()];
}

TEST(IslandWatchTest, ABuiltIslandStartsWithOneExactSketch) {
  const World world(HealingWorld(100, 1));
  std::vector<PeerRef> everyone;
  for (std::uint32_t i = 0; i < 100; ++i) everyone.push_back(PeerRef{i});
  const std::vector<PeerRef> sketch = IslandDigest::Choose(everyone, world.directory());
  const std::uint64_t label = IslandDigest::Hash(world.directory().id(sketch[0]));
  for (const PeerRef peer : everyone) {
    const IslandWatch* watch = world.peer(peer).watch();
    ASSERT_NE(watch, nullptr);
    EXPECT_EQ(watch->digest.label(world.peer(peer).id(), world.directory()), label);
  }
}

TEST(IslandWatchTest, AQuietHourCostsOneExchangePerTwentyMinutesAndNoAlarm) {
  World world(HealingWorld(200, 1));
  world.RunFor(Duration::Hours(1));
  EXPECT_NEAR(static_cast<double>(Sent<IslandProbe>(world)), 200 * 3, 60);
  EXPECT_EQ(Sent<MergeConfirm>(world), 0U);
}

// Messages of the ten minutes after half of all have died.
std::uint64_t SaidAfterMassFailure(std::uint32_t peers, std::uint64_t seed, bool heals) {
  WorldOptions options = HealingWorld(peers, seed);
  options.core.heal.enabled = heals;
  World world(options);
  world.RunFor(Duration::Minutes(1));
  world.CrashShare(0.5);
  world.ResetMetrics();
  world.RunFor(Duration::Minutes(10));
  return world.metrics().total_messages();
}

// The smaller the island, the larger the share of each peer in its probes.
TEST(IslandWatchTest, AMassFailureCausesNoStorm) {
  for (const std::uint32_t peers : {100U, 1000U}) {
    std::uint64_t without = 0;
    std::uint64_t with = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      without += SaidAfterMassFailure(peers, seed, false);
      with += SaidAfterMassFailure(peers, seed, true);
    }
    EXPECT_LE(with, without + without / 20) << peers;
  }
}

// The other island is asked after within seconds of the return of the path.
TEST(IslandWatchTest, TheLostAreFoundSoonAfterTheCutHeals) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    World world(HealingWorld(100, seed));
    const std::vector<double> halves = {0.5, 0.5};
    world.Partition(halves);
    world.RunFor(Duration::Minutes(15));
    const std::uint64_t before = Sent<MergeConfirm>(world);
    EXPECT_EQ(before, 0U) << "a cut alone is no reason to merge";
    world.Heal();
    world.RunFor(Duration::Seconds(30));
    EXPECT_GT(Sent<MergeConfirm>(world), before) << "seed " << seed;
  }
}

TEST(IslandWatchTest, EqualSeedsNoticeEqually) {
  std::uint64_t hashes[2];
  for (std::uint64_t& hash : hashes) {
    World world(HealingWorld(60, 3));
    const std::vector<double> halves = {0.5, 0.5};
    world.Partition(halves);
    world.RunFor(Duration::Minutes(5));
    world.Heal();
    world.RunFor(Duration::Minutes(1));
    hash = world.trace_hash();
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

}  // namespace
}  // namespace tombolo::sim
