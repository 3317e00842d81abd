#include "sim/network.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "overlay/rng.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kEphemeralPerPeer = 4;
constexpr std::size_t kMaxEphemeral = 1U << 20;

std::uint64_t Pair(PeerRef a, PeerRef b) {
  const auto [low, high] = std::minmax({Index(a), Index(b)});
  return (static_cast<std::uint64_t>(low) << 32) | high;
}

}  // namespace

Network::Network(const NetworkOptions& options)
    : latency_(options.latency, options.seed),
      bandwidth_(options.bandwidth, options.seed, options.peers),
      seed_(Mix64(options.seed ^ 0x6e6574776f726bULL)),
      loss_parts_(ChanceParts(options.loss)),
      dead_link_parts_(ChanceParts(options.dead_links)),
      ephemeral_hold_(options.ephemeral_hold) {
  is_plain_ = IsPlain();
  if (options.track_ephemeral) {
    ephemeral_.resize(std::min(std::bit_ceil(kEphemeralPerPeer * options.peers), kMaxEphemeral));
  }
}

std::uint64_t Network::Salt(PeerRef from, std::uint32_t sequence) const {
  return Mix64(seed_ ^ ((static_cast<std::uint64_t>(Index(from)) << 32) | sequence));
}

Duration Network::CarryOver(PeerRef from, PeerRef to, std::uint32_t sequence, std::uint32_t bytes,
                            Time now) {
  const std::uint64_t salt = Salt(from, sequence);
  if (loss_parts_ > 0 && (salt >> 32) < loss_parts_) return kLost;
  Duration delay = latency_.OneWay(Index(from), Index(to), salt);
  if (bandwidth_.enabled()) {
    const std::optional<Duration> queued = bandwidth_.Enqueue(Index(from), bytes, now);
    if (!queued) return kLost;
    delay = delay + *queued;
  }
  return delay;
}

Duration Network::Delay(PeerRef from, PeerRef to) const {
  return latency_.Steady(Index(from), Index(to));
}

bool Network::IsDeadLink(PeerRef a, PeerRef b) const {
  return dead_link_parts_ > 0 && (Mix64(seed_ ^ Mix64(Pair(a, b))) >> 32) < dead_link_parts_;
}

std::size_t Network::EphemeralIndex(std::uint64_t pair) const {
  return Mix64(pair) & (ephemeral_.size() - 1);
}

bool Network::HasEphemeral(PeerRef from, PeerRef to, Time now) const {
  if (ephemeral_.empty()) return false;
  const std::uint64_t pair = Pair(from, to);
  const Ephemeral& entry = ephemeral_[EphemeralIndex(pair)];
  return entry.pair == pair && entry.until >= now;
}

bool Network::UseEphemeral(PeerRef from, PeerRef to, Time now) {
  if (ephemeral_.empty()) return true;
  const bool kept = HasEphemeral(from, to, now);
  const std::uint64_t pair = Pair(from, to);
  ephemeral_[EphemeralIndex(pair)] = {pair, now + ephemeral_hold_};
  return !kept;
}

void Network::AddPeer() { bandwidth_.AddPeer(); }

}  // namespace tombolo::sim
