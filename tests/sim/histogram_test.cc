#include "sim/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "overlay/archive.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::sim {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::vector<std::int64_t> Sample(std::uint64_t seed, int count, std::uint32_t bits_max) {
  Rng rng(seed);
  std::vector<std::int64_t> values;
  for (int i = 0; i < count; ++i) {
    const std::uint32_t bits = rng.Below(bits_max + 1);
    values.push_back(static_cast<std::int64_t>(rng.Below64(std::uint64_t{1} << bits)));
  }
  return values;
}

LatencyHistogram HistogramOf(const std::vector<std::int64_t>& values) {
  LatencyHistogram histogram;
  for (const std::int64_t value : values) histogram.Add(value);
  return histogram;
}

// Nearest rank in the sorted values. Requires 0 < p <= 1.
std::int64_t ExactQuantile(const std::vector<std::int64_t>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

template <class T>
T Loaded(const T& value) {
  Writer writer;
  writer(value);
  Reader reader(writer.bytes());
  T loaded;
  reader(loaded);
  EXPECT_TRUE(reader.ok() && reader.at_end()) << reader.error();
  return loaded;
}

TEST(LatencyHistogram, QuantilesAreWithinOnePercentOfTheSortedValues) {
  for (const std::uint32_t bits : {0U, 4U, 9U, 20U, 40U, 62U}) {
    for (const int count : {1, 2, 7, 1000, 20'000}) {
      std::vector<std::int64_t> values = Sample(bits + 1, count, bits);
      const LatencyHistogram histogram = HistogramOf(values);
      std::sort(values.begin(), values.end());
      for (const double p : {0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
        const auto exact = static_cast<double>(ExactQuantile(values, p));
        const auto reported = static_cast<double>(histogram.quantile(p));
        ASSERT_LE(std::abs(reported - exact), exact < 256 ? 0 : exact / 255)
            << "bits " << bits << " count " << count << " p " << p;
      }
      EXPECT_EQ(histogram.min(), values.front());
      EXPECT_EQ(histogram.max(), values.back());
      EXPECT_EQ(histogram.quantile(-1), values.front());
      EXPECT_EQ(histogram.quantile(2), values.back());
      EXPECT_EQ(histogram.count(), values.size());
    }
  }
}

TEST(LatencyHistogram, EveryPowerOfTwoAndItsNeighboursAreWithinTheError) {
  for (int bit = 0; bit < 63; ++bit) {
    for (const std::int64_t delta : {-1, 0, 1}) {
      const std::int64_t value = (std::int64_t{1} << bit) + delta;
      const LatencyHistogram histogram = HistogramOf({0, value, kMax});  // the rank in the middle
      const auto reported = static_cast<double>(histogram.quantile(0.5));
      const auto exact = static_cast<double>(value);
      ASSERT_LE(std::abs(reported - exact), exact < 256 ? 0 : exact / 255) << value;
    }
  }
}

TEST(LatencyHistogram, SumAndMeanAreExactBeyond64Bits) {
  const LatencyHistogram histogram = HistogramOf({kMax, kMax, kMax, 3});
  EXPECT_DOUBLE_EQ(histogram.sum(), 3 * static_cast<double>(kMax));
  EXPECT_DOUBLE_EQ(HistogramOf({1, 2, 6}).mean(), 3);
}

TEST(LatencyHistogram, EmptyGivesZerosAndNegativeCountsAsZero) {
  const LatencyHistogram empty;
  EXPECT_EQ(empty.quantile(0.5), 0);
  EXPECT_EQ(empty.mean(), 0);
  EXPECT_EQ(empty.min(), 0);
  EXPECT_EQ(empty.max(), 0);
  const LatencyHistogram negative = HistogramOf({-5});
  EXPECT_EQ(negative.min(), 0);
  EXPECT_EQ(negative.sum(), 0);
  EXPECT_EQ(negative.count(), 1U);
}

TEST(LatencyHistogram, MergedPartsEqualTheWholeInAnyOrder) {
  const std::vector<std::int64_t> first = Sample(1, 500, 30);
  const std::vector<std::int64_t> second = Sample(2, 300, 12);
  std::vector<std::int64_t> all = first;
  all.insert(all.end(), second.begin(), second.end());
  LatencyHistogram forward = HistogramOf(first);
  forward.Merge(HistogramOf(second));
  forward.Merge(LatencyHistogram());
  LatencyHistogram backward;
  backward.Merge(HistogramOf(second));
  backward.Merge(HistogramOf(first));
  EXPECT_EQ(forward, HistogramOf(all));
  EXPECT_EQ(backward, HistogramOf(all));
}

TEST(LatencyHistogram, SurvivesSavingAndRefusesCountsThatDoNotAddUp) {
  const LatencyHistogram histogram = HistogramOf(Sample(3, 1000, 40));
  EXPECT_EQ(Loaded(histogram), histogram);
  EXPECT_EQ(Loaded(LatencyHistogram()), LatencyHistogram());

  Writer writer;
  writer(histogram);
  for (const std::size_t at : {std::size_t{0}, std::size_t{8}, writer.bytes().size() - 40}) {
    std::vector<std::uint8_t> bytes = writer.bytes();
    bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ 1);
    Reader reader(bytes);
    LatencyHistogram loaded;
    reader(loaded);
    EXPECT_FALSE(reader.ok()) << at;
    EXPECT_EQ(loaded.quantile(0.5), 0);
  }
}

TEST(HopHistogram, IsExactAndCountsLongPathsAtTheEnd) {
  HopHistogram histogram;
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.quantile(0.5), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  for (const std::uint32_t hops : {3U, 1U, 4U, 1U, 5U}) histogram.Add(hops);
  EXPECT_DOUBLE_EQ(histogram.mean(), 2.8);
  EXPECT_EQ(histogram.quantile(0), 1U);
  EXPECT_EQ(histogram.quantile(0.4), 1U);
  EXPECT_EQ(histogram.quantile(0.5), 3U);
  EXPECT_EQ(histogram.quantile(1), 5U);
  EXPECT_EQ(Loaded(histogram), histogram);
  HopHistogram longer;
  longer.Add(255);
  longer.Add(70'000);
  histogram.Merge(longer);
  EXPECT_EQ(histogram.count(), 7U);
  EXPECT_EQ(histogram.counts()[255], 2U);
  EXPECT_EQ(histogram.max(), 255U);
}

TimeSeries MakeSeries() {
  return TimeSeries({{"sent", TimeSeries::Combine::kSum},
                     {"load", TimeSeries::Combine::kMax},
                     {"live", TimeSeries::Combine::kLast}},
                    Duration::Seconds(1), 4);
}

void AddAt(TimeSeries& series, double seconds, double value) {
  const Time now{static_cast<std::int64_t>(seconds * 1e6)};
  for (std::size_t column = 0; column < 3; ++column) series.Add(now, column, value);
}

TEST(TimeSeries, CombinesSamplesOfOneRowByColumn) {
  TimeSeries series = MakeSeries();
  AddAt(series, 0.0, 5);
  AddAt(series, 0.999, 2);
  AddAt(series, 2.0, 7);
  ASSERT_EQ(series.rows(), 3U);
  EXPECT_EQ(series.at(0, 0), 7);
  EXPECT_EQ(series.at(0, 1), 5);
  EXPECT_EQ(series.at(0, 2), 2);
  EXPECT_EQ(series.at(1, 0), 0);
  EXPECT_TRUE(std::isnan(series.at(1, 1)));
  EXPECT_TRUE(std::isnan(series.at(1, 2)));
  EXPECT_EQ(series.at(2, 2), 7);
}

TEST(TimeSeries, DoublesItsIntervalWhenFull) {
  TimeSeries series = MakeSeries();
  AddAt(series, 0.5, 9);
  AddAt(series, 1.5, 1);
  AddAt(series, 3.5, -4);
  AddAt(series, 4.0, 6);  // row 4 of 4: rows 0+1, 2+3 are joined
  EXPECT_EQ(series.interval(), Duration::Seconds(2));
  ASSERT_EQ(series.rows(), 3U);
  EXPECT_EQ(series.at(0, 0), 10);
  EXPECT_EQ(series.at(0, 1), 9);
  EXPECT_EQ(series.at(0, 2), 1);
  EXPECT_EQ(series.at(1, 0), -4);
  EXPECT_EQ(series.at(1, 1), -4);  // the empty row adds nothing
  EXPECT_EQ(series.at(1, 2), -4);
  EXPECT_EQ(series.at(2, 0), 6);
  AddAt(series, 1000, 1);  // many doublings at once
  EXPECT_EQ(series.interval(), Duration::Seconds(256));
  ASSERT_EQ(series.rows(), 4U);
  EXPECT_EQ(series.at(0, 0), 12);
  EXPECT_EQ(series.at(0, 2), 6);
  EXPECT_EQ(series.at(3, 0), 1);
}

TEST(TimeSeries, KeepsTheSumOverALongRunWithinItsBound) {
  TimeSeries series({{"sent", TimeSeries::Combine::kSum}}, Duration::Milliseconds(1), 64);
  for (int i = 0; i < 100'000; ++i) series.Add(Time{i * 777}, 0, 1);
  ASSERT_LE(series.rows(), 64U);
  ASSERT_GE(series.rows(), 32U);
  double sum = 0;
  for (const double value : series.values()) sum += value;
  EXPECT_EQ(sum, 100'000);
}

TEST(TimeSeries, SurvivesSavingAndRefusesAnImpossibleShape) {
  TimeSeries series = MakeSeries();
  for (int i = 0; i < 9; ++i) AddAt(series, i, i);
  const TimeSeries loaded = Loaded(series);
  EXPECT_EQ(loaded.columns(), series.columns());
  EXPECT_EQ(loaded.interval(), series.interval());
  EXPECT_EQ(loaded.rows(), series.rows());
  EXPECT_EQ(loaded.at(1, 0), series.at(1, 0));

  struct Case {
    const char* name;
    std::uint8_t combine;
    Duration interval;
    std::uint64_t rows_max;
    std::size_t cells;
  };
  for (const Case& c : {Case{"combine", 3, {5}, 4, 2}, Case{"interval", 0, {0}, 4, 2},
                        Case{"odd rows", 0, {5}, 3, 2}, Case{"no rows", 0, {5}, 0, 0},
                        Case{"too many cells", 0, {5}, 2, 3}}) {
    SCOPED_TRACE(c.name);
    Writer writer;
    writer(std::uint64_t{1}, std::string("sent"), c.combine, c.interval, c.rows_max,
           std::vector<double>(c.cells));
    Reader reader(writer.bytes());
    TimeSeries broken;
    reader(broken);
    EXPECT_STREQ(reader.error(), "time series: impossible shape");
    EXPECT_EQ(broken.rows(), 0U);
  }
}

}  // namespace
}  // namespace tombolo::sim
