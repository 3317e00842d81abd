// Network coordinates: hosts as points in a few dimensions, plus the delay of each one's access
// line.
//
// rtt(i, j) = |x_i - x_j| + access_i + access_j, in milliseconds of round trip. The files are
// written by `python -m tombolo.latency fit`: a row per host, its coordinates, last its access
// delay.
//
// Errors: the text in `error`, "FILE:LINE: what, what is allowed". Thread rule: plain values.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tombolo::sim {

struct LatencyPoints {
  std::uint32_t count = 0;
  std::uint32_t dimensions = 0;
  std::vector<double> values;  // row-major, dimensions + 1 numbers per point
  std::string error;           // empty if all is well

  bool ok() const { return error.empty(); }
  const double* point(std::uint32_t index) const {
    return values.data() + static_cast<std::size_t>(index) * (dimensions + 1);
  }
  // Of two hosts at these points.
  double RttMs(std::uint32_t i, std::uint32_t j) const {
    const double* a = point(i);
    const double* b = point(j);
    double square = 0;
    for (std::uint32_t d = 0; d < dimensions; ++d) square += (a[d] - b[d]) * (a[d] - b[d]);
    return std::sqrt(square) + a[dimensions] + b[dimensions];
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(count, dimensions, values);
  }
};

inline constexpr std::uint32_t kMaxDimensions = 8;
inline constexpr double kMaxCoordinateMs = 1e5;

LatencyPoints ReadLatencyPoints(const std::string& path);
LatencyPoints ParseLatencyPoints(std::string_view text, const std::string& name);

}  // namespace tombolo::sim
