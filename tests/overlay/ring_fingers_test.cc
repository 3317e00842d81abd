#include "overlay/ring_fingers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "overlay/ring_interval.h"
#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

NodeId IdOf(std::uint32_t top) { return NodeId{{top, 0, 0, 0, 0}}; }

// ---- Intervals.

TEST(RingInterval, IsHalfOpenAndNeverWrapsByItself) {
  const struct {
    std::uint32_t from, id, to;
    bool half_open, open;
  } kCases[] = {
      {10, 11, 20, true, true},   {10, 20, 20, true, false},  {10, 10, 20, false, false},
      {10, 21, 20, false, false}, {20, 5, 10, true, true},    {20, 25, 10, true, true},
      {20, 10, 10, true, false},  {20, 15, 10, false, false}, {7, 7, 7, true, false},
      {7, 8, 7, true, true},      {7, 8, 8, true, false},     {7, 9, 8, false, false},
  };
  for (const auto& [from, id, to, half_open, open] : kCases) {
    EXPECT_EQ(InHalfOpen(IdOf(from), IdOf(id), IdOf(to)), half_open) << from << id << to;
    EXPECT_EQ(InOpen(IdOf(from), IdOf(id), IdOf(to)), open) << from << id << to;
  }
}

TEST(RingInterval, AddsPowersOfTwoAroundTheRing) {
  EXPECT_EQ(PlusPowerOfTwo(NodeId{}, 0), (NodeId{{0, 0, 0, 0, 1}}));
  EXPECT_EQ(PlusPowerOfTwo(NodeId{}, 159), (NodeId{{0x80000000U, 0, 0, 0, 0}}));
  EXPECT_EQ(PlusPowerOfTwo(NodeId{{1, ~0U, ~0U, ~0U, ~0U}}, 0), (NodeId{{2, 0, 0, 0, 0}}));
  EXPECT_EQ(PlusPowerOfTwo(NodeId{{~0U, ~0U, ~0U, ~0U, ~0U}}, 0), NodeId{});
  EXPECT_EQ(PlusPowerOfTwo(NodeId{{~0U, ~0U, 5, 0, 0}}, 64 + 31),
            (NodeId{{~0U, ~0U, 0x80000005U, 0, 0}}));
  EXPECT_EQ(PlusPowerOfTwo(NodeId{{~0U, ~0U, 5, 0, 0}}, 96), (NodeId{{0, 0, 5, 0, 0}}))
      << "a carry all the way";
  EXPECT_EQ(DistanceExponent(IdOf(3), IdOf(3)), -1);
  EXPECT_EQ(DistanceExponent(IdOf(3), IdOf(4)), 128);
  EXPECT_EQ(DistanceExponent(IdOf(3), IdOf(2)), 159);
  EXPECT_EQ(Truncated(NodeId{{~0U, ~0U, 1, 1, 1}}, 36), (NodeId{{~0U, 0xf0000000U, 0, 0, 0}}));
  EXPECT_EQ(Truncated(NodeId{{1, 2, 3, 4, 5}}, 160), (NodeId{{1, 2, 3, 4, 5}}));
}

// ---- Fingers, against a table of all levels.

TEST(RingFingers, SetsOneLevelAndNoOther) {
  Config config;
  config.overlay = OverlayKind::kChord;
  config.ring.bits = 16;
  Directory ids;
  ContactLists lists;
  Outbox out;
  Rng rng(5);
  const PeerRef self = ids.Add(IdOf(0x12340000U));
  for (int i = 0; i < 12; ++i) ids.Add(Truncated(RandomId(rng), 16));
  const PartStep step{{Time{}, config, ids, lists, out}, self, ids.id(self), rng};

  RingFingers fingers;
  std::vector<PeerRef> twin(16, PeerRef::kNone);
  for (int i = 0; i < 2000; ++i) {
    const auto level = static_cast<int>(rng.Below(16));
    const auto peer = PeerRef{rng.Below(13)};
    const NodeId start = RingFingers::StartOf(level, step);
    const bool after = ids.id(peer) == start || InOpen(start, ids.id(peer), step.self_id);
    twin[static_cast<std::size_t>(level)] = peer != self && after ? peer : PeerRef::kNone;
    fingers.Set(level, peer, step);
    if (i % 50 == 0) {
      const PeerRef dead = PeerRef{1 + rng.Below(12)};
      fingers.Forget(dead);
      std::replace(twin.begin(), twin.end(), dead, PeerRef::kNone);
    }
    for (int j = 0; j < 16; ++j) ASSERT_EQ(fingers.At(j), twin[static_cast<std::size_t>(j)]) << i;
    for (std::size_t j = 1; j < fingers.runs().size(); ++j) {
      ASSERT_NE(fingers.runs()[j].peer, fingers.runs()[j - 1].peer) << "equal runs are one";
    }
    // The highest level whose finger precedes the key.
    const NodeId key = Truncated(RandomId(rng), 16);
    PeerRef best = PeerRef::kNone;
    for (const PeerRef finger : twin) {
      if (finger != PeerRef::kNone && InOpen(step.self_id, ids.id(finger), key)) best = finger;
    }
    ASSERT_EQ(fingers.NextHop(key, PeerRef::kNone, step), best);
  }
}

}  // namespace
}  // namespace tombolo
