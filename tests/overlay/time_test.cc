#include "overlay/time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace tombolo {
namespace {

TEST(Duration, UnitsAreMicroseconds) {
  EXPECT_EQ(Duration::Microseconds(3).us, 3);
  EXPECT_EQ(Duration::Milliseconds(3).us, 3'000);
  EXPECT_EQ(Duration::Seconds(3).us, 3'000'000);
  EXPECT_EQ(Duration::Minutes(3).us, 180'000'000);
  EXPECT_EQ(Duration::Hours(3).us, 10'800'000'000);
}

TEST(Duration, ConvertsForPrinting) {
  EXPECT_DOUBLE_EQ(Duration::Milliseconds(1'500).seconds(), 1.5);
  EXPECT_DOUBLE_EQ(Duration::Microseconds(2'500).milliseconds(), 2.5);
}

TEST(Duration, Arithmetic) {
  const Duration second = Duration::Seconds(1);
  EXPECT_EQ(second + Duration::Milliseconds(1), Duration::Microseconds(1'001'000));
  EXPECT_EQ(second - Duration::Seconds(3), Duration::Seconds(-2));
  EXPECT_EQ(second * 4, Duration::Seconds(4));
  EXPECT_EQ(second / 3, Duration::Microseconds(333'333));  // truncates
}

TEST(Duration, OrdersByLength) {
  EXPECT_LT(Duration::Milliseconds(999), Duration::Seconds(1));
  EXPECT_LT(Duration::Seconds(-1), Duration{});
}

TEST(Time, MovesBySpans) {
  const Time start{5};
  EXPECT_EQ(start + Duration::Microseconds(7), Time{12});
  EXPECT_EQ(start - Duration::Microseconds(7), Time{-2});
  EXPECT_EQ(Time{12} - start, Duration::Microseconds(7));
  EXPECT_DOUBLE_EQ(Time{2'500'000}.seconds(), 2.5);
}

TEST(Time, NeverIsLaterThanEveryRealTime) {
  EXPECT_EQ(kNever.us, std::numeric_limits<std::int64_t>::max());
  EXPECT_LT(Time{} + Duration::Hours(24) * 36'500, kNever);
}

}  // namespace
}  // namespace tombolo
