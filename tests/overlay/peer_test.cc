#include "overlay/peer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

constexpr Duration kHour = Duration::Hours(1);

Record RecordOf(const NodeId& key, const Payload& payload) { return {key, payload, 1, kHour}; }

// ---- Who takes part.

TEST(Peer, OutsideOfAnOverlayItDropsEverythingAndKeepsNothing) {
  for (const bool left : {false, true}) {
    ToyOverlay toy;
    toy.Grow(2);
    const PeerRef other{0};
    const PeerRef peer = left ? PeerRef{1} : toy.AddPeer(NodeId{{9, 9, 9, 9, 9}});
    if (left) toy.Execute(peer, Depart{});
    toy.log.clear();
    const std::vector<Message> messages = {Ping{1},
                                           Pong{1},
                                           FindNode{1, {}},
                                           FindValue{1, {}},
                                           Nodes{1, ListHandle::kEmpty},
                                           Value{1, RecordOf({}, toy.NewPayload())},
                                           Store{1, RecordOf({}, toy.NewPayload())},
                                           StoreAck{1, StoreStatus::kStored},
                                           Leave{}};
    for (const Message& message : messages) toy.Deliver(other, peer, message);
    EXPECT_EQ(toy.dropped(DropReason::kNotJoined), messages.size());
    EXPECT_TRUE(toy.SentBy<Pong>(peer).empty());
    EXPECT_EQ(toy.shares(), 0);
    EXPECT_EQ(toy.at(peer).next_deadline(), kNever);
    EXPECT_EQ(toy.at(peer).table().live_count(), 0U);
    EXPECT_EQ(toy.at(peer).parts(), nullptr);
  }
}

TEST(Peer, MessagesThatClaimToComeFromItselfAreDropped) {
  ToyOverlay toy;
  toy.Grow(2);
  toy.log.clear();
  toy.Deliver(PeerRef{0}, PeerRef{0}, Ping{1});
  EXPECT_EQ(toy.dropped(DropReason::kSelf), 1U);
  EXPECT_TRUE(toy.log.empty());
}

TEST(Peer, AFounderJoinsAtOnce) {
  ToyOverlay toy;
  const PeerRef founder = toy.AddPeer(NodeId{{1, 2, 3, 4, 5}});
  toy.Join(founder, {founder});  // itself is no help
  EXPECT_EQ(toy.at(founder).state(), PeerState::kJoined);
  ASSERT_EQ(toy.EventsOf<Joined>(founder).size(), 1U);
  EXPECT_EQ(toy.EventsOf<Joined>(founder)[0].contacts, 0U);
  EXPECT_TRUE(toy.log.empty());
}

TEST(Peer, JoinsMakeEachKnownToThoseWhoMustKnowIt) {
  ToyOverlay toy;
  toy.Grow(60);
  for (std::uint32_t i = 0; i < 60; ++i) {
    const Peer& peer = toy.peers[i];
    EXPECT_EQ(peer.state(), PeerState::kJoined) << i;
    EXPECT_EQ(toy.EventsOf<Joined>(PeerRef{i}).size(), 1U) << i;
    for (std::uint32_t j = 0; j < 60; ++j) {  // no false-empty bucket
      if (i == j) continue;
      const int level = CommonPrefixLength(peer.id(), toy.peers[j].id());
      EXPECT_FALSE(peer.table().live(level).empty()) << i << " level " << level;
    }
  }
  Rng rng(3);
  for (std::uint32_t i = 0; i < 60; ++i) {
    const NodeId target = RandomId(rng);
    EXPECT_EQ(toy.LookUp(PeerRef{i}, target), toy.Truth(target, PeerRef{i})) << i;
  }
  EXPECT_EQ(toy.lists.in_use(), 0U);
}

TEST(Peer, AJoinThatReachesNobodyIsTriedAgainAfterDoublingPauses) {
  ToyOverlay toy;
  const PeerRef founder = toy.AddPeer(NodeId{{1, 0, 0, 0, 1}});
  const PeerRef peer = toy.AddPeer(NodeId{{0xf0000000, 0, 0, 0, 2}});
  toy.Join(founder, {});
  toy.up[Index(founder)] = false;
  toy.Join(peer, {founder});
  toy.RunFor(Duration::Minutes(8));
  std::vector<std::int64_t> at;
  for (const auto& sent : toy.SentBy<FindNode>(peer)) at.push_back(sent.at.us / 1'000'000);
  // Pauses of 2, 4, ... 64 s, each after a time-out of 1 s.
  EXPECT_EQ(at, (std::vector<std::int64_t>{0, 3, 8, 17, 34, 67, 132, 197, 262, 327, 392, 457}));
  EXPECT_EQ(toy.at(peer).state(), PeerState::kJoining);
  toy.up[Index(founder)] = true;
  toy.RunFor(Duration::Minutes(2));
  EXPECT_EQ(toy.at(peer).state(), PeerState::kJoined);
  EXPECT_EQ(toy.EventsOf<Joined>(peer).at(0).contacts, 1U);
}

// ---- Requests and answers.

TEST(Peer, StoredRecordsAreHandedOutUntilTheyExpire) {
  ToyOverlay toy;
  toy.Grow(2);
  const NodeId key{{5, 5, 5, 5, 5}};
  toy.Deliver(PeerRef{1}, PeerRef{0}, Store{1, RecordOf(key, toy.NewPayload())});
  toy.log.clear();
  toy.Deliver(PeerRef{1}, PeerRef{0}, FindValue{2, key});
  ASSERT_EQ(toy.SentBy<Value>(PeerRef{0}).size(), 1U);
  toy.config.table.refresh_interval = Duration::Hours(20);  // quiet
  toy.RunFor(Duration::Hours(3));
  toy.log.clear();
  toy.Deliver(PeerRef{1}, PeerRef{0}, FindValue{3, key});
  EXPECT_TRUE(toy.SentBy<Value>(PeerRef{0}).empty());
}

TEST(Peer, LateAndForgedAnswersAreCountedAndDropped) {
  ToyOverlay toy;
  toy.Grow(3);
  toy.config.table.refresh_interval = Duration::Hours(20);
  for (const bool with_parts : {false, true}) {  // with a lookup under way, or none
    ToyOverlay trial = toy;
    if (with_parts) {
      trial.up[2] = false;
      trial.Execute(PeerRef{0}, Lookup{1, trial.ids.id(PeerRef{2})});
    }
    EXPECT_EQ(trial.at(PeerRef{0}).parts() != nullptr, with_parts);
    const std::uint32_t before = trial.dropped(DropReason::kUnknownRpc);
    const std::size_t sent = trial.log.size();
    const int shares = trial.shares();
    trial.Deliver(PeerRef{1}, PeerRef{0}, Pong{0x80000000U});
    trial.Deliver(PeerRef{1}, PeerRef{0}, Nodes{0xabcd00, ListHandle::kEmpty});
    trial.Deliver(PeerRef{1}, PeerRef{0}, Value{0xabcd00, RecordOf({}, trial.NewPayload())});
    trial.Deliver(PeerRef{1}, PeerRef{0}, StoreAck{1, StoreStatus::kStored});
    trial.Deliver(PeerRef{1}, PeerRef{0}, StoreAck{PutGet::kRpcTag | 5, StoreStatus::kStored});
    EXPECT_EQ(trial.dropped(DropReason::kUnknownRpc), before + 5);
    EXPECT_EQ(trial.log.size(), sent);
    EXPECT_EQ(trial.shares(), shares);
  }
}

TEST(Peer, AValueAsAnswerToFindNodeDoesNotKeepTheLookupFromEnding) {
  ToyOverlay toy;
  toy.Grow(2);
  toy.log.clear();
  const NodeId target{{7, 7, 7, 7, 7}};
  toy.Execute(PeerRef{0}, Lookup{5, target});
  const auto asked = toy.SentBy<FindNode>(PeerRef{0});
  ASSERT_EQ(asked.size(), 1U);
  const std::uint32_t rpc = std::get<FindNode>(asked[0].message).rpc;
  toy.Deliver(PeerRef{1}, PeerRef{0}, Value{rpc, RecordOf(target, toy.NewPayload())});
  EXPECT_EQ(toy.EventsOf<LookupDone>(PeerRef{0}).size(), 1U);
  EXPECT_EQ(toy.at(PeerRef{0}).parts(), nullptr);
}

// ---- Lookups of the application.

TEST(Peer, ALookupBeyondTheLimitEndsAtOnceAndCountsAsOverload) {
  ToyOverlay toy;
  toy.config.lookup.max_active = 2;
  toy.Grow(10);
  for (const std::uint32_t request : {1U, 2U, 3U}) {
    toy.Execute(PeerRef{4}, Lookup{request, toy.ids.id(PeerRef{request})});
  }
  const auto refused = toy.EventsOf<LookupDone>(PeerRef{4});
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].request, 3U);
  EXPECT_EQ(refused[0].hops, 0);
  EXPECT_EQ(refused[0].started, toy.now);
  EXPECT_EQ(toy.dropped(DropReason::kOverload), 1U);
  toy.RunFor(Duration::Seconds(5));
  EXPECT_EQ(toy.EventsOf<LookupDone>(PeerRef{4}).size(), 3U);
}

TEST(Peer, ALookupOfAPeerThatKnowsNobodyEndsAtOnce) {
  ToyOverlay toy;
  toy.Grow(1);
  toy.Execute(PeerRef{0}, Lookup{8, {}});
  ASSERT_EQ(toy.EventsOf<LookupDone>(PeerRef{0}).size(), 1U);
  EXPECT_EQ(toy.EventsOf<LookupDone>(PeerRef{0})[0].request, 8U);
}

TEST(Peer, PutsAndGetsReturnEveryShareOfTheirBytes) {
  ToyOverlay toy;
  toy.Grow(30);
  const NodeId key{{77, 1, 2, 3, 4}};
  toy.Execute(PeerRef{2}, Put{1, key, toy.NewPayload(), 1, Duration::Minutes(30)});
  toy.RunFor(Duration::Seconds(5));
  ASSERT_EQ(toy.EventsOf<PutDone>(PeerRef{2}).size(), 1U);
  EXPECT_EQ(toy.EventsOf<PutDone>(PeerRef{2})[0].stored, 4);
  toy.Execute(PeerRef{20}, Get{2, key});
  toy.RunFor(Duration::Seconds(5));
  ASSERT_EQ(toy.EventsOf<GetDone>(PeerRef{20}).size(), 1U);
  EXPECT_TRUE(toy.EventsOf<GetDone>(PeerRef{20})[0].found);
  EXPECT_GT(toy.shares(), 0);
  toy.RunFor(Duration::Minutes(40));
  EXPECT_EQ(toy.shares(), 0);  // expired everywhere
  EXPECT_EQ(toy.lists.in_use(), 0U);
}

// ---- Leaving.

TEST(Peer, LeavingTellsTheClosestContactsWhoForgetItAtOnce) {
  ToyOverlay toy;
  toy.Grow(12);
  const PeerRef leaver{5};
  toy.log.clear();
  toy.Execute(leaver, Depart{});
  EXPECT_EQ(toy.SentBy<Leave>(leaver).size(), 4U);
  std::set<PeerRef> told;
  for (const auto& sent : toy.SentBy<Leave>(leaver)) told.insert(sent.to);
  toy.RunFor(Duration::Seconds(1));
  for (const PeerRef peer : told) {
    const int level = CommonPrefixLength(toy.ids.id(peer), toy.ids.id(leaver));
    for (const PeerRef contact : toy.at(peer).table().live(level)) EXPECT_NE(contact, leaver);
    for (const PeerRef contact : toy.at(peer).table().failed(level)) EXPECT_NE(contact, leaver);
  }
  EXPECT_EQ(toy.at(leaver).state(), PeerState::kLeft);
  toy.log.clear();
  toy.Execute(leaver, Depart{});  // again: nothing
  EXPECT_TRUE(toy.log.empty());
}

TEST(Peer, LeavingHandsRecordsOverAndGivesUpEveryShare) {
  ToyOverlay toy;
  toy.Grow(6);
  const NodeId key{{77, 1, 2, 3, 4}};
  toy.Execute(PeerRef{2}, Put{1, key, toy.NewPayload(), 1, Duration::Minutes(30)});
  toy.RunFor(Duration::Seconds(5));
  toy.log.clear();
  toy.Execute(PeerRef{2}, Depart{});
  EXPECT_FALSE(toy.SentBy<Store>(PeerRef{2}).empty());
  EXPECT_EQ(toy.at(PeerRef{2}).parts(), nullptr);
  for (std::uint32_t i = 0; i < 6; ++i) toy.Execute(PeerRef{i}, Depart{});
  toy.RunFor(Duration::Seconds(5));
  EXPECT_EQ(toy.shares(), 0);
}

TEST(Peer, LeavingEndsTheCommandsUnderWay) {
  ToyOverlay toy;
  toy.Grow(12);
  const PeerRef leaver{5};
  const NodeId key{{77, 1, 2, 3, 4}};
  toy.Execute(leaver, Lookup{1, key});
  toy.Execute(leaver, Put{2, key, toy.NewPayload(), 1, kHour});
  toy.Execute(leaver, Get{3, key});
  toy.Execute(leaver, Depart{});
  EXPECT_EQ(toy.EventsOf<LookupDone>(leaver).size(), 1U);
  EXPECT_EQ(toy.EventsOf<PutDone>(leaver).size(), 1U);
  EXPECT_EQ(toy.EventsOf<GetDone>(leaver).size(), 1U);
}

TEST(Peer, WhoHasLeftMayJoinAgain) {
  ToyOverlay toy;
  toy.Grow(8);
  toy.Execute(PeerRef{5}, Depart{});
  toy.RunFor(Duration::Seconds(5));
  toy.Join(PeerRef{5}, {PeerRef{0}});
  toy.RunFor(Duration::Seconds(5));
  EXPECT_EQ(toy.at(PeerRef{5}).state(), PeerState::kJoined);
  const NodeId target = toy.ids.id(PeerRef{5});
  EXPECT_EQ(toy.LookUp(PeerRef{1}, target).at(0), PeerRef{5});
}

// ---- Seams of the host.

TEST(Peer, PartsThatAreNotInUseAreFreed) {
  ToyOverlay toy;
  toy.Grow(12);
  for (const Peer& peer : toy.peers) EXPECT_EQ(peer.parts(), nullptr);
  toy.Execute(PeerRef{3}, Lookup{1, {}});
  EXPECT_NE(toy.at(PeerRef{3}).parts(), nullptr);
  toy.RunFor(Duration::Seconds(5));
  EXPECT_EQ(toy.at(PeerRef{3}).parts(), nullptr);
}

TEST(Peer, AnEarlyTickDoesNothing) {
  ToyOverlay toy;
  toy.Grow(12);
  toy.Execute(PeerRef{3}, Lookup{1, {}});
  for (const PeerRef peer : {PeerRef{3}, PeerRef{4}}) {
    ASSERT_GT(toy.at(peer).next_deadline(), toy.now);
    const std::vector<std::uint8_t> before = Saved(toy.at(peer));
    const std::size_t sent = toy.log.size();
    toy.Tick(peer);
    EXPECT_EQ(Saved(toy.at(peer)), before);
    EXPECT_EQ(toy.log.size(), sent);
  }
}

TEST(Peer, ALateTickDoesTheWorkOnce) {
  ToyOverlay toy;
  toy.Grow(12);
  toy.now = toy.now + kHour * 5;
  toy.log.clear();
  toy.Tick(PeerRef{3});
  EXPECT_EQ(toy.SentBy<FindNode>(PeerRef{3}).size(), 3U);  // one lookup of the own id
  EXPECT_GT(toy.at(PeerRef{3}).next_deadline(), toy.now);
}

TEST(Peer, ACopyWithANewSeedDrawsAnew) {
  ToyOverlay toy;
  toy.Grow(8);
  const PeerRef peer{5};
  const Peer before = toy.at(peer);
  const auto number_of_a_question = [&] {
    toy.log.clear();
    toy.Execute(peer, Lookup{1, toy.ids.id(PeerRef{2})});
    return std::get<FindNode>(toy.SentBy<FindNode>(peer).at(0).message).rpc;
  };
  const std::uint32_t first = number_of_a_question();
  toy.at(peer) = before;
  EXPECT_EQ(number_of_a_question(), first);
  toy.at(peer) = before;
  toy.at(peer).Reseed(7);
  EXPECT_NE(number_of_a_question(), first);
}

// A busy half hour, in terms of ids.
std::vector<std::string> TraceWithRefs(bool reversed, bool saved_and_loaded = false) {
  ToyOverlay toy;
  Rng rng(5);
  std::vector<NodeId> chosen(24);
  for (NodeId& id : chosen) id = RandomId(rng);
  std::vector<NodeId> order = chosen;
  if (reversed) std::reverse(order.begin(), order.end());
  for (const NodeId& id : order) toy.AddPeer(id);
  for (const NodeId& id : chosen) {
    toy.Join(toy.RefOf(id), {toy.RefOf(chosen[0])});
    toy.RunFor(Duration::Seconds(1));
  }
  for (std::uint32_t i = 0; i < chosen.size(); ++i) {
    const PeerRef peer = toy.RefOf(chosen[i]);
    const NodeId target = RandomId(rng);
    if (i % 8 == 2) toy.up[Index(toy.RefOf(chosen[i]))] = false;
    if (i % 8 == 3) toy.Execute(peer, Depart{});
    if (i % 8 == 4) toy.Execute(peer, Put{i, target, toy.NewPayload(), 1, kHour});
    if (i % 8 > 4) toy.Execute(peer, Lookup{i, target});
    toy.RunFor(Duration::Milliseconds(30));
    if (!saved_and_loaded) continue;
    for (Peer& p : toy.peers) {
      const std::vector<std::uint8_t> bytes = Saved(p);
      Peer loaded;
      Reader reader(bytes);
      reader(loaded);
      EXPECT_TRUE(reader.ok() && reader.at_end()) << reader.error();
      p = loaded;
    }
  }
  toy.RunFor(Duration::Hours(2));
  return toy.trace;
}

TEST(Peer, NothingIsOrderedByRef) {
  const std::vector<std::string> forward = TraceWithRefs(false);
  EXPECT_GT(forward.size(), 1000U);
  EXPECT_EQ(forward, TraceWithRefs(true));
}

TEST(Peer, RunsOnAfterSavingAndLoadingAtAnyTime) {
  EXPECT_EQ(TraceWithRefs(false, true), TraceWithRefs(false));
}

}  // namespace
}  // namespace tombolo
