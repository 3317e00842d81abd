#include "sim/series.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

namespace tombolo::sim {
namespace {

constexpr std::size_t kRowsMax = 10'000;
constexpr std::string_view kLatencySum = "_latency_us_sum";

using Combine = TimeSeries::Combine;

std::vector<TimeSeries::Column> Columns() {
  std::vector<TimeSeries::Column> columns = {
      {"live_peers", Combine::kLast}, {"events", Combine::kSum},  {"messages", Combine::kSum},
      {"bytes", Combine::kSum},       {"lost", Combine::kSum},    {"to_dead", Combine::kSum},
      {"joins", Combine::kSum},       {"crashes", Combine::kSum}, {"leaves", Combine::kSum}};
  for (const std::string_view kind : kOperationNames) {
    for (const char* what : {"_started", "_succeeded", "_failed", "_latency_us_sum"}) {
      columns.push_back({std::string(kind) + what, Combine::kSum});
    }
  }
  return columns;
}

// In the order of Columns().
std::vector<double> Totals(const World& world) {
  const Metrics& m = world.metrics();
  std::vector<double> totals = {static_cast<double>(world.live_count())};
  for (const std::uint64_t count : {m.events, m.total_messages(), m.total_bytes(), m.lost,
                                    m.to_dead, m.joins, m.crashes, m.leaves}) {
    totals.push_back(static_cast<double>(count));
  }
  for (const OperationMetrics& operation : m.operations) {
    for (const std::uint64_t count : {operation.started, operation.succeeded, operation.failed}) {
      totals.push_back(static_cast<double>(count));
    }
    totals.push_back(operation.latency.sum());
  }
  return totals;
}

std::string Text(double value) {
  if (std::isnan(value)) return "";
  std::array<char, 32> buffer;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed,
                    value == std::floor(value) ? 0 : 3);
  return {buffer.data(), end};
}

// Columns of operations that never happened are left out.
std::vector<std::size_t> UsedColumns(const TimeSeries& series) {
  std::vector<std::size_t> used;
  bool kind_used = false;
  for (std::size_t column = 0; column < series.columns().size(); ++column) {
    const std::string& name = series.columns()[column].name;
    const bool is_operation = name.ends_with("_started") || name.ends_with("_succeeded") ||
                              name.ends_with("_failed") || name.ends_with(kLatencySum);
    if (name.ends_with("_started")) {
      kind_used = false;
      for (std::size_t row = 0; row < series.rows(); ++row) kind_used |= series.at(row, column) > 0;
    }
    if (!is_operation || kind_used) used.push_back(column);
  }
  return used;
}

}  // namespace

SeriesRecorder::SeriesRecorder(const World& world, Duration interval)
    : start_(world.now()), series_(Columns(), interval, kRowsMax), last_(Totals(world)) {}

void SeriesRecorder::Record(const World& world) {
  // An interval ends where the next begins; what happened until then belongs to the former.
  const Time at{std::max<std::int64_t>((world.now() - start_).us - 1, 0)};
  const std::vector<double> totals = Totals(world);
  for (std::size_t i = 0; i < totals.size(); ++i) {
    const bool is_count = series_.columns()[i].combine == Combine::kSum;
    series_.Add(at, i, is_count ? totals[i] - last_[i] : totals[i]);
  }
  last_ = totals;
}

void SeriesRecorder::Rebase(const World& world) { last_ = Totals(world); }

std::string SeriesCsv(const TimeSeries& series) {
  const std::vector<std::size_t> used = UsedColumns(series);
  std::string csv = "time_s";
  for (const std::size_t column : used) {
    std::string name = series.columns()[column].name;
    if (name.ends_with(kLatencySum))
      name.replace(name.size() - kLatencySum.size(), kLatencySum.size(), "_latency_ms_mean");
    csv += "," + name;
  }
  csv += "\n";
  for (std::size_t row = 0; row < series.rows(); ++row) {
    csv += Text(series.interval().seconds() * static_cast<double>(row + 1));
    for (const std::size_t column : used) {
      double value = series.at(row, column);
      if (series.columns()[column].name.ends_with(kLatencySum)) {
        value = value / series.at(row, column - 2) /
                1000;  // of the succeeded ones; nan if there are none
      }
      csv += "," + Text(value);
    }
    csv += "\n";
  }
  return csv;
}

}  // namespace tombolo::sim
