#include "overlay/record_store.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "overlay/archive.h"
#include "tests/overlay/record_test_host.h"

namespace tombolo {
namespace {

constexpr Duration kHour = Duration::Hours(1);

class RecordStoreTest : public testing::Test {
 protected:
  Record Make(std::uint32_t key, std::uint64_t sequence = 1, Duration ttl = kHour * 10) {
    return {TestId(key), host_.NewPayload(), sequence, ttl};
  }
  StoreStatus Accept(const Record& record) { return store_.Accept(record, host_.step()); }
  std::optional<Record> Find(std::uint32_t key) { return store_.Find(TestId(key), host_.now()); }

  // Runs the timers until `end`; the keys that fell due, with their times.
  std::vector<std::pair<Time, NodeId>> RunUntil(Time end) {
    std::vector<std::pair<Time, NodeId>> due;
    while (store_.next_deadline() <= end) {
      host_.AdvanceTo(store_.next_deadline());
      if (const auto key = store_.OnTimer(host_.step())) due.emplace_back(host_.now(), *key);
      EXPECT_GT(store_.next_deadline(), host_.now()) << "the timer would never come to rest";
      if (testing::Test::HasFailure()) break;
    }
    host_.AdvanceTo(end);
    return due;
  }

  RecordTestHost host_;
  RecordStore store_;
};

TEST_F(RecordStoreTest, AnEmptyStoreFindsNothingAndWantsNoTimer) {
  EXPECT_FALSE(Find(1));
  EXPECT_EQ(store_.next_deadline(), kNever);
  EXPECT_FALSE(store_.OnTimer(host_.step()));
}

TEST_F(RecordStoreTest, FindLendsTheRecordWithTheTimeItHasLeft) {
  const Record record = Make(1, 5, kHour * 2);
  EXPECT_EQ(Accept(record), StoreStatus::kStored);
  host_.Advance(kHour / 2);
  const auto found = Find(1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, record.key);
  EXPECT_EQ(found->payload, record.payload);
  EXPECT_EQ(found->sequence, 5U);
  EXPECT_EQ(found->ttl, kHour * 3 / 2);
  EXPECT_FALSE(Find(2));
  EXPECT_EQ(host_.SharesOf(record.payload), 1);
}

TEST_F(RecordStoreTest, TheHigherSequenceWins) {
  struct Case {
    const char* name;
    std::uint64_t sequence;
    Duration ttl;
    StoreStatus status;
    bool replaced;
    Duration left;
  };
  const Case cases[] = {
      {"older", 4, kHour * 9, StoreStatus::kOutdated, false, kHour * 5},
      {"same, longer", 5, kHour * 9, StoreStatus::kStored, false, kHour * 9},
      {"same, shorter", 5, kHour * 2, StoreStatus::kStored, false, kHour * 5},
      {"newer, longer", 6, kHour * 9, StoreStatus::kStored, true, kHour * 9},
      {"newer, shorter", 6, kHour * 2, StoreStatus::kStored, true, kHour * 2},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    store_ = RecordStore();
    const Record held = Make(1, 5, kHour * 5);
    const Record incoming = Make(1, c.sequence, c.ttl);
    Accept(held);
    EXPECT_EQ(Accept(incoming), c.status);
    ASSERT_TRUE(Find(1));
    EXPECT_EQ(Find(1)->ttl, c.left);
    EXPECT_EQ(Find(1)->payload, c.replaced ? incoming.payload : held.payload);
    EXPECT_EQ(host_.SharesOf(held.payload), c.replaced ? 0 : 1);
    EXPECT_EQ(host_.SharesOf(incoming.payload), c.replaced ? 1 : 0);
  }
}

TEST_F(RecordStoreTest, ImpossibleRecordsAreRefusedAndCounted) {
  host_.config().store.max_value_bytes = 100;
  struct Case {
    const char* name;
    std::uint32_t bytes;
    Duration ttl;
    StoreStatus status;
  };
  const Case cases[] = {
      {"largest", 100, kHour, StoreStatus::kStored},
      {"too large", 101, kHour, StoreStatus::kRejected},
      {"expired", 10, Duration{0}, StoreStatus::kRejected},
      {"negative", 10, Duration{std::numeric_limits<std::int64_t>::min()}, StoreStatus::kRejected},
      {"shortest", 10, Duration{1}, StoreStatus::kStored},
  };
  std::uint32_t refused = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    store_ = RecordStore();
    const Record record{TestId(1), host_.NewPayload(c.bytes), 1, c.ttl};
    EXPECT_EQ(Accept(record), c.status);
    const bool stored = c.status == StoreStatus::kStored;
    refused += stored ? 0 : 1;
    EXPECT_EQ(host_.SharesOf(record.payload), stored ? 1 : 0);
    EXPECT_EQ(store_.size(), stored ? 1U : 0U);
    EXPECT_EQ(host_.Drops(DropReason::kRecordRejected), refused);
  }
}

TEST_F(RecordStoreTest, ATimeToLiveBeyondTheLimitIsCut) {
  EXPECT_EQ(Accept(Make(1, 1, Duration{std::numeric_limits<std::int64_t>::max()})),
            StoreStatus::kStored);
  EXPECT_EQ(Find(1)->ttl, host_.config().store.max_ttl);
}

TEST_F(RecordStoreTest, AnEmptyValueIsAValue) {
  EXPECT_EQ(Accept({TestId(1), Payload{}, 1, kHour}), StoreStatus::kStored);
  EXPECT_TRUE(Find(1));
  store_.Clear(host_.step().out);
  EXPECT_TRUE(host_.out().releases().empty());
}

TEST_F(RecordStoreTest, AFullStoreKeepsTheClosestKeys) {
  host_.config().store.max_records = 3;
  const Record far = Make(0x80);
  for (const Record& record : {Make(0x10), far, Make(0x20)}) Accept(record);

  const Record farther = Make(0x90);
  EXPECT_EQ(Accept(farther), StoreStatus::kFull);
  EXPECT_EQ(host_.SharesOf(farther.payload), 0);
  EXPECT_EQ(host_.Drops(DropReason::kOverload), 1U);

  EXPECT_EQ(Accept(Make(0x40)), StoreStatus::kStored);
  EXPECT_EQ(host_.SharesOf(far.payload), 0);
  EXPECT_EQ(host_.Drops(DropReason::kOverload), 2U);
  EXPECT_FALSE(Find(0x80));
  EXPECT_TRUE(Find(0x10) && Find(0x20) && Find(0x40));

  EXPECT_EQ(Accept(Make(0x40, 2)), StoreStatus::kStored) << "a held key needs no room";
  EXPECT_EQ(store_.size(), 3U);
  EXPECT_EQ(host_.Shares(), 3);
}

TEST_F(RecordStoreTest, AnExpiredRecordMakesRoomBeforeALiveOne) {
  host_.config().store.max_records = 2;
  Accept(Make(0x80));
  Accept(Make(0x10, 1, kHour));
  host_.Advance(kHour);
  EXPECT_EQ(Accept(Make(0x90)), StoreStatus::kStored);
  EXPECT_TRUE(Find(0x80));
}

TEST_F(RecordStoreTest, AStoreWithoutRoomForAnythingRefusesAll) {
  host_.config().store.max_records = 0;
  EXPECT_EQ(Accept(Make(1)), StoreStatus::kFull);
  EXPECT_EQ(host_.Shares(), 0);
}

TEST_F(RecordStoreTest, RecordsExpireOnTime) {
  Accept(Make(1, 1, Duration::Minutes(20)));
  Accept(Make(2, 1, Duration::Minutes(10)));
  EXPECT_EQ(store_.next_deadline(), Time{} + Duration::Minutes(10));
  RunUntil(Time{} + Duration::Minutes(10) - Duration{1});
  EXPECT_TRUE(Find(2));
  host_.Advance(Duration{1});
  EXPECT_FALSE(Find(2)) << "dead from its expiry on, timer or not";
  EXPECT_EQ(store_.size(), 2U);
  RunUntil(host_.now());
  EXPECT_EQ(store_.size(), 1U);
  EXPECT_EQ(host_.Shares(), 1);
  RunUntil(Time{} + kHour);
  EXPECT_EQ(host_.Shares(), 0);
  EXPECT_EQ(store_.next_deadline(), kNever);
}

TEST_F(RecordStoreTest, AnExpiredSequenceBlocksNoOlderOne) {
  Accept(Make(1, 9, kHour));
  host_.Advance(kHour);
  EXPECT_EQ(Accept(Make(1, 3)), StoreStatus::kStored);
  EXPECT_EQ(Find(1)->sequence, 3U);
  EXPECT_EQ(host_.Shares(), 1);
}

TEST_F(RecordStoreTest, EachRecordIsRepublishedOncePerIntervalUntilItExpires) {
  for (std::uint32_t key = 1; key <= 20; ++key) Accept(Make(key, 1, kHour * 5));
  std::map<NodeId, std::vector<Time>> times;
  for (const auto& [time, key] : RunUntil(Time{} + kHour * 6)) times[key].push_back(time);
  ASSERT_EQ(times.size(), 20U);
  const Duration latest = kHour + kHour / 4 + RecordTable::kRepublishSpacing * 20;
  bool differ = false;
  for (const auto& [key, due] : times) {
    Time last{};
    for (const Time time : due) {
      EXPECT_GE(time - last, kHour);
      EXPECT_LE(time - last, latest);
      last = time;
    }
    EXPECT_TRUE(due.size() == 4 || due.size() == 3) << due.size();
    differ |= due.front() != times.begin()->second.front();
  }
  EXPECT_TRUE(differ) << "no jitter";
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(RecordStoreTest, RepublicationsAreSpacedOut) {
  host_.config().store.republish_interval = Duration::Seconds(1);
  host_.config().store.cache_ttl = Duration{0};
  for (std::uint32_t key = 1; key <= 50; ++key) Accept(Make(key));
  Time last{};
  std::map<NodeId, int> counts;
  for (const auto& [time, key] : RunUntil(Time{} + Duration::Seconds(20))) {
    EXPECT_GE(time - last, RecordTable::kRepublishSpacing);
    last = time;
    ++counts[key];
  }
  EXPECT_EQ(counts.size(), 50U) << "the most overdue go first, so none starves";
}

TEST_F(RecordStoreTest, ARepublicationByAnotherHolderSparesThisOne) {
  Accept(Make(1));
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(RunUntil(host_.now() + kHour - Duration{1}).empty());
    Accept(Make(1));
  }
  EXPECT_EQ(RunUntil(host_.now() + kHour * 5 / 4).size(), 1U) << "the others fell silent";
}

TEST_F(RecordStoreTest, CachedCopiesAreNeverRepublished) {
  host_.config().store.cache_ttl = kHour * 3;
  Accept(Make(1, 1, kHour * 3));
  EXPECT_TRUE(RunUntil(Time{} + kHour * 4).empty());
  EXPECT_EQ(store_.size(), 0U);

  Accept(Make(2, 1, kHour * 8));
  RunUntil(host_.now() + kHour - Duration{1});
  Accept(Make(2, 1, kHour * 3));  // a copy of what is held spares nobody
  EXPECT_EQ(RunUntil(host_.now() + kHour / 4 + Duration{1}).size(), 1U);

  Accept(Make(3, 1, kHour * 3));
  Accept(Make(3, 1, kHour * 8));  // a copy that becomes a record
  EXPECT_FALSE(RunUntil(host_.now() + kHour * 5 / 4).empty());
}

TEST_F(RecordStoreTest, RecordsAreListedByKeyWhateverTheOrderOfArrival) {
  for (const std::uint32_t key : {0x30U, 0x10U, 0xf0U, 0x20U}) Accept(Make(key));
  std::vector<NodeId> keys;
  for (const HeldRecord& record : store_.records()) keys.push_back(record.key);
  EXPECT_EQ(keys, (std::vector<NodeId>{TestId(0x10), TestId(0x20), TestId(0x30), TestId(0xf0)}));
}

TEST_F(RecordStoreTest, ClearGivesEverythingUp) {
  for (std::uint32_t key = 1; key <= 5; ++key) Accept(Make(key));
  EXPECT_EQ(host_.Shares(), 5);
  store_.Clear(host_.step().out);
  EXPECT_EQ(host_.Shares(), 0);
  EXPECT_EQ(store_.next_deadline(), kNever);
}

// Random stores from strangers: bounded, and no share is lost or given up twice.
TEST_F(RecordStoreTest, KeepsItsBooksUnderRandomInput) {
  host_.config().store.max_records = 16;
  Rng rng(3);
  for (int i = 0; i < 5000; ++i) {
    const Duration ttl = Duration::Minutes(static_cast<std::int64_t>(rng.Below(300))) - kHour / 6;
    Accept(Make(rng.Below(64), rng.Below(4), ttl));
    RunUntil(host_.now() + Duration::Seconds(rng.Below(200)));
    ASSERT_LE(store_.size(), 16U);
    ASSERT_EQ(host_.Shares(), static_cast<int>(store_.size()));
  }
}

TEST_F(RecordStoreTest, EqualInputsGiveEqualOutputs) {
  RecordStore other;
  RecordTestHost other_host;
  for (std::uint32_t key = 1; key <= 10; ++key) {
    Accept(Make(key));
    other.Accept({TestId(key), other_host.NewPayload(), 1, kHour * 10}, other_host.step());
  }
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(store_.next_deadline(), other.next_deadline());
    host_.AdvanceTo(store_.next_deadline());
    other_host.AdvanceTo(other.next_deadline());
    EXPECT_EQ(store_.OnTimer(host_.step()), other.OnTimer(other_host.step()));
  }
}

TEST_F(RecordStoreTest, IsTheSameAfterSavingAndLoading) {
  for (std::uint32_t key = 1; key <= 5; ++key) Accept(Make(key));
  Writer writer;
  writer(store_);
  RecordStore loaded;
  Reader reader(writer.bytes());
  reader(loaded);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(loaded.next_deadline(), store_.next_deadline());
  ASSERT_EQ(loaded.size(), 5U);
  EXPECT_EQ(loaded.Find(TestId(3), host_.now())->payload, Find(3)->payload);
  Writer again;
  again(loaded);
  EXPECT_EQ(again.bytes(), writer.bytes());
}

TEST(RecordTableTest, ASavedTableOutOfOrderIsRefused) {
  // The layout of a saved table: the records, then two times.
  for (const std::uint32_t second : {1U, 2U, 3U}) {
    HeldRecord low;
    low.key = TestId(2);
    HeldRecord high;
    high.key = TestId(second);
    Writer writer;
    writer(std::vector<HeldRecord>{low, high}, Time{}, Time{});
    RecordTable table;
    Reader reader(writer.bytes());
    reader(table);
    EXPECT_EQ(reader.ok(), second == 3U) << second;
  }
}

TEST(RecordTableTest, NewestPrefersTheHigherSequenceAndThenTheFirst) {
  const Record low{TestId(1), {1, 1}, 1, kHour};
  const Record high{TestId(1), {2, 1}, 2, kHour};
  const Record twin{TestId(1), {3, 1}, 2, kHour};
  EXPECT_FALSE(Newest(std::nullopt, std::nullopt));
  EXPECT_EQ(Newest(low, std::nullopt)->payload, low.payload);
  EXPECT_EQ(Newest(std::nullopt, low)->payload, low.payload);
  EXPECT_EQ(Newest(low, high)->payload, high.payload);
  EXPECT_EQ(Newest(high, low)->payload, high.payload);
  EXPECT_EQ(Newest(high, twin)->payload, high.payload);
}

}  // namespace
}  // namespace tombolo
