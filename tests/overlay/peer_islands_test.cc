// Whole peers that lose each other and notice other islands.
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <vector>

#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

class PeerIslandsTest : public testing::Test, public ToyOverlay {
 protected:
  PeerIslandsTest() { config.overlay = OverlayKind::kBoth; }

  template <class M>
  std::size_t CountSent() const {
    return static_cast<std::size_t>(std::count_if(log.begin(), log.end(), [](const Sent& sent) {
      return std::holds_alternative<M>(sent.message);
    }));
  }
  // Unreachable from now on; goes on where it was when it is up again.
  void Kill(PeerRef peer) { up[Index(peer)] = false; }
  // A newcomer that knows only a dead peer to join through.
  PeerRef JoinInVain() {
    const PeerRef dead = AddPeer(NodeId{{7, 0, 0, 0, 0}});
    Kill(dead);
    const PeerRef newcomer = AddPeer(NodeId{{8, 0, 0, 0, 0}});
    Join(newcomer, {dead});
    RunFor(Duration::Minutes(5));
    EXPECT_EQ(at(newcomer).state(), PeerState::kJoining);
    return newcomer;
  }
};

TEST_F(PeerIslandsTest, WithoutHealingNothingIsKeptOrSaid) {
  config.heal.enabled = false;
  Grow(8);
  Kill(PeerRef{7});
  RunFor(Duration::Minutes(30));
  EXPECT_EQ(CountSent<IslandProbe>(), 0U);
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_EQ(at(PeerRef{i}).watch(), nullptr);
  Deliver(PeerRef{1}, PeerRef{0}, IslandProbe{1, ListHandle::kEmpty, {}});
  EXPECT_EQ(dropped(DropReason::kUnknownRpc), 1U);
}

TEST_F(PeerIslandsTest, NewcomersTakeOverTheSketchOfTheirIsland) {
  Grow(12);
  RunFor(Duration::Hours(1));
  const std::uint64_t label = at(PeerRef{0}).watch()->digest.label(at(PeerRef{0}).id(), ids);
  for (std::uint32_t i = 0; i < 12; ++i) {
    const IslandWatch* watch = at(PeerRef{i}).watch();
    ASSERT_NE(watch, nullptr);
    EXPECT_TRUE(watch->digest.settled());
    EXPECT_EQ(watch->digest.label(at(PeerRef{i}).id(), ids), label) << i;
  }
}

TEST_F(PeerIslandsTest, AQuietIslandProbesNobodyAndAlarmsNobody) {
  Grow(12);
  RunFor(Duration::Minutes(20));
  log.clear();
  RunFor(Duration::Hours(1));
  // Only exchanges: one in 20 minutes each.
  EXPECT_NEAR(static_cast<double>(CountSent<IslandProbe>()), 12 * 3, 9);
  EXPECT_EQ(CountSent<IslandReply>(), CountSent<IslandProbe>());
  EXPECT_EQ(CountSent<MergeConfirm>() + CountSent<MergeSync>(), 0U);
}

TEST_F(PeerIslandsTest, TheLostAreProbedWithinTheBudget) {
  Grow(12);
  RunFor(Duration::Minutes(20));
  for (std::uint32_t i = 6; i < 12; ++i) Kill(PeerRef{i});
  RunFor(Duration::Minutes(10));
  log.clear();
  RunFor(Duration::Hours(1));
  for (std::uint32_t i = 0; i < 6; ++i) {
    const std::vector<Sent> probes = SentBy<IslandProbe>(PeerRef{i});
    const auto to_lost = std::count_if(probes.begin(), probes.end(),
                                       [](const Sent& sent) { return Index(sent.to) >= 6; });
    EXPECT_GE(to_lost, 6) << i;  // of 6 in 10 minutes each, at most
    EXPECT_LE(to_lost, 125) << i;
    for (std::size_t j = 1; j < probes.size(); ++j) {
      if (Index(probes[j].to) < 6 || Index(probes[j - 1].to) < 6) continue;  // an exchange
      EXPECT_GE(probes[j].at - probes[j - 1].at, config.heal.probe_interval / 2);
    }
  }
}

TEST_F(PeerIslandsTest, AnAnswerOfTheLostStartsAMerge) {
  Grow(12);
  RunFor(Duration::Minutes(20));
  for (std::uint32_t i = 6; i < 12; ++i) Kill(PeerRef{i});
  RunFor(Duration::Minutes(10));
  ASSERT_EQ(CountSent<MergeConfirm>() + CountSent<MergeSync>(), 0U);
  for (std::uint32_t i = 6; i < 12; ++i) up[i] = true;
  RunFor(Duration::Minutes(2));
  EXPECT_GT(CountSent<MergeConfirm>() + CountSent<MergeSync>(), 0U);
}

// The only peer of a splinter lets a newcomer in and dies. The newcomer has never met anybody else.
TEST_F(PeerIslandsTest, ANewcomerFindsWhomTheOneThatLetItInHasLost) {
  Grow(6);
  RunFor(Duration::Minutes(20));
  for (std::uint32_t i = 1; i < 6; ++i) Kill(PeerRef{i});
  RunFor(Duration::Minutes(10));
  const PeerRef newcomer = AddPeer(NodeId{{0x12345678U, 0, 0, 0, 0}});
  Join(newcomer, {PeerRef{0}});
  RunFor(Duration::Minutes(1));
  ASSERT_EQ(at(newcomer).state(), PeerState::kJoined);
  Kill(PeerRef{0});
  for (std::uint32_t i = 1; i < 6; ++i) up[i] = true;
  RunFor(Duration::Hours(1));
  EXPECT_EQ(at(newcomer).table().live_count(), 5U);
}

// Who has met another island dies before the path to it is good.
TEST_F(PeerIslandsTest, ANeighbourRemembersTheStrangerThatNobodyElseHasMet) {
  Grow(8);
  RunFor(Duration::Minutes(1));
  const PeerRef stranger = AddPeer(NodeId{{7, 0, 0, 0, 0}});
  Kill(stranger);
  Execute(PeerRef{3}, Introduce{stranger});
  RunFor(Duration::Seconds(4));
  Kill(PeerRef{3});
  log.clear();
  RunFor(Duration::Hours(1));
  const auto probes = std::count_if(log.begin(), log.end(), [&](const Sent& sent) {
    return sent.to == stranger && std::holds_alternative<IslandProbe>(sent.message);
  });
  EXPECT_GT(probes, 2);
}

TEST_F(PeerIslandsTest, OnlyANeighbourIsBelievedThatThereIsAStranger) {
  Grow(4);
  RunFor(Duration::Minutes(1));
  const PeerRef liar = AddPeer(NodeId{{7, 0, 0, 0, 0}});
  const PeerRef named = AddPeer(NodeId{{8, 0, 0, 0, 0}});
  const auto remembers = [&] {
    const auto rows = at(PeerRef{0}).watch()->remembered.rows();
    return std::any_of(rows.begin(), rows.end(),
                       [&](const RememberedPeer& row) { return row.peer == named; });
  };
  Deliver(liar, PeerRef{0}, UnifyDetected{16, named, 1});
  EXPECT_FALSE(remembers());
  Deliver(PeerRef{1}, PeerRef{0}, UnifyDetected{16, PeerRef{1'000'000}, 1});
  Deliver(PeerRef{1}, PeerRef{0}, UnifyDetected{32, named, 1});
  EXPECT_TRUE(remembers());
}

// Where buckets are full, who was lost and is back stays a stranger, and is probed for ever.
TEST_F(PeerIslandsTest, AStrangerIsProbedBesideThoseThatAnswer) {
  Grow(32);
  RunFor(Duration::Minutes(20));
  const PeerRef asking{0};
  const std::span<const PeerRef> bucket = at(asking).table().live(0);
  const std::vector<PeerRef> back(bucket.begin(), bucket.end());
  for (const PeerRef peer : back) Kill(peer);
  RunFor(Duration::Minutes(20));
  for (const PeerRef peer : back) up[Index(peer)] = true;
  const PeerRef stranger = AddPeer(NodeId{{7, 0, 0, 0, 0}});
  Kill(stranger);
  config.heal.probe_interval = config.heal.probe_back_off_max + Duration::Minutes(2);
  Execute(asking, Introduce{stranger});
  RunFor(Duration::Hours(2));
  log.clear();
  RunFor(Duration::Hours(6));
  const std::vector<Sent> sent = SentBy<IslandProbe>(asking);
  const auto probes = std::count_if(sent.begin(), sent.end(),
                                    [&](const Sent& probe) { return probe.to == stranger; });
  EXPECT_GT(probes, 2) << "of about 30";
}

TEST_F(PeerIslandsTest, AnAnswerThatNobodyHasAskedForNamesNobodyLost) {
  Grow(4);
  RunFor(Duration::Minutes(1));
  const PeerRef stranger = AddPeer(NodeId{{7, 0, 0, 0, 0}});
  SketchAges ages{};
  ages.fill(IslandDigest::kLostAge);
  const ListHandle named = lists.Add({{stranger}});
  Deliver(PeerRef{1}, PeerRef{0}, IslandProbe{99, named, ages});
  const auto rows = at(PeerRef{0}).watch()->remembered.rows();
  EXPECT_TRUE(std::none_of(rows.begin(), rows.end(),
                           [&](const RememberedPeer& row) { return row.peer == stranger; }));
}

TEST_F(PeerIslandsTest, TheAskedAnswersAndLeavesItsTableAlone) {
  Grow(8);
  Rng rng(5);
  const PeerRef stranger = AddPeer(RandomIdSharing(at(PeerRef{0}).id(), 30, rng));
  RunFor(Duration::Minutes(1));
  const std::size_t before = at(PeerRef{0}).table().live_count();
  Deliver(stranger, PeerRef{0}, IslandProbe{77, ListHandle::kEmpty, {}});
  const std::vector<Sent> replies = SentBy<IslandReply>(PeerRef{0});
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.back().to, stranger);
  EXPECT_EQ(std::get<IslandReply>(replies.back().message).rpc, 77U);
  EXPECT_EQ(at(PeerRef{0}).table().live_count(), before);
}

// Whoever came back with an old state may know only peers to join through that are dead.
TEST_F(PeerIslandsTest, WhoHasNotJoinedJoinsThroughThePeerThatItIsToldOf) {
  Grow(4);
  const PeerRef newcomer = JoinInVain();
  Execute(newcomer, Introduce{PeerRef{2}});
  RunFor(Duration::Seconds(5));
  EXPECT_EQ(at(newcomer).state(), PeerState::kJoined);
}

// Others remember it from an earlier life, so that nobody sees a need to tell it of anybody.
TEST_F(PeerIslandsTest, WhoHasNotJoinedJoinsThroughThePeerThatWantsToMergeWithIt) {
  Grow(4);
  const PeerRef newcomer = JoinInVain();
  const std::uint32_t before = dropped(DropReason::kNotJoined);
  Deliver(PeerRef{2}, newcomer, MergeSync{16, 99, 0, true, ListHandle::kEmpty});
  EXPECT_EQ(dropped(DropReason::kNotJoined), before + 1);
  RunFor(Duration::Seconds(70));  // the longest pause between two tries, and a lookup
  EXPECT_EQ(at(newcomer).state(), PeerState::kJoined);
}

TEST_F(PeerIslandsTest, AnswersThatNobodyWaitsForAreDropped) {
  Grow(4);
  RunFor(Duration::Minutes(1));
  const std::uint32_t before = dropped(DropReason::kUnknownRpc);
  Deliver(PeerRef{1}, PeerRef{0}, IslandReply{99, ListHandle::kEmpty, {}});
  EXPECT_EQ(dropped(DropReason::kUnknownRpc), before + 1);
}

}  // namespace
}  // namespace tombolo
