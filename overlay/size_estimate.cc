#include "overlay/size_estimate.h"

#include <algorithm>
#include <limits>

namespace tombolo {
namespace {

std::int32_t Seconds(Time at) { return static_cast<std::int32_t>(at.us / 1'000'000); }

}  // namespace

std::uint32_t SizeEstimate::FromFarthest(std::size_t count, const NodeId& farthest) {
  __extension__ using Wide = unsigned __int128;
  constexpr Wide kMost = std::numeric_limits<std::uint32_t>::max();
  if (count < 2) return static_cast<std::uint32_t>(count);
  const Wide peers = (static_cast<Wide>(count - 1) << 64) / (Wide{farthest.prefix64()} + 1);
  return static_cast<std::uint32_t>(std::min(peers, kMost));
}

bool SizeEstimate::Add(std::uint32_t peers, std::size_t k, Time now) {
  const std::int32_t oldest = Seconds(now - kMaxAge);
  std::erase_if(samples_, [&](const Sample& sample) { return sample.at_s < oldest; });
  if (samples_.size() == kSamples) samples_.erase(samples_.begin());
  samples_.push_back({peers, Seconds(now)});
  if (!Dropped(k)) return false;
  samples_.erase(samples_.begin(), samples_.end() - std::ptrdiff_t{kRecent});
  return true;
}

std::uint32_t SizeEstimate::Mean(Time now) const {
  const std::int32_t oldest = Seconds(now - kMaxAge);
  const auto fresh = std::find_if(samples_.begin(), samples_.end(),
                                  [&](const Sample& sample) { return sample.at_s >= oldest; });
  const Sample* first = samples_.data() + (fresh - samples_.begin());
  const Sample* last = samples_.data() + samples_.size();
  return static_cast<std::uint32_t>(MeanOf(first, last));
}

std::uint64_t SizeEstimate::MeanOf(const Sample* first, const Sample* last) {
  if (first == last) return 0;
  std::uint64_t sum = 0;
  for (const Sample* sample = first; sample != last; ++sample) sum += sample->peers;
  return sum / static_cast<std::uint64_t>(last - first);
}

// If nothing has changed, both means scatter around the same size n, with variances
// n^2 / ((k - 2) samples); their difference has the sum of the two.
bool SizeEstimate::Dropped(std::size_t k) const {
  if (samples_.size() < 2 * kRecent || k < 3) return false;
  const Sample* recent = samples_.data() + samples_.size() - kRecent;
  const std::size_t older = samples_.size() - kRecent;
  const std::uint64_t before = MeanOf(samples_.data(), recent);
  const std::uint64_t now = MeanOf(recent, recent + kRecent);
  if (now >= before) return false;
  const std::uint64_t drop = ((before - now) << 16) / before;  // as a share of 2^16
  return drop * drop * (k - 2) * older * kRecent > (std::uint64_t{9} << 32) * (older + kRecent);
}

}  // namespace tombolo
