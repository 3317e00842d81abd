#include "sim/latency.h"

#include <cassert>
#include <cmath>

#include "sim/distribution.h"
#include "sim/math.h"
#include "sim/shipped_data.h"

namespace tombolo::sim {
namespace {

// Longer delays of the lognormal tail count as this; it also keeps the arithmetic in range.
constexpr double kLongestUs = 1e9;

// Two peers at one point: round trip of a local network.
constexpr double kLocalRttMs = 0.2;
constexpr double kLocalSpanMs = 1.8;

std::int64_t Rounded(double us) { return static_cast<std::int64_t>(std::floor(us + 0.5)); }

}  // namespace

Latency::Latency(const LatencyOptions& options, std::uint64_t seed)
    : model_(options.model),
      is_varied_(options.jitter_fraction > 0 || options.jitter.us > 0 || options.asymmetry > 0),
      seed_(Mix64(seed ^ 0x6c6174656e6379ULL)),
      floor_us_(options.floor.us),
      first_us_(options.one_way.us),
      sigma_(options.sigma),
      asymmetry_(options.asymmetry),
      jitter_fraction_(options.jitter_fraction),
      jitter_us_(static_cast<double>(options.jitter.us)) {
  if (model_ == LatencyModel::kUniform) {
    first_us_ = options.shortest.us;
    span_us_ = options.longest.us - options.shortest.us;
  } else if (model_ == LatencyModel::kLognormal) {
    first_us_ = options.median.us;
  }
  LoadTables(options);
  is_plain_constant_ = model_ == LatencyModel::kConstant && !is_varied_;
  if (model_ == LatencyModel::kConstant) first_us_ = std::max(first_us_, floor_us_);
  const double least = static_cast<double>(LeastPairUs()) * (1 - asymmetry_);
  minimum_us_ = std::max(is_varied_ ? Rounded(least) : LeastPairUs(), floor_us_);
}

void Latency::LoadTables(const LatencyOptions& options) {
  if (model_ == LatencyModel::kMatrix) {
    matrix_ = options.matrix;
  } else if (model_ == LatencyModel::kCloud) {
    matrix_ = ParseRttMatrix(CloudMatrixText(), "cloud");
  } else if (model_ == LatencyModel::kCoordinates) {
    points_ = options.points.count > 0 ? options.points
                                       : ParseLatencyPoints(InternetPointsText(), "internet");
  }
  assert(!IsMatrix() || matrix_.hosts > 0);
  assert(model_ != LatencyModel::kCoordinates || points_.count > 0);
}

// A lower bound of every pair's delay. For points and lognormal there is none but the floor.
std::int64_t Latency::LeastPairUs() const {
  if (IsMatrix()) return *std::min_element(matrix_.one_way_us.begin(), matrix_.one_way_us.end());
  const bool is_bounded = model_ == LatencyModel::kConstant || model_ == LatencyModel::kUniform;
  return is_bounded ? first_us_ : 1;
}

std::uint64_t Latency::PairHash(std::uint32_t a, std::uint32_t b) const {
  const auto [low, high] = std::minmax(a, b);
  return Mix64(seed_ ^ Mix64((static_cast<std::uint64_t>(low) << 32) | high));
}

std::uint32_t Latency::PointOf(std::uint32_t peer) const {
  const std::uint64_t word = Mix64(seed_ + Mix64(peer + 1ULL));
  return static_cast<std::uint32_t>(((word >> 32) * points_.count) >> 32);
}

std::int64_t Latency::ModelUs(std::uint32_t from, std::uint32_t to) const {
  switch (model_) {
    case LatencyModel::kUniform: {
      Rng rng(PairHash(from, to));
      return first_us_ +
             static_cast<std::int64_t>(rng.Below64(static_cast<std::uint64_t>(span_us_) + 1));
    }
    case LatencyModel::kLognormal: {
      Rng rng(PairHash(from, to));
      const double us = Lognormal(rng, static_cast<double>(first_us_), sigma_);
      return Rounded(std::min(us, kLongestUs));
    }
    case LatencyModel::kCoordinates:
      return PointsUs(from, to);
    case LatencyModel::kConstant:
    case LatencyModel::kMatrix:
    case LatencyModel::kCloud:
      break;
  }
  return first_us_;
}

std::int64_t Latency::PointsUs(std::uint32_t from, std::uint32_t to) const {
  const std::uint32_t i = PointOf(from);
  const std::uint32_t j = PointOf(to);
  double rtt_ms = points_.RttMs(i, j);
  if (i == j) rtt_ms += kLocalRttMs + kLocalSpanMs * UnitOf(PairHash(from, to));
  return Rounded(rtt_ms * 500);
}

Duration Latency::Steady(std::uint32_t from, std::uint32_t to) const {
  if (is_plain_constant_) return {first_us_};
  return {Bounded(TiltedUs(PairUs(from, to), from, to))};
}

double Latency::TiltedUs(std::int64_t us, std::uint32_t from, std::uint32_t to) const {
  const auto delay = static_cast<double>(us);
  if (asymmetry_ <= 0) return delay;
  const double tilt = asymmetry_ * (2 * UnitOf(Mix64(PairHash(from, to))) - 1);
  return delay * (from < to ? 1 + tilt : 1 - tilt);
}

std::int64_t Latency::Bounded(double us) const {
  return std::max(Rounded(std::min(us, kLongestUs)), floor_us_);
}

std::int64_t Latency::VariedUs(std::int64_t us, std::uint32_t from, std::uint32_t to,
                               std::uint64_t salt) const {
  double delay = TiltedUs(us, from, to);
  const double mean = delay * jitter_fraction_ + jitter_us_;
  if (mean > 0) {
    Rng rng(salt ^ seed_);
    // The sum of two exponentials, each of half the mean, is gamma distributed with shape 2.
    // Nested, as the order of evaluation of operands is not fixed.
    const double first = Uniform01(rng);
    delay -= 0.5 * mean * Log(first * Uniform01(rng));
  }
  return Bounded(delay);
}

}  // namespace tombolo::sim
