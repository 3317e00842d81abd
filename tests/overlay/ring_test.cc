#include "overlay/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "overlay/archive.h"
#include "overlay/ring_interval.h"
#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

NodeId IdOf(std::uint32_t top) { return NodeId{{top, 0, 0, 0, 0}}; }

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

  void Crash(PeerRef peer) { toy_.up[Index(peer)] = false; }

  ToyOverlay toy_;
  Rng toy_rng_;
};

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
  toy_.log.clear();
  std::vector<Sent> asked;
  while (asked.empty()) {
    toy_.RunFor(Duration::Milliseconds(1));
    asked = toy_.SentBy<AskNeighbours>(order[0]);
    std::erase_if(asked, [&](const Sent& sent) { return sent.to != order[1]; });
  }
  const std::vector<PeerRef> named = {order[4]};
  const ListHandle list = toy_.lists.Add(named);
  const std::uint32_t rpc = std::get<AskNeighbours>(asked.front().message).rpc;
  toy_.Deliver(order[1], order[0], RingNeighbours{rpc, order[0], list, 1});
  std::set<PeerRef> doubted;
  for (const Sent& ping : toy_.SentBy<Ping>(order[0])) doubted.insert(ping.to);
  EXPECT_EQ(doubted, (std::set<PeerRef>{order[2], order[3]}));
  toy_.lists.Release(list);
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
