// The delay of a message between two peers, by the model of sim/latency_options.h.
//
// Stateless: the delay of a pair is a hash of (seed, pair), its jitter a hash of the message, so
// that no memory per pair is needed and the order of calls does not matter. Peers map to the tables
// like this:
//   matrix, cloud   host = peer % hosts, as in published benchmarks
//   coordinates     point = hash of (seed, peer); two peers at one point are hosts of one site:
//   their
//                   access delays plus a local round trip of 0.2 to 2 ms, by a hash of the pair
//                   (the measured range of hosts of one PlanetLab site)
//
// Thread rule: const calls from anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/rng.h"
#include "overlay/time.h"
#include "sim/latency_options.h"

namespace tombolo::sim {

class Latency {
 public:
  Latency() = default;
  // Requires valid options.
  Latency(const LatencyOptions& options, std::uint64_t seed);

  // `salt` differs per message; without jitter it does not matter. At least the floor, at least 1
  // us.
  Duration OneWay(std::uint32_t from, std::uint32_t to, std::uint64_t salt) const {
    if (is_plain_constant_) return {first_us_};
    const std::int64_t us = PairUs(from, to);
    return {is_varied_ ? VariedUs(us, from, to, salt) : std::max(us, floor_us_)};
  }

  // The same without jitter.
  Duration Steady(std::uint32_t from, std::uint32_t to) const;

  // Every message takes minimum().
  bool is_plain_constant() const { return is_plain_constant_; }

  // No message is faster: the lookahead of parallel runs.
  Duration minimum() const { return {minimum_us_}; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(model_, is_plain_constant_, is_varied_, seed_, floor_us_, minimum_us_, first_us_,
            span_us_, sigma_, asymmetry_, jitter_fraction_, jitter_us_, matrix_, points_);
  }

 private:
  std::int64_t PairUs(std::uint32_t from, std::uint32_t to) const {
    return IsMatrix() ? matrix_.OneWay(from % matrix_.hosts, to % matrix_.hosts).us
                      : ModelUs(from, to);
  }
  bool IsMatrix() const {
    return model_ == LatencyModel::kMatrix || model_ == LatencyModel::kCloud;
  }
  std::int64_t ModelUs(std::uint32_t from, std::uint32_t to) const;
  std::int64_t PointsUs(std::uint32_t from, std::uint32_t to) const;
  double TiltedUs(std::int64_t us, std::uint32_t from, std::uint32_t to) const;
  std::int64_t Bounded(double us) const;
  std::int64_t VariedUs(std::int64_t us, std::uint32_t from, std::uint32_t to,
                        std::uint64_t salt) const;
  std::uint64_t PairHash(std::uint32_t a, std::uint32_t b) const;
  std::uint32_t PointOf(std::uint32_t peer) const;
  void LoadTables(const LatencyOptions& options);
  std::int64_t LeastPairUs() const;

  LatencyModel model_ = LatencyModel::kConstant;
  bool is_plain_constant_ = true;
  bool is_varied_ = false;
  std::uint64_t seed_ = 0;
  std::int64_t floor_us_ = 1;
  std::int64_t minimum_us_ = 1;
  std::int64_t first_us_ = 1;  // the constant, the shortest of uniform, the median of lognormal
  std::int64_t span_us_ = 0;   // width of uniform
  double sigma_ = 0;
  double asymmetry_ = 0;
  double jitter_fraction_ = 0;
  double jitter_us_ = 0;
  RttMatrix matrix_;
  LatencyPoints points_;
};

}  // namespace tombolo::sim
