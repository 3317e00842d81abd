// Worlds whose peers keep links and relay: both ends of a link agree, and a run goes on identically
// after a copy or a load in its midst.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions LinkedOptions(std::uint64_t seed) {
  WorldOptions options = ToyOptions(200, StartMode::kBuilt, seed);
  options.core.links.max_links = 24;
  options.core.links.reserved = 8;
  options.nat_share = 0.3;
  options.loss = 0.02;
  options.latency.model = LatencyModel::kLognormal;
  options.latency.jitter = Duration::Milliseconds(40);
  options.bandwidth.model = BandwidthModel::kMixed;
  return options;
}

void AddLoad(World& world, OperationKind kind, std::uint64_t count) {
  WorkloadOptions workload;
  workload.kind = kind;
  workload.rate_per_s = 10;
  workload.count = count;
  workload.keys = 20;
  workload.ttl = Duration::Minutes(3);
  workload.copies = 2;
  world.AddWorkload(workload);
}

// Links, relays, records and joins and deaths, all at once.
World BusyLinkedWorld(std::uint64_t seed) {
  WorldOptions options = LinkedOptions(seed);
  options.churn.model = ChurnModel::kWeibull;
  options.churn.shape = 0.6;
  options.churn.mean = Duration::Minutes(15);
  options.churn.graceful_share = 0.5;
  World world(options);
  for (const OperationKind kind :
       {OperationKind::kLookup, OperationKind::kSend, OperationKind::kPut, OperationKind::kGet}) {
    AddLoad(world, kind, 1'000'000);
  }
  world.RecordEvents(1000);
  return world;
}

struct LinkCount {
  int both = 0;     // the other end has the link too
  int alone = 0;    // the other end is up and knows nothing of it
  int to_dead = 0;  // the other end is down
};

// Links that have been up for `age`: one that is being opened or refused has one end for a moment.
LinkCount CountLinks(const World& world, Duration age = Duration{0}) {
  LinkCount count;
  for (const PeerRef peer : world.oracle().live()) {
    for (const Link& link : world.peer(peer).links()) {
      if (link.up_since + age > world.now()) continue;
      if (!world.is_up(link.peer)) {
        ++count.to_dead;
        continue;
      }
      const auto back = world.peer(link.peer).links();
      const bool mutual = std::any_of(back.begin(), back.end(),
                                      [&](const Link& other) { return other.peer == peer; });
      ++(mutual ? count.both : count.alone);
    }
  }
  return count;
}

TEST(WorldLinks, BothEndsOfEveryLinkOfTheBuiltStartAgree) {
  const World world(LinkedOptions(1));
  const LinkCount count = CountLinks(world);
  EXPECT_GT(count.both, 1000);
  EXPECT_EQ(count.alone, 0);
}

// Everybody wants more links than anybody may have. Who is turned away waits before it dials again,
// in whatever order it hears that its link is up, that it is unwanted and that it is closed.
TEST(WorldLinks, FullTablesAreNotDialledAgainAndAgain) {
  for (const int jitter_ms : {0, 40}) {
    WorldOptions options = ToyOptions(100);
    options.core.overlay = OverlayKind::kBoth;
    options.core.links.max_links = 10;
    options.core.links.reserved = 0;
    options.core.links.per_bucket = 3;
    options.latency.jitter = Duration::Milliseconds(jitter_ms);
    World world(options);
    world.RunFor(Duration::Minutes(2));
    const std::uint64_t before = world.metrics().dials;
    world.RunFor(Duration::Minutes(2));
    const std::uint64_t dials = world.metrics().dials - before;
    EXPECT_GT(dials, 0U) << "nobody has to be turned away";
    // Four times two minutes' back-offs: each side of a pair waits by itself.
    EXPECT_LT(dials, 100U * 99U * 4U) << jitter_ms;
  }
}

TEST(WorldLinks, WhenMembershipRestsBothEndsOfEveryLinkAgree) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    World world(LinkedOptions(seed));
    for (int round = 0; round < 30; ++round) {
      for (int i = 0; i < 3; ++i) {
        world.Crash(world.RandomLivePeer());
        world.Leave(world.RandomLivePeer());
        world.Join(world.AddPeer());
        world.Join(world.AddPeer());
        world.RunFor(Duration::Milliseconds(250));
      }
    }
    world.RunFor(Duration::Minutes(10));
    const LinkCount count = CountLinks(world, Duration::Seconds(10));
    EXPECT_GT(count.both, 1000);
    EXPECT_EQ(count.alone, 0) << seed;
    EXPECT_EQ(count.to_dead, 0) << seed;
  }
}

TEST(WorldLinks, EqualOptionsGiveEqualRuns) {
  World first = BusyLinkedWorld(1);
  World same = BusyLinkedWorld(1);
  World other = BusyLinkedWorld(2);
  for (World* world : {&first, &same, &other}) world->RunFor(Duration::Minutes(2));
  EXPECT_GT(first.metrics().of(OperationKind::kSend).succeeded, 500U);
  EXPECT_GT(first.metrics().crashes, 0U);
  EXPECT_GT(first.metrics().dials, 0U);
  ExpectSameRun(first, same);
  EXPECT_NE(first.trace_hash(), other.trace_hash());
}

TEST(WorldLinks, ACopyRunsOnIndependentlyAndIdentically) {
  World world = BusyLinkedWorld(4);
  world.RunFor(Duration::Seconds(61));
  ASSERT_GT(world.in_flight(), 0U);
  ASSERT_GT(world.active_operations(), 0U);
  World fork = world;
  World unused = world;
  unused.CrashShare(0.5);
  unused.RunFor(Duration::Minutes(1));
  world.RunFor(Duration::Minutes(1));
  fork.RunFor(Duration::Minutes(1));
  ExpectSameRun(fork, world);
  EXPECT_EQ(Save(fork).size(), Save(world).size());
  EXPECT_NE(unused.trace_hash(), world.trace_hash());
}

TEST(WorldLinks, HiddenPeersOfABuiltWorldLookForNewcomersFromTheStart) {
  WorldOptions options;
  options.peers = 50;
  options.nat_share = 0.5;
  World world(options);
  world.RunFor(options.core.links.hidden_refresh_interval * 2);
  EXPECT_GT(world.metrics().messages[Message(FindNode{}).index()], 0U);
}

TEST(WorldLinks, RunsOnIdenticallyAfterSavingAndLoading) {
  World world = BusyLinkedWorld(5);
  world.RunFor(Duration::Seconds(61));
  ASSERT_GT(world.in_flight(), 0U);
  ASSERT_GT(world.active_operations(), 0U);
  const std::vector<std::uint8_t> bytes = Save(world);
  World loaded(ToyOptions(1));
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end()) << reader.error();
  ExpectSameRun(loaded, world);
  world.RunFor(Duration::Minutes(1));
  loaded.RunFor(Duration::Minutes(1));
  ExpectSameRun(loaded, world);
  EXPECT_EQ(Save(loaded).size(), Save(world).size());
}

// A path that loses messages makes contacts fail. Whoever is linked is asked again, since of two
// peers that hold each other for failed neither would ever ask the other.
TEST(WorldLinks, AContactThatFailedAndIsLinkedIsAskedAgain) {
  WorldOptions options = ToyOptions(2);
  options.core.links.max_links = 8;
  options.faults.drop = 1;
  options.faults.end = Duration::Seconds(5);
  World world(options);
  for (const PeerRef peer : {PeerRef{0}, PeerRef{1}}) world.StartLookup(peer, world.RandomId());
  world.RunFor(Duration::Seconds(5));
  for (const PeerRef peer : {PeerRef{0}, PeerRef{1}}) {
    ASSERT_EQ(world.peer(peer).table().live_count(), 0U);
    ASSERT_EQ(world.peer(peer).links().size(), 1U);
  }
  world.RunFor(Duration::Seconds(20));
  EXPECT_EQ(world.peer(PeerRef{0}).table().live_count(), 1U);
  EXPECT_EQ(world.peer(PeerRef{1}).table().live_count(), 1U);
}

// The dead give up what they held, whether they crash or leave.
TEST(WorldLinks, ListsAndPayloadsAreAllGivenBackWhenItIsQuiet) {
  World world(LinkedOptions(6));
  for (const OperationKind kind :
       {OperationKind::kLookup, OperationKind::kSend, OperationKind::kPut, OperationKind::kGet}) {
    AddLoad(world, kind, 300);
  }
  for (int i = 0; i < 30; ++i) {
    world.RunFor(Duration::Seconds(1));
    world.Crash(world.RandomLivePeer());
    world.Leave(world.RandomLivePeer());
    world.Join(world.AddPeer());
  }
  world.RunFor(Duration::Minutes(20));
  EXPECT_EQ(world.active_operations(), 0U);
  EXPECT_EQ(world.payloads_in_use(), 0U);
  // Lookups of refreshes may be under way.
  world.CrashShare(1);
  world.RunFor(Duration::Minutes(1));
  EXPECT_EQ(world.in_flight(), 0U);
  EXPECT_EQ(world.lists_in_use(), 0U);
}

}  // namespace
}  // namespace tombolo::sim
