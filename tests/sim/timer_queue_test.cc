#include "sim/timer_queue.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "overlay/archive.h"
#include "overlay/rng.h"
#include "overlay/time.h"
#include "sim/event_queue.h"

namespace tombolo::sim {
namespace {

// The dumb twin: looks at every peer.
class Twin {
 public:
  explicit Twin(std::uint32_t peers) : armed_(peers, kNever) {}

  void Arm(std::uint32_t peer, Time deadline) { armed_[peer] = deadline; }

  std::optional<Timer> PopBefore(Time end) {
    const auto first = std::min_element(armed_.begin(), armed_.end());
    if (*first >= end) return std::nullopt;
    const Timer timer{*first, static_cast<std::uint32_t>(first - armed_.begin())};
    *first = kNever;
    return timer;
  }

  Time next_time() const { return *std::min_element(armed_.begin(), armed_.end()); }

 private:
  std::vector<Time> armed_;
};

std::optional<Timer> Pop(TimerQueue& queue, Time end = kNever) {
  Timer timer;
  return queue.PopBefore(end, timer) ? std::optional(timer) : std::nullopt;
}

std::vector<std::uint8_t> Saved(const TimerQueue& queue) {
  Writer writer;
  writer(queue);
  return writer.Take();
}

TEST(TimerQueue, FiresLikeAScanOfAllPeers) {
  constexpr std::uint32_t kPeers = 40;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    TimerQueue queue;
    queue.Resize(kPeers);
    Twin twin(kPeers);
    Time now;
    for (int step = 0; step < 5000; ++step) {
      const std::uint32_t peer = rng.Below(kPeers);
      const std::uint64_t span = std::uint64_t{1} << rng.Below(30);
      const Time deadline =
          rng.Below(8) == 0 ? kNever : now + Duration{static_cast<std::int64_t>(rng.Below64(span))};
      queue.Arm(peer, deadline);
      twin.Arm(peer, deadline);
      ASSERT_EQ(queue.armed(peer), deadline);
      ASSERT_LE(queue.next_time(), twin.next_time());
      if (rng.Below(4) != 0) continue;
      const Time end = now + Duration{static_cast<std::int64_t>(rng.Below64(span))};
      while (const std::optional<Timer> expected = twin.PopBefore(end)) {
        ASSERT_EQ(Pop(queue, end), expected);
      }
      ASSERT_EQ(Pop(queue, end), std::nullopt);
      now = end;
      if (step % 7 != 0) continue;
      const TimerQueue copy = queue;
      const std::vector<std::uint8_t> bytes = Saved(copy);
      Reader reader(bytes);
      queue = TimerQueue();
      reader(queue);
      ASSERT_TRUE(reader.ok() && reader.at_end());
      ASSERT_EQ(Saved(queue), bytes);
      if (step % 2 == 0) queue = copy;
    }
  }
}

TEST(TimerQueue, EqualTimesFireInOrderOfPeers) {
  TimerQueue queue;
  queue.Resize(100);
  for (std::uint32_t peer = 100; peer-- > 0;) queue.Arm(peer, Time{5000});
  for (std::uint32_t peer = 0; peer < 100; ++peer) {
    EXPECT_EQ(Pop(queue), (Timer{Time{5000}, peer}));
  }
  EXPECT_EQ(Pop(queue), std::nullopt);
}

TEST(TimerQueue, ShowsWhoComesNextWithinTheOpenSlotAndNobodyBeyond) {
  TimerQueue queue;
  queue.Resize(4);
  for (const std::uint32_t peer : {2U, 0U, 3U}) queue.Arm(peer, Time{100});
  queue.Arm(1, Time{1'000'000});
  EXPECT_TRUE(queue.Ahead().empty());  // no slot is open yet
  ASSERT_EQ(Pop(queue)->peer, 0U);
  ASSERT_EQ(queue.Ahead().size(), 2U);
  EXPECT_EQ(queue.Ahead()[0].peer(), 2U);
  EXPECT_EQ(queue.Ahead()[1].peer(), 3U);
}

TEST(TimerQueue, AMovedDeadlineFiresOnceAtItsLastValue) {
  struct Case {
    const char* name;
    std::vector<Time> deadlines;
    std::optional<Time> fires;
  };
  const std::vector<Case> cases = {
      {"once", {Time{10}}, Time{10}},
      {"later", {Time{10}, Time{20'000}}, Time{20'000}},
      {"earlier", {Time{20'000}, Time{10}}, Time{10}},
      {"earlier, then later", {Time{500}, Time{10}, Time{900}}, Time{900}},
      {"earlier, then back", {Time{500}, Time{10}, Time{500}}, Time{500}},
      {"disarmed", {Time{10}, kNever}, std::nullopt},
      {"disarmed and armed later", {Time{10}, kNever, Time{70}}, Time{70}},
      {"disarmed and armed earlier", {Time{70}, kNever, Time{10}}, Time{10}},
      {"beyond the range", {Time{kNever.us - 1}}, std::nullopt},
      {"in the past", {Time{-5}}, Time{0}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    TimerQueue queue;
    EXPECT_EQ(queue.AddPeer(), 0U);
    for (const Time deadline : c.deadlines) queue.Arm(0, deadline);
    const std::optional<Timer> timer = Pop(queue);
    EXPECT_EQ(timer.has_value(), c.fires.has_value());
    if (timer && c.fires) {
      EXPECT_EQ(timer->time, *c.fires);
    }
    EXPECT_EQ(queue.armed(0), kNever);
    EXPECT_EQ(Pop(queue), std::nullopt);
    EXPECT_EQ(queue.entry_count(), 0U);
    EXPECT_EQ(queue.next_time(), kNever);
  }
}

// The same peer may be armed again for the instant at which it has just fired.
TEST(TimerQueue, ArmingAtTheInstantOfFiringFiresAgain) {
  TimerQueue queue;
  queue.Resize(1);
  queue.Arm(0, Time{100});
  queue.Arm(0, Time{50});
  queue.Arm(0, Time{100});  // the entry of 50 counts, that of 100 is stale
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Pop(queue), (Timer{Time{100}, 0}));
    queue.Arm(0, Time{100});
  }
  EXPECT_EQ(Pop(queue), (Timer{Time{100}, 0}));
  EXPECT_EQ(Pop(queue), std::nullopt);
  EXPECT_EQ(queue.entry_count(), 0U);
}

TEST(TimerQueue, StaleEntriesStayBounded) {
  constexpr std::uint32_t kPeers = 1000;
  TimerQueue queue;
  queue.Resize(kPeers);
  for (std::int64_t round = 1000; round > 0; --round) {
    for (std::uint32_t peer = 0; peer < kPeers; ++peer) queue.Arm(peer, Time{round * 1'000'000});
    ASSERT_LE(queue.entry_count(), kPeers + kPeers / 2 + 65);
  }
  for (std::uint32_t peer = 0; peer < kPeers; ++peer) {
    ASSERT_EQ(Pop(queue), (Timer{Time{1'000'000}, peer}));
  }
  EXPECT_EQ(Pop(queue), std::nullopt);
}

TEST(TimerQueue, AMillionFarTimersTakeAtMost32BytesEach) {
  constexpr std::uint32_t kPeers = 1'000'000;
  TimerQueue queue;
  queue.Resize(kPeers);
  Rng rng(1);
  for (std::uint32_t peer = 0; peer < kPeers; ++peer) {
    queue.Arm(peer, Time{3'600'000'000 + static_cast<std::int64_t>(rng.Below(3'600'000'000))});
  }
  EXPECT_LE(queue.memory_bytes() + sizeof(queue), 32U * kPeers);
}

// The loop of the header: at equal times messages go before timers, stale entries delay nothing.
TEST(TimerQueue, MergesWithMessagesInOneTotalOrder) {
  constexpr std::uint32_t kPeers = 20;
  Rng rng(11);
  EventQueue events;
  TimerQueue timers;
  timers.Resize(kPeers);
  std::vector<std::pair<Time, int>> expected;  // 0: message, 1: timer
  for (std::uint32_t i = 0; i < 300; ++i) {
    const Time at{rng.Below(200)};
    events.Push({.time_us = at.us, .to = i});
    if (at < Time{150}) expected.emplace_back(at, 0);
  }
  for (std::uint32_t peer = 0; peer < kPeers; ++peer) {
    timers.Arm(peer, Time{rng.Below(200)});
    timers.Arm(peer, Time{rng.Below(200)});
    timers.Arm(peer, Time{rng.Below(200)});
    if (timers.armed(peer) < Time{150}) expected.emplace_back(timers.armed(peer), 1);
  }
  std::sort(expected.begin(), expected.end());

  std::vector<std::pair<Time, int>> actual;
  const Time end{150};
  QueueEntry message;
  Timer timer;
  for (;;) {
    const Time timer_at = timers.next_time();
    const Time until = timer_at < end ? timer_at + Duration::Microseconds(1) : end;
    if (events.PopBefore(until, message)) {
      actual.emplace_back(Time{message.time_us}, 0);
    } else if (timer_at >= end) {
      break;
    } else if (timers.PopBefore(std::min(end, events.next_time()), timer)) {
      actual.emplace_back(timer.time, 1);
    }
  }
  EXPECT_EQ(actual, expected);
}

TEST(TimerQueue, LoadingRefusesTimesOutOfRange) {
  struct Case {
    const char* name;
    std::int64_t last_us;
    Time armed;
  };
  for (const Case& c :
       {Case{"negative origin", -1, Time{5}}, Case{"before the origin", 10, Time{9}},
        Case{"origin too late", kNever.us, kNever},
        Case{"deadline too late", 0, Time{kNever.us - 1}}}) {
    SCOPED_TRACE(c.name);
    Writer writer;
    writer(c.last_us, std::vector<Time>{c.armed});
    TimerQueue queue;
    Reader reader(writer.bytes());
    reader(queue);
    EXPECT_STREQ(reader.error(), "timer queue: time out of range");
    EXPECT_EQ(queue.peer_count(), 0U);
  }
}

}  // namespace
}  // namespace tombolo::sim
