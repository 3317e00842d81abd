#include "sim/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "overlay/archive.h"

namespace tombolo::sim {
namespace {

RttMatrix SmallMatrix() { return ParseRttMatrix("0 10 20\n10 0 30\n24 30 4\n", "small"); }

LatencyOptions Model(LatencyModel model) {
  LatencyOptions options;
  options.model = model;
  if (model == LatencyModel::kMatrix) options.matrix = SmallMatrix();
  return options;
}

const std::vector<LatencyModel> kModels = {LatencyModel::kConstant,  LatencyModel::kUniform,
                                           LatencyModel::kLognormal, LatencyModel::kCoordinates,
                                           LatencyModel::kMatrix,    LatencyModel::kCloud};

// One-way delays in ms of pairs (2 i, 2 i + 1), sorted.
std::vector<double> Sample(const Latency& latency, std::uint32_t pairs) {
  std::vector<double> delays;
  for (std::uint32_t i = 0; i < pairs; ++i) {
    delays.push_back(latency.OneWay(2 * i, 2 * i + 1, i).milliseconds());
  }
  std::sort(delays.begin(), delays.end());
  return delays;
}

double Quantile(const std::vector<double>& sorted, double p) {
  return sorted[static_cast<std::size_t>(p * static_cast<double>(sorted.size()))];
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST(Latency, EveryModelIsSymmetricSteadyAndNotBelowItsMinimum) {
  for (const LatencyModel model : kModels) {
    if (model == LatencyModel::kMatrix || model == LatencyModel::kCloud) continue;  // as measured
    const Latency latency(Model(model), 7);
    for (std::uint32_t i = 0; i < 500; ++i) {
      const Duration delay = latency.OneWay(i, i * 7 + 1, 1);
      EXPECT_EQ(delay, latency.OneWay(i * 7 + 1, i, 2));
      EXPECT_GE(delay, latency.minimum());
      EXPECT_GE(delay.us, 1);
    }
  }
}

TEST(Latency, ConstantIsConstant) {
  LatencyOptions options;
  options.one_way = Duration::Milliseconds(42);
  const Latency latency(options, 1);
  EXPECT_EQ(latency.OneWay(1, 2, 3), Duration::Milliseconds(42));
  EXPECT_EQ(latency.minimum(), Duration::Milliseconds(42));
}

TEST(Latency, UniformCoversItsRange) {
  const Latency latency(Model(LatencyModel::kUniform), 1);
  const std::vector<double> delays = Sample(latency, 50'000);
  EXPECT_NEAR(delays.front(), 10, 0.1);
  EXPECT_NEAR(delays.back(), 150, 0.1);
  EXPECT_NEAR(Mean(delays), 80, 1);
  EXPECT_EQ(latency.minimum(), Duration::Milliseconds(10));
}

TEST(Latency, LognormalHasItsMedianAndSpread) {
  const std::vector<double> delays = Sample(Latency(Model(LatencyModel::kLognormal), 1), 50'000);
  EXPECT_NEAR(Quantile(delays, 0.5), 37.5, 0.5);
  EXPECT_NEAR(Quantile(delays, 0.8413), 37.5 * std::exp(0.6), 1.5);
}

// The quantiles of round trips that the header of data/internet.tsv names for the measured matrix.
TEST(Latency, InternetHasTheQuantilesOfTheMeasuredMatrix) {
  const std::vector<double> delays = Sample(Latency(Model(LatencyModel::kCoordinates), 1), 100'000);
  EXPECT_NEAR(2 * Quantile(delays, 0.05), 19.3, 3);
  EXPECT_NEAR(2 * Quantile(delays, 0.25), 59.3, 4);
  EXPECT_NEAR(2 * Quantile(delays, 0.50), 135.0, 5);
  EXPECT_NEAR(2 * Quantile(delays, 0.75), 201.8, 6);
  EXPECT_NEAR(2 * Quantile(delays, 0.95), 324.9, 20);
}

TEST(Latency, CoordinatesAddDistanceAndAccessDelays) {
  LatencyOptions options = Model(LatencyModel::kCoordinates);
  options.points = ParseLatencyPoints("0 0 2\n30 40 6\n", "points");
  const Latency latency(options, 3);
  bool has_near = false;
  bool has_far = false;
  for (std::uint32_t i = 1; i < 64; ++i) {
    const double rtt_ms = 2 * latency.OneWay(0, i, 0).milliseconds();
    const bool is_far = std::abs(rtt_ms - 58) < 1e-6;
    has_far = has_far || is_far;
    if (is_far) continue;
    has_near = true;  // at one point: twice the access delay, and 0.2 to 2 ms
    EXPECT_TRUE((rtt_ms >= 4.2 && rtt_ms <= 6) || (rtt_ms >= 12.2 && rtt_ms <= 14)) << rtt_ms;
  }
  EXPECT_TRUE(has_near && has_far);
}

TEST(Latency, MatrixMapsPeersToHostsByRemainder) {
  const Latency latency(Model(LatencyModel::kMatrix), 1);
  EXPECT_EQ(latency.OneWay(3, 7, 0), Duration::Milliseconds(5));   // hosts 0, 1
  EXPECT_EQ(latency.OneWay(8, 0, 0), Duration::Milliseconds(12));  // hosts 2, 0
  EXPECT_EQ(latency.OneWay(0, 8, 0), Duration::Milliseconds(10));
  EXPECT_EQ(latency.OneWay(2, 5, 0), Duration::Milliseconds(2));  // one host: its diagonal
  EXPECT_EQ(latency.OneWay(0, 3, 0), kSameHostOneWay);
  EXPECT_EQ(latency.minimum(), kSameHostOneWay);
}

TEST(Latency, CloudIsTheShippedMatrix) {
  EXPECT_EQ(Latency(Model(LatencyModel::kCloud), 1).OneWay(6, 28 + 25, 0).us, 44'500);
}

TEST(Latency, SeedsDiffer) {
  for (const LatencyModel model :
       {LatencyModel::kUniform, LatencyModel::kLognormal, LatencyModel::kCoordinates}) {
    EXPECT_NE(Latency(Model(model), 1).OneWay(1, 2, 0), Latency(Model(model), 2).OneWay(1, 2, 0));
  }
}

TEST(Latency, JitterAddsItsMeanAndVariesPerMessage) {
  for (const LatencyModel model : kModels) {
    const Duration base = Latency(Model(model), 1).OneWay(1, 2, 0);
    LatencyOptions options = Model(model);
    options.jitter_fraction = 0.1;
    options.jitter = Duration::Milliseconds(3);
    const Latency latency(options, 1);
    std::vector<double> added;
    EXPECT_EQ(latency.Steady(1, 2), base);
    for (std::uint64_t salt = 0; salt < 40'000; ++salt) {
      added.push_back((latency.OneWay(1, 2, Mix64(salt)) - base).milliseconds());
      ASSERT_GE(added.back(), 0);
    }
    const double mean = 0.1 * base.milliseconds() + 3;
    EXPECT_NEAR(Mean(added), mean, 0.02 * mean);
    double square = 0;  // gamma of shape 2: variance mean^2 / 2
    for (const double x : added) square += (x - mean) * (x - mean);
    EXPECT_NEAR(square / static_cast<double>(added.size()), mean * mean / 2, 0.05 * mean * mean);
  }
}

TEST(Latency, AsymmetryTiltsAPairAndKeepsItsRoundTrip) {
  LatencyOptions options;
  options.asymmetry = 0.1;
  const Latency latency(options, 1);
  std::int64_t most = 0;
  for (std::uint32_t i = 1; i < 1000; ++i) {
    const Duration there = latency.OneWay(0, i, 0);
    const Duration back = latency.OneWay(i, 0, 0);
    EXPECT_NEAR(static_cast<double>((there + back).us), 100'000, 1.5);
    EXPECT_EQ(latency.Steady(0, i), there);
    EXPECT_GE(std::min(there, back), latency.minimum());
    most = std::max({most, there.us, back.us});
  }
  EXPECT_GT(most, 54'800);
  EXPECT_LE(most, 55'000);
  EXPECT_EQ(latency.minimum(), Duration::Milliseconds(45));
}

TEST(Latency, FloorHoldsForEveryModel) {
  for (const LatencyModel model : kModels) {
    for (const double asymmetry : {0.0, 0.5}) {
      LatencyOptions options = Model(model);
      options.floor = Duration::Milliseconds(60);
      options.asymmetry = asymmetry;
      const Latency latency(options, 1);
      EXPECT_EQ(latency.minimum(), Duration::Milliseconds(60));
      for (std::uint32_t i = 0; i < 100; ++i) {
        EXPECT_GE(latency.OneWay(i, i + 1, i), Duration::Milliseconds(60));
      }
    }
  }
}

TEST(Latency, SurvivesSaving) {
  for (const LatencyModel model : kModels) {
    LatencyOptions options = Model(model);
    options.jitter_fraction = 0.2;
    const Latency latency(options, 9);
    Writer writer;
    writer(latency);
    const std::vector<std::uint8_t> bytes = writer.Take();
    Reader reader(bytes);
    Latency loaded;
    reader(loaded);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(loaded.OneWay(3, 4, 5), latency.OneWay(3, 4, 5));
    EXPECT_EQ(loaded.minimum(), latency.minimum());
  }
}

// Bits that differ here differ between machines or compilers.
TEST(Latency, GivesTheSameDelaysEverywhere) {
  std::vector<std::int64_t> delays;
  for (const LatencyModel model : kModels) {
    LatencyOptions options = Model(model);
    options.jitter_fraction = 0.1;
    options.asymmetry = 0.1;
    const Latency latency(options, 1);
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < 1000; ++i) {
      sum += static_cast<std::uint64_t>(latency.OneWay(i, 3 * i + 1, i).us);
    }
    delays.push_back(static_cast<std::int64_t>(sum));
  }
  EXPECT_EQ(delays,
            (std::vector<std::int64_t>{55100534, 87251679, 49910664, 79574623, 7531546, 69084590}));
}

struct BadCase {
  std::function<void(LatencyOptions&)> spoil;
  std::string error;
};

TEST(LatencyOptions, ValidateNamesKeyValueAndRange) {
  const std::vector<BadCase> cases = {
      {[](LatencyOptions& o) { o.one_way = {}; },
       "latency.one_way_ms = 0 ms: allowed are 0.001 to 100000 ms"},
      {[](LatencyOptions& o) { o.shortest = Duration::Seconds(101); },
       "latency.shortest_ms = 101000 ms: allowed are 0.001 to 100000 ms"},
      {[](LatencyOptions& o) { o.longest = Duration::Milliseconds(9); },
       "latency.longest_ms = 9 ms: allowed are 10 to 100000 ms"},
      {[](LatencyOptions& o) { o.median = {}; },
       "latency.median_ms = 0 ms: allowed are 0.001 to 100000 ms"},
      {[](LatencyOptions& o) { o.jitter = Duration{-1}; },
       "latency.jitter_ms = -0.001 ms: allowed are 0 to 100000 ms"},
      {[](LatencyOptions& o) { o.floor = {}; },
       "latency.floor_ms = 0 ms: allowed are 0.001 to 100000 ms"},
      {[](LatencyOptions& o) { o.sigma = 4; }, "latency.sigma = 4: allowed are 0 to 3"},
      {[](LatencyOptions& o) { o.jitter_fraction = -1; },
       "latency.jitter_fraction = -1: allowed are 0 to 10"},
      {[](LatencyOptions& o) { o.asymmetry = std::nan(""); },
       "latency.asymmetry = nan: allowed are 0 to 0.9"},
      {[](LatencyOptions& o) { o.model = LatencyModel::kMatrix; },
       "latency.file = \"\": model matrix needs a file of round-trip times"},
  };
  for (const BadCase& c : cases) {
    LatencyOptions options;
    c.spoil(options);
    EXPECT_EQ(options.Validate(), c.error);
  }
  for (const LatencyModel model : kModels) EXPECT_EQ(Model(model).Validate(), std::nullopt);
}

TEST(LatencyOptions, LoadFileReportsWhatIsWrong) {
  LatencyOptions options = Model(LatencyModel::kMatrix);
  options.file = "none.tsv";
  const std::string error = "none.tsv:1: cannot be read, expected a text file of numbers";
  EXPECT_EQ(options.LoadFile(), error);
  EXPECT_EQ(options.Validate(), error);
  options.model = LatencyModel::kCoordinates;
  EXPECT_EQ(options.LoadFile(), error);
  options.model = LatencyModel::kConstant;  // needs no file
  EXPECT_EQ(options.LoadFile(), std::nullopt);
}

}  // namespace
}  // namespace tombolo::sim
