#include "sim/fault_injector.h"

#include <algorithm>

#include "sim/distribution.h"
#include "sim/network.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kMostClogs = 4096;
constexpr std::size_t kMostHalfOpens = 4096;
constexpr std::size_t kMostBreaks = 65'536;
constexpr Duration kLongestFlight = Duration::Minutes(1);  // what is slower outlives its link
constexpr double kLongestDelayUs = 3600e6;                 // Pareto's tail has no end
constexpr std::int64_t kMillion = 1'000'000;

std::uint64_t PairOf(PeerRef a, PeerRef b) {
  const auto [low, high] = std::minmax({Index(a), Index(b)});
  return (static_cast<std::uint64_t>(low) << 32) | high;
}

std::uint64_t PathOf(PeerRef from, PeerRef to) {
  return (static_cast<std::uint64_t>(Index(from)) << 32) | Index(to);
}

// By path, in the order of those vectors.
template <class Row>
auto LowerBound(std::vector<Row>& rows, std::uint64_t path) {
  return std::lower_bound(rows.begin(), rows.end(), path,
                          [](const Row& row, std::uint64_t p) { return row.path < p; });
}

// Sequences count up and begin anew after 2^32.
bool IsBefore(std::uint32_t sequence, std::uint32_t other) {
  return static_cast<std::int32_t>(sequence - other) < 0;
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
               options_.squeeze_share > 0 || options_.false_digest_share > 0;
  odd_clocks_ = options_.skew_share > 0 || options_.clock_jumps_per_s > 0;
  on_arrivals_ = options_.half_opens_per_s > 0 || options_.rebinds_per_s > 0 ||
                 options_.resets_per_s > 0 || options_.slow_reader_share > 0;
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
    case FaultRate::kHalfOpen:
      return options_.half_opens_per_s;
    case FaultRate::kReset:
      return options_.resets_per_s;
    case FaultRate::kRebind:
      return options_.rebinds_per_s;
    case FaultRate::kClockJump:
      return options_.clock_jumps_per_s;
  }
  return 0;
}

bool FaultInjector::IsTide(FaultRate rate, Time now) const {
  if (options_.wave.us == 0) return true;
  const bool rises = (now.us - options_.start.us) % options_.wave.us < options_.wave.us / 2;
  return rate == FaultRate::kMassJoin ? rises : rate != FaultRate::kMassLeave || !rises;
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

std::vector<FaultInjector::HalfOpened>::const_iterator FaultInjector::FindHalfOpen(
    PeerRef holder, PeerRef other) const {
  const std::uint64_t path = PathOf(holder, other);
  const auto at =
      std::lower_bound(half_opens_.begin(), half_opens_.end(), path,
                       [](const HalfOpened& row, std::uint64_t p) { return row.path < p; });
  return at != half_opens_.end() && at->path == path ? at : half_opens_.end();
}

bool FaultInjector::HalfOpen(PeerRef holder, PeerRef other, std::uint32_t sequence, Time now) {
  if (half_opens_.size() >= kMostHalfOpens || IsHalfOpen(holder, other)) return false;
  const std::uint64_t path = PathOf(holder, other);
  half_opens_.insert(LowerBound(half_opens_, path), {path, now, sequence});
  return true;
}

bool FaultInjector::EndHalfOpen(PeerRef holder, PeerRef other, std::uint32_t sequence) {
  if (half_opens_.empty()) return false;
  const auto at = FindHalfOpen(holder, other);
  if (at == half_opens_.end() || IsBefore(sequence, at->sequence)) return false;
  half_opens_.erase(at);
  return true;
}

std::vector<PeerRef> FaultInjector::EndHalfOpens(PeerRef holder, Time since) {
  std::vector<PeerRef> others;
  std::erase_if(half_opens_, [&](const HalfOpened& row) {
    if (row.path >> 32 != Index(holder) || row.since > since) return false;
    others.push_back(static_cast<PeerRef>(row.path & 0xffffffffU));
    return true;
  });
  return others;
}

void FaultInjector::Break(PeerRef from, PeerRef to, std::uint32_t sequence, Time now) {
  std::erase_if(breaks_, [&](const Broken& row) { return row.at + kLongestFlight < now; });
  const std::uint64_t path = PathOf(from, to);
  const auto at = LowerBound(breaks_, path);
  if (at != breaks_.end() && at->path == path) {
    *at = {path, now, sequence};
  } else if (breaks_.size() < kMostBreaks) {
    breaks_.insert(at, {path, now, sequence});
  }
}

bool FaultInjector::IsBroken(PeerRef from, PeerRef to, std::uint32_t sequence) const {
  if (breaks_.empty()) return false;
  const std::uint64_t path = PathOf(from, to);
  const auto at = std::lower_bound(breaks_.begin(), breaks_.end(), path,
                                   [](const Broken& row, std::uint64_t p) { return row.path < p; });
  return at != breaks_.end() && at->path == path && IsBefore(sequence, at->sequence);
}

// What waits when the faults end is read in its turn, and whatever comes by then after it.
Time FaultInjector::ReadTime(PeerRef peer, Time now) {
  if (!Drawn(options_.slow_reader_share, 8, peer)) return now;
  if (read_at_.size() <= Index(peer)) read_at_.resize(Index(peer) + 1U);
  Time& next = read_at_[Index(peer)];
  const Time at = std::max(now, next);
  if (!IsActive(now)) return at;
  const Duration gap{static_cast<std::int64_t>(1e6 / options_.read_per_s)};
  if (at - now > gap * kMostUnread) return kNever;
  next = at + gap;
  return at;
}

std::uint32_t FaultInjector::NetworkOf(PeerRef peer) const {
  return Rng::Split(seed_ ^ 9, Index(peer)).Below(options_.networks);
}

std::vector<std::uint16_t> FaultInjector::CutOff(PeerRef peer, std::uint32_t peers) const {
  const std::uint32_t network = NetworkOf(peer);
  std::vector<std::uint16_t> islands(peers);
  for (std::uint32_t i = 0; i < peers; ++i)
    islands[i] = NetworkOf(static_cast<PeerRef>(i)) == network ? 1 : 0;
  return islands;
}

bool FaultInjector::Drawn(double share, std::uint64_t stream, PeerRef peer) const {
  return share > 0 && Rng::Split(seed_ ^ stream, Index(peer)).Chance(ChanceParts(share));
}

FaultInjector::Clock FaultInjector::ClockOf(PeerRef peer) const {
  Clock clock;
  if (Index(peer) < leaps_.size()) clock.offset = leaps_[Index(peer)];
  if (!Drawn(options_.skew_share, 5, peer)) return clock;
  Rng draws = Rng::Split(seed_ ^ 6, Index(peer));
  clock.offset = clock.offset + Duration{static_cast<std::int64_t>(draws.Below64(
                                    static_cast<std::uint64_t>(options_.skew_offset.us) + 1))};
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

void FaultInjector::Leap(PeerRef peer, Duration span) {
  if (leaps_.size() <= Index(peer)) leaps_.resize(Index(peer) + 1U);
  leaps_[Index(peer)] = std::min(leaps_[Index(peer)] + span, kMostLeap);
}

void FaultInjector::Pause(PeerRef peer, Time from, Time until) {
  if (pauses_.size() <= Index(peer)) pauses_.resize(Index(peer) + 1U);
  pauses_[Index(peer)] = {from, until};
}

}  // namespace tombolo::sim
