// Deaths, silence, hearsay and loops of a ring, and newcomers to it.
#include "overlay/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "tests/overlay/toy_ring.h"

namespace tombolo {
namespace {

TEST_F(RingTest, RepairsItselfAfterDeaths) {
  toy_.Grow(24);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  for (const std::size_t i : {3U, 4U, 5U, 11U, 20U}) Crash(order[i]);
  toy_.RunFor(Duration::Minutes(3));
  ExpectPerfect();
  EXPECT_EQ(RightLookups(40), 40);
}

TEST_F(RingTest, OnlyALongSilenceIsDeath) {
  toy_.Grow(12);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  const PeerRef victim = order[5];
  const auto known = [&](std::size_t i) { return RingOf(order[i]).neighbours().Contains(victim); };
  Crash(victim);
  // Both have asked it in the meantime, and waited longer than the time-out.
  toy_.RunFor(Duration::Milliseconds(6200));
  EXPECT_TRUE(known(4));
  EXPECT_TRUE(known(6));
  toy_.up[Index(victim)] = true;
  toy_.RunFor(Duration::Seconds(30));
  ExpectPerfect();
  Crash(victim);
  toy_.RunFor(Duration::Seconds(15));
  EXPECT_FALSE(known(4));
  EXPECT_FALSE(known(6));
}

TEST_F(RingTest, WhoIsSilentToALookupIsAskedBeforeItIsForgotten) {
  toy_.config.overlay = OverlayKind::kBoth;
  toy_.config.ring.stabilise_interval = toy_.config.ring.check_interval = Duration::Minutes(5);
  toy_.Grow(12);
  toy_.RunFor(Duration::Minutes(6));
  const std::vector<PeerRef> order = InOrder();
  const PeerRef victim = order[5];
  Crash(victim);
  toy_.log.clear();
  toy_.Execute(order[4], Lookup{7, toy_.ids.id(victim)});
  toy_.RunFor(Duration::Seconds(3));
  EXPECT_TRUE(RingOf(order[4]).neighbours().Contains(victim));
  EXPECT_FALSE(toy_.SentBy<Ping>(order[4]).empty());
  toy_.RunFor(Duration::Seconds(15));
  EXPECT_FALSE(RingOf(order[4]).neighbours().Contains(victim));
  EXPECT_GE(toy_.SentBy<Ping>(order[4]).size(), static_cast<std::size_t>(Ring::kMaxTries));
}

TEST_F(RingTest, WhoLeavesHandsOverItsNeighboursAtOnce) {
  toy_.Grow(12);
  toy_.RunFor(Duration::Minutes(1));
  const PeerRef leaver = InOrder()[5];
  toy_.Execute(leaver, Depart{});
  toy_.up[Index(leaver)] = false;
  toy_.RunFor(Duration::Milliseconds(500));
  for (const PeerRef peer : InOrder()) {
    EXPECT_FALSE(RingOf(peer).neighbours().successors()[0] == leaver);
    EXPECT_FALSE(RingOf(peer).neighbours().predecessors()[0] == leaver);
  }
  EXPECT_EQ(RightLookups(20), 20);
  toy_.RunFor(Duration::Seconds(30));
  ExpectPerfect();
}

TEST_F(RingTest, HearsayDoesNotBringBackTheDeadButTheyThemselvesDo) {
  toy_.Grow(8);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  const PeerRef dead = order[3];
  Crash(dead);
  toy_.RunFor(Duration::Seconds(30));
  const PeerRef witness = order[2];
  ASSERT_FALSE(RingOf(witness).neighbours().Contains(dead));
  const std::vector<PeerRef> named = {dead};
  const ListHandle list = toy_.lists.Add(named);
  toy_.Deliver(order[4], witness, RingLeave{list, 1});
  EXPECT_FALSE(RingOf(witness).neighbours().Contains(dead));
  toy_.Deliver(dead, witness, tombolo::Notify{});
  EXPECT_TRUE(RingOf(witness).neighbours().Contains(dead));
  // What is remembered ends.
  Rng rng;
  Ring ring;
  const PartStep now{toy_.step(), witness, toy_.ids.id(witness), rng};
  ring.Bury(dead, now);
  EXPECT_FALSE(ring.HeardOf(dead, now));
  const Step later{toy_.now + Ring::kBuriedFor, toy_.config, toy_.ids, toy_.lists, toy_.out};
  EXPECT_TRUE(ring.HeardOf(dead, {later, witness, toy_.ids.id(witness), rng}));
  toy_.lists.Release(list);
}

// A peer that was cut off is a neighbour again soon after somebody has found it.
TEST_F(RingTest, WhoWasFoundDeadIsAskedWhenOthersNameIt) {
  toy_.config.ring.overhear = false;
  toy_.Grow(8);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  const PeerRef dead = order[3];
  Crash(dead);
  toy_.RunFor(Duration::Seconds(40));
  const PeerRef witness = order[2];
  ASSERT_FALSE(RingOf(witness).neighbours().Contains(dead));
  toy_.log.clear();
  const auto name = [&] {
    const std::vector<PeerRef> named = {dead};
    const ListHandle list = toy_.lists.Add(named);
    for (int i = 0; i < 3; ++i) toy_.Deliver(order[6], witness, RingLeave{list, 1});
    toy_.lists.Release(list);
  };
  name();
  EXPECT_EQ(toy_.SentBy<Ping>(witness).size(), 1U) << "not more often than it stabilises";
  toy_.RunFor(Duration::Seconds(10));
  EXPECT_FALSE(RingOf(witness).neighbours().Contains(dead)) << "silence leaves it buried";
  toy_.up[Index(dead)] = true;
  name();
  toy_.RunFor(Duration::Seconds(1));
  name();
  EXPECT_TRUE(RingOf(witness).neighbours().Contains(dead));
}

// A live neighbour that the successor does not know must not hide a dead one behind it.
TEST_F(RingTest, AllWhomTheSuccessorDoesNotKnowAreAsked) {
  toy_.Grow(12);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  AnswerNextStabilise({order[4]});
  std::set<PeerRef> doubted;
  for (const Sent& ping : toy_.SentBy<Ping>(order[0])) doubted.insert(ping.to);
  EXPECT_EQ(doubted, (std::set<PeerRef>{order[2], order[3]}));
}

// The successor names as many as it may. The list is of four: where one of the three cannot be
// used, a peer from anywhere could stay in the last place.
TEST_F(RingTest, WhoeverEndsAShortListOfTheSuccessorIsAskedForMore) {
  toy_.Grow(12);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  NodeId id = toy_.ids.id(order[2]);
  ++id.words[4];
  const PeerRef hidden = toy_.AddPeer(id, {0, false, true});
  const auto asked = [&] {
    std::set<PeerRef> peers;
    for (const Sent& ask : toy_.SentBy<AskNeighbours>(order[0])) peers.insert(ask.to);
    return peers;
  };
  AnswerNextStabilise({order[2], order[3], order[4]});
  EXPECT_FALSE(asked().contains(order[3]) || asked().contains(order[4]));
  AnswerNextStabilise({order[2], hidden, order[3]});
  EXPECT_TRUE(asked().contains(order[3]));
}

// Two who cannot be dialled leave the lists of the first peer open: on both sides it had a stray in
// the last place, and nobody that it hears from knows better.
TEST_F(RingTest, StraysGiveWayToThoseBehindWhoCannotBeDialled) {
  toy_.config.ring.overhear = false;
  constexpr std::uint32_t kCount = 14;
  const std::set<std::uint32_t> hidden = {3, 4, 11, 10};
  for (std::uint32_t i = 0; i < kCount; ++i)
    toy_.AddPeer(IdOf((i + 1) << 28), {0, !hidden.contains(i), true});
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const auto at = [&](std::uint32_t steps) { return PeerRef{(i + steps) % kCount}; };
    std::vector<PeerRef> after = {at(1), at(2), at(3), at(4)};
    std::vector<PeerRef> before = {at(13), at(12), at(11)};
    if (i == 0) {
      after = {at(1), at(2), at(7), at(8)};
      before = {at(13), at(12), at(7)};
    }
    toy_.peers[i].Build(RoutingTable(), kNever);
    toy_.peers[i].BuildRing(after, before, {}, toy_.now, toy_.step());
  }
  toy_.RunFor(Duration::Seconds(8));
  const Neighbours& neighbours = RingOf(PeerRef{0}).neighbours();
  const auto list = [](std::span<const PeerRef> side) {
    return std::vector<PeerRef>(side.begin(), side.end());
  };
  EXPECT_EQ(list(neighbours.successors()),
            (std::vector<PeerRef>{PeerRef{1}, PeerRef{2}, PeerRef{5}, PeerRef{6}}));
  EXPECT_EQ(list(neighbours.predecessors()),
            (std::vector<PeerRef>{PeerRef{13}, PeerRef{12}, PeerRef{9}}));
}

// The last that is known on each side is the nearest on the other: neither answer may lead to the
// next question for ever.
TEST_F(RingTest, AskingForMoreEndsWhereTwoPeersAreAllThatIsKnown) {
  for (std::uint32_t i = 0; i < 5; ++i)
    toy_.AddPeer(IdOf((i + 1) << 28), {0, i != 2 && i != 3, true});
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto at = [&](std::uint32_t steps) { return PeerRef{(i + steps) % 5}; };
    std::vector<PeerRef> after = {at(1), at(2), at(3), at(4)};
    std::vector<PeerRef> before = {at(4), at(3), at(2)};
    if (i == 0) {
      after = {at(1), at(4)};
      before = {at(4), at(1)};
    }
    toy_.peers[i].Build(RoutingTable(), kNever);
    toy_.peers[i].BuildRing(after, before, {}, toy_.now, toy_.step());
  }
  toy_.RunFor(Duration::Seconds(20));
  // Every five seconds the successor, the predecessor, and one beyond each of them.
  EXPECT_LE(toy_.SentBy<AskNeighbours>(PeerRef{0}).size(), 20U);
}

TEST_F(RingTest, WhoCannotBeDialledIsLearnedFromItselfAlone) {
  toy_.Grow(6);
  toy_.RunFor(Duration::Minutes(1));
  const std::vector<PeerRef> order = InOrder();
  NodeId id = toy_.ids.id(order[2]);
  ++id.words[4];
  const PeerRef hidden = toy_.AddPeer(id, {0, false, true});
  const std::vector<PeerRef> named = {hidden};
  const ListHandle list = toy_.lists.Add(named);
  toy_.Deliver(order[3], order[2], RingLeave{list, 1});
  EXPECT_FALSE(RingOf(order[2]).neighbours().Contains(hidden));
  toy_.lists.Release(list);
}

// Each peer takes the one after next for its successor, and its neighbours agree.
TEST_F(RingTest, ALoopyRingIsFoundOutByLookingForOneself) {
  toy_.config.ring.overhear = false;
  for (std::uint32_t i = 1; i <= 9; ++i) toy_.AddPeer(IdOf(i << 28));
  for (std::uint32_t i = 0; i < 9; ++i) {
    Peer& peer = toy_.peers[i];
    peer.Build(RoutingTable(), kNever);
    const std::vector<PeerRef> after = {PeerRef{(i + 2) % 9}, PeerRef{(i + 4) % 9}};
    const std::vector<PeerRef> before = {PeerRef{(i + 7) % 9}, PeerRef{(i + 5) % 9}};
    peer.BuildRing(after, before, {}, toy_.now, toy_.step());
  }
  toy_.RunFor(Duration::Minutes(5));
  ExpectPerfect();
}

// As after many joins at once, of which a peer has not heard.
TEST_F(RingTest, NewcomersArePassedInOneRound) {
  toy_.config.ring.overhear = false;
  for (std::uint32_t i = 1; i <= 10; ++i) toy_.AddPeer(IdOf(i << 28));
  for (std::uint32_t i = 0; i < 10; ++i) {
    const auto at = [&](std::uint32_t steps) { return PeerRef{(i + steps) % 10}; };
    std::vector<PeerRef> after = {at(1), at(2), at(3), at(4)};
    if (i == 0) after = {at(8)};
    toy_.peers[i].Build(RoutingTable(), kNever);
    toy_.peers[i].BuildRing(after, std::vector<PeerRef>{at(9), at(8), at(7)}, {}, toy_.now,
                            toy_.step());
  }
  toy_.RunFor(toy_.config.ring.stabilise_interval + Duration::Seconds(2));
  EXPECT_EQ(RingOf(PeerRef{0}).neighbours().successors()[0], PeerRef{1});
}

}  // namespace
}  // namespace tombolo
