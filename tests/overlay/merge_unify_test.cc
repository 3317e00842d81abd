// Ring unification as the whole of a merge, for comparison with the zip.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "overlay/archive.h"
#include "tests/overlay/merge_world.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {
namespace {

constexpr std::uint64_t kFivePercent = (std::uint64_t{1} << 32) / 20;

void Bridge(MergeWorld& world, std::uint32_t from, std::uint32_t to) {
  world.Introduce(world.RandomOf(from), world.RandomOf(to));
}

std::uint64_t UnifySent(const MergeWorld& world) {
  return world.Sent<UnifyLookup>() + world.Sent<UnifyTry>() + world.Sent<UnifyDetected>();
}

void ExpectIdle(const MergeWorld& world) {
  for (const MergeWorld::Node& node : world.nodes) {
    if (!node.up) continue;
    EXPECT_TRUE(node.merge.idle());
    EXPECT_EQ(node.merge.next_deadline(), kNever);
  }
}

struct Case {
  std::string name;
  MergeStrategy strategy;
  MergeWorld::Options options;
  std::uint32_t false_empty = 0;  // at most: only the zip fills what nobody else can know of
};

void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }

class MergeUnifyTest : public testing::TestWithParam<Case> {};

TEST_P(MergeUnifyTest, EndsWithOneRing) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    MergeWorld::Options options = GetParam().options;
    options.seed = seed;
    MergeWorld world(options);
    world.config.heal.strategy = GetParam().strategy;
    for (std::uint32_t i = 1; i < options.islands.size(); ++i) Bridge(world, 0, i);
    world.RunUntil(Time{} + Duration::Minutes(5));
    EXPECT_EQ(world.WrongNeighbours(), 0U) << "seed " << seed;
    EXPECT_LE(world.FalseEmpty(), GetParam().false_empty) << "seed " << seed;
    EXPECT_EQ(world.Sent<MergeSync>(), 0U);
    EXPECT_GT(UnifySent(world), 0U);
    EXPECT_EQ(world.lists.in_use(), 0U);
    ExpectIdle(world);
  }
}

constexpr auto kGossip = MergeStrategy::kGossip;
constexpr auto kSimple = MergeStrategy::kSimple;

INSTANTIATE_TEST_SUITE_P(
    Worlds, MergeUnifyTest,
    testing::Values(Case{"gossip", kGossip, {.islands = {100, 100}}},
                    Case{"gossip_unequal", kGossip, {.islands = {10, 200}}, 1},
                    Case{"gossip_two_peers", kGossip, {.islands = {1, 1}}},
                    Case{"gossip_one_peer", kGossip, {.islands = {1, 50}}},
                    Case{"gossip_three_islands", kGossip, {.islands = {60, 60, 60}}},
                    Case{"gossip_loss",
                         kGossip,
                         {.islands = {100, 100}, .loss = 4 * kFivePercent, .jitter = true}},
                    Case{"gossip_stale", kGossip, {.islands = {100, 100}, .dead = kFivePercent}},
                    Case{"simple", kSimple, {.islands = {100, 100}}},
                    Case{"simple_unequal", kSimple, {.islands = {10, 200}}, 1},
                    Case{"simple_two_peers", kSimple, {.islands = {1, 1}}},
                    Case{"simple_one_peer", kSimple, {.islands = {1, 50}}},
                    Case{"simple_three_islands", kSimple, {.islands = {60, 60, 60}}},
                    Case{"simple_loss",
                         kSimple,
                         {.islands = {100, 100}, .loss = 4 * kFivePercent, .jitter = true}},
                    Case{"simple_stale", kSimple, {.islands = {100, 100}, .dead = kFivePercent}}),
    [](const testing::TestParamInfo<Case>& tested) { return tested.param.name; });

// Delays until the ring is right, at most `most`.
int DelaysToOneRing(MergeWorld& world, int most) {
  for (int delays = 1; delays <= most; ++delays) {
    world.RunUntil(Time{} + MergeWorld::kDelay * delays);
    if (world.WrongNeighbours() == 0) return delays;
  }
  return most + 1;
}

TEST(MergeUnify, GossipIsQuickerThanSimple) {
  std::vector<int> delays;
  for (const MergeStrategy strategy : {kGossip, kSimple}) {
    MergeWorld world({.islands = {500, 500}});
    world.config.heal.strategy = strategy;
    Bridge(world, 0, 1);
    delays.push_back(DelaysToOneRing(world, 1000));
  }
  EXPECT_LE(delays[0], 60);
  EXPECT_GE(delays[1], 2 * delays[0]);
  EXPECT_LE(delays[1], 1000);
}

TEST(MergeUnify, AFalseAlarmCostsALookup) {
  for (const MergeStrategy strategy : {kGossip, kSimple}) {
    MergeWorld world({.islands = {1000, 10}});
    world.config.heal.strategy = strategy;
    for (int i = 0; i < 10; ++i) Bridge(world, 0, 0);
    world.RunUntil(Time{} + Duration::Seconds(30));
    EXPECT_EQ(UnifySent(world), 0U);
    EXPECT_LE(world.Sent<MergeConfirm>() + world.Sent<MergeConfirmed>(), 60U);
  }
}

// Everybody knows every other peer alone: two rings through one another, each orderly by itself.
TEST(MergeUnify, LookupsInALoopyRingEnd) {
  MergeWorld world({.islands = {100}});
  const std::size_t count = world.nodes.size();
  for (std::size_t i = 0; i < count; ++i) {
    MergeWorld::Node& node = world.nodes[i];
    node.table = RoutingTable();
    node.ring = Neighbours();
    node.ring.Learn(world.nodes[(i + 2) % count].ref, world.Part(node));
    node.ring.Learn(world.nodes[(i + count - 2) % count].ref, world.Part(node));
  }
  world.config.heal.strategy = kSimple;
  world.Introduce(world.nodes[0], world.nodes[51]);
  world.RunUntil(Time{} + Duration::Minutes(5));
  EXPECT_LE(UnifySent(world), 10 * count);
  ExpectIdle(world);
}

TEST(MergeUnify, ALookupOutOfHopsIsDropped) {
  MergeWorld world({.islands = {100, 100}});
  MergeWorld::Node& node = world.RandomOf(0);
  const MergeWorld::Node& far = world.nodes[(Index(node.ref) + 100) % world.nodes.size()];
  node.merge.On(world.RandomOf(1).ref, UnifyLookup{0, far.ref, 1, 0}, world.Step(node));
  EXPECT_EQ(world.out.drops()[static_cast<std::size_t>(DropReason::kTtlExceeded)], 1U);
  ASSERT_EQ(world.out.sends().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<MergeAck>(world.out.sends()[0].message));
}

TEST(MergeUnify, ARepeatedMessageIsAcknowledgedAndNoMore) {
  MergeWorld world({.islands = {100, 100}});
  MergeWorld::Node& node = world.RandomOf(0);
  const PeerRef from = world.RandomOf(1).ref;
  const UnifyLookup lookup{16, world.RandomOf(1).ref, 1, 100};
  node.merge.On(from, lookup, world.Step(node));
  const std::size_t sent = world.out.sends().size();
  EXPECT_EQ(sent, 2U);
  node.merge.On(from, lookup, world.Step(node));
  EXPECT_EQ(world.out.sends().size(), sent + 1);
}

TEST(MergeUnify, NobodyCanAskForMoreThanTheFanout) {
  MergeWorld world({.islands = {100, 100}});
  world.config.heal.strategy = kGossip;
  world.config.heal.fanout = 2;
  MergeWorld::Node& node = world.RandomOf(0);
  node.merge.On(world.RandomOf(1).ref, UnifyLookup{0, world.RandomOf(1).ref, 255, 100},
                world.Step(node));
  int told_others = 0;
  for (const OutgoingMessage& sent : world.out.sends()) {
    if (const auto* told = std::get_if<UnifyDetected>(&sent.message)) {
      EXPECT_EQ(told->fanout, 1);
      ++told_others;
    } else if (const auto* onward = std::get_if<UnifyLookup>(&sent.message)) {
      EXPECT_EQ(onward->fanout, 1);
    }
  }
  EXPECT_EQ(told_others, 1);
}

// Whoever floods us with names makes us look up one per interval, and the rest is dropped.
TEST(MergeUnify, AFloodOfNamesIsWorkedOffSlowly) {
  MergeWorld world({.islands = {100, 100}});
  world.config.heal.strategy = kSimple;
  world.config.heal.queue_interval = Duration::Seconds(1);
  MergeWorld::Node& node = world.RandomOf(0);
  const PeerRef from = world.RandomOf(1).ref;
  std::uint32_t number = 0;
  for (const MergeWorld::Node& other : world.nodes) {
    if (other.island == 1)
      node.merge.On(from, UnifyDetected{number++ << 4, other.ref, 1}, world.Step(node));
  }
  const auto asked = std::count_if(world.out.sends().begin(), world.out.sends().end(),
                                   [&](const OutgoingMessage& sent) {
                                     const auto* lookup = std::get_if<UnifyLookup>(&sent.message);
                                     return lookup != nullptr && lookup->target == node.ref;
                                   });
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(world.out.drops()[static_cast<std::size_t>(DropReason::kOverload)],
            100 - 1 - MergeQueue::kMaxQueued);
}

TEST(MergeUnify, NonsenseIsDropped) {
  MergeWorld world({.islands = {20, 20}});
  MergeWorld::Node& node = world.RandomOf(0);
  const PeerRef from = world.RandomOf(1).ref;
  const MergeStep step = world.Step(node);
  node.merge.On(from, UnifyLookup{0, PeerRef::kNone, 1, 1}, step);
  node.merge.On(from, UnifyTry{0, PeerRef::kNone, from}, step);
  node.merge.On(from, UnifyTry{0, from, PeerRef::kNone}, step);
  node.merge.On(from, UnifyDetected{0, PeerRef::kNone, 1}, step);
  EXPECT_EQ(world.out.drops()[static_cast<std::size_t>(DropReason::kUnknownRpc)], 4U);
  EXPECT_TRUE(world.out.sends().empty());
  // About ourselves there is nothing to find out.
  node.merge.On(from, UnifyDetected{1 << 4, node.ref, 2}, step);
  node.merge.On(from, UnifyLookup{2 << 4, node.ref, 2, 9}, step);
  for (const OutgoingMessage& sent : world.out.sends())
    EXPECT_TRUE(std::holds_alternative<MergeAck>(sent.message));
}

// ---- The queue.

class MergeQueueTest : public testing::Test {
 protected:
  MergeQueueTest() {
    Rng rng(1);
    for (int i = 0; i < 200; ++i) peers_.push_back(ids_.Add(RandomId(rng)));
  }
  PartStep Step() {
    return {{now_, config_, ids_, lists_, out_}, peers_[0], ids_.id(peers_[0]), rng_};
  }
  void Add(std::size_t peer, std::uint8_t fanout = 1) {
    queue_.Add({peers_[peer], fanout}, Step());
  }
  PeerRef Take() {
    const auto taken = queue_.Take(Step());
    return taken ? taken->peer : PeerRef::kNone;
  }

  Config config_;
  Directory ids_;
  ContactLists lists_;
  Outbox out_;
  Time now_;
  Rng rng_{1};
  std::vector<PeerRef> peers_;
  MergeQueue queue_;
};

TEST_F(MergeQueueTest, OneAtATimeAndOnePerInterval) {
  EXPECT_EQ(queue_.next_deadline(), kNever);
  Add(1, 3);
  Add(2);
  EXPECT_EQ(queue_.next_deadline(), now_);
  const auto first = queue_.Take(Step());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->peer, peers_[1]);
  EXPECT_EQ(first->fanout, 3);
  EXPECT_EQ(Take(), PeerRef::kNone);
  EXPECT_EQ(queue_.next_deadline(), now_ + config_.heal.queue_interval);
  now_ = queue_.next_deadline();
  EXPECT_EQ(Take(), peers_[2]);
  EXPECT_EQ(queue_.size(), 0U);
  // The interval counts also when the queue was empty in between.
  Add(3);
  EXPECT_EQ(queue_.next_deadline(), now_ + config_.heal.queue_interval);
}

TEST_F(MergeQueueTest, NobodyIsQueuedAgainForAWhile) {
  Add(1);
  Add(1);
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(Take(), peers_[1]);
  Add(1);
  EXPECT_EQ(queue_.size(), 0U);
  EXPECT_FALSE(queue_.idle());
  EXPECT_EQ(queue_.next_deadline(), now_ + MergeQueue::kSeenFor);
  now_ = queue_.next_deadline();
  EXPECT_EQ(Take(), PeerRef::kNone);
  EXPECT_TRUE(queue_.idle());
  Add(1);
  EXPECT_EQ(Take(), peers_[1]);
}

TEST_F(MergeQueueTest, AFullQueueTakesNobodyAndCounts) {
  for (std::size_t i = 1; i <= MergeQueue::kMaxQueued; ++i) Add(i);
  EXPECT_EQ(queue_.size(), MergeQueue::kMaxQueued);
  Add(100);
  EXPECT_EQ(queue_.size(), MergeQueue::kMaxQueued);
  EXPECT_EQ(out_.drops()[static_cast<std::size_t>(DropReason::kOverload)], 1U);
}

TEST_F(MergeQueueTest, OfManySeenTheOldestIsForgotten) {
  config_.heal.queue_interval = Duration::Milliseconds(1);
  for (std::size_t i = 1; i <= MergeQueue::kMaxSeen + 1; ++i) {
    Add(i);
    EXPECT_EQ(Take(), peers_[i]);
    now_ = now_ + Duration::Milliseconds(1);
  }
  Add(2);
  EXPECT_EQ(queue_.size(), 0U);
  Add(1);
  EXPECT_EQ(queue_.size(), 1U);
}

TEST_F(MergeQueueTest, IsSavedAsItIs) {
  Add(1, 4);
  Add(2);
  Take();
  const std::vector<std::uint8_t> saved = Saved(queue_);
  MergeQueue loaded;
  Reader reader(saved);
  reader(loaded);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(Saved(loaded), saved);
  EXPECT_EQ(loaded.next_deadline(), queue_.next_deadline());
}

}  // namespace
}  // namespace tombolo
