// Statistics of a run without a sample kept: latencies, hop counts and time series.
//
// All are values: copyable, mergeable in any order with equal results (counts and sums are
// integers), serialisable. One caller at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "overlay/time.h"

namespace tombolo::sim {

// Log-linear histogram of microseconds: exact below 256, above in 128 steps per power of two, so
// that a reported value is within 1/256 (0.4 %) of a recorded one. Grows to the largest value: 18
// kB up to 20 s, 58 kB at most. Negative values count as 0.
class LatencyHistogram {
 public:
  void Add(std::int64_t us);
  void Merge(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  // All 0 if nothing was added.
  std::int64_t min() const { return count_ == 0 ? 0 : min_; }
  std::int64_t max() const { return max_; }
  double sum() const { return static_cast<double>(sum_); }
  double mean() const { return count_ == 0 ? 0 : sum() / static_cast<double>(count_); }

  // The smallest recorded value that at least the share `p` of all values does not exceed (nearest
  // rank), to the precision above; p <= 0 gives min(), p >= 1 max(). 0 if nothing was added.
  std::int64_t quantile(double p) const;

  bool operator==(const LatencyHistogram&) const = default;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(counts_, count_, min_, max_, sum_);
    if constexpr (Archive::kReading) {
      if (archive.ok() && !IsConsistent()) archive.Fail("histogram: counts do not add up");
      if (!archive.ok()) *this = LatencyHistogram();
    }
  }

 private:
  __extension__ using Wide = __int128;  // a year of microseconds times 2^64 values fits

  // Apart from Add, which is short without it.
  [[gnu::noinline]] void Grow(std::size_t index);
  bool IsConsistent() const;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
  Wide sum_ = 0;
};

// Exact histogram of hop counts. Hops above 255 count as 255.
class HopHistogram {
 public:
  static constexpr std::size_t kSize = 256;

  void Add(std::uint32_t hops);
  void Merge(const HopHistogram& other);

  std::uint64_t count() const;
  double mean() const;  // 0 if nothing was added
  // Nearest rank, as above; 0 if nothing was added.
  std::uint32_t quantile(double p) const;
  std::uint32_t max() const;
  const std::array<std::uint64_t, kSize>& counts() const { return counts_; }

  bool operator==(const HopHistogram&) const = default;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(counts_);
  }

 private:
  std::array<std::uint64_t, kSize> counts_{};
};

// Columns of numbers over equal intervals of simulated time, starting at 0. When the table is full
// the interval doubles and rows are joined in pairs, so a series of any length keeps between
// rows_max / 2 and rows_max rows. Doubles hold counts exactly up to 2^53.
class TimeSeries {
 public:
  enum class Combine : std::uint8_t {
    kSum,   // counts; a row without samples is 0
    kMax,   // a row without samples is NaN
    kLast,  // gauges; a row without samples is NaN
  };
  struct Column {
    std::string name;
    Combine combine = Combine::kSum;

    bool operator==(const Column&) const = default;
    template <class Archive>
    void Serialize(Archive& archive) {
      archive(name, combine);
    }
  };

  TimeSeries() : TimeSeries({}, Duration::Seconds(1), 2) {}
  // Requires interval > 0 and an even rows_max >= 2.
  TimeSeries(std::vector<Column> columns, Duration interval, std::size_t rows_max);

  // Requires now >= 0 and column < columns().size(). Samples of kLast columns must come in order of
  // time within a row.
  void Add(Time now, std::size_t column, double value);

  Duration interval() const { return interval_; }
  // Rows from 0 to the last one with a sample; row i covers [i, i + 1) intervals.
  std::size_t rows() const { return columns_.empty() ? 0 : values_.size() / columns_.size(); }
  const std::vector<Column>& columns() const { return columns_; }
  double at(std::size_t row, std::size_t column) const {
    return values_[row * columns_.size() + column];
  }
  // All cells, row by row.
  const std::vector<double>& values() const { return values_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(columns_, interval_, rows_max_, values_);
    if constexpr (Archive::kReading) {
      if (archive.ok() && !IsConsistent()) archive.Fail("time series: impossible shape");
      if (!archive.ok()) *this = TimeSeries();
    }
  }

 private:
  void DoubleInterval();
  bool IsConsistent() const;

  std::vector<Column> columns_;
  Duration interval_;
  std::uint64_t rows_max_;
  std::vector<double> values_;
};

}  // namespace tombolo::sim
