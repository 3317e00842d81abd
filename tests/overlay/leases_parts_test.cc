// The parts of leases, each alone: holders without homes, a home without holders.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/leases_held.h"
#include "overlay/leases_home.h"
#include "tests/overlay/record_test_host.h"

namespace tombolo {
namespace {

LeaseUpdate Update(std::uint32_t rpc, const std::vector<std::pair<NodeId, std::uint64_t>>& leases,
                   std::uint64_t digest) {
  LeaseUpdate update{};
  update.rpc = rpc;
  update.digest = digest;
  for (const auto& [client, sequence] : leases) {
    update.keys[update.count] = client;
    update.sequences[update.count++] = sequence;
  }
  return update;
}

std::uint64_t DigestOf(const NodeId& client, std::uint64_t sequence) {
  return LeaseHash({LeaseKind::kClient, client}, sequence);
}

class HeldTest : public testing::Test {
 protected:
  LeaseAck Accept(PeerRef from, const LeaseUpdate& update) {
    held_.Accept(from, update, host_.step());
    LeaseAck ack{};
    others_.clear();
    for (const OutgoingMessage& sent : host_.TakeSends()) {
      if (const auto* answer = std::get_if<LeaseAck>(&sent.message)) {
        EXPECT_EQ(sent.to, from);
        ack = *answer;
      } else {
        others_.push_back(sent);
      }
    }
    return ack;
  }

  RecordTestHost host_;
  PeerRef a_ = host_.AddPeer(0x1000);
  PeerRef b_ = host_.AddPeer(0x2000);
  NodeId client_ = TestId(0x77);
  HeldLeases held_;
  std::vector<OutgoingMessage> others_;
};

TEST_F(HeldTest, AnAgreedDigestRenewsAllAndADifferentOneNothing) {
  const NodeId other = TestId(0x78);
  EXPECT_FALSE(Accept(a_, Update(1, {{client_, 5}}, 0)).agreed);
  const std::uint64_t both = DigestOf(client_, 5) + DigestOf(other, 6);
  EXPECT_TRUE(Accept(a_, Update(2, {{other, 6}}, both)).agreed);
  host_.Advance(Duration::Seconds(29));
  EXPECT_TRUE(Accept(a_, Update(3, {}, both)).agreed);
  host_.Advance(Duration::Seconds(29));
  EXPECT_FALSE(Accept(a_, Update(4, {}, both + 1)).agreed);
  EXPECT_TRUE(held_.Find(client_, host_.now()));
  host_.Advance(Duration::Seconds(1));
  EXPECT_FALSE(held_.Find(client_, host_.now()));
  EXPECT_LE(held_.next_deadline(), host_.now());
  held_.OnTimer(host_.step());
  EXPECT_TRUE(held_.idle());
  EXPECT_EQ(held_.next_deadline(), kNever);
}

TEST_F(HeldTest, AnOlderLeaseIsRefusedWithTheNewer) {
  Accept(a_, Update(1, {{client_, 5}}, 0));
  const LeaseAck ack = Accept(b_, Update(2, {{client_, 4}}, 0));
  EXPECT_EQ(ack.outdated, 1);
  ASSERT_EQ(others_.size(), 1U);
  EXPECT_EQ(others_[0].to, b_);
  const auto moved = std::get<LeaseMoved>(others_[0].message);
  EXPECT_EQ(moved.home, a_);
  EXPECT_EQ(moved.sequence, 5U);
  EXPECT_EQ(held_.Find(client_, host_.now())->home, a_);
}

TEST_F(HeldTest, ANewerLeaseReplacesTheOlderWhoseHomeIsTold) {
  Accept(a_, Update(1, {{client_, 5}}, 0));
  EXPECT_TRUE(Accept(b_, Update(2, {{client_, 6}}, DigestOf(client_, 6))).agreed);
  ASSERT_EQ(others_.size(), 1U);
  EXPECT_EQ(others_[0].to, a_);
  EXPECT_EQ(std::get<LeaseMoved>(others_[0].message).home, b_);
  EXPECT_EQ(held_.Find(client_, host_.now())->home, b_);
  EXPECT_TRUE(Accept(a_, Update(3, {}, 0)).agreed) << "nothing is held for the old home";
}

TEST_F(HeldTest, OfEqualSequencesTheHigherIdWins) {
  Accept(b_, Update(1, {{client_, 5}}, 0));
  EXPECT_EQ(Accept(a_, Update(2, {{client_, 5}}, 0)).outdated, 1);
  EXPECT_EQ(held_.Find(client_, host_.now())->home, b_);
}

TEST_F(HeldTest, AnExpiredLeaseStandsInNobodysWay) {
  Accept(a_, Update(1, {{client_, 5}}, 0));
  host_.Advance(Duration::Seconds(30));
  EXPECT_EQ(Accept(b_, Update(2, {{client_, 1}}, 0)).outdated, 0);
  EXPECT_TRUE(others_.empty());
  EXPECT_EQ(held_.Find(client_, host_.now())->home, b_);
}

TEST_F(HeldTest, OnlyTheHomeEndsALease) {
  Accept(a_, Update(1, {{client_, 5}}, 0));
  LeaseUpdate end = Update(2, {{client_, 0}}, 0);
  end.ends = 1;
  Accept(b_, end);
  EXPECT_TRUE(held_.Find(client_, host_.now()));
  EXPECT_TRUE(Accept(a_, end).agreed);
  EXPECT_FALSE(held_.Find(client_, host_.now()));
}

TEST_F(HeldTest, ARoomHasManyHomesWhichAreToldOfEachOther) {
  LeaseUpdate room = Update(1, {{client_, 5}}, 0);
  room.rooms = 1;
  Accept(a_, room);
  EXPECT_TRUE(others_.empty());
  Accept(b_, room);
  ASSERT_EQ(others_.size(), 1U);
  EXPECT_EQ(others_[0].to, b_);
  EXPECT_EQ(std::get<RoomHomes>(others_[0].message).room, client_);
  EXPECT_EQ(held_.size(), 2U);
  EXPECT_FALSE(held_.Find(client_, host_.now())) << "a room is no client";
}

TEST_F(HeldTest, HomesAndLeasesBeyondTheLimitsAreRefused) {
  host_.config().attach.max_homes = 1;
  host_.config().attach.max_held = 2;
  LeaseUpdate room = Update(1, {{client_, 5}}, 0);
  room.rooms = 1;
  EXPECT_EQ(Accept(a_, room).refused, 0);
  EXPECT_EQ(Accept(b_, room).refused, 1);
  EXPECT_EQ(Accept(b_, Update(2, {{TestId(1), 1}, {TestId(2), 1}}, 0)).refused, 2);
  EXPECT_EQ(Accept(b_, Update(2, {{TestId(1), 2}}, 0)).refused, 0) << "held already";
  EXPECT_EQ(host_.Drops(DropReason::kOverload), 2U);
}

TEST_F(HeldTest, AHostileCountIsCut) {
  LeaseUpdate update = Update(1, {{client_, 5}, {TestId(1), 1}}, 0);
  update.count = 255;
  Accept(a_, update);
  EXPECT_EQ(held_.size(), 2U);
}

// A home with two holders that the test plays.
class HomeTest : public testing::Test {
 protected:
  HomeTest() : host_(0xf0000000) {
    host_.config().attach.replicas = 2;
    a_ = host_.AddPeer(0x70);
    b_ = host_.AddPeer(0x71);
  }

  void Place() {
    while (const auto key = home_.TakeLookup()) {
      const PeerRef closest[] = {a_, b_};
      home_.OnLookupDone(*key, closest, host_.step());
    }
  }
  // What was sent to one holder since the last call.
  std::vector<LeaseUpdate> SentTo(PeerRef peer) {
    for (const OutgoingMessage& sent : host_.TakeSends()) sent_.push_back(sent);
    std::vector<LeaseUpdate> updates;
    std::erase_if(sent_, [&](const OutgoingMessage& sent) {
      if (sent.to == peer) updates.push_back(std::get<LeaseUpdate>(sent.message));
      return sent.to == peer;
    });
    return updates;
  }
  void Ack(PeerRef from, const LeaseUpdate& update, bool agreed = true, std::uint8_t refused = 0) {
    home_.OnAck(from, {update.rpc, agreed, refused, 0}, host_.step());
  }
  void AckAll(PeerRef from) {
    for (auto updates = SentTo(from); !updates.empty(); updates = SentTo(from)) {
      for (const LeaseUpdate& update : updates) Ack(from, update);
    }
  }
  std::vector<PeerRef> Tick(Time time) {
    host_.AdvanceTo(time);
    std::vector<PeerRef> silent;
    home_.OnTimer(2, host_.step(), silent);
    return silent;
  }

  RecordTestHost host_;
  PeerRef a_ = PeerRef::kNone;
  PeerRef b_ = PeerRef::kNone;
  HomeLeases home_;
  std::vector<OutgoingMessage> sent_;
};

TEST_F(HomeTest, AttachingEndsWhenEveryHolderHasAnswered) {
  home_.Attach(4, TestId(1), 5, host_.step());
  Place();
  EXPECT_TRUE(host_.TakeEvents<ClientAttached>().empty());
  AckAll(a_);
  EXPECT_TRUE(host_.TakeEvents<ClientAttached>().empty());
  AckAll(b_);
  const auto attached = host_.TakeEvents<ClientAttached>();
  ASSERT_EQ(attached.size(), 1U);
  EXPECT_EQ(attached[0].request, 4U);
  EXPECT_EQ(attached[0].holders, 2);
}

TEST_F(HomeTest, AHolderThatRefusesIsDoneWithout) {
  home_.Attach(4, TestId(1), 5, host_.step());
  Place();
  AckAll(a_);
  Ack(b_, SentTo(b_).at(0), false, 1);
  EXPECT_EQ(host_.TakeEvents<ClientAttached>().at(0).holders, 1);
  EXPECT_EQ(home_.HoldersOf({LeaseKind::kClient, TestId(1)}).size(), 1U);
}

TEST_F(HomeTest, SilentHoldersAreAskedThreeTimesAndLost) {
  home_.Attach(4, TestId(1), 5, host_.step());
  Place();
  AckAll(a_);
  EXPECT_EQ(SentTo(b_).size(), 1U);
  for (int i = 1; i <= 2; ++i) {
    EXPECT_TRUE(Tick(Time{} + Duration::Seconds(i)).empty());
    const auto again = SentTo(b_);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].count, 1);
  }
  EXPECT_EQ(Tick(Time{} + Duration::Seconds(3)), std::vector{b_});
  EXPECT_EQ(host_.TakeEvents<ClientAttached>().at(0).holders, 1);
}

TEST_F(HomeTest, ADifferenceIsLookedAtTwiceAndThenAllIsSentAgainOnce) {
  for (std::uint32_t i = 1; i <= 5; ++i) home_.Attach(i, TestId(i), 5, host_.step());
  Place();
  AckAll(b_);
  auto sent = SentTo(a_);
  ASSERT_EQ(sent.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) Ack(a_, sent[i]);
  Ack(a_, sent[4], false);
  auto check = SentTo(a_);
  ASSERT_EQ(check.size(), 1U);
  EXPECT_EQ(check[0].count, 0);
  Ack(a_, check[0], false);
  std::size_t entries = 0;
  sent = SentTo(a_);
  EXPECT_EQ(sent.size(), 3U) << "two leases per message";
  for (const LeaseUpdate& update : sent) entries += update.count;
  EXPECT_EQ(entries, 5U);
  for (const LeaseUpdate& update : sent) Ack(a_, update, false);
  EXPECT_TRUE(SentTo(a_).empty()) << "not again at once";
}

// Each of two homes that are attaching the same client would outbid the other for ever.
TEST_F(HomeTest, BiddingForAClientEnds) {
  home_.Attach(1, TestId(1), 0, host_.step());
  Place();
  int bids = 0;
  const auto is_outbid = [&] {
    const std::uint64_t other = *home_.Find(TestId(1)) + 1;
    return home_.OnMoved(a_, {TestId(1), b_, other}, host_.step());
  };
  while (bids < 100 && !is_outbid()) ++bids;
  EXPECT_EQ(bids, HomeLeases::kMaxBids);
  EXPECT_EQ(host_.TakeEvents<LeaseLost>().size(), 1U);
}

TEST_F(HomeTest, WhoAsksAgainEndsTheEarlierAttaching) {
  home_.Attach(1, TestId(1), 5, host_.step());
  home_.Attach(2, TestId(1), 6, host_.step());
  const auto earlier = host_.TakeEvents<ClientAttached>();
  ASSERT_EQ(earlier.size(), 1U);
  EXPECT_EQ(earlier[0].request, 1U);
  EXPECT_FALSE(earlier[0].attached);
  Place();
  AckAll(a_);
  AckAll(b_);
  const auto later = host_.TakeEvents<ClientAttached>();
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(later[0].request, 2U);
  EXPECT_TRUE(later[0].attached);
}

TEST_F(HomeTest, AtMostAWindowOfUpdatesIsUnderWay) {
  for (std::uint32_t i = 1; i <= 100; ++i) home_.Attach(i, TestId(i), 5, host_.step());
  Place();
  EXPECT_EQ(SentTo(a_).size(), HomeLeases::kWindow);
  AckAll(b_);
  EXPECT_EQ(home_.clients(), 100U);
}

TEST_F(HomeTest, AtMostSoManyLookupsAreUnderWay) {
  for (std::uint32_t i = 1; i <= 100; ++i) home_.Attach(i, TestId(i), 5, host_.step());
  std::vector<LeaseKey> taken;
  while (const auto key = home_.TakeLookup()) taken.push_back(*key);
  ASSERT_EQ(taken.size(), HomeLeases::kMaxLookups);
  home_.OnLookupRefused(taken[0], host_.step());
  EXPECT_TRUE(home_.TakeLookup());
}

TEST_F(HomeTest, ARefusedLookupIsTriedAgainAtTheNextRound) {
  home_.Attach(1, TestId(1), 5, host_.step());
  home_.OnLookupRefused(*home_.TakeLookup(), host_.step());
  EXPECT_FALSE(home_.TakeLookup());
  Tick(Time{} + Duration::Seconds(14));
  EXPECT_TRUE(home_.TakeLookup());
}

TEST_F(HomeTest, AMergePlacesAllAgainAndTellsEvenTheSameHoldersOfRooms) {
  home_.Attach(1, TestId(1), 5, host_.step());
  home_.EnterRoom(TestId(2), host_.step());
  Place();
  AckAll(a_);
  AckAll(b_);
  home_.OnMerge(host_.step());
  Place();
  const auto sent = SentTo(a_);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].kind(0), LeaseKind::kRoom);
}

TEST_F(HomeTest, ALeaseOfAnEarlierLifeIsOutbid) {
  home_.Attach(1, TestId(1), 5, host_.step());
  Place();
  AckAll(b_);
  SentTo(a_);
  EXPECT_FALSE(home_.OnMoved(a_, {TestId(1), host_.step().self, 90}, host_.step()));
  EXPECT_EQ(home_.Find(TestId(1)), 91U);
  EXPECT_EQ(SentTo(a_).at(0).sequences[0], 91U);
}

}  // namespace
}  // namespace tombolo
