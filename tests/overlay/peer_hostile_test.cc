// Whole peers in odd places: without links, with dials that cross, without relaying, on departure.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <variant>
#include <vector>

#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

constexpr PeerRef kPeer{1};
constexpr PeerRef kOther{0};

// Two members; links come and go by hand.
ToyOverlay TwoMembers(int max_links) {
  ToyOverlay toy;
  toy.config.links.max_links = max_links;
  toy.Grow(2);
  toy.events.clear();
  toy.log.clear();
  return toy;
}

void LinkUp(ToyOverlay& toy, PeerRef to) {
  toy.at(kPeer).LinkUp(to, {.outbound = true, .dialable = true}, toy.step());
}

Send SendToOther(ToyOverlay& toy) {
  return {1, toy.ids.id(kOther), toy.NewPayload(), Duration::Seconds(10)};
}

TEST(Peer, WhatItSendsWithoutLinksWaitsForTheFirst) {
  ToyOverlay toy = TwoMembers(8);
  toy.Execute(kPeer, SendToOther(toy));
  toy.Execute(kPeer, Connect{2, NodeId{{7, 7, 7, 7, 7}}});
  toy.RunFor(Duration::Seconds(2));
  EXPECT_TRUE(toy.SentBy<Forward>(kPeer).empty());
  EXPECT_TRUE(toy.events.empty());
  LinkUp(toy, kOther);
  EXPECT_EQ(std::count_if(toy.out.sends().begin(), toy.out.sends().end(),
                          [](const OutgoingMessage& sent) {
                            return std::holds_alternative<Forward>(sent.message);
                          }),
            2);
}

TEST(Peer, WhatItSendsWithoutLinksFailsAtItsDeadline) {
  ToyOverlay toy = TwoMembers(8);
  toy.Execute(kPeer, SendToOther(toy));
  toy.RunFor(Duration::Seconds(9));
  EXPECT_TRUE(toy.events.empty());
  toy.RunFor(Duration::Seconds(2));
  ASSERT_EQ(toy.EventsOf<Failed>(kPeer).size(), 1U);
  EXPECT_EQ(toy.EventsOf<Failed>(kPeer)[0].reason, FailReason::kNoLinks);
  EXPECT_EQ(toy.shares(), 0);
}

TEST(Peer, WithoutRelayingItFailsAtOnceAndOpensNoLinks) {
  ToyOverlay toy = TwoMembers(0);
  toy.Execute(kPeer, SendToOther(toy));
  toy.Execute(kPeer, Connect{2, toy.ids.id(kOther)});
  const std::vector<Failed> failed = toy.EventsOf<Failed>(kPeer);
  ASSERT_EQ(failed.size(), 2U);
  for (const Failed& failure : failed) EXPECT_EQ(failure.reason, FailReason::kNoLinks);
  EXPECT_EQ(toy.at(kPeer).parts(), nullptr);
  EXPECT_EQ(toy.shares(), 0);
}

TEST(Peer, ADialThatFailsAfterAnotherBroughtTheLinkUpChangesNothing) {
  ToyOverlay toy = TwoMembers(8);
  LinkUp(toy, kOther);
  toy.out.Clear();
  toy.at(kPeer).LinkDown(kOther, LinkDownReason::kDialFailed, toy.step());
  EXPECT_EQ(toy.at(kPeer).links().size(), 1U);
  EXPECT_EQ(toy.at(kPeer).table().live_count(), 1U);
  EXPECT_TRUE(toy.at(kPeer).parts()->relaying->neighbours.Contains(kOther));
  EXPECT_TRUE(toy.out.events().empty());
}

// Whoever heard from it after the goodbye would take it for a contact again.
TEST(Peer, TheLastThatIsHeardOfADepartingPeerIsItsGoodbye) {
  ToyOverlay toy = TwoMembers(8);
  toy.Deliver(kOther, kPeer, Store{1, {{}, toy.NewPayload(), 1, Duration::Hours(1)}});
  toy.log.clear();
  toy.Execute(kPeer, Depart{});
  ASSERT_EQ(toy.SentBy<Store>(kPeer).size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Leave>(toy.log.back().message));
  toy.Execute(kOther, Depart{});
  toy.RunFor(Duration::Seconds(1));
  EXPECT_EQ(toy.shares(), 0);
}

TEST(Peer, SaysGoodbyeOnceToEveryLink) {
  ToyOverlay toy = TwoMembers(64);
  Rng rng(3);
  LinkUp(toy, kOther);
  for (int i = 0; i < 18; ++i) LinkUp(toy, toy.AddPeer(RandomId(rng)));
  toy.out.Clear();
  toy.Execute(kPeer, Depart{});
  std::vector<PeerRef> told;
  for (const auto& sent : toy.SentBy<Leave>(kPeer)) told.push_back(sent.to);
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told.size(), 19U);
  EXPECT_EQ(std::adjacent_find(told.begin(), told.end()), told.end());
}

// The deepest bucket is kept fresh by the application; the one above, which the own lookup covers
// as well, is nobody's concern but ours.
TEST(Upkeep, EveryBucketThatTheOwnLookupCoversIsRefreshed) {
  ToyOverlay toy;
  const NodeId owner{{0, 0, 0, 0, 0}};
  const PeerRef peer = toy.AddPeer(owner);
  for (std::uint32_t i = 0; i < 2; ++i) toy.AddPeer(NodeId{{0x00800000, 0, 0, 0, i}});
  for (std::uint32_t i = 0; i < 2; ++i) toy.AddPeer(NodeId{{0x10000000, 0, 0, 0, i}});
  for (std::uint32_t i = 0; i < 5; ++i) {
    toy.Join(PeerRef{i}, i == 0 ? std::vector<PeerRef>() : std::vector<PeerRef>{peer});
    toy.RunFor(Duration::Seconds(1));
  }
  toy.RunFor(Duration::Minutes(5));
  toy.log.clear();
  for (int i = 0; i < 24; ++i) {
    toy.Execute(peer, Lookup{1, NodeId{{0x00800000, 0, 0, 0, 1}}});
    toy.RunFor(Duration::Minutes(5));
  }
  const auto asked = toy.SentBy<FindNode>(peer);
  EXPECT_TRUE(std::any_of(asked.begin(), asked.end(), [&](const auto& sent) {
    return std::get<FindNode>(sent.message).target == owner;
  }));
}

}  // namespace
}  // namespace tombolo
