// What a relayed message says of its detour as it goes from peer to peer.
#include "overlay/relay_route.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace tombolo {
namespace {

constexpr std::uint64_t kWhole = std::numeric_limits<std::uint64_t>::max();

class HandedBack : public testing::Test {
 protected:
  // As it leaves a peer of this distance from the target, 0, and comes to one of that distance.
  Forward Pass(const Forward& message, std::uint32_t from, std::uint32_t to, RouteKind route) {
    return Arriving(StepAt(to), Departing(StepAt(from), message, route));
  }
  PartStep StepAt(std::uint32_t distance) {
    id_ = NodeId{{distance}};
    return {{Time{}, config_, ids_, lists_, out_}, PeerRef{0}, id_, rng_};
  }
  static std::uint64_t Prefix(std::uint32_t distance) { return NodeId{{distance}}.prefix64(); }
  static Forward Fresh() {
    Forward message{};
    message.ttl = 64;
    message.detours = 16;
    return message;
  }

  Config config_;
  Directory ids_;
  ContactLists lists_;
  Outbox out_;
  Rng rng_{1};
  NodeId id_;
};

TEST_F(HandedBack, WithoutAnEarlierDetourAnyPlaceWillDo) {
  const Forward passed = Pass(Fresh(), 80, 20, RouteKind::kCloser);
  EXPECT_FALSE(passed.detouring);
  EXPECT_EQ(Departing(StepAt(20), passed, RouteKind::kHandBack).stuck_at, kWhole);
  EXPECT_FALSE(Pass(passed, 20, 80, RouteKind::kHandBack).detouring);
}

// Else it goes to those who have it already and take it for a repeat, and nobody hears of its end.
TEST_F(HandedBack, AnEarlierDetourGoesOn) {
  const Forward stuck = Pass(Fresh(), 30, 80, RouteKind::kDetour);
  ASSERT_TRUE(stuck.detouring);
  const Forward past = Pass(stuck, 80, 20, RouteKind::kCloser);
  ASSERT_FALSE(past.detouring) << "it is closer than where it got stuck";
  const Forward back = Pass(past, 20, 80, RouteKind::kHandBack);
  EXPECT_TRUE(back.detouring);
  EXPECT_EQ(back.stuck_at, Prefix(30));
  EXPECT_FALSE(Pass(past, 20, 25, RouteKind::kHandBack).detouring) << "its detour was over";
}

}  // namespace
}  // namespace tombolo
