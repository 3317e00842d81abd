#include "sim/build.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

void ExpectExactTables(const World& world) {
  const auto k = static_cast<std::size_t>(world.options().core.table.k);
  const Directory& ids = world.directory();
  for (std::uint32_t i = 0; i < world.peer_count(); ++i) {
    const PeerRef peer{i};
    for (int level = 0; level < kIdBits; ++level) {
      const auto subtree = world.oracle().Subtree(ids.id(peer), level, ids);
      const auto dialable = static_cast<std::size_t>(std::count_if(
          subtree.begin(), subtree.end(), [&](PeerRef member) { return ids.dialable(member); }));
      const auto bucket = world.peer(peer).table().live(level);
      ASSERT_EQ(bucket.size(), std::min(k, dialable)) << i << " level " << level;
      ASSERT_EQ(std::set<PeerRef>(bucket.begin(), bucket.end()).size(), bucket.size());
      for (const PeerRef contact : bucket) {
        ASSERT_EQ(CommonPrefixLength(ids.id(peer), ids.id(contact)), level);
        ASSERT_TRUE(ids.dialable(contact));
      }
    }
  }
}

TEST(Build, EveryBucketHoldsAsManyDistinctMembersOfItsSubtreeAsItCan) {
  for (const std::uint32_t peers : {1U, 2U, 3U, 50U, 700U}) {
    for (const int k : {1, 8, 20}) {
      WorldOptions options = ToyOptions(peers);
      options.core.table.k = k;
      ASSERT_NO_FATAL_FAILURE(ExpectExactTables(World(options))) << peers << " peers, k " << k;
    }
  }
}

TEST(Build, PeersThatCannotBeDialledAreNobodysContacts) {
  for (const double share : {0.1, 0.5, 0.95, 1.0}) {
    WorldOptions options = ToyOptions(400);
    options.nat_share = share;
    const World world(options);
    std::uint32_t undialable = 0;
    for (std::uint32_t i = 0; i < 400; ++i) undialable += !world.directory().dialable(PeerRef{i});
    EXPECT_NEAR(undialable, share * 400, 40);
    ASSERT_NO_FATAL_FAILURE(ExpectExactTables(world)) << share;
  }
}

TEST(Build, MembersOfFullBucketsAreDrawnWithoutFavour) {
  const World world(ToyOptions(600));
  for (std::uint32_t i = 0; i < 600; ++i) {
    std::uint32_t named = 0;
    for (std::uint32_t j = 0; j < 600; ++j) {
      const auto bucket = world.peer(PeerRef{j}).table().live(0);
      named += std::count(bucket.begin(), bucket.end(), PeerRef{i}) > 0 ? 1 : 0;
    }
    // About 300 peers draw 8 of about 300: 8 on average, standard deviation 2.8.
    EXPECT_GT(named, 0U) << i;
    EXPECT_LT(named, 24U) << i;
  }
}

TEST(Build, FollowsTheSeed) {
  const auto Contacts = [](std::uint64_t seed) {
    const World world(ToyOptions(200, StartMode::kBuilt, seed));
    std::vector<std::uint32_t> contacts;
    for (std::uint32_t i = 0; i < 200; ++i) {
      for (const PeerRef contact : world.peer(PeerRef{i}).table().live(0)) {
        contacts.push_back(Index(contact));
      }
    }
    return contacts;
  };
  EXPECT_EQ(Contacts(4), Contacts(4));
  EXPECT_NE(Contacts(4), Contacts(5));
}

TEST(Build, PeersAreMembersWhoseFirstRefreshFallsDueInTheSecondInterval) {
  const World world(ToyOptions(300));
  const Duration interval = world.options().core.table.refresh_interval;
  std::set<Time> deadlines;
  for (std::uint32_t i = 0; i < 300; ++i) {
    const Peer& peer = world.peer(PeerRef{i});
    EXPECT_EQ(peer.state(), PeerState::kJoined);
    EXPECT_GE(peer.next_deadline(), Time{} + interval);
    EXPECT_LT(peer.next_deadline(), Time{} + interval * 2);
    deadlines.insert(peer.next_deadline());
  }
  EXPECT_EQ(deadlines.size(), 300U);
}

TEST(Build, TablesTakeLittleMoreThanTheirContacts) {
  WorldOptions options = ToyOptions(2000);
  options.core.table.k = 20;
  const World world(options);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const RoutingTable& table = world.peer(PeerRef{i}).table();
    EXPECT_LE(table.memory_bytes(),
              4 * table.live_count() + 5U * static_cast<unsigned>(table.levels()) + 128);
  }
}

}  // namespace
}  // namespace tombolo::sim
