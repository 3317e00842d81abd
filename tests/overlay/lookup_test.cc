#include "overlay/lookup.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "tests/overlay/lookup_toy.h"

namespace tombolo::lookup_test {
namespace {

std::vector<PeerRef> Result(const LookupToy& toy, const LookupState& done) {
  std::vector<PeerRef> closest(static_cast<std::size_t>(toy.config.table.k));
  closest.resize(done.Closest(closest));
  return closest;
}

constexpr LookupPurpose kFind = LookupPurpose::kApplication;

TEST(Lookup, FindsTheKClosestWithAtMostAlphaInFlight) {
  for (const int alpha : {1, 3, 8}) {
    LookupToy toy(5);
    toy.config.lookup.alpha = alpha;
    for (int i = 0; i < 20; ++i) {
      toy.asked.clear();
      const NodeId target = toy.RandomTarget();
      const LookupState done = toy.Find(kFind, target);
      EXPECT_EQ(Result(toy, done), toy.Truth(target)) << alpha;
      EXPECT_EQ(done.dead(), 0);
      EXPECT_EQ(done.messages(), 2 * toy.asked.size());  // each request has its answer
      EXPECT_GE(done.hops(), 1);
      for (const PeerRef peer : Result(toy, done)) EXPECT_TRUE(done.HasAnswered(peer));
    }
    EXPECT_EQ(toy.most_in_flight, static_cast<std::size_t>(alpha));
  }
}

TEST(Lookup, HopsCountTheDepthAtWhichTheClosestWasNamed) {
  LookupToy toy(6, 4);
  const NodeId target = toy.ids.id(PeerRef{3});
  ASSERT_TRUE(toy.StartFrom(kFind, target, {PeerRef{1}}));
  EXPECT_TRUE(toy.AnswerNodes(PeerRef{1}, toy.last_rpc, {PeerRef{2}}));
  const Message second = toy.out.sends()[0].message;
  EXPECT_TRUE(
      toy.AnswerNodes(PeerRef{2}, std::get<FindNode>(second).rpc, {PeerRef{3}, PeerRef{1}}));
  const Message third = toy.out.sends()[1].message;
  EXPECT_TRUE(toy.AnswerNodes(PeerRef{3}, std::get<FindNode>(third).rpc, {kAsker}));
  LookupState done;
  ASSERT_TRUE(toy.lookups.TakeFinished(done));
  EXPECT_EQ(done.hops(), 3);
  EXPECT_EQ(Result(toy, done).front(), PeerRef{3});
}

TEST(Lookup, AnEndedLookupSaysWhoDidNotAnswerAndFindsTheClosestLive) {
  LookupToy toy(7);
  toy.BuildTables();
  toy.KillShare(25);
  for (int i = 0; i < 20; ++i) {
    toy.asked.clear();
    toy.silent.clear();
    const NodeId target = toy.RandomTarget();
    const LookupState done = toy.Find(kFind, target);
    const std::vector<PeerRef> result = Result(toy, done);
    ASSERT_EQ(result.size(), 8U);
    EXPECT_EQ(result.front(), toy.Truth(target).front());
    for (const PeerRef peer : result) EXPECT_EQ(toy.dead.count(peer), 0U);
    std::set<PeerRef> dead_asked;
    for (const auto& [peer, times] : toy.asked) {
      if (toy.dead.count(peer) > 0) dead_asked.insert(peer);
    }
    EXPECT_EQ(std::set<PeerRef>(toy.silent.begin(), toy.silent.end()), dead_asked);
    EXPECT_EQ(done.dead(), dead_asked.size());
    EXPECT_EQ(done.messages(), 2 * toy.asked.size() - dead_asked.size());
  }
}

// The answers name dead contacts where they could name live ones, so the lookup asks for more.
TEST(Lookup, FindsAllOfTheKClosestLiveAmongDeadContacts) {
  LookupToy toy(8, 600);
  toy.BuildTables();
  toy.KillShare(20);
  int exact = 0;
  for (int i = 0; i < 100; ++i) {
    const NodeId target = toy.RandomTarget();
    const LookupState done = toy.Find(kFind, target);
    exact += Result(toy, done) == toy.Truth(target) ? 1 : 0;
  }
  EXPECT_GE(exact, 95);
}

TEST(Lookup, RefsThatNobodyKnowsAreIgnored) {
  LookupToy toy(9, 4);
  ASSERT_TRUE(toy.StartFrom(kFind, toy.RandomTarget(), {PeerRef{1}}));
  EXPECT_TRUE(toy.AnswerNodes(PeerRef{1}, toy.last_rpc, {PeerRef{4}, PeerRef::kNone, kAsker}));
  LookupState done;
  ASSERT_TRUE(toy.lookups.TakeFinished(done));
  EXPECT_EQ(Result(toy, done), std::vector<PeerRef>{PeerRef{1}});
}

TEST(Lookup, ValuesThatNobodyMayKeepEndNoGet) {
  LookupToy toy(10, 10);
  toy.config.store.quorum = 1;
  const NodeId key = toy.RandomTarget();
  ASSERT_TRUE(toy.StartFrom(LookupPurpose::kGet, key, {PeerRef{1}, PeerRef{2}}));
  const Record expired{.key = key, .payload = {}, .sequence = 1, .ttl = Duration{0}};
  for (std::uint32_t rpc = toy.last_rpc - (1U << 8); rpc <= toy.last_rpc; rpc += 1U << 8) {
    toy.lookups.OnValue(PeerRef{1}, {rpc, expired}, toy.step());
  }
  LookupState done;
  EXPECT_FALSE(toy.lookups.TakeFinished(done));  // the other one may have it
}

// Also where the list is short, so that contacts fall off it and are named again.
TEST(Lookup, EachContactIsAskedAtMostOnce) {
  for (const int backups : {0, 1, 8}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      LookupToy toy(seed, 120);
      toy.config.table.k = 3;
      toy.config.lookup.backups = backups;
      toy.BuildTables();
      toy.KillShare(40);
      toy.Find(kFind, toy.RandomTarget());
      for (const auto& [peer, times] : toy.asked) {
        EXPECT_EQ(times, 1) << "backups " << backups << ", seed " << seed;
      }
    }
  }
}

TEST(Lookup, PeersThatCannotBeDialledAreNotAsked) {
  struct Case {
    LookupPurpose purpose;
    bool vouched;
  };
  for (const Case& c : {Case{kFind, true}, Case{LookupPurpose::kRefreshSelf, false},
                        Case{LookupPurpose::kPut, false}, Case{LookupPurpose::kGet, false}}) {
    LookupToy toy(9);
    for (std::uint32_t i = 1; i < toy.ids.size(); i += 3) {
      toy.ids.set_attributes(PeerRef{i}, {.dialable = false});
    }
    const NodeId target = toy.ids.id(PeerRef{1});
    const LookupState done = toy.Find(c.purpose, target);
    for (const auto& [peer, times] : toy.asked) EXPECT_TRUE(toy.ids.dialable(peer));
    const std::vector<PeerRef> result = Result(toy, done);
    ASSERT_EQ(result.size(), 8U);
    EXPECT_EQ(result.front() == PeerRef{1}, c.vouched);
    if (c.vouched) {
      EXPECT_FALSE(done.HasAnswered(PeerRef{1}));
    }
    for (const PeerRef peer : result) EXPECT_TRUE(c.vouched || toy.ids.dialable(peer));
  }
}

TEST(Lookup, ARefreshAsksThoseWhoHaveDialledUsWhereNobodyElseIsKnown) {
  for (const LookupPurpose purpose :
       {LookupPurpose::kRefreshSelf, LookupPurpose::kRefreshBucket, LookupPurpose::kPut}) {
    LookupToy toy(9);
    for (std::uint32_t i = 1; i < 4; ++i) toy.ids.set_attributes(PeerRef{i}, {.dialable = false});
    toy.BuildTables();
    ASSERT_TRUE(toy.StartFrom(purpose, toy.RandomTarget(), {kAsker, PeerRef{1}, PeerRef{2}}));
    toy.Run();
    const bool refresh = purpose != LookupPurpose::kPut;
    EXPECT_EQ(toy.asked.count(PeerRef{1}) + toy.asked.count(PeerRef{2}), refresh ? 2U : 0U);
    EXPECT_EQ(toy.asked.size() > 2, refresh) << "they name others";
    EXPECT_EQ(toy.asked.count(PeerRef{3}), 0U) << "which has not";
  }
}

TEST(Lookup, WithoutAnybodyToAskItEndsAtOnce) {
  LookupToy toy(10, 3);
  ASSERT_TRUE(toy.StartFrom(kFind, toy.RandomTarget(), {kAsker}, 42));
  LookupState done;
  ASSERT_TRUE(toy.lookups.TakeFinished(done));
  EXPECT_EQ(done.goal().request, 42U);
  EXPECT_EQ(done.hops(), 0);
  EXPECT_TRUE(Result(toy, done).empty());
  EXPECT_EQ(done.closest_without_value(), PeerRef::kNone);
  EXPECT_TRUE(toy.lookups.idle());
  EXPECT_FALSE(toy.lookups.TakeFinished(done));
}

TEST(Lookup, IsRefusedWhileTooManyAreUnderWay) {
  LookupToy toy(11);
  toy.config.lookup.max_active = 2;
  EXPECT_TRUE(toy.Start(kFind, toy.RandomTarget(), 1));
  EXPECT_TRUE(toy.Start(kFind, toy.RandomTarget(), 2));
  const auto asked = toy.asked;
  EXPECT_FALSE(toy.Start(kFind, toy.RandomTarget(), 3));
  EXPECT_EQ(toy.asked, asked);
  EXPECT_EQ(toy.lookups.active(), 2U);
  toy.Run();
  LookupState done;
  std::set<std::uint32_t> ended;
  while (toy.lookups.TakeFinished(done)) ended.insert(done.goal().request);
  EXPECT_EQ(ended, (std::set<std::uint32_t>{1, 2}));
  EXPECT_TRUE(toy.Start(kFind, toy.RandomTarget(), 4));
}

TEST(Lookup, ConcurrentLookupsDoNotDisturbEachOther) {
  LookupToy toy(12);
  std::map<std::uint32_t, NodeId> targets;
  for (std::uint32_t request = 1; request <= 30; ++request) {
    targets[request] = toy.RandomTarget();
    ASSERT_TRUE(toy.Start(kFind, targets[request], request));
  }
  toy.Run();
  LookupState done;
  while (toy.lookups.TakeFinished(done)) {
    EXPECT_EQ(Result(toy, done), toy.Truth(targets[done.goal().request]));
    targets.erase(done.goal().request);
  }
  EXPECT_TRUE(targets.empty());
}

TEST(Lookup, ForAValueEndsWithTheQuorumOrWhenThereAreNoMoreHolders) {
  struct Case {
    int quorum;
    std::size_t holders;
    std::size_t values;
  };
  for (const Case& c : {Case{1, 8, 1}, Case{3, 8, 3}, Case{8, 2, 2}, Case{3, 0, 0}}) {
    LookupToy toy(13);
    toy.config.store.quorum = c.quorum;
    toy.config.lookup.alpha = 1;
    const NodeId key = toy.RandomTarget();
    const std::vector<PeerRef> closest = toy.Truth(key);
    for (std::size_t i = 0; i < c.holders; ++i) toy.holders[closest[i]] = 1;
    toy.Start(LookupPurpose::kGet, key, 77);
    toy.Run();
    LookupState done;
    ASSERT_TRUE(toy.lookups.TakeFinished(done));
    EXPECT_EQ(toy.got, std::vector<std::uint32_t>(c.values, 77)) << c.quorum;
    if (c.holders < 8) {  // everyone among the closest was asked
      EXPECT_EQ(Result(toy, done), closest);
      EXPECT_EQ(done.closest_without_value(), closest[c.holders]);
    }
  }
}

TEST(Lookup, AnswersThatNobodyWaitsForAreCountedAndDropped) {
  LookupToy toy(14, 10);
  const Record record{.key = {}, .payload = {}, .sequence = 1, .ttl = kTrip};
  EXPECT_FALSE(toy.AnswerNodes(PeerRef{1}, 0, {}));  // there is no lookup at all
  ASSERT_TRUE(toy.StartFrom(kFind, toy.RandomTarget(), {PeerRef{1}, PeerRef{2}, PeerRef{3}}));
  const std::uint32_t rpc = toy.last_rpc;
  PeerRef asked = PeerRef::kNone;
  for (const std::uint32_t i : {1U, 2U, 3U}) {
    if (toy.AnswerNodes(PeerRef{i}, rpc, {})) asked = PeerRef{i};
  }
  EXPECT_NE(asked, PeerRef::kNone);
  EXPECT_EQ(toy.drops(), 3U);                                  // two from the wrong peer
  EXPECT_FALSE(toy.AnswerNodes(asked, rpc, {}));               // repeated
  EXPECT_FALSE(toy.AnswerNodes(asked, rpc + (1U << 20), {}));  // a number never given out
  EXPECT_FALSE(toy.AnswerNodes(asked, 255, {}));               // a slot that does not exist
  EXPECT_FALSE(toy.lookups.OnValue(asked, {rpc, record}, toy.step()));
  EXPECT_EQ(toy.drops(), 7U);
}

TEST(Lookup, AValueThatDoesNotFitTheQuestionIsDroppedAndTheLookupEnds) {
  LookupToy toy(15, 10);
  const NodeId target = toy.RandomTarget();
  const Record of_another_key{
      .key = toy.RandomTarget(), .payload = {}, .sequence = 1, .ttl = kTrip};
  const Record of_this_key{.key = target, .payload = {}, .sequence = 1, .ttl = kTrip};
  Record too_large = of_this_key;
  too_large.payload.bytes = toy.config.store.max_value_bytes + 1;
  Record expired = of_this_key;
  expired.ttl = Duration{0};
  for (const auto& [purpose, record] :
       {std::pair{LookupPurpose::kGet, of_another_key}, std::pair{LookupPurpose::kGet, too_large},
        std::pair{LookupPurpose::kGet, expired}, std::pair{kFind, of_this_key}}) {
    const auto rejected = [&] {
      return toy.out.drops()[static_cast<std::size_t>(DropReason::kRecordRejected)];
    };
    ASSERT_TRUE(toy.StartFrom(purpose, target, {PeerRef{1}}));
    const std::uint32_t before = rejected();
    EXPECT_FALSE(toy.lookups.OnValue(PeerRef{1}, {toy.last_rpc, record}, toy.step()));
    EXPECT_EQ(rejected(), before + 1);
    LookupState done;
    ASSERT_TRUE(toy.lookups.TakeFinished(done));
    EXPECT_TRUE(Result(toy, done).empty());
  }
}

TEST(Lookup, ALateAnswerMissesTheNextUserOfTheSlot) {
  LookupToy toy(16, 10);
  toy.dead = {PeerRef{1}};
  ASSERT_TRUE(toy.StartFrom(kFind, toy.RandomTarget(), {PeerRef{1}}));
  const std::uint32_t late = toy.last_rpc;
  toy.Run();
  EXPECT_EQ(toy.silent, std::vector<PeerRef>{PeerRef{1}});
  LookupState done;
  ASSERT_TRUE(toy.lookups.TakeFinished(done));
  EXPECT_EQ(done.dead(), 1);
  ASSERT_TRUE(toy.StartFrom(kFind, toy.RandomTarget(), {PeerRef{1}}));
  EXPECT_FALSE(toy.AnswerNodes(PeerRef{1}, late, {PeerRef{2}}));
  EXPECT_EQ(toy.lookups.active(), 1U);
}

TEST(Lookup, TheDeadlineIsThatOfTheOldestRequest) {
  LookupToy toy(17);
  EXPECT_EQ(toy.lookups.next_deadline(), kNever);
  toy.Start(kFind, toy.RandomTarget());
  EXPECT_EQ(toy.lookups.next_deadline(), toy.now + toy.config.lookup.rpc_timeout);
  std::vector<PeerRef> silent;
  toy.now = toy.now + toy.config.lookup.rpc_timeout - Duration{1};
  toy.lookups.OnTimer(toy.step(), silent);
  EXPECT_TRUE(silent.empty());
}

TEST(Lookup, ThereIsNoDeadlineOnceTheLastLookupHasEnded) {
  LookupToy toy(18);
  toy.Find(kFind, toy.RandomTarget());
  EXPECT_TRUE(toy.lookups.idle());
  EXPECT_EQ(toy.lookups.next_deadline(), kNever);
}

TEST(Lookup, RunsOnAfterSavingAndLoadingInTheMiddle) {
  LookupToy toy(19);
  const NodeId target = toy.RandomTarget();
  ASSERT_TRUE(toy.Start(kFind, target));
  for (int i = 0; i < 4; ++i) toy.RunOne();
  const std::vector<std::uint8_t> bytes = Saved(toy.lookups);
  Lookups loaded;
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end()) << reader.error();
  toy.lookups = loaded;
  toy.Run();
  LookupState done;
  ASSERT_TRUE(toy.lookups.TakeFinished(done));
  EXPECT_EQ(Result(toy, done), toy.Truth(target));
}

}  // namespace
}  // namespace tombolo::lookup_test
