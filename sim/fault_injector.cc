#include "sim/fault_injector.h"

#include <algorithm>

#include "sim/distribution.h"
#include "sim/network.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kMostClogs = 4096;
constexpr double kLongestDelayUs = 3600e6;  // Pareto's tail has no end
constexpr std::int64_t kMillion = 1'000'000;

std::uint64_t PairOf(PeerRef a, PeerRef b) {
  const auto [low, high] = std::minmax({Index(a), Index(b)});
  return (static_cast<std::uint64_t>(low) << 32) | high;
}

// Uniform in 1 us to `most`.
Duration UpTo(Duration most, Rng& rng) {
  return {1 + static_cast<std::int64_t>(rng.Below64(static_cast<std::uint64_t>(most.us)))};
}

}  // namespace

FaultInjector::FaultInjector(const FaultOptions& options, std::uint64_t seed)
    : options_(options),
      seed_(Mix64(seed ^ 0x6661756c7473ULL)),
      rng_(Rng::Split(seed, 0x6661756c7473ULL)) {
  Prepare();
}

void FaultInjector::Prepare() {
  on_messages_ = options_.acts_on_messages();
  odd_peers_ = options_.liar_share > 0 || options_.dropper_share > 0 ||
               options_.squeeze_share > 0 || options_.skew_share > 0;
}

double FaultInjector::RateOf(FaultRate rate) const {
  switch (rate) {
    case FaultRate::kFlap:
      return options_.flaps_per_s;
    case FaultRate::kClog:
      return options_.clogs_per_s;
    case FaultRate::kSwizzle:
      return options_.swizzles_per_s;
    case FaultRate::kPartition:
      return options_.partitions_per_s;
    case FaultRate::kCrash:
      return options_.crashes_per_s;
    case FaultRate::kPause:
      return options_.pauses_per_s;
    case FaultRate::kMassJoin:
      return options_.mass_joins_per_s;
    case FaultRate::kMassLeave:
      return options_.mass_leaves_per_s;
  }
  return 0;
}

Fate FaultInjector::FateOf(PeerRef from, std::uint32_t sequence, Time now) const {
  Fate fate;
  if (!IsActive(now)) return fate;
  Rng draws(Mix64(seed_ ^ ((static_cast<std::uint64_t>(Index(from)) << 32) | sequence)));
  fate.dropped = draws.Chance(ChanceParts(options_.drop));
  fate.corrupted = draws.Chance(ChanceParts(options_.corrupt));
  fate.delayed = draws.Chance(ChanceParts(options_.delay));
  fate.reordered = draws.Chance(ChanceParts(options_.reorder));
  fate.duplicated = draws.Chance(ChanceParts(options_.duplicate));
  if (fate.delayed) fate.extra = fate.extra + DrawDelay(draws);
  if (fate.reordered) fate.extra = fate.extra + UpTo(options_.spread, draws);
  if (fate.duplicated) fate.copy_extra = fate.extra + UpTo(options_.spread, draws);
  return fate;
}

Duration FaultInjector::DrawDelay(Rng& rng) const {
  const auto mean_us = static_cast<double>(options_.delay_mean.us);
  const double shape = options_.delay_shape;
  const double us =
      shape > 0 ? Pareto(rng, shape, mean_us * (shape - 1) / shape) : Exponential(rng, mean_us);
  return {static_cast<std::int64_t>(std::min(us, kLongestDelayUs))};
}

Duration FaultInjector::FindWait(PeerRef a, PeerRef b, Time now) const {
  const std::uint64_t pair = PairOf(a, b);
  Time until = now;
  auto clog = std::lower_bound(clogs_.begin(), clogs_.end(), pair, BeforePair);
  for (; clog != clogs_.end() && clog->pair == pair; ++clog) {
    if (clog->from <= now) until = std::max(until, clog->until);
  }
  return until - now;
}

bool FaultInjector::Clog(PeerRef a, PeerRef b, Time from, Time until, Time now) {
  std::erase_if(clogs_, [&](const Clogged& clog) { return clog.until <= now; });
  if (clogs_.size() >= kMostClogs) return false;
  const std::uint64_t pair = PairOf(a, b);
  clogs_.insert(std::lower_bound(clogs_.begin(), clogs_.end(), pair, BeforePair),
                {pair, from, until});
  return true;
}

bool FaultInjector::Drawn(double share, std::uint64_t stream, PeerRef peer) const {
  return share > 0 && Rng::Split(seed_ ^ stream, Index(peer)).Chance(ChanceParts(share));
}

FaultInjector::Clock FaultInjector::ClockOf(PeerRef peer) const {
  if (!Drawn(options_.skew_share, 5, peer)) return {};
  Rng draws = Rng::Split(seed_ ^ 6, Index(peer));
  Clock clock;
  clock.offset = {static_cast<std::int64_t>(
      draws.Below64(static_cast<std::uint64_t>(options_.skew_offset.us) + 1))};
  const auto most = static_cast<std::int64_t>(options_.skew_drift * kMillion);
  clock.drift_ppm =
      static_cast<std::int64_t>(draws.Below(static_cast<std::uint32_t>(2 * most + 1))) - most;
  return clock;
}

Time FaultInjector::Skewed(PeerRef peer, Time host) const {
  const Clock clock = ClockOf(peer);
  __extension__ using Wide = __int128;
  const Wide local = static_cast<Wide>(host.us) * (kMillion + clock.drift_ppm) / kMillion;
  return Time{static_cast<std::int64_t>(local)} + clock.offset;
}

Time FaultInjector::Unskewed(PeerRef peer, Time local) const {
  if (local == kNever) return kNever;
  const Clock clock = ClockOf(peer);
  if (local.us <= clock.offset.us) return Time{};
  __extension__ using Wide = __int128;
  const Wide scaled = static_cast<Wide>(local.us - clock.offset.us) * kMillion;
  const Wide rate = kMillion + clock.drift_ppm;
  const Wide host = (scaled + rate - 1) / rate;
  return host < kNever.us ? Time{static_cast<std::int64_t>(host)} : kNever;
}

void FaultInjector::Pause(PeerRef peer, Time from, Time until) {
  if (pauses_.size() <= Index(peer)) pauses_.resize(Index(peer) + 1U);
  pauses_[Index(peer)] = {from, until};
}

}  // namespace tombolo::sim
