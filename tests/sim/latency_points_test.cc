#include "sim/latency_points.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/shipped_data.h"

namespace tombolo::sim {
namespace {

TEST(LatencyPoints, RoundTripIsDistancePlusAccessDelays) {
  const LatencyPoints points = ParseLatencyPoints("0\t0\t2\n3\t4\t1.5\n", "p");
  ASSERT_TRUE(points.ok()) << points.error;
  EXPECT_EQ(points.count, 2U);
  EXPECT_EQ(points.dimensions, 2U);
  EXPECT_EQ(points.RttMs(0, 1), 8.5);
  EXPECT_EQ(points.RttMs(1, 0), 8.5);
}

TEST(LatencyPoints, ShippedPointsAreComplete) {
  const LatencyPoints points = ParseLatencyPoints(InternetPointsText(), "internet");
  ASSERT_TRUE(points.ok()) << points.error;
  EXPECT_EQ(points.count, 490U);
  EXPECT_EQ(points.dimensions, 3U);
}

struct BadCase {
  const char* text;
  const char* error;
};

TEST(LatencyPoints, NamesFileLineAndWhatIsAllowed) {
  const std::vector<BadCase> cases = {
      {"1 2\n3\n", "p:2: 1 columns, expected 1 to 8 coordinates and the access delay"},
      {"1 2 3\n3 4\n", "p:2: 2 columns, expected 3 as in the first row"},
      {"1 2 3\n3 4 -1\n", "p:2: -1 is a negative access delay, expected 0 or more"},
      {"1 2 3\n-2e5 4 1\n", "p:2: -200000 ms is too far, allowed are up to 100000 ms"},
      {"1 2 3 4 5 6 7 8 9 10\n",
       "p:1: 10 columns, expected 1 to 8 coordinates and the access delay"},
      {"1 q\n", "p:1: 'q' is no number, expected numbers separated by tabs, commas or spaces"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(ParseLatencyPoints(text, "p").error, error);
}

}  // namespace
}  // namespace tombolo::sim
