#include "sim/checkers.h"

#include <gtest/gtest.h>

#include <vector>

namespace tombolo::sim {
namespace {

WorldOptions Options(std::uint32_t peers) {
  WorldOptions options;
  options.peers = peers;
  return options;
}

TEST(Checkers, ABuiltWorldHasNoFalseEmptyBucket) {
  const World world(Options(300));
  const BucketCheck check = CheckBuckets(world, 1000);
  EXPECT_EQ(check.peers, 300U);
  EXPECT_GT(check.buckets, 300U * 7);
  EXPECT_EQ(check.false_empty, 0U);
}

TEST(Checkers, PeersAreSampled) {
  const World world(Options(300));
  EXPECT_EQ(CheckBuckets(world, 10).peers, 10U);
  EXPECT_EQ(CheckBuckets(world, 0).peers, 0U);
}

TEST(Checkers, BucketsFullOfTheDeadAreFalseEmpty) {
  WorldOptions options = Options(300);
  options.core.table.k = 1;
  World world(options);
  // All contacts of the first peer die; others of their subtrees live on.
  const PeerRef victim = world.oracle().live()[0];
  const Peer& peer = world.peer(victim);
  std::vector<PeerRef> contacts;
  for (int level = 0; level < peer.table().levels(); ++level) {
    for (const PeerRef contact : peer.table().live(level)) contacts.push_back(contact);
  }
  for (const PeerRef contact : contacts) world.Crash(contact);
  const BucketCheck check = CheckBuckets(world, 1000);
  EXPECT_GT(check.false_empty, 0U);
  EXPECT_EQ(check.first_peer, victim);
  EXPECT_EQ(check.first_level, 0);
}

TEST(Checkers, UndialablePeersAreNotMissed) {
  WorldOptions options = Options(300);
  options.nat_share = 1;
  const World world(options);
  EXPECT_EQ(CheckBuckets(world, 1000).buckets, 0U);
}

TEST(Checkers, PeersOutsideTheOverlayAreNotJudged) {
  World world(Options(50));
  world.Join(world.AddPeer());  // still asking
  EXPECT_EQ(CheckBuckets(world, 1000).peers, 50U);
}

TEST(Checkers, LookupsOfAQuietWorldAreExact) {
  World world(Options(300));
  const LookupCheck check = CheckLookups(world, 20);
  EXPECT_EQ(check.lookups, 20U);
  EXPECT_EQ(check.failed, 0U);
  EXPECT_EQ(check.exact, 20U);
  EXPECT_EQ(check.wanted, 20U * 20);
  EXPECT_EQ(check.found, check.wanted);
  EXPECT_FALSE(check.first_target);
}

TEST(Checkers, MissingPeersAreCountedAndNamed) {
  World world(Options(300));
  const PeerRef source = world.oracle().live()[0];
  const OperationId id = world.StartLookup(source, world.RandomId());
  ASSERT_TRUE(world.RunUntilEnded(id, world.now() + Duration::Minutes(1)));
  Operation lookup = world.TakeOperation(id);
  EXPECT_EQ(CountClosestFound(world, lookup), 20U);
  lookup.closest.resize(15);
  EXPECT_EQ(CountClosestFound(world, lookup), 15U);
  lookup.closest.assign(20, source);
  EXPECT_EQ(CountClosestFound(world, lookup), 0U) << "the asker does not look for itself";
}

TEST(Checkers, ADeadWorldAnswersNothing) {
  World world(Options(50));
  world.CrashShare(1);
  EXPECT_EQ(CheckBuckets(world, 100).peers, 0U);
  EXPECT_EQ(CheckLookups(world, 5).lookups, 0U);
}

}  // namespace
}  // namespace tombolo::sim
