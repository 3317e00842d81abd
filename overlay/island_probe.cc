#include "overlay/island_probe.h"

#include <cassert>

namespace tombolo {
namespace {

Duration UpTo(Duration most, Rng& rng) {
  return Duration{static_cast<std::int64_t>(rng.Below64(static_cast<std::uint64_t>(most.us) + 1))};
}

// From half of the interval to one and a half.
Duration Jittered(Duration interval, Rng& rng) { return interval / 2 + UpTo(interval, rng); }

}  // namespace

Duration IslandProber::Interval(std::uint32_t size, bool boosted, const HealConfig& config) {
  const Duration budget = boosted ? config.probe_interval / config.boost : config.probe_interval;
  const Duration shared = config.probe_spread * static_cast<std::int64_t>(size);
  return std::max(budget, std::min(shared, config.probe_back_off_max));
}

void IslandProber::StartProbing(std::uint32_t size, const PartStep& step) {
  if (probing()) return;
  interval_ = IntervalNow(size, step);
  probe_at_ = step.now + UpTo(interval_, step.rng);
}

void IslandProber::Probed(std::uint32_t size, const PartStep& step) {
  assert(ProbeIsDue(step.now));
  interval_ = IntervalNow(size, step);
  probe_at_ = step.now + Jittered(interval_, step.rng);
}

// In proportion, so that the peers of an island stay as evenly spread as they were.
void IslandProber::Adjust(std::uint32_t size, const PartStep& step) {
  const Duration interval = IntervalNow(size, step);
  if (!probing() || interval >= interval_ || probe_at_ <= step.now) return;
  __extension__ using Wide = __int128;
  const Wide wait = Wide{(probe_at_ - step.now).us} * interval.us / interval_.us;
  probe_at_ = step.now + Duration{static_cast<std::int64_t>(wait)};
  interval_ = interval;
}

bool IslandProber::ClaimExchange(const PartStep& step) {
  if (step.now < exchange_at_) return false;
  exchange_at_ = step.now + Jittered(step.config.heal.exchange_interval, step.rng);
  return true;
}

std::uint32_t IslandProber::Ask(PeerRef peer, const PartStep& step) {
  assert(CanAsk());
  open_.push_back({peer, ++next_rpc_, step.now + step.config.lookup.rpc_timeout});
  return next_rpc_;
}

bool IslandProber::Answered(PeerRef peer, std::uint32_t rpc) {
  const auto asked = std::find_if(open_.begin(), open_.end(), [&](const Question& question) {
    return question.peer == peer && question.rpc == rpc;
  });
  if (asked == open_.end()) return false;
  open_.erase(asked);
  return true;
}

void IslandProber::Expire(const PartStep& step, std::vector<PeerRef>& silent) {
  const auto over = [&](const Question& question) { return question.deadline <= step.now; };
  for (const Question& question : open_) {
    if (over(question)) silent.push_back(question.peer);
  }
  std::erase_if(open_, over);
}

}  // namespace tombolo
