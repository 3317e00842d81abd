#include "sim/checkers_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

TEST(FollowRing, FindsCyclesTurnsAndAppendages) {
  struct Case {
    const char* name;
    std::vector<std::uint32_t> next;
    std::size_t cycles;
    std::uint64_t turns;  // of the first cycle
    std::size_t appendages;
  };
  for (const Case& c : {
           Case{"alone", {0}, 1, 1, 0},
           Case{"one ring", {1, 2, 3, 0}, 1, 1, 0},
           Case{"two rings", {2, 3, 0, 1}, 2, 1, 0},
           Case{"a loopy ring: twice round", {2, 3, 4, 0, 1}, 1, 2, 0},
           Case{"an appendage", {1, 2, 0, 0}, 1, 1, 1},
           Case{"an appendage of two", {1, 0, 3, 0}, 1, 1, 2},
           Case{"somebody knows nobody", {1, kNobody, 1}, 0, 0, 3},
           Case{"everybody believes in itself", {0, 1, 2}, 3, 1, 0},
           Case{"nobody at all", {}, 0, 0, 0},
       }) {
    const RingShape shape = FollowRing(c.next);
    ASSERT_EQ(shape.cycles.size(), c.cycles) << c.name;
    if (c.cycles > 0) {
      EXPECT_EQ(shape.cycles[0].turns, c.turns) << c.name;
    }
    const auto off = std::count(shape.on_cycle.begin(), shape.on_cycle.end(), false);
    EXPECT_EQ(static_cast<std::size_t>(off), c.appendages) << c.name;
  }
}

WorldOptions Both(std::uint32_t peers) {
  WorldOptions options = ToyOptions(peers);
  options.core.overlay = OverlayKind::kBoth;
  return options;
}

// The invariants that are broken, by their short names.
std::string Broken(const World& world) {
  std::string names;
  for (const Finding& finding : CheckRing(world)) {
    const std::string_view name = NameOf(finding.invariant);
    if (!finding.ok()) names += std::string(name.substr(0, name.find(' '))) + " ";
  }
  return names;
}

TEST(CheckRing, FindsNothingWrongWithABuiltRing) {
  for (const std::uint32_t peers : {1U, 2U, 9U, 30U, 400U}) {
    const World world(Both(peers));
    EXPECT_EQ(Broken(world), "") << peers << " peers";
    for (const Finding& finding : CheckRing(world)) EXPECT_GT(finding.checked, 0U);
  }
}

TEST(CheckRing, ChecksNothingWithoutARing) {
  for (const Finding& finding : CheckRing(World(ToyOptions(20)))) {
    EXPECT_EQ(finding.checked, 0U);
    EXPECT_TRUE(finding.ok());
  }
}

TEST(CheckRing, TellsIslandsFromOneRing) {
  WorldOptions options = Both(200);
  options.islands = {100, 60, 40};
  const World world(options);
  // Several rings, skipped by each other's lists; every one of them in order.
  EXPECT_EQ(Broken(world), "I1 I4 I7 ");
  const Finding rings = CheckRing(world)[0];
  EXPECT_EQ(rings.broken, 1U);
  EXPECT_NE(rings.detail.find("there are 3 rings"), std::string::npos) << rings.detail;
}

TEST(CheckRing, TellsALoopyRingWhichRepairsItself) {
  for (const std::uint32_t peers : {9U, 40U, 101U}) {
    WorldOptions options = ToyOptions(peers);
    options.core.overlay = OverlayKind::kChord;
    options.core.ring.overhear = false;
    options.ring_turns = 2;
    World world(options);
    EXPECT_EQ(Broken(world).find("I2 "), 0U) << Broken(world);
    EXPECT_NE(CheckRing(world)[1].detail.find("2 times"), std::string::npos);
    world.RunFor(Duration::Hours(1));
    EXPECT_EQ(Broken(world), "") << peers << " peers";
  }
}

// Of peers that cannot be dialled two can never be neighbours.
TEST(CheckRing, MembersAreThoseWhoCanBeDialled) {
  WorldOptions options = Both(60);
  options.nat_share = 0.4;
  const World world(options);
  const auto dialable = static_cast<std::uint64_t>(
      std::count_if(world.oracle().live().begin(), world.oracle().live().end(),
                    [&](PeerRef peer) { return world.directory().dialable(peer); }));
  EXPECT_LT(dialable, 60U);
  EXPECT_EQ(CheckRing(world)[0].checked, dialable);
  EXPECT_EQ(Broken(world), "");
}

TEST(CheckRing, NamesWhoHasNoLiveSuccessor) {
  World world(Both(100));
  world.RunFor(Duration::Milliseconds(2500));
  for (std::uint32_t i = 11; i < 11 + 16; ++i) world.Crash(PeerRef{i});
  const Finding finding = CheckRing(world)[3];
  EXPECT_EQ(finding.invariant, Invariant::kLiveSuccessor);
  EXPECT_EQ(finding.peer, PeerRef{10});
  EXPECT_EQ(finding.at, Time{2'500'000});
  const std::string line = Describe(world, finding);
  EXPECT_NE(line.find("I4 live successor: 1 of 84 broken at 2.5 s; first: peer 10 ("),
            std::string::npos)
      << line;
  EXPECT_NE(line.find("none of its successors is alive"), std::string::npos) << line;
}

TEST(CheckRing, AHoleInALeafSetIsFound) {
  World world(Both(100));
  // 9 of 16 successors die: 7 live ones are left where 8 are wanted, until the ring is
  // repaired.
  for (std::uint32_t i = 11; i < 20; ++i) world.Crash(PeerRef{i});
  const Finding before = CheckRing(world)[4];
  EXPECT_FALSE(before.ok());
  EXPECT_NE(before.detail.find("not the nearest members"), std::string::npos);
  // Each peer notices at the round after its successor has, since that one names the dead till
  // then: eight times half a minute, and some seconds until silence means death.
  world.RunFor(Duration::Minutes(7));
  EXPECT_EQ(Broken(world), "") << Describe(world, CheckRing(world)[4]);
}

}  // namespace
}  // namespace tombolo::sim
