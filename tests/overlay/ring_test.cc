#include "overlay/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "overlay/ring_interval.h"
#include "tests/overlay/toy_ring.h"

namespace tombolo {
namespace {

TEST_F(RingTest, AFounderIsAMemberAtOnceAndOwnsEveryKey) {
  toy_.Grow(1);
  EXPECT_EQ(toy_.at(PeerRef{0}).state(), PeerState::kJoined);
  EXPECT_EQ(toy_.EventsOf<Joined>(PeerRef{0}).size(), 1U);
  EXPECT_EQ(toy_.LookUp(PeerRef{0}, IdOf(7)), std::vector<PeerRef>{PeerRef{0}});
}

TEST_F(RingTest, GrowsIntoOneOrderedRing) {
  toy_.Grow(24);
  toy_.RunFor(Duration::Minutes(2));
  EXPECT_EQ(InOrder().size(), 24U);
  ExpectPerfect();
  EXPECT_EQ(RightLookups(60), 60);
  EXPECT_EQ(toy_.lists.in_use(), 0U);
}

TEST_F(RingTest, FindsEveryFinger) {
  toy_.Grow(24);
  toy_.RunFor(Duration::Minutes(2));
  for (const PeerRef peer : InOrder()) {
    const PartStep step{toy_.step(), peer, toy_.ids.id(peer), toy_rng_};
    const NodeId& next = toy_.ids.id(RingOf(peer).neighbours().successors()[0]);
    for (int level = 0; level < 160; ++level) {
      const NodeId start = RingFingers::StartOf(level, step);
      if (InHalfOpen(step.self_id, start, next)) continue;
      const PeerRef truth = TrueSuccessor(start);
      EXPECT_EQ(RingOf(peer).fingers().At(level), truth == peer ? PeerRef::kNone : truth);
    }
  }
}

TEST_F(RingTest, GrowsByTheRulesOf2001Too) {
  toy_.config.ring.corrected = false;
  toy_.config.ring.overhear = false;
  toy_.Grow(12);
  toy_.RunFor(Duration::Minutes(4));
  EXPECT_EQ(InOrder().size(), 12U);
  EXPECT_EQ(RightLookups(30), 30);
}

TEST_F(RingTest, AJoinerIsNoMemberBeforeItsSuccessorHasAnswered) {
  toy_.Grow(4);
  toy_.RunFor(Duration::Seconds(30));
  Rng rng(9);
  const PeerRef joiner = toy_.AddPeer(RandomId(rng));
  const PeerRef next = TrueSuccessor(toy_.ids.id(joiner));
  std::vector<PeerRef> through = InOrder();
  std::erase(through, next);
  Crash(next);
  toy_.Join(joiner, through);
  toy_.RunFor(Duration::Milliseconds(900));
  EXPECT_EQ(toy_.at(joiner).state(), PeerState::kJoining) << "its successor is dead";
  // Members alone answer.
  toy_.Deliver(through[0], joiner, FindSuccessor{1, through[0], IdOf(1), 1});
  EXPECT_TRUE(toy_.SentBy<SuccessorFound>(joiner).empty());
  EXPECT_EQ(toy_.dropped(DropReason::kNotJoined), 1U);
  toy_.RunFor(Duration::Minutes(1));
  EXPECT_EQ(toy_.at(joiner).state(), PeerState::kJoined);
  ExpectPerfect();
}

TEST_F(RingTest, ALookupGoesAroundADeadHop) {
  toy_.Grow(24);
  toy_.RunFor(Duration::Minutes(1));
  toy_.config.ring.stabilise_interval = Duration::Hours(1);
  const std::vector<PeerRef> order = InOrder();
  const PeerRef asker = order[0];
  const NodeId key = toy_.ids.id(order[13]);
  Rng rng;
  const PartStep step{toy_.step(), asker, toy_.ids.id(asker), rng};
  const PeerRef hop = RingOf(asker).NextHop(key, PeerRef::kNone, step);
  ASSERT_NE(hop, PeerRef::kNone);
  ASSERT_NE(hop, order[13]);
  Crash(hop);
  toy_.events.clear();
  toy_.Execute(asker, Lookup{5, key});
  toy_.RunFor(Duration::Minutes(1));
  const auto done = toy_.EventsOf<LookupDone>(asker);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(toy_.results.back(), std::vector<PeerRef>{order[13]});
  EXPECT_EQ(done[0].dead, 1);
  EXPECT_EQ(RingOf(asker).fingers().NextHop(key, PeerRef::kNone, step) == hop, false)
      << "the silent hop is no finger any more";
}

TEST_F(RingTest, LookupsAreBoundedAndEndWithTheirPeer) {
  toy_.config.lookup.max_active = 3;
  toy_.Grow(8);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  toy_.events.clear();
  for (std::uint32_t i = 0; i < 5; ++i) {
    toy_.Execute(order[0], Lookup{i, toy_.ids.id(order[4])});
  }
  EXPECT_EQ(toy_.EventsOf<LookupDone>(order[0]).size(), 2U) << "two too many";
  EXPECT_EQ(toy_.dropped(DropReason::kOverload), 2U);
  toy_.Execute(order[0], Depart{});
  EXPECT_EQ(toy_.EventsOf<LookupDone>(order[0]).size(), 5U);
  toy_.up[Index(order[0])] = false;
  toy_.RunFor(Duration::Minutes(1));
  EXPECT_EQ(toy_.EventsOf<LookupDone>(order[0]).size(), 5U);
}

TEST_F(RingTest, IgnoresAnswersThatNobodyWaitsFor) {
  toy_.Grow(4);
  toy_.RunFor(Duration::Minutes(1));
  const std::uint32_t before = toy_.dropped(DropReason::kUnknownRpc);
  toy_.Deliver(PeerRef{1}, PeerRef{0}, SuccessorFound{12345, PeerRef{2}, 1});
  toy_.Deliver(PeerRef{1}, PeerRef{0}, RingNeighbours{12345, PeerRef{2}, ListHandle::kEmpty, 9});
  toy_.Deliver(PeerRef{1}, PeerRef{0}, Pong{12345});
  EXPECT_EQ(toy_.dropped(DropReason::kUnknownRpc), before + 3);
  // A find that has gone too far.
  toy_.config.ring.max_hops = 8;
  const NodeId far = toy_.ids.id(InOrder()[0]);
  const PeerRef at = InOrder()[1];
  toy_.Deliver(InOrder()[2], at, FindSuccessor{1, InOrder()[2], far, 8});
  EXPECT_EQ(toy_.dropped(DropReason::kTtlExceeded), 1U);
}

TEST_F(RingTest, LooksUpKeysOfItsOwnAccord) {
  toy_.config.ring.lookup_interval = Duration::Seconds(10);
  toy_.Grow(8);
  toy_.events.clear();
  toy_.RunFor(Duration::Minutes(2));
  for (const PeerRef peer : InOrder()) {
    const auto probes = toy_.EventsOf<KeyProbed>(peer);
    EXPECT_GE(probes.size(), 11U);
    for (const KeyProbed& probe : probes) EXPECT_EQ(probe.successor, TrueSuccessor(probe.key));
  }
}

TEST_F(RingTest, OneRequestAtATimeIfSoConfigured) {
  toy_.config.ring = RingConfig::Paper2001();
  toy_.config.ring.lookup_keys = ProbeKeys::kUniform;
  toy_.Grow(10);
  toy_.RunFor(Duration::Minutes(8));
  toy_.log.clear();
  toy_.RunFor(Duration::Minutes(4));
  std::map<PeerRef, int> asked;
  for (const ToyOverlay::Sent& sent : toy_.log) {
    const auto* find = std::get_if<FindSuccessor>(&sent.message);
    const bool asks = std::holds_alternative<AskNeighbours>(sent.message) ||
                      std::holds_alternative<Ping>(sent.message) ||
                      (find != nullptr && find->asker == sent.from);
    const bool answers = std::holds_alternative<RingNeighbours>(sent.message) ||
                         std::holds_alternative<Pong>(sent.message) ||
                         std::holds_alternative<SuccessorFound>(sent.message);
    if (asks) {
      EXPECT_LE(++asked[sent.from], 1);
    }
    if (answers) --asked[sent.to];
  }
  EXPECT_FALSE(toy_.SentBy<Ping>(PeerRef{0}).empty());
  EXPECT_FALSE(toy_.SentBy<FindSuccessor>(PeerRef{0}).empty());
}

TEST_F(RingTest, BesideBucketsItKeepsTheNeighboursRight) {
  toy_.config.overlay = OverlayKind::kBoth;
  toy_.Grow(20);
  toy_.RunFor(Duration::Minutes(2));
  ExpectPerfect();
  for (const PeerRef peer : InOrder()) {
    EXPECT_TRUE(toy_.SentBy<FindSuccessor>(peer).empty()) << "the buckets shorten the way";
    EXPECT_FALSE(toy_.SentBy<tombolo::Notify>(peer).empty());
  }
  const PeerRef victim = InOrder()[7];
  Crash(victim);
  toy_.RunFor(Duration::Minutes(2));
  ExpectPerfect();
}

TEST_F(RingTest, TheOrderOfRefsChangesNothing) {
  const auto run = [](bool reversed) {
    ToyOverlay toy;
    toy.config.overlay = OverlayKind::kChord;
    Rng rng(3);
    std::vector<NodeId> ids;
    for (int i = 0; i < 12; ++i) ids.push_back(RandomId(rng));
    std::vector<NodeId> order = ids;
    if (reversed) std::reverse(order.begin(), order.end());
    for (const NodeId& id : order) toy.AddPeer(id);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      toy.Join(toy.RefOf(ids[i]),
               i == 0 ? std::vector<PeerRef>() : std::vector<PeerRef>{toy.RefOf(ids[i - 1])});
      toy.RunFor(Duration::Seconds(2));
    }
    toy.RunFor(Duration::Minutes(3));
    return toy.trace;
  };
  EXPECT_EQ(run(false), run(true));
}

TEST_F(RingTest, SavesAndLoadsInTheMiddleOfThings) {
  toy_.config.ring.lookup_interval = Duration::Seconds(3);
  toy_.Grow(8);
  toy_.RunFor(Duration::Seconds(20));
  for (Peer& peer : toy_.peers) {
    const std::vector<std::uint8_t> saved = Saved(peer);
    Reader reader(saved);
    Peer loaded;
    reader(loaded);
    ASSERT_TRUE(reader.ok() && reader.at_end()) << reader.error();
    peer = loaded;
  }
  toy_.RunFor(Duration::Minutes(2));
  ExpectPerfect();
}

}  // namespace
}  // namespace tombolo
