#include "overlay/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/overlay/merge_world.h"

namespace tombolo {
namespace {

constexpr Time kLater{30'000'000};
constexpr std::uint64_t kFivePercent = (std::uint64_t{1} << 32) / 20;

void Bridge(MergeWorld& world, std::uint32_t from, std::uint32_t to) {
  world.Introduce(world.RandomOf(from), world.RandomOf(to));
}

// Of the other half of the ids `node` knows nobody but `peer`.
void KnowOnly(const MergeWorld::Node& peer, MergeWorld::Node& node, const MergeWorld& world) {
  const std::span<const PeerRef> bucket = node.table.live(0);
  for (const PeerRef other : std::vector<PeerRef>(bucket.begin(), bucket.end())) {
    node.table.Remove(other, 0);
  }
  node.table.Seen(peer.ref, 0, world.config.table, world.directory);
}

struct Case {
  std::string name;
  MergeWorld::Options options;
  std::uint32_t false_empty = 0;  // at most
};

class MergeTest : public testing::TestWithParam<Case> {};

TEST_P(MergeTest, EndsWithOneRingAndFullTables) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    MergeWorld::Options options = GetParam().options;
    options.seed = seed;
    MergeWorld world(options);
    ASSERT_GT(world.WrongNeighbours(), 0U);
    for (std::uint32_t i = 1; i < options.islands.size(); ++i) Bridge(world, 0, i);
    world.RunUntil(kLater);
    EXPECT_EQ(world.WrongNeighbours(), 0U) << "seed " << seed;
    EXPECT_LE(world.FalseEmpty(), GetParam().false_empty) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, MergeTest,
    testing::Values(Case{"equal", {.islands = {200, 200}}},
                    Case{"wide_buckets", {.islands = {200, 200}, .k = 20}},
                    Case{"one_peer", {.islands = {1, 100}}}, Case{"two_peers", {.islands = {1, 1}}},
                    Case{"unequal", {.islands = {20, 400}}},
                    Case{"jitter", {.islands = {200, 200}, .jitter = true}},
                    Case{"missing", {.islands = {200, 200}, .missing = kFivePercent}},
                    Case{"three_islands", {.islands = {100, 100, 100}}}),
    [](const testing::TestParamInfo<Case>& tested) { return tested.param.name; });

TEST(Merge, IsQuickAndCheap) {
  MergeWorld world({.islands = {500, 500}});
  Bridge(world, 0, 1);
  world.RunUntil(Time{} + MergeWorld::kDelay * 30);
  EXPECT_EQ(world.WrongNeighbours(), 0U);
  EXPECT_EQ(world.FalseEmpty(), 0U);
  EXPECT_LE(world.ZipSent() + world.RingSent(), 4 * world.nodes.size());
  EXPECT_LE(world.Busiest(), 20U);
  world.RunUntil(kLater);
  EXPECT_LE(world.RefreshSent(), 4.1 * static_cast<double>(world.nodes.size()));
  EXPECT_EQ(world.lists.in_use(), 0U);
}

TEST(Merge, HappensOnceForManyBridges) {
  MergeWorld one({.islands = {300, 300}});
  Bridge(one, 0, 1);
  one.RunUntil(kLater);
  MergeWorld many({.islands = {300, 300}});
  for (int i = 0; i < 10; ++i) Bridge(many, 0, 1);
  many.RunUntil(kLater);
  EXPECT_EQ(many.WrongNeighbours(), 0U);
  EXPECT_EQ(many.FalseEmpty(), 0U);
  EXPECT_LE(many.ZipSent() + many.RingSent(), 3 * (one.ZipSent() + one.RingSent()));
}

TEST(Merge, AFalseAlarmCostsALookup) {
  MergeWorld world({.islands = {1000, 10}});
  for (int i = 0; i < 10; ++i) Bridge(world, 0, 0);
  world.RunUntil(kLater);
  EXPECT_EQ(world.Sent<MergeSync>(), 0U);
  EXPECT_LE(world.Sent<MergeConfirm>() + world.Sent<MergeConfirmed>(), 60U);
}

// A peer forgets its part in merging once it is idle; those who have heard of it do not.
TEST(Merge, TheMessagesOfALaterLifeAreNoRepeats) {
  MergeWorld world({.islands = {1000, 10}});
  MergeWorld::Node& node = world.RandomOf(0);
  MergeWorld::Node& other = world.RandomOf(0);
  for (int i = 0; i < 5; ++i) {
    world.Introduce(node, other);
    world.RunUntil(world.now + Duration::Seconds(10));
    ASSERT_TRUE(node.merge.idle());
    node.merge = Merge();
  }
  EXPECT_GE(world.Sent<MergeConfirm>(), 5U);
  EXPECT_EQ(world.Sent<MergeSync>(), 0U);
}

// After a split the tables still hold peers of the other island: that is no proof.
TEST(Merge, StaleContactsDoNotHideAnIsland) {
  MergeWorld world({.islands = {200, 200}});
  const MergeWorld::Node& other = world.RandomOf(1);
  MergeWorld::Node* nearest = &world.RandomOf(0);
  for (MergeWorld::Node& node : world.nodes) {
    if (node.island != 0) continue;
    const int level = CommonPrefixLength(node.id, other.id);
    node.table.Seen(other.ref, level, world.config.table, world.directory);
    if (IsCloser(node.id, nearest->id, other.id)) nearest = &node;
  }
  ASSERT_EQ(nearest->table.live(CommonPrefixLength(nearest->id, other.id)).back(), other.ref);
  world.Introduce(*nearest, world.at(other.ref));
  world.RunUntil(kLater);
  EXPECT_EQ(world.WrongNeighbours(), 0U);
  EXPECT_EQ(world.FalseEmpty(), 0U);
}

TEST(Merge, ANeighbourCostsNothing) {
  MergeWorld world({.islands = {100, 100}});
  MergeWorld::Node& node = world.RandomOf(0);
  world.Introduce(node, world.at(node.ring.successors().front()));
  world.Introduce(node, node);
  world.RunUntil(kLater);
  EXPECT_EQ(world.Sent<MergeConfirm>() + world.Sent<MergeSync>(), 0U);
}

TEST(Merge, EndsByItself) {
  MergeWorld world({.islands = {200, 200}});
  Bridge(world, 0, 1);
  world.RunUntil(Time{} + Duration::Minutes(3));
  for (const MergeWorld::Node& node : world.nodes) {
    EXPECT_TRUE(node.merge.idle());
    EXPECT_EQ(node.merge.next_deadline(), kNever);
  }
}

// The dead are in the tables of their islands and nobody knows.
TEST(Merge, HealsOverStaleEntries) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    MergeWorld world({.islands = {300, 300}, .seed = seed, .dead = kFivePercent});
    Bridge(world, 0, 1);
    world.RunUntil(kLater);
    EXPECT_EQ(world.WrongNeighbours(), 0U) << "seed " << seed;
    EXPECT_EQ(world.FalseEmpty(), 0U) << "seed " << seed;
  }
}

// All is over, and peers next to each other know nobody in the other half of the ids but one who is
// dead since. One of them hears of somebody.
TEST(Merge, WhoIsAloneInABucketIsAskedAndWhoIsThereInsteadIsNamed) {
  MergeWorld world({.islands = {100, 100}});
  Bridge(world, 0, 1);
  world.RunUntil(Time{} + Duration::Minutes(3));
  ASSERT_EQ(world.FalseEmpty(), 0U);
  const std::span<MergeWorld::Node> asking(&world.nodes[30], 40);
  MergeWorld::Node& dead = world.nodes[150];
  dead.up = false;
  for (MergeWorld::Node& node : asking) KnowOnly(dead, node, world);
  ASSERT_GE(world.FalseEmpty(), asking.size());

  world.Refresh(asking[19], asking[20], world.nodes[160].ref);
  world.RunUntil(world.now + Duration::Minutes(3));
  EXPECT_EQ(world.FalseEmpty(), 0U);
  for (const MergeWorld::Node& node : asking) {
    const std::span<const PeerRef> bucket = node.table.live(0);
    EXPECT_EQ(std::count(bucket.begin(), bucket.end(), dead.ref), 0) << Index(node.ref);
  }
}

// Of four in a row who know a dead one alone two find out, and ask again. By then the last one
// knows better: it tells the third, which tells the second, which tells the first.
TEST(Merge, ABucketThatTurnsOutToBeEmptyIsRefreshed) {
  MergeWorld world({.islands = {100, 100}});
  Bridge(world, 0, 1);
  world.RunUntil(Time{} + Duration::Minutes(3));
  const std::span<MergeWorld::Node> row(&world.nodes[48], 4);
  MergeWorld::Node& dead = world.nodes[150];
  dead.up = false;
  for (MergeWorld::Node& node : row) KnowOnly(dead, node, world);
  ASSERT_EQ(world.FalseEmpty(), 4U);
  for (const std::size_t i : {1U, 2U}) {  // news that lie in another bucket
    const int level = CommonPrefixLength(row[i].id, world.nodes[20].id);
    const PeerRef other = row[i].table.live(level).front();
    row[i].table.Remove(other, level);
    world.Refresh(row[3], row[i], other);
  }
  world.RunUntil(world.now + Duration::Seconds(2));
  row[3].table.Seen(world.nodes[160].ref, 0, world.config.table, world.directory);
  world.RunUntil(world.now + Duration::Minutes(1));
  EXPECT_EQ(world.FalseEmpty(), 0U);
}

// It answers no question, and lives by all other signs.
TEST(Merge, WhoNeverAnswersIsNotAskedForEver) {
  MergeWorld world({.islands = {100, 100}});
  Bridge(world, 0, 1);
  world.RunUntil(Time{} + Duration::Minutes(3));
  MergeWorld::Node& node = world.nodes[50];
  MergeWorld::Node& deaf = world.nodes[150];
  deaf.up = false;
  for (std::size_t i = 49; i <= 51; ++i) KnowOnly(deaf, world.nodes[i], world);
  const int level = CommonPrefixLength(node.id, world.nodes[20].id);
  const PeerRef other = node.table.live(level).front();
  node.table.Remove(other, level);
  const std::uint64_t before = world.Sent<MergeRefresh>();
  world.Refresh(world.nodes[51], node, other);
  for (int i = 0; i < 3000; ++i) {
    world.RunUntil(world.now + Duration::Milliseconds(100));
    for (std::size_t at = 49; at <= 51; ++at) KnowOnly(deaf, world.nodes[at], world);
    node.merge.Heard(deaf.ref);
  }
  EXPECT_LE(world.Sent<MergeRefresh>() - before, 200U);
}

// Half of the ids are dead on one side, which does not know it yet and names them.
TEST(Merge, WhoFindsNobodyAmongManyTellsWhoNamedThem) {
  MergeWorld world({.islands = {100, 24}, .k = 20});
  MergeWorld::Node& node = world.RandomOf(0);
  MergeWorld::Node* partner = nullptr;
  for (MergeWorld::Node& other : world.nodes) {
    if (other.island == 0) continue;
    if (other.id.bit(0) == node.id.bit(0)) {
      other.up = false;
    } else {
      partner = &other;
    }
  }
  world.Introduce(*partner, node);
  world.RunUntil(kLater);
  EXPECT_EQ(world.WrongNeighbours(), 0U);
  EXPECT_EQ(world.FalseEmpty(), 0U);
}

// At first nothing comes back. The path is good again in the middle of what follows from that, or
// when all is over and somebody asks anew.
TEST(Merge, HealsWhenThePathIsGoodBothWaysAtLast) {
  for (const int silent_s : {1, 3, 5, 7, 9, 12, 20}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      MergeWorld world({.islands = {100, 100}, .seed = seed, .k = 20});
      MergeWorld::Node& node = world.RandomOf(0);
      MergeWorld::Node& other = world.RandomOf(1);
      world.mute = 1;
      world.Introduce(node, other);
      world.RunUntil(Time{} + Duration::Seconds(silent_s));
      world.mute = ~0U;
      world.RunUntil(Time{} + Duration::Seconds(21));
      if (world.WrongNeighbours() > 0) world.Introduce(node, other);
      world.RunUntil(Time{} + Duration::Seconds(50));
      EXPECT_EQ(world.WrongNeighbours(), 0U) << silent_s << " s, seed " << seed;
      EXPECT_EQ(world.FalseEmpty(), 0U) << silent_s << " s, seed " << seed;
    }
  }
}

TEST(Merge, HealsOverLossyPaths) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    MergeWorld world({.islands = {300, 300}, .seed = seed, .loss = 4 * kFivePercent});
    Bridge(world, 0, 1);
    world.RunUntil(kLater);
    EXPECT_EQ(world.WrongNeighbours(), 0U) << "seed " << seed;
    EXPECT_EQ(world.FalseEmpty(), 0U) << "seed " << seed;
  }
}

TEST(Merge, NonsenseIsDropped) {
  MergeWorld world({.islands = {20, 20}});
  MergeWorld::Node& node = world.RandomOf(0);
  const PeerRef from = world.RandomOf(1).ref;
  const MergeStep step = world.Step(node);
  node.merge.On(from, MergeConfirm{0, 0, PeerRef::kNone, from, 1}, step);
  node.merge.On(from, MergeConfirm{0, 0, from, PeerRef::kNone, 1}, step);
  node.merge.On(from, MergeSync{0, 1, 200, false, ListHandle::kEmpty}, step);
  node.merge.On(from, MergeSyncReply{0, 1, false, ListHandle::kEmpty}, step);
  node.merge.On(from, MergeBridge{0, 1, from, 200, ListHandle::kEmpty}, step);
  node.merge.On(from, MergeLookup{0, 1, PeerRef::kNone, 3}, step);
  node.merge.On(from, MergeAck{77}, step);
  node.merge.On(from, MergeRefreshed{77, ListHandle::kEmpty}, step);
  EXPECT_EQ(world.out.drops()[static_cast<std::size_t>(DropReason::kUnknownRpc)], 8U);
  EXPECT_TRUE(world.out.sends().empty());
}

}  // namespace
}  // namespace tombolo
