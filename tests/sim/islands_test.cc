#include "sim/islands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "sim/conditions.h"
#include "sim/greedy_route.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions Apart(std::vector<std::uint32_t> sizes, std::uint64_t seed = 1) {
  std::uint32_t peers = 0;
  for (const std::uint32_t size : sizes) peers += size;
  WorldOptions options = ToyOptions(peers, StartMode::kBuilt, seed);
  options.core.overlay = OverlayKind::kBoth;
  options.islands = std::move(sizes);
  return options;
}

TEST(Islands, EverybodyIsInOneIslandByDefault) {
  const Islands islands(ToyOptions(40));
  ASSERT_EQ(islands.count(), 1U);
  ASSERT_EQ(islands.members(0).size(), 40U);
  for (std::uint32_t i = 0; i < 40; ++i) EXPECT_EQ(islands.members(0)[i], PeerRef{i});
}

TEST(Islands, HaveTheirSizesAndShareNobody) {
  const Islands islands(Apart({30, 1, 200}));
  ASSERT_EQ(islands.count(), 3U);
  std::set<PeerRef> everybody;
  for (std::size_t island = 0; island < 3; ++island) {
    const std::span<const PeerRef> members = islands.members(island);
    EXPECT_TRUE(std::is_sorted(members.begin(), members.end()));
    for (const PeerRef member : members) EXPECT_EQ(islands.of(member), island);
    everybody.insert(members.begin(), members.end());
  }
  EXPECT_EQ(islands.members(1).size(), 1U);
  EXPECT_EQ(everybody.size(), 231U);
}

TEST(Islands, AreDrawnFromTheSeed) {
  const auto first = [](std::uint64_t seed) {
    const Islands islands(Apart({50, 50}, seed));
    return std::vector<PeerRef>(islands.members(0).begin(), islands.members(0).end());
  };
  EXPECT_EQ(first(1), first(1));
  EXPECT_NE(first(1), first(2));
}

TEST(Islands, WrongSizesAreRefused) {
  struct Case {
    std::vector<std::uint32_t> sizes;
    const char* why;
  };
  for (const Case& wrong : {Case{{10, 10}, "do not add up"}, Case{{100, 0}, "an empty island"},
                            Case{std::vector<std::uint32_t>(100, 1), "too many islands"}}) {
    WorldOptions options = ToyOptions(100);
    options.islands = wrong.sizes;
    ASSERT_TRUE(options.Validate()) << wrong.why;
    EXPECT_NE(options.Validate()->find("islands"), std::string::npos) << wrong.why;
  }
  WorldOptions joins = Apart({50, 50});
  joins.start = StartMode::kJoin;
  EXPECT_NE(joins.Validate().value_or("").find("islands"), std::string::npos);
}

TEST(Islands, AreBuiltAsIfThereWereNoOther) {
  WorldOptions options = Apart({120, 80});
  options.core.links = LinkConfig();
  const World world(options);
  const Islands islands(options);
  for (std::uint32_t i = 0; i < 200; ++i) {
    const Peer& peer = world.peer(PeerRef{i});
    const auto own = [&](PeerRef other) { return islands.of(other) == islands.of(PeerRef{i}); };
    for (int level = 0; level < peer.table().levels(); ++level) {
      for (const PeerRef contact : peer.table().live(level)) EXPECT_TRUE(own(contact));
    }
    for (const Link& link : peer.links()) EXPECT_TRUE(own(link.peer));
    for (const PeerRef successor : SuccessorsOf(peer)) EXPECT_TRUE(own(successor));
    ASSERT_FALSE(SuccessorsOf(peer).empty());
    ASSERT_FALSE(peer.links().empty());
  }
  // Inside, everything is exact.
  for (std::size_t island = 0; island < 2; ++island) {
    for (const PeerRef from : islands.members(island)) {
      for (const PeerRef to : islands.members(island))
        ASSERT_TRUE(WalkRoute(world, from, to).arrived);
    }
  }
  EXPECT_FALSE(WalkRoute(world, islands.members(0)[0], islands.members(1)[0]).arrived);
}

TEST(Islands, AShareOfTheContactsCanBeMissing) {
  const auto contacts = [](double missing) {
    WorldOptions options = ToyOptions(500);
    options.missing_share = missing;
    const World world(options);
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < 500; ++i) count += world.peer(PeerRef{i}).table().live_count();
    return static_cast<double>(count);
  };
  EXPECT_NEAR(contacts(0.2) / contacts(0), 0.8, 0.02);
  EXPECT_EQ(contacts(1), 0);
}

}  // namespace
}  // namespace tombolo::sim
