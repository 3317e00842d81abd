#include "overlay/routing_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/overlay/toy_peers.h"

namespace tombolo {
namespace {

constexpr Duration kHour = Duration::Hours(1);

std::vector<PeerRef> Copy(std::span<const PeerRef> peers) { return {peers.begin(), peers.end()}; }

// An owner and peers of chosen levels.
class TableTest : public testing::Test {
 protected:
  std::vector<PeerRef> AddPeers(int level, int count, std::uint32_t group = 0) {
    std::vector<PeerRef> added;
    for (int i = 0; i < count; ++i) {
      added.push_back(ids_.Add(RandomIdSharing(owner_, level, rng_), {.address_group = group}));
    }
    return added;
  }
  SeenResult See(PeerRef peer) { return table_.Seen(peer, LevelOf(peer), config_, ids_); }
  void SeeAll(const std::vector<PeerRef>& peers) {
    for (const PeerRef peer : peers) See(peer);
  }
  int LevelOf(PeerRef peer) const { return CommonPrefixLength(owner_, ids_.id(peer)); }

  Rng rng_{11};
  NodeId owner_ = RandomId(rng_);
  Directory ids_;
  TableConfig config_{.k = 3, .replacements = 2};
  RoutingTable table_;
};

TEST_F(TableTest, AnEmptyTableTakesNoMemoryAndFindsNobody) {
  std::vector<PeerRef> out(4);
  EXPECT_EQ(table_.memory_bytes(), 0U);
  EXPECT_EQ(table_.levels(), 0);
  EXPECT_EQ(table_.live_count(), 0U);
  EXPECT_TRUE(table_.live(0).empty());
  EXPECT_EQ(table_.Closest(owner_, owner_, 4, ids_, out), 0U);
  EXPECT_EQ(table_.CoveredFrom(3), 0);
  table_.Failed(PeerRef{0}, 5);  // of peers that it does not know it forgets nothing
  table_.Remove(PeerRef{0}, 5);
  EXPECT_EQ(table_.memory_bytes(), 0U);
}

TEST_F(TableTest, APeerSeenAgainBecomesTheMostRecentlySeen) {
  const auto p = AddPeers(4, 3);
  SeeAll(p);
  EXPECT_EQ(See(p[0]), SeenResult::kKnown);
  EXPECT_EQ(Copy(table_.live(4)), (std::vector<PeerRef>{p[1], p[2], p[0]}));
}

TEST_F(TableTest, TheNewcomerOfAFullBucketIsTreatedByPolicy) {
  struct Case {
    BucketPolicy policy;
    int replacements;
    SeenResult result;
    bool keeps_oldest;
  };
  for (const Case& c : {Case{BucketPolicy::kPingBeforeEvict, 2, SeenResult::kCached, true},
                        Case{BucketPolicy::kPingBeforeEvict, 0, SeenResult::kIgnored, true},
                        Case{BucketPolicy::kReplaceWhenDead, 2, SeenResult::kCached, true},
                        Case{BucketPolicy::kReplaceOldest, 2, SeenResult::kInserted, false}}) {
    table_ = RoutingTable();
    config_.policy = c.policy;
    config_.replacements = c.replacements;
    const auto p = AddPeers(0, 4);
    SeeAll({p[0], p[1], p[2]});
    EXPECT_EQ(See(p[3]), c.result);
    EXPECT_EQ(table_.live(0).front() == p[0], c.keeps_oldest);
    EXPECT_EQ(table_.live(0).size(), 3U);
    EXPECT_EQ(table_.replacements(0).size(), c.result == SeenResult::kCached ? 1U : 0U);
  }
}

TEST_F(TableTest, TheReplacementCacheKeepsTheNewest) {
  const auto p = AddPeers(2, 6);
  SeeAll(p);
  EXPECT_EQ(Copy(table_.replacements(2)), (std::vector<PeerRef>{p[4], p[5]}));
  EXPECT_EQ(See(p[4]), SeenResult::kCached);
  EXPECT_EQ(Copy(table_.replacements(2)), (std::vector<PeerRef>{p[5], p[4]}));
}

TEST_F(TableTest, AContactThatFailsWithoutReplacementGetsASecondChance) {
  const auto p = AddPeers(1, 2);
  SeeAll(p);
  table_.Failed(p[0], 1);
  EXPECT_EQ(Copy(table_.failed(1)), (std::vector<PeerRef>{p[0]}));
  EXPECT_EQ(Copy(table_.live(1)), (std::vector<PeerRef>{p[1]}));
  EXPECT_EQ(table_.live_count(), 1U);
  EXPECT_EQ(See(p[0]), SeenResult::kKnown);  // it answers after all
  EXPECT_EQ(Copy(table_.live(1)), (std::vector<PeerRef>{p[1], p[0]}));
  table_.Failed(p[1], 1);
  table_.Failed(p[1], 1);
  EXPECT_TRUE(table_.failed(1).empty());
  EXPECT_EQ(See(p[1]), SeenResult::kInserted);
}

TEST_F(TableTest, WhileNobodyOfTheBucketIsLiveThoseWhoFailedAreKept) {
  const auto p = AddPeers(1, 2);
  SeeAll(p);
  table_.Seen(AddPeers(3, 1)[0], 3, config_, ids_);  // another bucket says nothing of this one
  for (const PeerRef peer : {p[0], p[1], p[0], p[1]}) table_.Failed(peer, 1);
  EXPECT_EQ(Copy(table_.failed(1)), p);
  See(p[1]);
  table_.Failed(p[0], 1);
  EXPECT_TRUE(table_.failed(1).empty());
}

TEST_F(TableTest, ANewcomerTakesThePlaceOfAFailedContact) {
  const auto p = AddPeers(1, 4);
  SeeAll({p[0], p[1], p[2]});
  table_.Failed(p[1], 1);
  EXPECT_EQ(See(p[3]), SeenResult::kInserted);
  EXPECT_TRUE(table_.failed(1).empty());
  EXPECT_EQ(Copy(table_.live(1)), (std::vector<PeerRef>{p[0], p[2], p[3]}));
}

TEST_F(TableTest, TheNewestReplacementTakesThePlaceOfWhoFailsOrLeaves) {
  for (const bool leaves : {false, true}) {
    table_ = RoutingTable();
    const auto p = AddPeers(1, 5);
    SeeAll(p);
    leaves ? table_.Remove(p[1], 1) : table_.Failed(p[1], 1);
    EXPECT_EQ(Copy(table_.live(1)), (std::vector<PeerRef>{p[0], p[2], p[4]}));
    EXPECT_EQ(Copy(table_.replacements(1)), (std::vector<PeerRef>{p[3]}));
    EXPECT_TRUE(table_.failed(1).empty());
  }
}

TEST_F(TableTest, ABucketTakesNoMoreThanItsShareOfOneAddressGroup) {
  config_.group_max = 2;
  const auto same = AddPeers(3, 3, 7);
  const auto unknown = AddPeers(4, 3, 0);  // group 0 is no group
  SeeAll({same[0], same[1]});
  EXPECT_EQ(See(same[2]), SeenResult::kIgnored);
  EXPECT_EQ(See(same[0]), SeenResult::kKnown);
  const auto elsewhere = AddPeers(5, 1, 7);
  EXPECT_EQ(See(elsewhere[0]), SeenResult::kInserted);  // the limit is per bucket
  for (const PeerRef peer : unknown) EXPECT_EQ(See(peer), SeenResult::kInserted);
}

TEST_F(TableTest, ClosestBucketsCoverFromTheLevelThatFillsK) {
  SeeAll(AddPeers(0, 3));
  SeeAll(AddPeers(2, 1));
  SeeAll(AddPeers(5, 2));
  EXPECT_EQ(table_.CoveredFrom(2), 5);
  EXPECT_EQ(table_.CoveredFrom(3), 2);
  EXPECT_EQ(table_.CoveredFrom(4), 0);
  EXPECT_EQ(table_.CoveredFrom(60), 0);
}

// Stamps count sixteenths of the interval.
TEST_F(TableTest, ABucketNeedsARefreshOneIntervalAfterItsLookup) {
  SeeAll(AddPeers(6, 1));
  for (const std::int64_t minutes : {0, 7, 59, 600, 961, 5000}) {
    const Time touched = Time{} + Duration::Minutes(minutes);
    table_.Touch(6, touched, kHour);
    EXPECT_FALSE(table_.NeedsRefresh(6, touched, kHour)) << minutes;
    EXPECT_FALSE(table_.NeedsRefresh(6, touched + kHour * 14 / 16, kHour)) << minutes;
    EXPECT_TRUE(table_.NeedsRefresh(6, touched + kHour, kHour)) << minutes;
    EXPECT_TRUE(table_.NeedsRefresh(6, touched + kHour * 10, kHour)) << minutes;
  }
  EXPECT_FALSE(table_.NeedsRefresh(7, Time{} + kHour * 3, kHour));  // no such bucket
}

TEST_F(TableTest, ACheckIsClaimedOncePerBucketAndInterval) {
  SeeAll(AddPeers(2, 1));
  SeeAll(AddPeers(3, 1));
  const Time start = Time{} + kHour;
  const Duration interval = Duration::Minutes(2);
  EXPECT_TRUE(table_.ClaimCheck(2, start, interval));
  EXPECT_FALSE(table_.ClaimCheck(2, start + Duration::Minutes(1), interval));
  EXPECT_TRUE(table_.ClaimCheck(3, start + Duration::Minutes(1), interval));
  EXPECT_TRUE(table_.ClaimCheck(2, start + interval, interval));
  EXPECT_FALSE(table_.ClaimCheck(9, start, interval));
}

TEST_F(TableTest, FillingSetsBucketsInOrderAndReservedRoomIsNotMovedAgain) {
  const auto upper = AddPeers(0, 20);
  const auto lower = AddPeers(7, 5);
  table_.Reserve(25, 8);
  const std::size_t bytes = table_.memory_bytes();
  table_.Fill(0, upper);
  table_.Fill(3, {});
  table_.Fill(7, lower);
  EXPECT_EQ(table_.memory_bytes(), bytes);
  EXPECT_EQ(bytes, 25 * 4 + 8 * 5U);  // 4 bytes per contact and 5 per level
  EXPECT_EQ(Copy(table_.live(0)), upper);
  EXPECT_TRUE(table_.live(3).empty());
  EXPECT_EQ(Copy(table_.live(7)), lower);
  EXPECT_EQ(table_.levels(), 8);
  EXPECT_EQ(table_.live_count(), 25U);
}

TEST_F(TableTest, CopiesAreDeepAndMovedFromTablesAreEmpty) {
  const auto p = AddPeers(1, 3);
  SeeAll({p[0], p[1]});
  RoutingTable copy = table_;
  See(p[2]);
  EXPECT_EQ(copy.live_count(), 2U);
  EXPECT_EQ(table_.live_count(), 3U);
  const RoutingTable moved = std::move(copy);
  EXPECT_EQ(moved.live_count(), 2U);
  EXPECT_EQ(copy.live_count(), 0U);  // NOLINT(bugprone-use-after-move): stated to be empty
  EXPECT_EQ(copy.levels(), 0);
}

TEST_F(TableTest, DamagedBytesAreRefused) {
  SeeAll(AddPeers(1, 5));
  const std::vector<std::uint8_t> good = Saved(table_);
  struct Case {
    std::vector<std::uint32_t> contacts;
    std::vector<std::uint8_t> counts;
  };
  for (const Case& c : {Case{{1}, {}},               // a contact without a bucket
                        Case{{}, {1, 0, 0, 0, 0}},   // a bucket without its contact
                        Case{{1}, {1, 1, 1, 0, 0}},  // more failed and cached than slots
                        Case{{1}, {1, 0, 0, 0}},     // rows of unequal length
                        Case{{}, std::vector<std::uint8_t>(161 * 5)}}) {  // more levels than bits
    Writer writer;
    writer(c.contacts, c.counts);
    const std::vector<std::uint8_t> bytes = writer.Take();
    Reader reader(bytes);
    reader(table_);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(Saved(table_), good);
  }
}

}  // namespace
}  // namespace tombolo
