// Partitions of a world: what they do to messages, links, dials and joins, and that a run goes on
// identically after a copy or a load in the middle of one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "sim/partition.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

constexpr std::array<double, 2> kHalves = {0.5, 0.5};

PeerRef Ref(std::uint32_t index) { return static_cast<PeerRef>(index); }

WorldOptions LinkedOptions(std::uint32_t peers, std::uint64_t seed = 1) {
  WorldOptions options = ToyOptions(peers, StartMode::kBuilt, seed);
  options.core.links.max_links = 64;
  options.core.links.reserved = 8;
  return options;
}

bool Linked(const World& world, PeerRef from, PeerRef to) {
  const auto links = world.peer(from).links();
  return std::any_of(links.begin(), links.end(), [&](const Link& link) { return link.peer == to; });
}

int LinksAcross(const World& world) {
  int across = 0;
  for (const PeerRef peer : world.oracle().live()) {
    for (const Link& link : world.peer(peer).links())
      across += world.island_of(peer) != world.island_of(link.peer) ? 1 : 0;
  }
  return across;
}

// A linked pair.
struct Pair {
  PeerRef a;
  PeerRef b;
};
Pair AnyLink(const World& world) { return {Ref(0), world.peer(Ref(0)).links().front().peer}; }

TEST(WorldPartition, SharesOfTheLivePeersAreExact) {
  WorldOptions options = ToyOptions(400);
  options.dead_share = 0.25;
  World world(options);
  world.Partition(std::array<double, 3>{0.5, 0.3, 0.2});
  std::array<std::uint32_t, 3> sizes{};
  for (const PeerRef peer : world.oracle().live())
    ++sizes.at(static_cast<std::size_t>(world.island_of(peer)));
  EXPECT_EQ(sizes[0], static_cast<std::uint32_t>(0.5 * world.live_count() + 0.5));
  EXPECT_EQ(sizes[0] + sizes[1] + sizes[2], world.live_count());
}

TEST(WorldPartition, MessagesAcrossTheCutVanishAndAreCounted) {
  World world(ToyOptions(100));
  EXPECT_EQ(LookUpAtRandom(world, 50).closest, 50);
  EXPECT_EQ(world.metrics().cut, 0U);
  world.Partition(kHalves);
  LookUpAtRandom(world, 50);
  EXPECT_GT(world.metrics().cut, 50U);
  world.Heal();
  const std::uint64_t cut = world.metrics().cut;
  LookUpAtRandom(world, 50);
  EXPECT_EQ(world.metrics().cut, cut);
  EXPECT_EQ(world.metrics().lost, 0U);
}

TEST(WorldPartition, LinksAcrossGoDownWhenTheKeepaliveTimeOutIsOver) {
  World world(LinkedOptions(100));
  world.Partition(kHalves);
  const int before = LinksAcross(world);
  ASSERT_GT(before, 500);
  world.RunFor(Duration::Milliseconds(9'990));
  EXPECT_GT(LinksAcross(world), before / 2) << "not noticed yet, but for those found suspect";
  world.RunFor(Duration::Milliseconds(20));
  EXPECT_EQ(LinksAcross(world), 0);
  world.RunFor(Duration::Minutes(5));
  EXPECT_EQ(LinksAcross(world), 0);
}

TEST(WorldPartition, LinksSurviveACutThatIsOverBeforeTheTimeOut) {
  World world(LinkedOptions(100));
  const auto [a, b] = AnyLink(world);
  world.Partition(kHalves);
  world.RunFor(Duration::Seconds(9));
  world.Heal();
  world.RunFor(Duration::Milliseconds(500));
  world.Cut(a, b, true);  // again: its ten seconds start now
  world.RunFor(Duration::Seconds(9));
  EXPECT_TRUE(Linked(world, a, b));
  EXPECT_TRUE(Linked(world, b, a));
  world.RunFor(Duration::Seconds(2));
  EXPECT_FALSE(Linked(world, a, b));
  EXPECT_FALSE(Linked(world, b, a));
}

TEST(WorldPartition, TheEndsOfACutLinkHearOfATimeOut) {
  World world(LinkedOptions(100));
  const auto [a, b] = AnyLink(world);
  // Only links that an application asked for are told of.
  world.StartConnect(a, world.directory().id(b));
  world.RecordEvents(100);
  world.Cut(a, b);
  world.RunFor(Duration::Seconds(11));
  const auto lost = [&](PeerRef peer, PeerRef other) {
    return std::any_of(world.events().begin(), world.events().end(), [&](const LoggedEvent& e) {
      const PeerLost* event = std::get_if<PeerLost>(&e.event);
      return e.peer == peer && event != nullptr && event->peer == other &&
             event->reason == LinkDownReason::kTimeout && e.at == Time{} + Duration::Seconds(10);
    });
  };
  EXPECT_TRUE(lost(a, b));
}

TEST(WorldPartition, AnIsolatedPeerLosesItsLinksAndAHealedOneFindsBack) {
  World world(LinkedOptions(100));
  const PeerRef peer = Ref(7);
  world.Isolate(peer);
  EXPECT_EQ(world.island_of(peer), -1);
  world.RunFor(Duration::Seconds(10));
  EXPECT_TRUE(world.peer(peer).links().empty());
  world.Heal();
  EXPECT_EQ(world.island_of(peer), 0);
  world.RunFor(Duration::Minutes(2));
  EXPECT_FALSE(world.peer(peer).links().empty());
}

TEST(WorldPartition, DialsAcrossFailAfterTheTimeOut) {
  World world(LinkedOptions(100));
  const PeerRef peer = Ref(7);
  world.Isolate(peer);
  world.RunFor(Duration::Seconds(10));
  ASSERT_TRUE(world.peer(peer).links().empty());
  const std::uint64_t dials = world.metrics().dials;
  world.RunFor(Duration::Minutes(10));
  EXPECT_GT(world.metrics().dials, dials);
  EXPECT_TRUE(world.peer(peer).links().empty());
}

TEST(WorldPartition, AConnectAcrossFailsWhenTheDialDoes) {
  World world(LinkedOptions(2));
  world.Cut(Ref(0), Ref(1), true);
  world.RunFor(Duration::Seconds(11));
  const Time begun = world.now();
  const OperationId id = world.StartConnect(Ref(0), world.directory().id(Ref(1)));
  world.RunUntilEnded(id, begun + Duration::Minutes(2));
  EXPECT_EQ(world.TakeOperation(id).status, OperationStatus::kFailed);
}

TEST(WorldPartition, OneWayCutsStopOneDirection) {
  World world(ToyOptions(2));
  world.Cut(Ref(0), Ref(1), true);
  EXPECT_FALSE(world.CanTalk(Ref(0), Ref(1)));
  EXPECT_TRUE(world.CanTalk(Ref(1), Ref(0)));
  const OperationId id = world.StartLookup(Ref(1), world.directory().id(Ref(0)));
  Finish(world, id);
  EXPECT_EQ(world.metrics().cut, 1U) << "the request arrived, the answer vanished";
  EXPECT_EQ(world.TakeOperation(id).status, OperationStatus::kFailed);
}

TEST(WorldPartition, ABridgeJoinsTwoPeersOfTwoIslands) {
  World world(ToyOptions(100));
  std::vector<std::uint16_t> islands(100);
  for (std::size_t i = 50; i < 100; ++i) islands[i] = 1;
  world.PartitionInto(islands);
  world.Bridge(Ref(3), Ref(80));
  EXPECT_TRUE(world.CanTalk(Ref(3), Ref(80)));
  EXPECT_TRUE(world.CanTalk(Ref(80), Ref(3)));
  EXPECT_FALSE(world.CanTalk(Ref(3), Ref(81)));
}

TEST(WorldPartition, NewcomersJoinTheirOwnIsland) {
  World world(ToyOptions(100));
  world.Partition(std::array<double, 2>{0.9, 0.1});
  world.RunFor(Duration::Seconds(1));
  const std::uint64_t cut = world.metrics().cut;
  int small = 0;
  for (int i = 0; i < 100; ++i) {
    const PeerRef peer = world.AddPeer();
    world.Join(peer);
    world.RunFor(Duration::Seconds(20));
    small += world.island_of(peer) == 1 ? 1 : 0;
    EXPECT_EQ(world.peer(peer).state(), PeerState::kJoined);
    // It has found somebody of its own island.
    bool found = false;
    for (int level = 0; level < world.peer(peer).table().levels(); ++level) {
      for (const PeerRef contact : world.peer(peer).table().live(level))
        found = found || world.island_of(contact) == world.island_of(peer);
    }
    EXPECT_TRUE(found);
  }
  EXPECT_GT(small, 0);
  EXPECT_LT(small, 40);
  EXPECT_GT(world.metrics().cut, cut) << "tables still name peers across";
  const PeerRef told = world.AddPeer();
  const PeerRef far = *std::find_if(world.oracle().live().begin(), world.oracle().live().end(),
                                    [&](PeerRef peer) { return world.island_of(peer) == 1; });
  world.Join(told, std::array<PeerRef, 1>{far});
  EXPECT_EQ(world.island_of(told), 1);
}

TEST(WorldPartition, InitialJoinsGoOnWithinTheirIslands) {
  World world(ToyOptions(60, StartMode::kJoin));
  std::vector<std::uint16_t> islands(60);
  for (std::size_t i = 0; i < 60; i += 2) islands[i] = 1;
  world.PartitionInto(islands);
  world.RunFor(Duration::Minutes(2));
  EXPECT_EQ(world.live_count(), 60U);
  EXPECT_EQ(world.metrics().cut, 0U) << "nobody has heard of the other island";
  const OperationId id = world.StartLookup(Ref(1), world.directory().id(Ref(59)));
  EXPECT_EQ(Finish(world, id).closest.front(), Ref(59));
}

TEST(WorldPartition, CopiesAndLoadedWorldsGoOnIdentically) {
  WorldOptions options = LinkedOptions(150, 5);
  options.churn.model = ChurnModel::kExponential;
  options.churn.mean = Duration::Minutes(5);
  World world(options);
  WorkloadOptions load;
  load.kind = OperationKind::kSend;
  load.rate_per_s = 10;
  world.AddWorkload(load);
  world.RunFor(Duration::Seconds(20));
  world.Partition(std::array<double, 3>{0.4, 0.4, 0.2}, Crossing::kUpward);
  world.Isolate(Ref(3));
  world.Cut(Ref(10), Ref(11), true);
  world.RunFor(Duration::Seconds(5));  // the time-outs are still to come

  World copy = world;
  const std::vector<std::uint8_t> bytes = Save(world);
  World loaded(ToyOptions(1));
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok()) << reader.error();
  for (World* w : {&world, &copy, &loaded}) {
    w->RunFor(Duration::Seconds(30));
    w->Heal();
    w->RunFor(Duration::Seconds(30));
  }
  EXPECT_GT(world.metrics().cut, 100U);
  ExpectSameRun(world, copy);
  ExpectSameRun(world, loaded);
}

TEST(WorldPartition, HealingBeforeAnythingIsSaidLeavesNoTrace) {
  World quiet(ToyOptions(100));
  World healed(ToyOptions(100));
  healed.Isolate(Ref(4));
  healed.Cut(Ref(1), Ref(2));
  healed.Heal();
  LookUpAtRandom(quiet, 50);
  LookUpAtRandom(healed, 50);
  EXPECT_EQ(quiet.trace_hash(), healed.trace_hash());
}

}  // namespace
}  // namespace tombolo::sim
