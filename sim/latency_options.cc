#include "sim/latency_options.h"

#include <array>
#include <utility>

#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

constexpr Duration kLongest = Duration::Seconds(100);

std::optional<std::string> CheckTime(const char* key, Duration value, Duration least) {
  if (value >= least && value <= kLongest) return std::nullopt;
  return std::string("latency.") + key + " = " + NumberText(value.milliseconds()) +
         " ms: allowed are " + NumberText(least.milliseconds()) + " to " +
         NumberText(kLongest.milliseconds()) + " ms";
}

// Written so that a number that is none is refused too.
std::optional<std::string> CheckNumber(const char* key, double value, double most) {
  if (value >= 0 && value <= most) return std::nullopt;
  return std::string("latency.") + key + " = " + NumberText(value) + ": allowed are 0 to " +
         NumberText(most);
}

std::optional<std::string> CheckTables(const LatencyOptions& options) {
  if (options.model == LatencyModel::kMatrix) {
    if (!options.matrix.ok()) return options.matrix.error;
    if (options.matrix.hosts == 0) {
      return "latency.file = \"" + options.file +
             "\": model matrix needs a file of round-trip times";
    }
  }
  if (options.model == LatencyModel::kCoordinates && !options.points.ok()) {
    return options.points.error;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> LatencyOptions::LoadFile() {
  if (file.empty()) return std::nullopt;
  if (model == LatencyModel::kMatrix) {
    matrix = ReadRttMatrix(file, unit);
    if (!matrix.ok()) return matrix.error;
  } else if (model == LatencyModel::kCoordinates) {
    points = ReadLatencyPoints(file);
    if (!points.ok()) return points.error;
  }
  return std::nullopt;
}

std::optional<std::string> LatencyOptions::Validate() const {
  constexpr Duration kLeast = Duration::Microseconds(1);
  const std::array<std::pair<const char*, std::pair<Duration, Duration>>, 6> times = {{
      {"one_way_ms", {one_way, kLeast}},
      {"shortest_ms", {shortest, kLeast}},
      {"longest_ms", {longest, shortest}},
      {"median_ms", {median, kLeast}},
      {"jitter_ms", {jitter, Duration{}}},
      {"floor_ms", {floor, kLeast}},
  }};
  for (const auto& [key, check] : times) {
    if (auto broken = CheckTime(key, check.first, check.second)) return broken;
  }
  if (auto broken = CheckNumber("sigma", sigma, 3)) return broken;
  if (auto broken = CheckNumber("jitter_fraction", jitter_fraction, 10)) return broken;
  if (auto broken = CheckNumber("asymmetry", asymmetry, 0.9)) return broken;
  return CheckTables(*this);
}

}  // namespace tombolo::sim
