#include "sim/event_queue.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "overlay/archive.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::sim {
namespace {

// The dumb twin orders by a tuple, not by the operator under test.
struct TwinLess {
  static auto Key(const QueueEntry& e) {
    return std::make_tuple(e.time_us, e.to, e.from, e.sequence, e.slot);
  }
  bool operator()(const QueueEntry& a, const QueueEntry& b) const { return Key(a) < Key(b); }
};
using Twin = std::multiset<QueueEntry, TwinLess>;

std::vector<QueueEntry> Drain(EventQueue queue) {
  std::vector<QueueEntry> entries;
  QueueEntry entry;
  while (queue.PopBefore(kNever, entry)) entries.push_back(entry);
  return entries;
}

std::vector<QueueEntry> Listed(const Twin& twin) { return {twin.begin(), twin.end()}; }

std::vector<std::uint8_t> Saved(const EventQueue& queue) {
  Writer writer;
  writer(queue);
  return writer.Take();
}

struct Schedule {
  const char* name;
  std::uint32_t delay_bits_max;  // delays are uniform below 2^b, b uniform up to this
  std::uint32_t names;           // number of peers, sequences and slots: few make ties
  std::uint32_t burst_max;       // pushes in a row
};

class EventQueueTwin : public ::testing::TestWithParam<Schedule> {};

class Pair {
 public:
  Pair(const Schedule& schedule, std::uint64_t seed) : schedule_(schedule), rng_(seed) {}

  void PushBurst() {
    const std::uint32_t pushes = 1 + rng_.Below(schedule_.burst_max);
    for (std::uint32_t i = 0; i < pushes; ++i) {
      const std::uint32_t bits = rng_.Below(schedule_.delay_bits_max + 1);
      QueueEntry entry;
      entry.time_us = now_ + static_cast<std::int64_t>(rng_.Below64(std::uint64_t{1} << bits));
      entry.to = rng_.Below(schedule_.names);
      entry.from = rng_.Below(schedule_.names);
      entry.sequence = rng_.Below(schedule_.names);
      entry.slot = rng_.Below(schedule_.names);
      queue_.Push(entry);
      twin_.insert(entry);
    }
  }

  void PopSome() {
    const std::uint32_t bits = rng_.Below(schedule_.delay_bits_max + 2);
    const std::int64_t end =
        now_ + static_cast<std::int64_t>(rng_.Below64(std::uint64_t{1} << bits));
    for (std::uint32_t pops = rng_.Below(2 * schedule_.burst_max); pops > 0; --pops) {
      QueueEntry entry;
      const bool expected = !twin_.empty() && twin_.begin()->time_us < end;
      ASSERT_EQ(queue_.PopBefore(Time{end}, entry), expected);
      if (!expected) {
        now_ = end;
        return;
      }
      ASSERT_EQ(entry, *twin_.begin());
      twin_.erase(twin_.begin());
      now_ = entry.time_us;
    }
  }

  void Compare() const {
    ASSERT_EQ(queue_.size(), twin_.size());
    ASSERT_EQ(queue_.empty(), twin_.empty());
    ASSERT_EQ(queue_.next_time(), twin_.empty() ? kNever : Time{twin_.begin()->time_us});
  }

  void GoOnWithCopy() {
    const EventQueue copy = queue_;
    ASSERT_EQ(Drain(queue_), Listed(twin_));
    queue_ = EventQueue();
    queue_ = copy;
  }

  void GoOnWithLoaded() {
    const std::vector<std::uint8_t> bytes = Saved(queue_);
    Reader reader(bytes);
    EventQueue loaded;
    loaded.Push({.time_us = 3});  // loading replaces what was there
    reader(loaded);
    ASSERT_TRUE(reader.ok() && reader.at_end());
    ASSERT_EQ(Saved(loaded), bytes);
    queue_ = loaded;
  }

  void DrainAndCompare() { ASSERT_EQ(Drain(queue_), Listed(twin_)); }

 private:
  Schedule schedule_;
  Rng rng_;
  EventQueue queue_;
  Twin twin_;
  std::int64_t now_ = 0;
};

TEST_P(EventQueueTwin, PopsWhatASortedSetPops) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(GetParam(), seed);
    for (int round = 0; round < 400; ++round) {
      pair.PushBurst();
      ASSERT_NO_FATAL_FAILURE(pair.Compare());
      ASSERT_NO_FATAL_FAILURE(pair.PopSome());
      ASSERT_NO_FATAL_FAILURE(pair.Compare());
      if (round % 97 == 50) {
        ASSERT_NO_FATAL_FAILURE(pair.GoOnWithCopy());
      }
      if (round % 89 == 60) {
        ASSERT_NO_FATAL_FAILURE(pair.GoOnWithLoaded());
      }
    }
    ASSERT_NO_FATAL_FAILURE(pair.DrainAndCompare());
  }
}

INSTANTIATE_TEST_SUITE_P(Schedules, EventQueueTwin,
                         ::testing::Values(Schedule{"all_at_one_instant", 0, 1000, 200},
                                           Schedule{"equal_keys", 1, 2, 50},
                                           Schedule{"within_one_slot", 5, 50, 100},
                                           Schedule{"network_delays", 18, 1000, 100},
                                           Schedule{"sparse", 18, 1000, 1},
                                           Schedule{"microseconds_to_days", 38, 100, 60},
                                           Schedule{"microseconds_to_centuries", 52, 100, 60}),
                         [](const auto& row) { return row.param.name; });

TEST(EventQueue, SortsManyEntriesOfOneInstant) {
  Rng rng(3);
  for (const std::uint32_t count : {25U, 300U, 5000U, 40'000U}) {
    for (const std::uint32_t receivers : {1U, 2U, 40U, 5000U, 1U << 20, 0xffffffffU}) {
      for (const bool crowded : {false, true}) {
        EventQueue queue;
        Twin twin;
        for (std::uint32_t i = 0; i < count; ++i) {
          QueueEntry entry{100'000, rng.Below(receivers), rng.Below(1000), i, i};
          if (crowded && rng.Below(2) == 0) entry.to = receivers / 2;
          queue.Push(entry);
          twin.insert(entry);
        }
        ASSERT_EQ(Drain(queue), Listed(twin)) << count << " to " << receivers;
      }
    }
  }
}

TEST(EventQueue, OrdersByTimeReceiverSenderSequence) {
  const std::vector<QueueEntry> ordered = {
      {1, 9, 9, 9, 9}, {2, 1, 9, 9, 9}, {2, 2, 1, 9, 9},          {2, 2, 2, 1, 9},
      {2, 2, 2, 2, 5}, {2, 2, 2, 3, 4}, {2, 0x80000000, 0, 0, 0}, {3, 0, 0, 0, 0},
  };
  EventQueue queue;
  for (auto entry = ordered.rbegin(); entry != ordered.rend(); ++entry) queue.Push(*entry);
  EXPECT_EQ(Drain(queue), ordered);
}

TEST(EventQueue, EndIsExclusiveAndALateEndLeavesTheOutputAlone) {
  EventQueue queue;
  queue.Push({.time_us = 100, .to = 7});
  QueueEntry entry{.time_us = -1};
  EXPECT_FALSE(queue.PopBefore(Time{100}, entry));
  EXPECT_EQ(entry.time_us, -1);
  EXPECT_TRUE(queue.PopBefore(Time{101}, entry));
  EXPECT_EQ(entry.to, 7U);
  EXPECT_FALSE(queue.PopBefore(kNever, entry));
  EXPECT_EQ(queue.next_time(), kNever);
}

// An entry far ahead must not draw the queue forward: what comes before it is still found first.
TEST(EventQueue, AFarEntryDoesNotHideNearOnes) {
  constexpr std::int64_t kDay = 86'400'000'000;
  EventQueue queue;
  queue.Push({.time_us = kDay});
  QueueEntry entry;
  for (std::int64_t at = 0; at < 5'000'000; at += 50'000) {
    EXPECT_FALSE(queue.PopBefore(Time{at}, entry));
    EXPECT_TRUE(queue.Ahead().empty());  // the far slot is not opened: pushes would go to its heap
    queue.Push({.time_us = at});
    EXPECT_EQ(queue.next_time(), Time{at});
    ASSERT_TRUE(queue.PopBefore(Time{at + 1}, entry));
    EXPECT_EQ(entry.time_us, at);
  }
  EXPECT_TRUE(queue.PopBefore(kNever, entry));
  EXPECT_EQ(entry.time_us, kDay);
}

TEST(EventQueue, AMillionAtOneInstantComeInOrderOfTheirKeys) {
  constexpr std::uint32_t kCount = 1'000'000;
  EventQueue queue;
  Rng rng(5);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    queue.Push(
        {.time_us = 50'000, .to = rng.Below(kCount), .from = rng.Below(kCount), .sequence = i});
  }
  QueueEntry previous;
  QueueEntry entry;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(queue.PopBefore(kNever, entry));
    ASSERT_TRUE(TwinLess()(previous, entry));
    previous = entry;
  }
  EXPECT_TRUE(queue.empty());
  // The buffer of the run is returned with the next slot; the pool is kept.
  queue.Push({.time_us = 1'000'000});
  EXPECT_TRUE(queue.PopBefore(kNever, entry));
  EXPECT_LE(queue.memory_bytes(), kCount * (sizeof(QueueEntry) + 1));
}

// Two passes over the entries, one by microsecond: neither buffer outlives its slot.
TEST(EventQueue, AMillionWithinOneSlotReturnTheirBuffers) {
  constexpr std::uint32_t kCount = 1'000'000;
  EventQueue queue;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    queue.Push({.time_us = 64 + (i * 7) % 64, .to = i});
  }
  QueueEntry previous;
  QueueEntry entry;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(queue.PopBefore(kNever, entry));
    ASSERT_TRUE(TwinLess()(previous, entry));
    previous = entry;
  }
  queue.Push({.time_us = 1'000'000});
  EXPECT_TRUE(queue.PopBefore(kNever, entry));
  EXPECT_LE(queue.memory_bytes(), kCount * (sizeof(QueueEntry) + 1));
}

TEST(EventQueue, AheadIsTheSortedRunOnly) {
  EventQueue queue;
  for (std::uint32_t i = 0; i < 40; ++i) queue.Push({.time_us = 1000, .to = 39 - i});
  queue.Push({.time_us = 1'000'000});
  EXPECT_TRUE(queue.Ahead().empty());  // nothing is sorted before the first pop
  QueueEntry entry;
  ASSERT_TRUE(queue.PopBefore(kNever, entry));
  ASSERT_EQ(queue.Ahead().size(), 39U);
  for (std::uint32_t i = 0; i < 39; ++i) EXPECT_EQ(queue.Ahead()[i].to, 1 + i);
}

TEST(EventQueue, MemoryIsReusedNotGrownByALongRun) {
  EventQueue queue;
  Rng rng(3);
  for (std::uint32_t i = 0; i < 10'000; ++i) queue.Push({.time_us = rng.Below(300'000), .to = i});
  QueueEntry entry;
  for (int i = 0; i < 500'000; ++i) {
    ASSERT_TRUE(queue.PopBefore(kNever, entry));
    entry.time_us += 1000 + rng.Below(300'000);
    queue.Push(entry);
  }
  EXPECT_EQ(queue.size(), 10'000U);
  // One part-filled chunk of 512 bytes for each of the some 600 buckets in use at a time.
  EXPECT_LE(queue.memory_bytes(), 10'000 * sizeof(QueueEntry) + 600 * 512);
}

TEST(EventQueue, EqualContentsGiveEqualBytes) {
  EventQueue forward;
  EventQueue backward;
  for (std::int64_t i = 0; i < 100; ++i) {
    forward.Push({.time_us = i * 1000});
    backward.Push({.time_us = (99 - i) * 1000});
  }
  EXPECT_EQ(Saved(forward), Saved(backward));
}

TEST(EventQueue, LoadingRefusesTimesOutOfRange) {
  struct Case {
    const char* name;
    std::int64_t last_us;
    std::int64_t time_us;
  };
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (const Case& c : {Case{"negative origin", -1, 5}, Case{"before the origin", 10, 9},
                        Case{"origin too late", kMax, kMax}, Case{"entry too late", 0, kMax}}) {
    SCOPED_TRACE(c.name);
    Writer writer;
    writer(c.last_us, std::vector<QueueEntry>{{.time_us = c.time_us}});
    EventQueue queue;
    Reader reader(writer.bytes());
    reader(queue);
    EXPECT_FALSE(reader.ok());
    EXPECT_STREQ(reader.error(), "event queue: time out of range");
    EXPECT_TRUE(queue.empty());
  }
}

TEST(EventQueueDeathTest, PushingBeforeTheLastPoppedEntryIsAsserted) {
#ifdef NDEBUG
  GTEST_SKIP() << "assertions are off in this build";
#endif
  EventQueue queue;
  queue.Push({.time_us = 100});
  QueueEntry entry;
  queue.PopBefore(kNever, entry);
  EXPECT_DEATH(queue.Push({.time_us = 99}), "last_us_");
  EXPECT_DEATH(queue.Push({.time_us = kNever.us}), "kTimeEnd");
}

}  // namespace
}  // namespace tombolo::sim
