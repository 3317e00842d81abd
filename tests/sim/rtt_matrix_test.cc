#include "sim/rtt_matrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "sim/shipped_data.h"

namespace tombolo::sim {
namespace {

using Us = std::vector<std::uint32_t>;

TEST(RttMatrix, ReadsAFullMatrixInEveryUnit) {
  const Us expected = {500, 5000, 10000, 5000, 500, 15000, 10000, 15000, 2000};
  const RttMatrix ms = ParseRttMatrix("0\t10\t20\n10\t0\t30\n20\t30\t4\n", "m");
  ASSERT_TRUE(ms.ok()) << ms.error;
  EXPECT_EQ(ms.hosts, 3U);
  EXPECT_EQ(ms.filled, 0U);
  EXPECT_EQ(ms.one_way_us, expected);
  EXPECT_EQ(ms.OneWay(1, 2), Duration::Milliseconds(15));
  const char* seconds = "0,.01,.02\n.01,0,.03\n.02,.03,.004\n";
  EXPECT_EQ(ParseRttMatrix(seconds, "s", RttUnit::kSeconds).one_way_us, expected);
  const char* micro = "0 10000 20000\n10000 0 30000\n20000 30000 4000\n";
  EXPECT_EQ(ParseRttMatrix(micro, "us", RttUnit::kMicroseconds).one_way_us, expected);
}

TEST(RttMatrix, ReadsKingRowsInBothSpellings) {
  const Us expected = {500, 5000, 10000, 5000, 500, 15000, 10000, 15000, 500};
  for (const char* text : {"1,2 10\n1,3 20\n2,3 30\n", "1,2,10\n1,3,20\n2,3,30\n",
                           "node 1 a\nnode 2 b\nnode 3 c\n1,2 10\n2,3 30\n3,1 20\n"}) {
    const RttMatrix matrix = ParseRttMatrix(text, "king");
    ASSERT_TRUE(matrix.ok()) << matrix.error;
    EXPECT_EQ(matrix.one_way_us, expected) << text;
    EXPECT_EQ(matrix.filled, 3U);  // the other directions
  }
}

TEST(RttMatrix, FillsHolesFromTheOtherDirectionThenTheMedianOfTheRow) {
  const RttMatrix matrix = ParseRttMatrix("0 10 20 30\n0 0 0 50\n20 0 0 60\n30 50 60 0\n", "holes");
  ASSERT_TRUE(matrix.ok()) << matrix.error;
  EXPECT_EQ(matrix.filled, 3U);
  EXPECT_EQ(matrix.OneWay(1, 0).us, 5000);   // from 0 -> 1
  EXPECT_EQ(matrix.OneWay(1, 2).us, 25000);  // median of {10, 50}
  EXPECT_EQ(matrix.OneWay(2, 1).us, 30000);  // median of {20, 60}
}

struct BadCase {
  const char* text;
  const char* error;
};

TEST(RttMatrix, NamesFileLineAndWhatIsAllowed) {
  const std::vector<BadCase> cases = {
      {"0 1\n1 0 2\n", "m:2: 3 columns in a matrix of 2 rows, expected as many columns as rows"},
      {"0 1\n-1 0\n", "m:2: -1 is negative, allowed are 0 (not measured) and up"},
      {"0 1\n2e6 0\n",
       "m:2: 2000000 ms is too long, allowed are up to 1000000 ms: is the unit right?"},
      {"0 1 2\n1 0 0\n2 0 x\n",
       "m:3: 'x' is no number, expected numbers separated by tabs, commas or spaces"},
      {"5\n", "m:1: 1 hosts, allowed are 2 to 5000"},
      {"0 0\n0 0\n", "m:1: host 1 has no measured round-trip time, expected one or more"},
      {"# c\n0 1 0\n1 0 0\n0 0 0\n",
       "m:4: host 3 has no measured round-trip time, expected one or more"},
      {"node 1\n1,2 5\n0,2 5\n", "m:3: expected a row 'i,j rtt' with hosts from 1"},
      {"node 1\n1,2\n", "m:2: expected a row 'i,j rtt' with hosts from 1"},
      {"1,2 5\n1,5001 5\n", "m:2: 5001 hosts, allowed are 2 to 5000"},
      {"1,2 5\n1,3 -5\n", "m:2: -5 is negative, allowed are 0 (not measured) and up"},
      {"1,2 5\n1,4 5\n", "m:1: host 3 has no measured round-trip time, expected one or more"},
      {"", "m:1: no numbers, expected at least one row"},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_EQ(ParseRttMatrix(text, "m").error, error) << text;
  }
}

TEST(RttMatrix, TakesNumbersFromMemory) {
  const std::vector<double> good = {0, 10, 30, 0};
  EXPECT_EQ(MakeRttMatrix(good, 2, "latency").one_way_us, (Us{500, 5000, 15000, 500}));
  EXPECT_EQ(MakeRttMatrix(good, 3, "latency").error,
            "latency:1: 4 numbers for 3 hosts, expected a square matrix");
  const std::vector<double> bad = {0, 1, std::numeric_limits<double>::quiet_NaN(), 0};
  EXPECT_EQ(MakeRttMatrix(bad, 2, "latency").error,
            "latency:2: -1 is negative, allowed are 0 (not measured) and up");
}

TEST(RttMatrix, ReadsFiles) {
  const std::string path = testing::TempDir() + "rtt_matrix_test.csv";
  std::ofstream(path) << "0,8\n8,0\n";
  EXPECT_EQ(ReadRttMatrix(path).one_way_us, (Us{500, 4000, 4000, 500}));
  EXPECT_EQ(ReadRttMatrix(path + ".none").error,
            path + ".none:1: cannot be read, expected a text file of numbers");
}

TEST(RttMatrix, ShippedCloudRegionsAreComplete) {
  const RttMatrix cloud = ParseRttMatrix(CloudMatrixText(), "cloud");
  ASSERT_TRUE(cloud.ok()) << cloud.error;
  EXPECT_EQ(cloud.hosts, 28U);
  EXPECT_EQ(cloud.filled, 0U);
  EXPECT_EQ(cloud.OneWay(6, 25).us, 44500);  // East US to West Europe: 89 ms of round trip
}

// The real matrices, where they are at hand.
std::string DataFile(const std::string& name) {
  const char* folder = std::getenv("TOMBOLO_DATA_DIR");
  return folder == nullptr ? "" : std::string(folder) + "/" + name;
}

TEST(RttMatrix, ReadsTheMeasuredPlanetLabMatrix) {
  const std::string path = DataFile("planetlab490_rtt_ms.tsv");
  if (path.empty()) GTEST_SKIP() << "set TOMBOLO_DATA_DIR to the folder of the measured matrices";
  RttMatrix matrix = ReadRttMatrix(path);
  ASSERT_TRUE(matrix.ok()) << matrix.error;
  EXPECT_EQ(matrix.hosts, 490U);
  EXPECT_EQ(matrix.filled, 0U);
  Us& values = matrix.one_way_us;
  std::sort(values.begin(), values.end());
  EXPECT_NEAR(values[values.size() / 2], 67'500, 500);
  EXPECT_NEAR(values.back(), 1'492'000, 500);
}

TEST(RttMatrix, ReadsTheMeasuredSeattleMatrixInSeconds) {
  const std::string path = DataFile("seattle99_rtt.tsv");
  if (path.empty()) GTEST_SKIP() << "set TOMBOLO_DATA_DIR to the folder of the measured matrices";
  const RttMatrix matrix = ReadRttMatrix(path, RttUnit::kSeconds);
  ASSERT_TRUE(matrix.ok()) << matrix.error;
  EXPECT_EQ(matrix.hosts, 99U);
  EXPECT_GT(matrix.filled, 0U);
  EXPECT_EQ(matrix.OneWay(0, 1).us, 85'000);
}

}  // namespace
}  // namespace tombolo::sim
