#include "sim/oracle.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/overlay/toy_peers.h"

namespace tombolo::sim {
namespace {

// Peers of which many share long prefixes, added in no order.
class OracleTwin : public testing::Test {
 protected:
  OracleTwin() {
    const NodeId base = RandomId(rng_);
    for (int i = 0; i < 60; ++i) all_.push_back(ids_.Add(RandomId(rng_)));
    for (const int level : {3, 20, 63, 64, 65, 100, 140, 150}) {
      for (int i = 0; i < 6; ++i) all_.push_back(ids_.Add(RandomIdSharing(base, level, rng_)));
    }
    all_.push_back(ids_.Add(base));
    all_.push_back(ids_.Add(base.WithFlippedBit(159)));
  }

  PeerRef Any() { return all_[rng_.Below(static_cast<std::uint32_t>(all_.size()))]; }
  NodeId AnyTarget() {
    const NodeId& near = ids_.id(Any());
    const std::uint32_t choice = rng_.Below(3);
    if (choice == 0) return near;
    return choice == 1 ? RandomId(rng_)
                       : RandomIdSharing(near, static_cast<int>(rng_.Below(kIdBits)), rng_);
  }

  void ExpectSame() {
    const NodeId target = AnyTarget();
    const std::size_t count = rng_.Below(30);
    ASSERT_EQ(oracle_.Closest(target, count, ids_), DumbClosest(live_, target, count, ids_));

    const PeerRef except = Any();
    std::vector<PeerRef> others = live_;
    std::erase(others, except);
    others = DumbClosest(others, target, 1, ids_);
    ASSERT_EQ(oracle_.ClosestOne(target, except, ids_),
              others.empty() ? PeerRef::kNone : others[0]);

    PeerRef with_id = PeerRef::kNone;
    for (const PeerRef peer : live_) {
      if (ids_.id(peer) == target) with_id = peer;
    }
    ASSERT_EQ(oracle_.Find(target, ids_), with_id);

    const NodeId& owner = ids_.id(Any());
    const int level = static_cast<int>(rng_.Below(kIdBits));
    std::vector<PeerRef> members;
    for (const PeerRef peer : live_) {
      if (CommonPrefixLength(ids_.id(peer), owner) == level) members.push_back(peer);
    }
    const auto subtree = oracle_.Subtree(owner, level, ids_);
    ASSERT_EQ(DumbClosest({subtree.begin(), subtree.end()}, owner, 99, ids_),
              DumbClosest(members, owner, 99, ids_));
  }

  Rng rng_{31};
  Directory ids_;
  std::vector<PeerRef> all_;
  std::vector<PeerRef> live_;
  Oracle oracle_;
};

TEST_F(OracleTwin, AgreesWithSortingEverythingWhilePeersComeAndGo) {
  ASSERT_NO_FATAL_FAILURE(ExpectSame());  // also of nobody
  for (int i = 0; i < 3000; ++i) {
    const PeerRef peer = Any();
    if (std::erase(live_, peer) > 0) {
      oracle_.Remove(peer, ids_);
    } else {
      live_.push_back(peer);
      oracle_.Add(peer, ids_);
    }
    ASSERT_NO_FATAL_FAILURE(ExpectSame()) << i;
  }
}

TEST_F(OracleTwin, KeepsTheLiveInOrderOfTheirIds) {
  oracle_.Assign({all_.rbegin(), all_.rend()}, ids_);
  live_ = all_;
  const auto live = oracle_.live();
  ASSERT_EQ(live.size(), all_.size());
  for (std::size_t i = 1; i < live.size(); ++i) {
    EXPECT_LT(ids_.id(live[i - 1]), ids_.id(live[i]));
  }
  for (int i = 0; i < 500; ++i) ASSERT_NO_FATAL_FAILURE(ExpectSame());
}

TEST_F(OracleTwin, RemovingWhoIsNotThereChangesNothing) {
  oracle_.Add(all_[0], ids_);
  oracle_.Remove(all_[1], ids_);
  oracle_.Remove(all_[0], ids_);
  oracle_.Remove(all_[0], ids_);
  EXPECT_TRUE(oracle_.live().empty());
}

}  // namespace
}  // namespace tombolo::sim
