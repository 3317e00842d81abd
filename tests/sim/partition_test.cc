// Who can talk to whom, and who belongs where.
#include "sim/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace tombolo::sim {
namespace {

constexpr std::array<double, 2> kHalves = {0.5, 0.5};

PeerRef Ref(std::uint32_t index) { return static_cast<PeerRef>(index); }

// ---- Shares.

TEST(Shares, BadOnesAreNamed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto error = [](std::vector<double> shares) {
    return CheckShares(shares).value_or("good");
  };
  EXPECT_EQ(error({0.5, 0.5}), "good");
  EXPECT_EQ(error({0.1, 0.2}), "good");
  EXPECT_EQ(error(std::vector<double>(10, 0.1)), "good");
  EXPECT_EQ(error({}), "partition has 0 shares: allowed are 2 to 1000");
  EXPECT_EQ(error({1}), "partition has 1 shares: allowed are 2 to 1000");
  EXPECT_EQ(error(std::vector<double>(1001, 0.0001)),
            "partition has 1001 shares: allowed are 2 to 1000");
  EXPECT_EQ(error({0.5, 0}), "partition has a share of 0: allowed is above 0 to 1");
  EXPECT_EQ(error({0.5, -0.1}), "partition has a share of -0.1: allowed is above 0 to 1");
  EXPECT_EQ(error({nan, 0.5}).substr(0, 24), "partition has a share of");
  EXPECT_EQ(error({0.75, 0.5}), "partition has shares that sum up to 1.25: allowed is up to 1");
}

TEST(Shares, SizesAreExactAndAddUp) {
  EXPECT_EQ(IslandSizes(kHalves, 10'240), (std::vector<std::uint32_t>{5120, 5120}));
  EXPECT_EQ(IslandSizes(std::vector<double>{0.1, 0.1}, 7), (std::vector<std::uint32_t>{4, 3}));
  EXPECT_EQ(IslandSizes(std::vector<double>{0.2, 0.3, 0.5}, 10),
            (std::vector<std::uint32_t>{2, 3, 5}));
  EXPECT_EQ(IslandSizes(kHalves, 0), (std::vector<std::uint32_t>{0, 0}));
}

// ---- Who can talk to whom.

TEST(Reachability, EverybodyTalksByDefault) {
  const Reachability reach;
  EXPECT_FALSE(reach.active());
  EXPECT_TRUE(reach.CanTalk(Ref(3), Ref(900)));
  EXPECT_EQ(reach.island_of(Ref(3)), 0);
  EXPECT_FALSE(reach.SilentSince(Ref(3), Ref(900), kNever));
}

TEST(Reachability, IslandsDoNotTalk) {
  Reachability reach;
  reach.Assign({0, 1, 0, 2}, Crossing::kNone, Time{5});
  EXPECT_TRUE(reach.CanTalk(Ref(0), Ref(2)));
  EXPECT_FALSE(reach.CanTalk(Ref(0), Ref(1)));
  EXPECT_FALSE(reach.CanTalk(Ref(1), Ref(3)));
  EXPECT_EQ(reach.island_of(Ref(3)), 2);
  EXPECT_TRUE(reach.SilentSince(Ref(0), Ref(1), Time{5}));
  EXPECT_FALSE(reach.SilentSince(Ref(0), Ref(1), Time{4}));
  EXPECT_FALSE(reach.SilentSince(Ref(0), Ref(2), kNever));
}

TEST(Reachability, AnUpwardCrossingLetsOneDirectionPassAndStillSilencesLinks) {
  Reachability reach;
  reach.Assign({0, 1}, Crossing::kUpward, Time{5});
  EXPECT_TRUE(reach.CanTalk(Ref(0), Ref(1)));
  EXPECT_FALSE(reach.CanTalk(Ref(1), Ref(0)));
  EXPECT_FALSE(reach.CanTalkBothWays(Ref(0), Ref(1)));
  EXPECT_TRUE(reach.SilentSince(Ref(0), Ref(1), Time{5}));
}

TEST(Reachability, AnIsolatedPeerTalksToNobodyNotEvenToAnotherIsolatedOne) {
  Reachability reach;
  reach.Isolate(Ref(1), 4, Time{});
  reach.Isolate(Ref(2), 4, Time{});
  EXPECT_FALSE(reach.CanTalk(Ref(1), Ref(0)));
  EXPECT_FALSE(reach.CanTalk(Ref(0), Ref(1)));
  EXPECT_FALSE(reach.CanTalk(Ref(1), Ref(2)));
  EXPECT_TRUE(reach.CanTalk(Ref(0), Ref(3)));
  EXPECT_EQ(reach.island_of(Ref(1)), Reachability::kIsolated);
  EXPECT_EQ(reach.island_of(Ref(0)), 0);
}

TEST(Reachability, ACutConcernsItsPathAlone) {
  Reachability reach;
  reach.Cut(Ref(1), Ref(2), Time{7});
  EXPECT_FALSE(reach.CanTalk(Ref(1), Ref(2)));
  EXPECT_TRUE(reach.CanTalk(Ref(2), Ref(1)));
  EXPECT_TRUE(reach.CanTalk(Ref(1), Ref(3)));
  EXPECT_TRUE(reach.SilentSince(Ref(2), Ref(1), Time{7})) << "no answer gets back";
  EXPECT_FALSE(reach.SilentSince(Ref(2), Ref(1), Time{6}));
  reach.Cut(Ref(1), Ref(2), Time{9});
  EXPECT_TRUE(reach.SilentSince(Ref(2), Ref(1), Time{7})) << "it has been cut all the while";
}

TEST(Reachability, OfACutAndABridgeTheLaterOneCounts) {
  Reachability reach;
  reach.Assign({0, 1, 0, 1}, Crossing::kNone, Time{});
  reach.Bridge(Ref(0), Ref(1));
  EXPECT_TRUE(reach.CanTalkBothWays(Ref(0), Ref(1)));
  EXPECT_FALSE(reach.SilentSince(Ref(0), Ref(1), kNever));
  EXPECT_FALSE(reach.CanTalk(Ref(2), Ref(1)));
  reach.Cut(Ref(0), Ref(1), Time{});
  EXPECT_FALSE(reach.CanTalk(Ref(0), Ref(1)));
  EXPECT_TRUE(reach.CanTalk(Ref(1), Ref(0))) << "the cut was one way";
  reach.Bridge(Ref(1), Ref(0));
  EXPECT_TRUE(reach.CanTalkBothWays(Ref(0), Ref(1)));
}

TEST(Reachability, HealBringsEveryPathBack) {
  Reachability reach;
  reach.Assign({0, 1, 1}, Crossing::kNone, Time{});
  reach.Isolate(Ref(2), 3, Time{});
  reach.Cut(Ref(1), Ref(0), Time{});
  reach.Heal();
  EXPECT_FALSE(reach.active());
  for (std::uint32_t a = 0; a < 3; ++a) {
    for (std::uint32_t b = 0; b < 3; ++b) EXPECT_TRUE(reach.CanTalk(Ref(a), Ref(b)));
  }
}

TEST(Reachability, ANewPartitionForgetsBridgesAndIsolationsButNotCuts) {
  Reachability reach;
  reach.Assign({0, 1, 1}, Crossing::kNone, Time{});
  reach.Bridge(Ref(0), Ref(1));
  reach.Isolate(Ref(2), 3, Time{});
  reach.Cut(Ref(1), Ref(2), Time{});
  reach.Assign({0, 1, 1}, Crossing::kNone, Time{});
  EXPECT_FALSE(reach.CanTalk(Ref(0), Ref(1)));
  EXPECT_EQ(reach.island_of(Ref(2)), 1);
  EXPECT_FALSE(reach.CanTalk(Ref(1), Ref(2)));
  EXPECT_TRUE(reach.CanTalk(Ref(2), Ref(1)));
}

TEST(Reachability, NewcomersDrawTheirIslandByShare) {
  Reachability reach;
  std::vector<std::uint16_t> islands(100, 1);
  std::fill_n(islands.begin(), 20, std::uint16_t{0});
  reach.Assign(islands, Crossing::kNone, Time{});
  Rng rng(3);
  int first = 0;
  for (std::uint32_t peer = 100; peer < 1100; ++peer) {
    reach.AddPeer(rng);
    first += reach.island_of(Ref(peer)) == 0 ? 1 : 0;
  }
  EXPECT_NEAR(first, 200, 40);
  EXPECT_TRUE(reach.Fits(1100));
  EXPECT_FALSE(reach.Fits(1099));
}

TEST(Reachability, ANewcomerFollowsAndAPlacedPeerStays) {
  Reachability reach;
  reach.Assign({0, 1}, Crossing::kNone, Time{});
  Rng rng(3);
  reach.AddPeer(rng);
  reach.Follow(Ref(2), Ref(1));
  EXPECT_EQ(reach.island_of(Ref(2)), 1);
  reach.Follow(Ref(2), Ref(0));
  EXPECT_EQ(reach.island_of(Ref(2)), 0);
  reach.Follow(Ref(1), Ref(0));
  EXPECT_EQ(reach.island_of(Ref(1)), 1);
}

}  // namespace
}  // namespace tombolo::sim
