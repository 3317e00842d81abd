// A ring of a few dozen peers that keep nothing but the ring, and what it should look like.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/ring.h"
#include "tests/overlay/toy_overlay.h"

namespace tombolo {

inline NodeId IdOf(std::uint32_t top) { return NodeId{{top, 0, 0, 0, 0}}; }

class RingTest : public testing::Test {
 protected:
  using Sent = ToyOverlay::Sent;

  RingTest() {
    toy_.config.overlay = OverlayKind::kChord;
    toy_.config.ring.successors = 4;
    toy_.config.ring.predecessors = 3;
    toy_.config.ring.stabilise_interval = Duration::Seconds(5);
    toy_.config.ring.check_interval = Duration::Seconds(5);
    toy_.config.ring.fix_interval = Duration::Seconds(5);
    toy_.config.ring.fingers_per_fix = 160;
  }

  std::vector<PeerRef> InOrder() const {
    std::vector<PeerRef> live;
    for (std::uint32_t i = 0; i < toy_.peers.size(); ++i) {
      const bool member = toy_.up[i] && toy_.peers[i].state() == PeerState::kJoined;
      if (member) live.push_back(PeerRef{i});
    }
    std::sort(live.begin(), live.end(),
              [&](PeerRef a, PeerRef b) { return toy_.ids.id(a) < toy_.ids.id(b); });
    return live;
  }

  const Ring& RingOf(PeerRef peer) { return *toy_.at(peer).ring(); }

  // Every list holds the true nearest, in order.
  void ExpectPerfect() {
    const std::vector<PeerRef> order = InOrder();
    const std::size_t count = order.size();
    for (std::size_t i = 0; i < count; ++i) {
      const Neighbours& neighbours = RingOf(order[i]).neighbours();
      const std::size_t after = std::min<std::size_t>(4, count - 1);
      const std::size_t before = std::min<std::size_t>(3, count - 1);
      ASSERT_EQ(neighbours.successors().size(), after);
      ASSERT_EQ(neighbours.predecessors().size(), before);
      for (std::size_t j = 0; j < after; ++j) {
        EXPECT_EQ(neighbours.successors()[j], order[(i + j + 1) % count]) << i << " " << j;
      }
      for (std::size_t j = 0; j < before; ++j) {
        EXPECT_EQ(neighbours.predecessors()[j], order[(i + count - j - 1) % count]);
      }
    }
  }

  PeerRef TrueSuccessor(const NodeId& key) const {
    const std::vector<PeerRef> order = InOrder();
    for (const PeerRef peer : order) {
      if (toy_.ids.id(peer) >= key) return peer;
    }
    return order.front();
  }

  int RightLookups(int count) {
    Rng rng(77);
    int right = 0;
    for (int i = 0; i < count; ++i) {
      const std::vector<PeerRef> order = InOrder();
      const PeerRef asker = order[rng.Below(static_cast<std::uint32_t>(order.size()))];
      const NodeId key = RandomId(rng);
      const std::vector<PeerRef> found = toy_.LookUp(asker, key);
      right += found.size() == 1 && found[0] == TrueSuccessor(key) ? 1 : 0;
    }
    return right;
  }

  // The first member asks its successor again, which seems to name these successors of its own.
  void AnswerNextStabilise(const std::vector<PeerRef>& named) {
    const std::vector<PeerRef> order = InOrder();
    toy_.log.clear();
    std::vector<Sent> asked;
    while (asked.empty()) {
      toy_.RunFor(Duration::Milliseconds(1));
      asked = toy_.SentBy<AskNeighbours>(order[0]);
      std::erase_if(asked, [&](const Sent& sent) { return sent.to != order[1]; });
    }
    const ListHandle list = toy_.lists.Add(named);
    const std::uint32_t rpc = std::get<AskNeighbours>(asked.front().message).rpc;
    toy_.Deliver(order[1], order[0],
                 RingNeighbours{rpc, order[0], list, static_cast<std::uint8_t>(named.size())});
    toy_.lists.Release(list);
  }

  void Crash(PeerRef peer) { toy_.up[Index(peer)] = false; }

  ToyOverlay toy_;
  Rng toy_rng_;
};

}  // namespace tombolo
