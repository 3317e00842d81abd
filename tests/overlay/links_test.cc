#include "overlay/links.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <variant>
#include <vector>

#include "overlay/archive.h"
#include "overlay/link_rows.h"
#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

// Peer 0 of a directory whose peers stand where the test puts them: `At(bucket, n)` is the n-th
// peer that shares `bucket` bits with peer 0.
class LinksTest : public testing::Test {
 protected:
  LinksTest() { self_ = directory_.Add(id_); }

  PeerRef At(int bucket, std::uint32_t n, bool dialable = true) {
    NodeId id = id_.WithFlippedBit(bucket);
    id.words[4] ^= n;
    if (const auto known = directory_.Find(id)) return *known;
    return directory_.Add(id, {0, dialable, true});
  }

  PartStep Part() { return PartStep{{now_, config_, directory_, lists_, out_}, self_, id_, rng_}; }

  bool Up(PeerRef peer, bool requested = false, std::span<const PeerRef> neighbours = {}) {
    now_ = now_ + Duration::Seconds(1);
    return links_.OnUp(peer, {false, directory_.dialable(peer)}, requested, neighbours, Part());
  }

  bool Linked(PeerRef peer) { return links_.Find(peer, Part()) != nullptr; }

  bool WasTurnedAway(PeerRef peer) const {
    return std::any_of(out_.hangups().begin(), out_.hangups().end(),
                       [&](const OutgoingHangup& hangup) {
                         return hangup.peer == peer && hangup.reason == HangupReason::kFull;
                       });
  }

  const Evict* EvictTo(PeerRef peer) const {
    for (const OutgoingMessage& message : out_.sends()) {
      if (message.to == peer) return std::get_if<Evict>(&message.message);
    }
    return nullptr;
  }

  template <class E>
  std::size_t Events() const {
    return static_cast<std::size_t>(
        std::count_if(out_.events().begin(), out_.events().end(),
                      [](const Event& e) { return std::holds_alternative<E>(e); }));
  }

  NodeId id_{{0x13579bdf, 0x2468ace0, 0x11111111, 0x22222222, 0x33330000}};
  Time now_;
  Config config_;
  Directory directory_;
  ContactLists lists_;
  Outbox out_;
  Rng rng_{1};
  PeerRef self_;
  Links links_;
};

TEST_F(LinksTest, RowsAreOrderedByBucketAndId) {
  const std::vector<PeerRef> peers = {At(5, 2), At(0, 1), At(5, 1), At(3, 9), At(0, 0), At(100, 7)};
  for (const PeerRef peer : peers) EXPECT_TRUE(Up(peer));
  EXPECT_TRUE(
      std::is_sorted(links_.rows().begin(), links_.rows().end(), [&](const Link& a, const Link& b) {
        if (a.bucket != b.bucket) return a.bucket < b.bucket;
        return directory_.id(a.peer) < directory_.id(b.peer);
      }));
  EXPECT_EQ(links_.Count(0), 2);
  EXPECT_EQ(links_.Count(1), 0);
  EXPECT_EQ(links_.Count(5), 2);
  for (const PeerRef peer : peers) EXPECT_TRUE(Linked(peer));
  EXPECT_FALSE(Linked(At(5, 3)));
  EXPECT_FALSE(Linked(self_));
  EXPECT_EQ(Events<PeerUp>(), 6U);
}

TEST_F(LinksTest, SecondLinkUpOfOnePeerIsTheSameLink) {
  const PeerRef peer = At(2, 0);
  EXPECT_TRUE(links_.Dial(peer, false, Part()));
  EXPECT_TRUE(Up(peer));
  EXPECT_TRUE(Up(peer, true));
  EXPECT_EQ(links_.rows().size(), 1U);
  EXPECT_TRUE(links_.rows()[0].requested);
  EXPECT_TRUE(links_.dialing().empty());
  EXPECT_EQ(Events<PeerUp>(), 1U);
}

TEST_F(LinksTest, DialsOnceAndNeverInVain) {
  const PeerRef peer = At(2, 0);
  const PeerRef hidden = At(2, 1, false);
  EXPECT_FALSE(links_.Dial(self_, false, Part()));
  EXPECT_FALSE(links_.Dial(hidden, true, Part()));
  EXPECT_FALSE(links_.Dial(PeerRef::kNone, true, Part()));
  EXPECT_TRUE(links_.Dial(peer, false, Part()));
  EXPECT_TRUE(links_.Dial(peer, false, Part()));
  EXPECT_EQ(out_.dials().size(), 1U);
  Up(peer);
  EXPECT_FALSE(links_.Dial(peer, false, Part()));
}

TEST_F(LinksTest, DialsAreBounded) {
  config_.links.max_dialing = 3;
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(links_.Dial(At(1, i), false, Part()), i < 3);
  EXPECT_EQ(out_.dials().size(), 3U);
}

TEST_F(LinksTest, FailedDialsWaitUnlessRequested) {
  const PeerRef peer = At(2, 0);
  links_.Dial(peer, false, Part());
  EXPECT_FALSE(links_.OnDown(peer, LinkDownReason::kDialFailed, Part()));
  EXPECT_EQ(Events<PeerLost>(), 0U);
  EXPECT_FALSE(links_.Dial(peer, false, Part()));
  EXPECT_TRUE(links_.Dial(peer, true, Part()));
  links_.OnDown(peer, LinkDownReason::kDialFailed, Part());
  now_ = now_ + config_.links.dial_back_off;
  EXPECT_TRUE(links_.Dial(peer, false, Part()));
}

TEST_F(LinksTest, BackOffsAreBounded) {
  for (std::uint32_t i = 0; i <= Links::kMaxBackOffs; ++i) {
    links_.Dial(At(1, i), false, Part());
    links_.OnDown(At(1, i), LinkDownReason::kDialFailed, Part());
  }
  EXPECT_TRUE(links_.Dial(At(1, 0), false, Part()));
  EXPECT_FALSE(links_.Dial(At(1, 1), false, Part()));
}

TEST_F(LinksTest, FillsGapsOnly) {
  config_.links.per_bucket = 2;
  Up(At(4, 0));
  EXPECT_EQ(links_.Missing(4, Part()), 1);
  EXPECT_EQ(links_.Missing(7, Part()), 2);
  const std::vector<PeerRef> candidates = {At(4, 0),        At(4, 1), At(4, 2), At(7, 0),
                                           At(7, 1, false), At(7, 2), At(7, 3), self_};
  links_.Fill(candidates, {}, Part());
  const std::vector<PeerRef> dials(out_.dials().begin(), out_.dials().end());
  EXPECT_EQ(dials, (std::vector<PeerRef>{At(4, 1), At(7, 0), At(7, 2)}));
  EXPECT_EQ(links_.Missing(4, Part()), 0);
}

TEST_F(LinksTest, DialsNeighboursWhateverTheirBucket) {
  Up(At(4, 0));
  const std::vector<PeerRef> neighbours = {At(4, 0), At(4, 1), At(4, 2), At(4, 1)};
  links_.DialAll(neighbours, neighbours, Part());
  EXPECT_EQ(out_.dials().size(), 2U);
}

TEST_F(LinksTest, LinkDownIsToldOnce) {
  const PeerRef peer = At(2, 0);
  Up(peer);
  EXPECT_TRUE(links_.OnDown(peer, LinkDownReason::kTimeout, Part()));
  EXPECT_FALSE(links_.OnDown(peer, LinkDownReason::kTimeout, Part()));
  EXPECT_EQ(Events<PeerLost>(), 1U);
}

TEST_F(LinksTest, HangupTakesEffectAtOnce) {
  const PeerRef peer = At(2, 0);
  EXPECT_FALSE(links_.Hangup(peer, HangupReason::kRequested, Part()));
  Up(peer);
  EXPECT_TRUE(links_.Hangup(peer, HangupReason::kRequested, Part()));
  EXPECT_FALSE(Linked(peer));
  ASSERT_EQ(out_.hangups().size(), 1U);
  EXPECT_EQ(out_.hangups()[0].reason, HangupReason::kRequested);
  EXPECT_EQ(Events<PeerLost>(), 1U);
  EXPECT_FALSE(links_.Dial(peer, false, Part()));  // not at once again
}

class FullLinksTest : public LinksTest {
 protected:
  FullLinksTest() {
    config_.links.max_links = 6;
    config_.links.reserved = 2;
  }
};

TEST_F(FullLinksTest, NewcomerOfTheFullestBucketIsTurnedAway) {
  for (std::uint32_t i = 0; i < 3; ++i) Up(At(0, i));
  Up(At(1, 0));
  EXPECT_FALSE(Up(At(0, 9)));
  EXPECT_TRUE(WasTurnedAway(At(0, 9)));
  EXPECT_EQ(Events<PeerUp>(), 4U);
  EXPECT_EQ(Events<PeerLost>(), 0U);
  EXPECT_EQ(links_.rows().size(), 4U);
}

TEST_F(FullLinksTest, NewcomerOfAnEmptyBucketPushesOutTheYoungestOfTheFullest) {
  for (std::uint32_t i = 0; i < 3; ++i) Up(At(0, i));
  Up(At(1, 0));
  EXPECT_TRUE(Up(At(2, 0)));
  EXPECT_TRUE(WasTurnedAway(At(0, 2)));
  EXPECT_EQ(Events<PeerLost>(), 1U);
  EXPECT_EQ(links_.rows().size(), 4U);
  EXPECT_FALSE(links_.Dial(At(0, 2), false, Part()));
}

TEST_F(FullLinksTest, SuspectLinksGoFirst) {
  for (std::uint32_t i = 0; i < 4; ++i) Up(At(0, i));
  links_.rows()[FindLink(links_.rows(), id_, At(0, 1), directory_)].suspect = true;
  EXPECT_TRUE(Up(At(0, 9)));
  EXPECT_TRUE(WasTurnedAway(At(0, 1)));
}

TEST_F(FullLinksTest, RequestedLinksAndNeighboursStay) {
  Up(At(0, 0), true);
  Up(At(0, 1));
  Up(At(0, 2));
  EXPECT_TRUE(links_.MarkRequested(At(0, 2), Part()));
  EXPECT_FALSE(links_.MarkRequested(At(0, 3), Part()));
  Up(At(1, 0));
  const std::vector<PeerRef> neighbours = {At(0, 1)};
  EXPECT_FALSE(Up(At(3, 0), false, neighbours));  // nobody may go
  EXPECT_TRUE(WasTurnedAway(At(3, 0)));
  EXPECT_TRUE(Up(At(3, 0), false, {}));
  EXPECT_TRUE(WasTurnedAway(At(0, 1)));
}

// Two full tables would else open and close links without end.
TEST_F(FullLinksTest, NobodyIsDialledWhoWouldBeTurnedAway) {
  const std::vector<PeerRef> neighbours = {At(0, 0), At(0, 1), At(0, 2), At(0, 3), At(0, 4)};
  for (std::size_t i = 0; i < 4; ++i) Up(neighbours[i], false, neighbours);
  links_.DialAll(neighbours, neighbours, Part());
  links_.Fill(std::vector<PeerRef>{At(7, 0)}, neighbours, Part());
  EXPECT_TRUE(out_.dials().empty());
  links_.OnDown(neighbours[2], LinkDownReason::kClosed, Part());
  links_.DialAll(neighbours, neighbours, Part());
  EXPECT_EQ(out_.dials().size(), 1U);  // there is one place, and two who could take it
  links_.Fill(std::vector<PeerRef>{At(7, 0)}, neighbours, Part());
  EXPECT_EQ(out_.dials().size(), 1U);
}

TEST_F(FullLinksTest, AsManyAreDialledAsOthersCanGiveWayTo) {
  for (std::uint32_t i = 0; i < 4; ++i) Up(At(0, i));
  const std::vector<PeerRef> neighbours = {At(0, 0), At(0, 1), At(0, 2), At(7, 0), At(8, 0)};
  links_.DialAll(neighbours, neighbours, Part());
  EXPECT_EQ(std::vector<PeerRef>(out_.dials().begin(), out_.dials().end()),
            std::vector<PeerRef>{At(7, 0)});
}

// Beside it the one in its bucket is no longer the only one.
TEST_F(FullLinksTest, ANeighbourIsDialledThatTakesThePlaceOfTheOnlyOneInItsBucket) {
  for (int bucket = 0; bucket < 4; ++bucket) Up(At(bucket, 0));
  const std::vector<PeerRef> neighbours = {At(0, 1)};
  links_.DialAll(neighbours, neighbours, Part());
  EXPECT_EQ(out_.dials().size(), 1U);
  EXPECT_TRUE(Up(At(0, 1), false, neighbours));
  EXPECT_TRUE(WasTurnedAway(At(0, 0)));
}

TEST_F(FullLinksTest, OfTwoInABucketOneMayGo) {
  for (int bucket = 0; bucket < 2; ++bucket) {
    for (std::uint32_t i = 0; i < 2; ++i) Up(At(bucket, i));
  }
  links_.Fill(std::vector<PeerRef>{At(5, 0), At(6, 0), At(7, 0), At(8, 0)}, {}, Part());
  EXPECT_EQ(out_.dials().size(), 2U);
}

TEST_F(FullLinksTest, WhoeverWouldBeTheFirstToGoIsNotDialled) {
  for (std::uint32_t i = 0; i < 3; ++i) Up(At(0, i));
  Up(At(1, 0));
  links_.DialAll(std::vector<PeerRef>{At(0, 9)}, {}, Part());
  EXPECT_TRUE(out_.dials().empty());
  links_.DialAll(std::vector<PeerRef>{At(2, 0)}, {}, Part());
  EXPECT_EQ(out_.dials().size(), 1U);
}

TEST_F(FullLinksTest, ReserveIsForTheClosestUndialable) {
  for (std::uint32_t i = 0; i < 4; ++i) Up(At(0, i));
  EXPECT_TRUE(Up(At(0, 100, false)));
  EXPECT_TRUE(Up(At(0, 101, false)));
  EXPECT_EQ(links_.rows().size(), 6U);
  EXPECT_FALSE(Up(At(0, 4)));        // not for one that can be dialled
  EXPECT_TRUE(Up(At(9, 0, false)));  // nearer: one of the two gives way
  EXPECT_EQ(links_.rows().size(), 6U);
  EXPECT_TRUE(Linked(At(9, 0)));
}

TEST_F(FullLinksTest, TheEvictedIsNamedCloserPeersThatCanBeDialled) {
  config_.links.max_links = 8;
  Up(At(3, 0));
  Up(At(3, 1));
  Up(At(4, 0));
  Up(At(5, 0));
  Up(At(6, 0, false));
  Up(At(7, 0));
  Up(At(8, 0));
  EXPECT_FALSE(Up(At(3, 2)));
  const Evict* evict = EvictTo(At(3, 2));
  ASSERT_NE(evict, nullptr);
  EXPECT_EQ(evict->reason, HangupReason::kFull);
  ASSERT_EQ(evict->count, 3);
  // Three of the four in deeper buckets that can be dialled, each once.
  const std::set<PeerRef> named(evict->alternatives.begin(), evict->alternatives.end());
  const std::set<PeerRef> eligible = {At(4, 0), At(5, 0), At(7, 0), At(8, 0)};
  EXPECT_EQ(named.size(), 3U);
  EXPECT_TRUE(std::includes(eligible.begin(), eligible.end(), named.begin(), named.end()));
}

TEST_F(LinksTest, BeingEvictedIsToldWithAlternatives) {
  const PeerRef by = At(2, 0);
  Up(by);
  const Evict evict{HangupReason::kFull, 9, {At(2, 1), PeerRef::kNone, At(2, 2)}};
  EXPECT_TRUE(links_.OnEvict(by, evict, Part()));
  EXPECT_FALSE(Linked(by));
  const auto* evicted = std::get_if<Evicted>(&out_.events().back());
  ASSERT_NE(evicted, nullptr);
  EXPECT_EQ(evicted->count, 2);
  EXPECT_EQ(evicted->alternatives[1], At(2, 2));
  EXPECT_FALSE(links_.Dial(by, false, Part()));
  EXPECT_FALSE(links_.OnEvict(by, evict, Part()));
  EXPECT_EQ(out_.drops()[static_cast<std::size_t>(DropReason::kNotLinked)], 1U);
}

TEST_F(LinksTest, WhoTurnsUsAwayBeforeItsLinkIsUpIsNotDialledAtOnce) {
  const PeerRef by = At(1, 1);
  EXPECT_TRUE(links_.Dial(by, false, Part()));
  EXPECT_TRUE(!links_.OnEvict(by, {HangupReason::kFull, 0, {}}, Part()) && Up(by));
  links_.OnDown(by, LinkDownReason::kClosed, Part());
  EXPECT_FALSE(links_.Dial(by, false, Part()));
}

TEST_F(LinksTest, MaintenanceAsksSuspectsForASignOfLife) {
  EXPECT_EQ(links_.next_deadline(), kNever);
  links_.StartMaintenance(now_);
  Up(At(0, 0));
  Up(At(1, 0));
  links_.rows()[1].suspect = true;
  EXPECT_TRUE(links_.ClaimMaintenance(Part()));
  EXPECT_FALSE(links_.ClaimMaintenance(Part()));
  ASSERT_EQ(out_.sends().size(), 1U);
  EXPECT_EQ(out_.sends()[0].to, At(1, 0));
  EXPECT_GT(links_.next_deadline(), now_ + config_.links.maintenance_interval / 2);
  EXPECT_LE(links_.next_deadline(), now_ + config_.links.maintenance_interval);
  links_.Heard(At(1, 0), Part());
  EXPECT_FALSE(links_.rows()[1].suspect);
}

TEST_F(LinksTest, PressureIsNoted) {
  Up(At(0, 0));
  links_.SetPressure(At(0, 0), LinkPressure::kHigh, Part());
  links_.SetPressure(At(0, 1), LinkPressure::kHigh, Part());
  EXPECT_EQ(links_.rows()[0].pressure, LinkPressure::kHigh);
}

TEST_F(LinksTest, StopHangsUpEverywhere) {
  Up(At(0, 0));
  Up(At(1, 0));
  links_.Dial(At(2, 0), false, Part());
  links_.Stop(Part());
  EXPECT_EQ(out_.hangups().size(), 2U);
  EXPECT_EQ(Events<PeerLost>(), 2U);
  EXPECT_TRUE(links_.rows().empty());
  EXPECT_EQ(links_.next_deadline(), kNever);
}

TEST(DirectoryFindTest, FindsInOrderAndOutOfOrder) {
  for (const bool ascending : {true, false}) {
    Rng rng(4);
    std::vector<NodeId> ids(200);
    for (NodeId& id : ids) id = RandomId(rng);
    if (ascending) std::sort(ids.begin(), ids.end());
    Directory directory;
    for (const NodeId& id : ids) directory.Add(id);
    const PeerRef first = *directory.Find(ids[7]);
    directory.Add(ids[7]);  // a second peer of one id is not found
    Writer writer;
    writer(directory);
    const auto bytes = writer.Take();
    Directory read;
    Reader reader(bytes);
    reader(read);
    ASSERT_TRUE(reader.ok());
    for (const Directory* each : {&directory, &read}) {
      for (const NodeId& id : ids) {
        ASSERT_TRUE(each->Find(id).has_value());
        EXPECT_EQ(each->id(*each->Find(id)), id);
      }
      EXPECT_EQ(each->Find(ids[7]), first);
      EXPECT_FALSE(each->Find(RandomId(rng)).has_value());
    }
  }
  EXPECT_FALSE(Directory().Find(NodeId{}).has_value());
}

}  // namespace
}  // namespace tombolo
