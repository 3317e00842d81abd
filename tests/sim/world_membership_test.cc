// Who is in the world: joins, crashes, leaves and churn.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

TEST(Membership, LookupsInABuiltWorldFindTheTrueClosest) {
  for (const std::uint32_t peers : {2U, 10U, 100U, 1000U}) {
    World world(ToyOptions(peers));
    EXPECT_EQ(LookUpAtRandom(world, 100).all, 100) << peers;
  }
}

TEST(Membership, PeersThatJoinThroughOneAreAllFoundAndLeaveNoBucketFalselyEmpty) {
  WorldOptions options = ToyOptions(300, StartMode::kJoin);
  options.core.table.k = 20;
  World world(options);
  world.RunFor(Duration::Minutes(2));
  EXPECT_EQ(world.live_count(), 300U);
  EXPECT_EQ(world.metrics().joins, 300U);
  for (std::uint32_t i = 0; i < 300; ++i) {
    EXPECT_EQ(world.peer(PeerRef{i}).state(), PeerState::kJoined) << i;
  }
  EXPECT_EQ(CountFalseEmpty(world), 0);
  EXPECT_EQ(LookUpAtRandom(world, 300).all, 300);
}

TEST(Membership, PeersJoinAtTheSpacingOfTheOptions) {
  WorldOptions options = ToyOptions(50, StartMode::kJoin);
  options.join_spacing = Duration::Seconds(1);
  World world(options);
  world.RunUntil(Time{} + Duration::Milliseconds(10'500));
  EXPECT_EQ(world.live_count(), 11U);
}

TEST(Membership, WithAFifthDeadFromTheStartLookupsStillFindTheClosestLive) {
  WorldOptions options = ToyOptions(1000);
  options.core.table.k = 20;
  options.dead_share = 0.2;
  World world(options);
  EXPECT_NEAR(world.live_count(), 800, 65);
  EXPECT_EQ(world.oracle().live().size(), world.live_count());
  EXPECT_EQ(LookUpAtRandom(world, 200).closest, 200);
  EXPECT_GT(world.metrics().of(OperationKind::kLookup).dead, 0U);
  EXPECT_GT(world.metrics().to_dead, 0U);
}

TEST(Membership, ANewcomerIsFoundAndItsIdMayBeChosen) {
  World world(ToyOptions(100));
  const NodeId id{{0x12345678, 1, 2, 3, 4}};
  const PeerRef peer = world.AddPeer(id, true);
  EXPECT_FALSE(world.is_up(peer));
  EXPECT_EQ(world.oracle().Find(id, world.directory()), PeerRef::kNone);
  world.Join(peer, std::array{PeerRef{3}});
  EXPECT_TRUE(world.is_up(peer));
  world.RunFor(Duration::Minutes(1));
  EXPECT_EQ(world.peer(peer).state(), PeerState::kJoined);
  const OperationId found = world.StartLookup(PeerRef{50}, id);
  EXPECT_EQ(Finish(world, found).closest.at(0), peer);
  const PeerRef drawn = world.AddPeer();
  world.Join(drawn);  // through random live peers
  world.RunFor(Duration::Minutes(1));
  EXPECT_EQ(world.peer(drawn).state(), PeerState::kJoined);
  EXPECT_EQ(world.live_count(), 102U);
}

TEST(Membership, ACrashedPeerIsSilentAndNeverReturns) {
  World world(ToyOptions(100));
  const PeerRef victim{40};
  const NodeId id = world.directory().id(victim);
  world.Crash(victim);
  world.Crash(victim);  // once is enough
  world.Leave(victim);
  EXPECT_FALSE(world.is_up(victim));
  EXPECT_EQ(world.live_count(), 99U);
  EXPECT_EQ(world.metrics().crashes, 1U);
  EXPECT_EQ(world.metrics().leaves, 0U);
  const OperationId lookup = world.StartLookup(PeerRef{3}, id);
  const Operation done = Finish(world, lookup);
  EXPECT_EQ(std::count(done.closest.begin(), done.closest.end(), victim), 0);
  EXPECT_GT(done.dead, 0);
  world.RunFor(Duration::Hours(5));
  EXPECT_EQ(world.metrics().received[Index(victim)], 0U);
}

TEST(Membership, ALeavingPeerIsForgottenByThoseItTells) {
  World world(ToyOptions(100));
  const PeerRef leaver{40};
  const NodeId id = world.directory().id(leaver);
  world.Leave(leaver);
  EXPECT_FALSE(world.is_up(leaver));
  EXPECT_EQ(world.metrics().leaves, 1U);
  world.RunFor(Duration::Seconds(1));
  for (const PeerRef near : world.oracle().Closest(id, 1, world.directory())) {
    const int level = CommonPrefixLength(id, world.directory().id(near));
    const auto live = world.peer(near).table().live(level);
    EXPECT_EQ(std::count(live.begin(), live.end(), leaver), 0);
  }
}

TEST(Membership, AMassCrashTakesItsShareAndTheRestFindsItself) {
  WorldOptions options = ToyOptions(600);
  options.core.table.k = 20;
  World world(options);
  world.CrashShare(0);
  EXPECT_EQ(world.live_count(), 600U);
  world.CrashShare(0.3);
  EXPECT_NEAR(world.live_count(), 420, 60);
  world.RunFor(Duration::Hours(3));  // refreshes
  EXPECT_EQ(CountFalseEmpty(world), 0);
  EXPECT_EQ(LookUpAtRandom(world, 100).closest, 100);
  world.CrashShare(1);
  EXPECT_EQ(world.live_count(), 0U);
  world.RunFor(Duration::Hours(1));
}

TEST(Membership, ChurnKeepsThePopulationAndEndsSessionsBothWays) {
  WorldOptions options = ToyOptions(300);
  options.churn.model = ChurnModel::kExponential;
  options.churn.mean = Duration::Minutes(30);
  options.churn.graceful_share = 0.25;
  World world(options);
  world.RunFor(Duration::Hours(3));
  const Metrics& metrics = world.metrics();
  const auto ended = static_cast<double>(metrics.crashes + metrics.leaves);
  EXPECT_NEAR(world.live_count(), 300, 90);  // Poisson: five sigma
  EXPECT_NEAR(ended, 1800, 215);             // 300 peers, six sessions each
  EXPECT_NEAR(static_cast<double>(metrics.leaves) / ended, 0.25, 0.06);
  EXPECT_EQ(world.oracle().live().size(), world.live_count());
}

TEST(Membership, TheNatShareOfPeersCannotBeDialled) {
  WorldOptions options = ToyOptions(500);
  options.nat_share = 0.3;
  World world(options);
  int undialable = 0;
  for (std::uint32_t i = 0; i < 500; ++i) undialable += !world.directory().dialable(PeerRef{i});
  EXPECT_NEAR(undialable, 150, 52);
  EXPECT_FALSE(world.directory().dialable(world.AddPeer(std::nullopt, false)));
}

}  // namespace
}  // namespace tombolo::sim
