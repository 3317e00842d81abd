#include "overlay/neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

std::vector<PeerRef> Refs(const ToyNet& net, std::initializer_list<std::size_t> peers) {
  std::vector<PeerRef> refs;
  for (const std::size_t peer : peers) refs.push_back(net.toys[peer].ref);
  return refs;
}

std::vector<PeerRef> List(std::span<const PeerRef> refs) { return {refs.begin(), refs.end()}; }

class NeighboursTest : public testing::Test {
 protected:
  NeighboursTest() : net_(20, 1, Shuffled()) { net_.config.links.neighbours = 3; }

  static std::vector<std::size_t> Shuffled() {
    std::vector<std::size_t> order(20);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = (i * 7 + 3) % order.size();
    return order;
  }

  bool Learn(std::size_t peer) { return neighbours_.Learn(net_.toys[peer].ref, net_.Part(10)); }

  ToyNet net_;
  Neighbours neighbours_;
};

TEST_F(NeighboursTest, KeepsTheNearestOfEachSideInRingOrder) {
  for (std::size_t i = 0; i < 20; ++i) Learn((i * 3) % 20);
  EXPECT_EQ(List(neighbours_.successors()), Refs(net_, {11, 12, 13}));
  EXPECT_EQ(List(neighbours_.predecessors()), Refs(net_, {9, 8, 7}));
  EXPECT_EQ(neighbours_.all().size(), 6U);
  EXPECT_TRUE(neighbours_.Contains(net_.toys[12].ref));
  EXPECT_FALSE(neighbours_.Contains(net_.toys[14].ref));
}

TEST_F(NeighboursTest, TellsWhatIsNews) {
  EXPECT_TRUE(Learn(12));
  EXPECT_FALSE(Learn(12));
  EXPECT_FALSE(Learn(10));  // ourselves
  for (const std::size_t peer : {11U, 13U, 9U, 8U, 7U}) EXPECT_TRUE(Learn(peer));
  EXPECT_FALSE(Learn(0));
  EXPECT_FALSE(Learn(19));
}

TEST_F(NeighboursTest, WrapsAroundAndStandsOnBothSidesOfASmallRing) {
  EXPECT_TRUE(Learn(2));
  EXPECT_EQ(List(neighbours_.successors()), Refs(net_, {2}));
  EXPECT_EQ(List(neighbours_.predecessors()), Refs(net_, {2}));
  EXPECT_TRUE(Learn(15));
  EXPECT_EQ(List(neighbours_.successors()), Refs(net_, {15, 2}));
  EXPECT_EQ(List(neighbours_.predecessors()), Refs(net_, {2, 15}));
}

TEST_F(NeighboursTest, ForgetsOnBothSides) {
  for (const std::size_t peer : {2U, 15U, 12U}) Learn(peer);
  EXPECT_TRUE(neighbours_.Forget(net_.toys[15].ref));
  EXPECT_FALSE(neighbours_.Forget(net_.toys[15].ref));
  EXPECT_EQ(List(neighbours_.successors()), Refs(net_, {12, 2}));
  EXPECT_EQ(List(neighbours_.predecessors()), Refs(net_, {2, 12}));
}

TEST_F(NeighboursTest, NoneAreKeptIfNoneAreWanted) {
  net_.config.links.neighbours = 0;
  EXPECT_FALSE(Learn(11));
  EXPECT_TRUE(neighbours_.all().empty());
}

}  // namespace
}  // namespace tombolo
