#include "sim/bandwidth.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "overlay/rng.h"
#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

// DSL, cable, fibre, cloud.
constexpr std::array<std::uint64_t, 4> kTierBytesPerSecond = {125'000, 2'500'000, 62'500'000,
                                                              125'000'000};
constexpr std::uint64_t kMostBytesPerSecond = 125'000'000'000;  // a terabit per second
constexpr Duration kLongestQueue = Duration::Minutes(1);

std::size_t TierOf(BandwidthModel model) {
  return static_cast<std::size_t>(model) - static_cast<std::size_t>(BandwidthModel::kDsl);
}

}  // namespace

std::optional<std::string> BandwidthOptions::Validate() const {
  if (up_bytes_per_s < 1 || up_bytes_per_s > kMostBytesPerSecond) {
    return "bandwidth.up_bytes_per_s = " + std::to_string(up_bytes_per_s) + ": allowed are 1 to " +
           std::to_string(kMostBytesPerSecond);
  }
  if (queue.us < 0 || queue > kLongestQueue) {
    return "bandwidth.queue_ms = " + NumberText(queue.milliseconds()) + ": allowed are 0 to " +
           NumberText(kLongestQueue.milliseconds());
  }
  const std::array<std::pair<const char*, double>, 4> shares = {{{"dsl_share", dsl_share},
                                                                 {"cable_share", cable_share},
                                                                 {"fibre_share", fibre_share},
                                                                 {"cloud_share", cloud_share}}};
  double sum = 0;
  for (const auto& [key, share] : shares) {
    if (!(share >= 0 && share <= 1)) {
      return std::string("bandwidth.") + key + " = " + NumberText(share) + ": allowed are 0 to 1";
    }
    sum += share;
  }
  if (!(sum > 0)) return "bandwidth.dsl_share = 0: one of the four shares must be above 0";
  return std::nullopt;
}

Bandwidth::Bandwidth(const BandwidthOptions& options, std::uint64_t seed, std::uint32_t peers)
    : model_(options.model),
      seed_(Mix64(seed ^ 0x62616e647769ULL)),
      fixed_bytes_per_s_(options.up_bytes_per_s),
      queue_(options.queue) {
  if (!enabled()) return;
  free_at_.resize(peers);
  const std::array<double, kTiers> shares = {options.dsl_share, options.cable_share,
                                             options.fibre_share, options.cloud_share};
  const double sum = shares[0] + shares[1] + shares[2] + shares[3];
  double cumulated = 0;
  for (std::size_t i = 0; i < kTiers; ++i) {
    cumulated += shares[i];
    tier_limits_[i] = static_cast<std::uint64_t>(cumulated / sum * 4294967296.0);
  }
}

std::uint64_t Bandwidth::UpBytesPerSecond(std::uint32_t peer) const {
  if (model_ == BandwidthModel::kFixed) return fixed_bytes_per_s_;
  if (model_ != BandwidthModel::kMixed) return kTierBytesPerSecond[TierOf(model_)];
  const std::uint64_t draw = Mix64(seed_ + Mix64(peer + 1ULL)) >> 32;
  const auto tier = std::upper_bound(tier_limits_.begin(), tier_limits_.end() - 1, draw);
  return kTierBytesPerSecond[static_cast<std::size_t>(tier - tier_limits_.begin())];
}

std::optional<Duration> Bandwidth::Enqueue(std::uint32_t peer, std::uint32_t bytes, Time now) {
  assert(enabled() && peer < free_at_.size());
  Time& free_at = free_at_[peer];
  const Time start = std::max(free_at, now);
  if (start - now > queue_) {
    ++dropped_;
    return std::nullopt;
  }
  const std::uint64_t rate = UpBytesPerSecond(peer);
  const std::uint64_t us = (std::uint64_t{bytes} * 1'000'000 + rate - 1) / rate;
  free_at = start + Duration::Microseconds(static_cast<std::int64_t>(us));
  return free_at - now;
}

void Bandwidth::AddPeer() {
  if (enabled()) free_at_.emplace_back();
}

}  // namespace tombolo::sim
