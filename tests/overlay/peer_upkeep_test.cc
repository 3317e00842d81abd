// Contacts kept fresh: ping before evict, and the refreshing of buckets.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

constexpr Duration kHour = Duration::Hours(1);
constexpr PeerRef kOwner{0};

// A peer with a full bucket 0 of k = 4 contacts, three silent strangers of that bucket, and time
// enough since the start that a check may be claimed.
class FullBucket : public testing::Test {
 protected:
  FullBucket() {
    toy_.AddPeer(NodeId{{0x10000000, 0, 0, 0, 0}});
    for (std::uint32_t i = 0; i < 4; ++i)
      toy_.AddPeer(NodeId{{0x80000000 + (i << 20), 0, 0, 0, i}});
    for (std::uint32_t i = 0; i < 5; ++i) {
      toy_.Join(PeerRef{i}, i == 0 ? std::vector<PeerRef>() : std::vector<PeerRef>{kOwner});
      toy_.RunFor(Duration::Seconds(1));
    }
    for (std::uint32_t i = 0; i < 3; ++i) {
      newcomers_.push_back(toy_.AddPeer(NodeId{{0xc0000000 + (i << 20), 0, 0, 0, i}}));
    }
    toy_.RunFor(Duration::Minutes(10));
    toy_.log.clear();
  }

  std::vector<PeerRef> Live() {
    const auto live = toy_.at(kOwner).table().live(0);
    return {live.begin(), live.end()};
  }
  bool Holds(PeerRef peer) {
    const std::vector<PeerRef> live = Live();
    return std::count(live.begin(), live.end(), peer) > 0;
  }
  std::size_t pings() const { return toy_.SentBy<Ping>(kOwner).size(); }

  ToyOverlay toy_;
  std::vector<PeerRef> newcomers_;
};

TEST_F(FullBucket, TheOldestContactThatAnswersStaysAndTheNewcomerWaits) {
  const PeerRef oldest = Live().front();
  toy_.Deliver(newcomers_[0], kOwner, Ping{1});
  ASSERT_EQ(pings(), 1U);
  EXPECT_EQ(toy_.SentBy<Ping>(kOwner)[0].to, oldest);
  toy_.RunFor(Duration::Seconds(5));
  EXPECT_EQ(Live().back(), oldest);  // seen most recently now
  EXPECT_FALSE(Holds(newcomers_[0]));
  EXPECT_EQ(toy_.at(kOwner).table().replacements(0).size(), 1U);
  EXPECT_EQ(toy_.at(kOwner).parts(), nullptr);
}

TEST_F(FullBucket, TheOldestContactThatIsSilentGivesWayToTheNewcomer) {
  const PeerRef oldest = Live().front();
  toy_.up[Index(oldest)] = false;
  toy_.Deliver(newcomers_[0], kOwner, Ping{1});
  EXPECT_TRUE(Holds(oldest));
  toy_.RunFor(toy_.config.lookup.rpc_timeout);
  EXPECT_FALSE(Holds(oldest));
  EXPECT_EQ(Live().back(), newcomers_[0]);
}

TEST_F(FullBucket, APongAfterTheTimeOutOrFromAnotherPeerIsDropped) {
  const PeerRef oldest = Live().front();
  toy_.up[Index(oldest)] = false;
  toy_.Deliver(newcomers_[0], kOwner, Ping{1});
  const Ping ping = std::get<Ping>(toy_.SentBy<Ping>(kOwner).at(0).message);
  toy_.Deliver(newcomers_[1], kOwner, Pong{ping.rpc});
  EXPECT_EQ(toy_.dropped(DropReason::kUnknownRpc), 1U);
  toy_.RunFor(toy_.config.lookup.rpc_timeout);
  toy_.Deliver(oldest, kOwner, Pong{ping.rpc});
  EXPECT_EQ(toy_.dropped(DropReason::kUnknownRpc), 2U);
  EXPECT_FALSE(Holds(oldest));
}

TEST_F(FullBucket, IsCheckedOncePerInterval) {
  toy_.Deliver(newcomers_[0], kOwner, Ping{1});
  toy_.RunFor(Duration::Minutes(1));
  toy_.Deliver(newcomers_[1], kOwner, Ping{2});
  EXPECT_EQ(pings(), 1U);
  toy_.RunFor(Duration::Minutes(1));
  toy_.Deliver(newcomers_[2], kOwner, Ping{3});
  EXPECT_EQ(pings(), 2U);
}

TEST_F(FullBucket, OnlyPingBeforeEvictPings) {
  for (const BucketPolicy policy : {BucketPolicy::kReplaceWhenDead, BucketPolicy::kReplaceOldest}) {
    ToyOverlay trial = toy_;
    trial.config.table.policy = policy;
    trial.Deliver(newcomers_[0], kOwner, Ping{1});
    EXPECT_TRUE(trial.SentBy<Ping>(kOwner).empty());
    const auto live = trial.at(kOwner).table().live(0);
    EXPECT_EQ(live.back() == newcomers_[0], policy == BucketPolicy::kReplaceOldest);
  }
}

TEST_F(FullBucket, PeersThatCannotBeDialledBecomeNoContacts) {
  toy_.ids.set_attributes(newcomers_[0], {.dialable = false});
  toy_.Deliver(newcomers_[0], kOwner, Ping{1});
  EXPECT_EQ(pings(), 0U);
  EXPECT_TRUE(toy_.at(kOwner).table().replacements(0).empty());
  EXPECT_EQ(toy_.SentBy<Pong>(kOwner).size(), 1U);  // but they are answered
}

// ---- Refreshing.

// Times at which `peer` looked into each of its buckets: every lookup begins with a request to a
// target of the bucket; kIdBits stands for the own id.
std::map<int, std::vector<Time>> LookupTimes(const ToyOverlay& toy, PeerRef peer) {
  std::map<int, std::vector<Time>> times;
  NodeId last;
  for (const auto& sent : toy.SentBy<FindNode>(peer)) {
    const NodeId& target = std::get<FindNode>(sent.message).target;
    if (target != last) {
      times[CommonPrefixLength(toy.ids.id(peer), target)].push_back(sent.at);
    }
    last = target;
  }
  return times;
}

TEST(Upkeep, AJoinLooksUpTheOwnIdAndThenEveryBucketThatThisDoesNotCover) {
  ToyOverlay toy;
  toy.Grow(64);
  const PeerRef last{63};
  const auto times = LookupTimes(toy, last);
  const int covered = toy.at(last).table().CoveredFrom(toy.config.table.k);
  ASSERT_GT(covered, 1);
  ASSERT_EQ(times.count(kIdBits), 1U);
  Time previous = times.at(kIdBits)[0];
  for (int level = 0; level < covered - 1; ++level) {
    ASSERT_EQ(times.count(level), 1U) << level;
    EXPECT_GT(times.at(level)[0], previous) << level;  // one after the other
    previous = times.at(level)[0];
  }
}

// Kademlia 2002, section 2.3: a bucket in which nothing was looked up for an hour is refreshed.
TEST(Upkeep, EveryBucketIsRefreshedOncePerInterval) {
  ToyOverlay toy;
  toy.Grow(64);
  const PeerRef peer{7};
  toy.RunFor(kHour * 6);
  const auto times = LookupTimes(toy, peer);
  const int covered = toy.at(peer).table().CoveredFrom(toy.config.table.k);
  for (int level = 0; level < covered - 1; ++level) {
    const std::vector<Time>& at = times.at(level);
    EXPECT_GE(at.size(), 6U) << level;
    EXPECT_LE(at.size(), 8U) << level;
    for (std::size_t i = 1; i < at.size(); ++i) {
      EXPECT_LE(at[i] - at[i - 1], kHour * 9 / 8) << "bucket " << level << ", refresh " << i;
    }
  }
}

TEST(Upkeep, PeersThatJoinedTogetherDoNotRefreshTogether) {
  ToyOverlay toy;
  toy.Grow(16);
  toy.RunFor(kHour * 3);
  std::map<std::int64_t, int> per_second;
  for (std::uint32_t i = 0; i < 16; ++i) ++per_second[toy.peers[i].next_deadline().us / 1'000'000];
  for (const auto& [second, peers] : per_second) EXPECT_LE(peers, 3) << second;
}

TEST(Upkeep, ARefreshFindsPeersThatTheBucketHasLost) {
  ToyOverlay toy;
  toy.Grow(40);
  const PeerRef peer{9};
  const NodeId& id = toy.ids.id(peer);
  const auto lost = toy.at(peer).table().live(0);
  for (const PeerRef contact : std::vector<PeerRef>(lost.begin(), lost.end())) {
    toy.up[Index(contact)] = false;  // and others of that half of the id space stay up
  }
  toy.RunFor(kHour * 4);
  bool found = false;
  for (const PeerRef contact : toy.at(peer).table().live(0)) found |= toy.up[Index(contact)];
  EXPECT_TRUE(found);
  EXPECT_EQ(CommonPrefixLength(id, toy.ids.id(toy.at(peer).table().live(0).front())), 0);
}

// Nobody else knows of it, so that it has to ask those who have failed, however often they did.
TEST(Upkeep, WhoHasLostEverybodyTriesThemAgain) {
  ToyOverlay toy;
  const PeerRef lost = toy.AddPeer(NodeId{{1, 0, 0, 0, 0}});
  const PeerRef other = toy.AddPeer(NodeId{{0x80000000, 0, 0, 0, 0}});
  for (const PeerRef peer : {lost, other}) toy.Join(peer, {});
  toy.Deliver(other, lost, Ping{1});
  ASSERT_EQ(toy.at(lost).table().live_count(), 1U);
  ASSERT_EQ(toy.at(other).table().live_count(), 0U);
  toy.up[Index(other)] = false;
  toy.RunFor(kHour * 5);
  ASSERT_EQ(toy.at(lost).table().live_count(), 0U);
  toy.up[Index(other)] = true;
  toy.RunFor(kHour * 2);
  EXPECT_EQ(toy.at(lost).table().live_count(), 1U);
  EXPECT_EQ(toy.at(other).table().live_count(), 1U);
}

// The only contact of a bucket, silent for longer than it takes to be forgotten elsewhere.
TEST(Upkeep, TheFailedContactsOfAnEmptyBucketAreAskedAtEveryRefresh) {
  ToyOverlay toy;
  const PeerRef owner = toy.AddPeer(NodeId{{0x10000000, 0, 0, 0, 0}});
  const PeerRef beside = toy.AddPeer(NodeId{{0x20000000, 0, 0, 0, 0}});
  const PeerRef far = toy.AddPeer(NodeId{{0x90000000, 0, 0, 0, 0}});
  toy.Join(owner, {});
  for (const PeerRef peer : {beside, far}) {
    toy.Join(peer, {});
    toy.Deliver(peer, owner, Ping{1});
  }
  toy.up[Index(far)] = false;
  toy.RunFor(kHour * 5);
  ASSERT_TRUE(toy.at(owner).table().live(0).empty());
  toy.up[Index(far)] = true;
  toy.RunFor(kHour * 2);
  EXPECT_EQ(toy.at(owner).table().live(0).size(), 1U);
}

TEST(Upkeep, ALateAnswerShowsThatAContactLivesAndTeachesNoStranger) {
  ToyOverlay toy;
  const PeerRef owner = toy.AddPeer(NodeId{{0x10000000, 0, 0, 0, 0}});
  const PeerRef late = toy.AddPeer(NodeId{{0x90000000, 0, 0, 0, 0}});
  const PeerRef stranger = toy.AddPeer(NodeId{{0x70000000, 0, 0, 0, 0}});
  toy.Join(owner, {});
  toy.Join(late, {});
  for (const Message& answer : {Message(Pong{77}), Message(Nodes{77, ListHandle::kEmpty}),
                                Message(LeaseFound{77, late, 1}), Message(Value{77, {}})}) {
    toy.Deliver(late, owner, Ping{1});
    toy.up[Index(late)] = false;
    toy.LookUp(owner, NodeId{{0x90000001, 0, 0, 0, 0}});
    ASSERT_TRUE(toy.at(owner).table().live(0).empty());
    toy.Deliver(late, owner, answer);
    toy.Deliver(stranger, owner, answer);
    EXPECT_EQ(toy.at(owner).table().live(0).size(), 1U);
    EXPECT_TRUE(toy.at(owner).table().live(1).empty());
    toy.up[Index(late)] = true;
  }
}

TEST(Upkeep, AContactThatFailedToAnswerIsAskedAgainWhileItsLinkIsUp) {
  ToyOverlay toy;
  toy.config.links.max_links = 8;
  const PeerRef peer = toy.AddPeer(NodeId{{1, 0, 0, 0, 0}});
  const PeerRef other = toy.AddPeer(NodeId{{0x80000000, 0, 0, 0, 0}});
  toy.Join(peer, {});
  toy.Join(other, {peer});
  toy.RunFor(Duration::Seconds(30));
  toy.at(peer).LinkUp(other, LinkAttributes{true, true}, toy.step());
  toy.Tick(peer);
  ASSERT_EQ(toy.at(peer).links().size(), 1U);
  toy.up[Index(other)] = false;  // as on a path that loses everything for a while
  for (std::uint32_t i = 0; i < 10 && toy.at(peer).table().live_count() > 0; ++i) {
    toy.Execute(peer, Lookup{i, NodeId{{0x90000000, 0, 0, 0, i}}});
    toy.RunFor(Duration::Seconds(2));
  }
  ASSERT_EQ(toy.at(peer).table().live_count(), 0U);
  ASSERT_EQ(toy.at(peer).links().size(), 1U);
  toy.up[Index(other)] = true;
  toy.RunFor(toy.config.links.maintenance_interval * 2);  // long before a refresh
  EXPECT_EQ(toy.at(peer).table().live_count(), 1U);
}

TEST(Upkeep, WaitsWhileTheApplicationUsesAllLookups) {
  ToyOverlay toy;
  toy.config.lookup.max_active = 1;
  toy.Grow(8);
  const PeerRef peer{3};
  for (std::uint32_t i = 0; i < 8; ++i) toy.up[i] = i == 3;  // lookups take their time
  toy.RunUntil(toy.at(peer).next_deadline() - Duration{1});
  toy.Execute(peer, Lookup{1, toy.ids.id(PeerRef{1})});
  toy.RunFor(Duration{1});
  EXPECT_EQ(toy.dropped(DropReason::kOverload), 1U);
  for (std::uint32_t i = 0; i < 8; ++i) toy.up[i] = true;
  toy.log.clear();
  toy.RunFor(Duration::Minutes(1));
  EXPECT_EQ(LookupTimes(toy, peer).count(kIdBits), 1U);
  EXPECT_EQ(toy.EventsOf<LookupDone>(peer).size(), 1U);
}

TEST(Upkeep, AJoinDuringARefreshIsHarmless) {
  ToyOverlay toy;
  toy.Grow(30);
  const PeerRef peer{3};
  toy.RunUntil(toy.at(peer).next_deadline());  // the lookup of the own id is under way
  ASSERT_NE(toy.at(peer).parts(), nullptr);
  toy.Join(peer, {PeerRef{0}});
  toy.RunFor(Duration::Minutes(1));
  EXPECT_EQ(toy.at(peer).state(), PeerState::kJoined);
  EXPECT_EQ(toy.at(peer).parts(), nullptr);
  EXPECT_EQ(toy.EventsOf<Joined>(peer).size(), 2U);
}

TEST(Upkeep, ABuiltPeerIsAMemberAndRefreshesWhenItIsTold) {
  ToyOverlay toy;
  const PeerRef peer = toy.AddPeer(NodeId{{1, 0, 0, 0, 0}});
  const PeerRef contact = toy.AddPeer(NodeId{{0x80000000, 0, 0, 0, 0}});
  RoutingTable table;
  table.Fill(0, std::vector<PeerRef>{contact});
  toy.at(peer).Build(std::move(table), Time{} + kHour);
  toy.at(contact).Build(RoutingTable(), kNever);
  EXPECT_EQ(toy.at(peer).state(), PeerState::kJoined);
  EXPECT_EQ(toy.at(peer).next_deadline(), Time{} + kHour);
  toy.RunUntil(Time{} + kHour);
  EXPECT_EQ(toy.SentBy<FindNode>(peer).size(), 1U);
  toy.RunFor(Duration::Seconds(1));
  EXPECT_EQ(toy.at(contact).table().live_count(), 1U);  // it has heard from the peer
  EXPECT_TRUE(toy.EventsOf<Joined>(peer).empty());
}

}  // namespace
}  // namespace tombolo
