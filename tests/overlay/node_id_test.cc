#include "overlay/node_id.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "overlay/rng.h"

namespace tombolo {
namespace {

NodeId RandomId(Rng& rng) {
  NodeId id;
  for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng.Next() >> 32);
  return id;
}

NodeId Id(const std::string& text) { return NodeId::FromHex(text).value(); }

TEST(NodeId, HexRoundTrip) {
  const std::string text = "0123456789abcdef00112233445566778899aabb";
  const NodeId id = Id(text);
  EXPECT_EQ(id.words[0], 0x01234567U);
  EXPECT_EQ(id.words[4], 0x8899aabbU);
  EXPECT_EQ(id.prefix64(), 0x0123456789abcdefULL);
  EXPECT_EQ(id.ToHex(), text);
}

TEST(NodeId, HexTakesEitherCaseAndPrintsLower) {
  EXPECT_EQ(Id(std::string(40, 'A')).ToHex(), std::string(40, 'a'));
}

TEST(NodeId, HexRejectsAnythingElse) {
  const std::string good(40, '0');
  for (const std::string& bad : std::vector<std::string>{
           "", "0", good.substr(1), good + "0", good.substr(1) + "g", good.substr(1) + " ",
           "0x" + good.substr(2), "-" + good.substr(1), good.substr(1) + '\0'}) {
    EXPECT_FALSE(NodeId::FromHex(bad)) << bad;
  }
}

TEST(NodeId, OrdersAsABigEndianNumber) {
  EXPECT_LT(Id("00000000ffffffffffffffffffffffffffffffff"),
            Id("0000000100000000000000000000000000000000"));
  EXPECT_LT(Id("0000000000000000000000000000000000000001"),
            Id("0000000000000000000000000000000000000002"));
}

TEST(NodeId, BitZeroIsTheMostSignificant) {
  const NodeId id = Id("8000000000000000000000000000000000000001");
  EXPECT_TRUE(id.bit(0));
  EXPECT_FALSE(id.bit(1));
  EXPECT_FALSE(id.bit(158));
  EXPECT_TRUE(id.bit(159));
}

TEST(NodeId, FlippingABitMovesTheIdIntoThatBucket) {
  Rng rng(1);
  const NodeId id = RandomId(rng);
  for (int index = 0; index < kIdBits; ++index) {
    const NodeId flipped = id.WithFlippedBit(index);
    EXPECT_NE(flipped.bit(index), id.bit(index));
    EXPECT_EQ(CommonPrefixLength(id, flipped), index);
    EXPECT_EQ(flipped.WithFlippedBit(index), id);
  }
}

TEST(NodeId, CommonPrefixOfEqualIdsIsTheWholeId) {
  EXPECT_EQ(CommonPrefixLength(NodeId{}, NodeId{}), kIdBits);
}

TEST(Distance, IsTheXorMetric) {
  Rng rng(2);
  for (int i = 0; i < 100; ++i) {
    const NodeId a = RandomId(rng);
    const NodeId b = RandomId(rng);
    EXPECT_EQ(Distance(a, a), NodeId{});
    EXPECT_EQ(Distance(a, b), Distance(b, a));
    EXPECT_EQ(Distance(a, Distance(a, b)), b);  // unidirectional: one peer at each distance
  }
}

TEST(Distance, IsCloserAgreesWithTheDistances) {
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) {
    const NodeId target = RandomId(rng);
    const NodeId a = RandomId(rng);
    // Half of the pairs share a long prefix, so that the low words decide.
    const NodeId b =
        i % 2 == 0 ? RandomId(rng) : a.WithFlippedBit(static_cast<int>(rng.Below(160)));
    EXPECT_EQ(IsCloser(a, b, target), Distance(a, target) < Distance(b, target));
    EXPECT_EQ(IsCloser(b, a, target), Distance(b, target) < Distance(a, target));
    EXPECT_FALSE(IsCloser(a, a, target));
  }
}

TEST(RingDistance, ClockwiseWrapsAndBorrows) {
  const NodeId zero;
  const NodeId one = Id("0000000000000000000000000000000000000001");
  const NodeId last = Id("ffffffffffffffffffffffffffffffffffffffff");
  const NodeId word = Id("0000000000000000000000000000000100000000");
  EXPECT_EQ(ClockwiseDistance(zero, one), one);
  EXPECT_EQ(ClockwiseDistance(one, zero), last);
  EXPECT_EQ(ClockwiseDistance(last, zero), one);
  EXPECT_EQ(ClockwiseDistance(one, word), Id("00000000000000000000000000000000ffffffff"));
  EXPECT_EQ(ClockwiseDistance(one, one), zero);
}

TEST(RingDistance, TakesTheNearerSide) {
  const NodeId one = Id("0000000000000000000000000000000000000001");
  const NodeId last = Id("ffffffffffffffffffffffffffffffffffffffff");
  EXPECT_EQ(RingDistance(one, last), Id("0000000000000000000000000000000000000002"));
  Rng rng(4);
  for (int i = 0; i < 100; ++i) {
    const NodeId a = RandomId(rng);
    const NodeId b = RandomId(rng);
    EXPECT_EQ(RingDistance(a, b), RingDistance(b, a));
    EXPECT_FALSE(RingDistance(a, b).bit(0) && RingDistance(a, b) != Id("8" + std::string(39, '0')));
  }
}

}  // namespace
}  // namespace tombolo
