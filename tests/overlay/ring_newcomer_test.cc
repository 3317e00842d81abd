// Newcomers of a ring beside k-buckets.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "overlay/ring.h"
#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

// Where two neighbours differ in the first bit, the nearest by XOR are all on one side.
TEST(RingNewcomer, FindsASuccessorThatIsFarByXor) {
  ToyOverlay toy;
  toy.config.overlay = OverlayKind::kBoth;
  toy.Grow(100);
  toy.RunFor(Duration::Minutes(10));
  NodeId next = NodeId{{~0U, 0, 0, 0, 0}};
  for (std::uint32_t i = 0; i < 100; ++i) {
    const NodeId& id = toy.at(PeerRef{i}).id();
    if (id.bit(0)) next = std::min(next, id);
  }
  const PeerRef newcomer = toy.AddPeer(NodeId{{0x7fffffff, 0, 0, 0, 0}});
  toy.Join(newcomer, {PeerRef{0}});
  toy.RunFor(Duration::Seconds(20));  // less than stabilise_interval
  ASSERT_EQ(toy.at(newcomer).state(), PeerState::kJoined);
  const auto successors = toy.at(newcomer).ring()->neighbours().successors();
  ASSERT_FALSE(successors.empty());
  EXPECT_EQ(toy.ids.id(successors.front()), next);
}

// Those that it was told of have gone while it joined, but somebody has answered.
TEST(RingNewcomer, JoinsThroughWhoeverHasAnswered) {
  ToyOverlay toy;
  toy.config.overlay = OverlayKind::kChord;
  toy.Grow(6);
  toy.RunFor(Duration::Minutes(5));
  const PeerRef guide{3};
  const PeerRef newcomer = toy.AddPeer(NodeId{{0x7fffffff, 0, 0, 0, 0}});
  toy.up[Index(guide)] = false;
  toy.Join(newcomer, {guide});
  toy.Deliver(PeerRef{5}, newcomer, tombolo::Notify{});  // it is heard of
  toy.RunFor(Duration::Minutes(1));
  EXPECT_EQ(toy.at(newcomer).state(), PeerState::kJoined);
}

}  // namespace
}  // namespace tombolo
