#include "sim/histogram.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

namespace tombolo::sim {
namespace {

constexpr int kStepBits = 7;
constexpr std::size_t kSteps = std::size_t{1} << kStepBits;  // per power of two

// Values below 2 * kSteps are their own index.
std::size_t IndexOf(std::int64_t us) {
  const auto value = static_cast<std::uint64_t>(us);
  if (value < 2 * kSteps) return value;
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - kStepBits;
  return static_cast<std::size_t>(shift) * kSteps + (value >> shift);
}

// The middle of the values that share `index`.
std::int64_t ValueOf(std::size_t index) {
  if (index < 2 * kSteps) return static_cast<std::int64_t>(index);
  const std::size_t shift = index / kSteps - 1;
  const std::uint64_t low = (index - shift * kSteps) << shift;
  return static_cast<std::int64_t>(low + ((std::uint64_t{1} << shift) >> 1));
}

// The rank, from 1 to count, of the share `p`. Requires count > 0.
std::uint64_t RankOf(double p, std::uint64_t count) {
  if (!(p > 0)) return 1;
  if (p >= 1) return count;
  const double exact = p * static_cast<double>(count);
  auto rank = static_cast<std::uint64_t>(exact);
  if (static_cast<double>(rank) < exact) ++rank;
  return std::clamp<std::uint64_t>(rank, 1, count);
}

// Index of the value of that rank. Requires rank <= the sum of `counts`.
template <class Counts>
std::size_t IndexOfRank(const Counts& counts, std::uint64_t rank) {
  std::size_t index = 0;
  for (std::uint64_t below = counts[0]; below < rank; below += counts[index]) ++index;
  return index;
}

double Joined(TimeSeries::Combine combine, double earlier, double later) {
  if (combine == TimeSeries::Combine::kSum) return earlier + later;
  if (std::isnan(later)) return earlier;
  if (combine == TimeSeries::Combine::kLast || std::isnan(earlier)) return later;
  return std::max(earlier, later);
}

}  // namespace

void LatencyHistogram::Add(std::int64_t us) {
  us = std::max<std::int64_t>(us, 0);
  const std::size_t index = IndexOf(us);
  if (index >= counts_.size()) [[unlikely]]
    Grow(index);
  ++counts_[index];
  min_ = count_ == 0 ? us : std::min(min_, us);
  max_ = std::max(max_, us);
  sum_ += us;
  ++count_;
}

void LatencyHistogram::Grow(std::size_t index) { counts_.resize(index + 1); }

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  if (other.count_ == 0) return;
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

std::int64_t LatencyHistogram::quantile(double p) const {
  if (count_ == 0) return 0;
  const std::uint64_t rank = RankOf(p, count_);
  if (rank == 1) return min_;
  if (rank == count_) return max_;
  return std::clamp(ValueOf(IndexOfRank(counts_, rank)), min_, max_);
}

bool LatencyHistogram::IsConsistent() const {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  const bool ordered = 0 <= min_ && min_ <= max_;
  if (total != count_ || !ordered) return false;
  return count_ == 0 ? counts_.empty() && max_ == 0 : counts_.size() == IndexOf(max_) + 1;
}

void HopHistogram::Add(std::uint32_t hops) { ++counts_[std::min<std::size_t>(hops, kSize - 1)]; }

void HopHistogram::Merge(const HopHistogram& other) {
  for (std::size_t i = 0; i < kSize; ++i) counts_[i] += other.counts_[i];
}

std::uint64_t HopHistogram::count() const {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  return total;
}

double HopHistogram::mean() const {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kSize; ++i) sum += counts_[i] * i;
  return static_cast<double>(sum) / static_cast<double>(total);
}

std::uint32_t HopHistogram::quantile(double p) const {
  const std::uint64_t total = count();
  if (total == 0) return 0;
  return static_cast<std::uint32_t>(IndexOfRank(counts_, RankOf(p, total)));
}

std::uint32_t HopHistogram::max() const { return quantile(1); }

TimeSeries::TimeSeries(std::vector<Column> columns, Duration interval, std::size_t rows_max)
    : columns_(std::move(columns)), interval_(interval), rows_max_(rows_max) {
  assert(IsConsistent());
}

void TimeSeries::Add(Time now, std::size_t column, double value) {
  assert(now.us >= 0);
  assert(column < columns_.size());
  while (static_cast<std::uint64_t>(now.us / interval_.us) >= rows_max_) DoubleInterval();
  const auto row = static_cast<std::size_t>(now.us / interval_.us);
  while (rows() <= row) {
    for (const Column& each : columns_) {
      const bool is_sum = each.combine == Combine::kSum;
      values_.push_back(is_sum ? 0 : std::numeric_limits<double>::quiet_NaN());
    }
  }
  double& cell = values_[row * columns_.size() + column];
  cell = Joined(columns_[column].combine, cell, value);
}

void TimeSeries::DoubleInterval() {
  const std::size_t width = columns_.size();
  const std::size_t rows_before = rows();
  for (std::size_t row = 0; row < rows_before; ++row) {
    for (std::size_t i = 0; i < width; ++i) {
      const double value = values_[row * width + i];
      double& cell = values_[row / 2 * width + i];
      cell = row % 2 == 0 ? value : Joined(columns_[i].combine, cell, value);
    }
  }
  values_.resize((rows_before + 1) / 2 * width);
  interval_ = interval_ * 2;
}

bool TimeSeries::IsConsistent() const {
  const bool known = std::all_of(columns_.begin(), columns_.end(), [](const Column& column) {
    return column.combine <= Combine::kLast;
  });
  if (!known || interval_.us <= 0 || rows_max_ < 2 || rows_max_ % 2 != 0) return false;
  if (columns_.empty()) return values_.empty();
  return values_.size() % columns_.size() == 0 && rows() <= rows_max_;
}

}  // namespace tombolo::sim
