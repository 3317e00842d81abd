// What happens to a message between two peers: time, loss, and who can reach whom.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/time.h"
#include "sim/bandwidth.h"
#include "sim/latency.h"

namespace tombolo::sim {

// Probability `share` as parts of 2^32, for comparisons of integers. Requires 0 <= share <= 1.
constexpr std::uint64_t ChanceParts(double share) {
  return static_cast<std::uint64_t>(share * 4294967296.0);
}

struct NetworkOptions {
  LatencyOptions latency;
  BandwidthOptions bandwidth;
  double loss = 0;
  double dead_links = 0;
  Duration ephemeral_hold;
  bool track_ephemeral = false;
  std::uint64_t seed = 0;
  std::uint32_t peers = 0;
};

// Every draw is a hash of (seed, sender, sender's sequence), so that results depend neither on the
// order of events nor on the number of threads. Thread rule: one caller at a time.
class Network {
 public:
  Network() = default;
  explicit Network(const NetworkOptions& options);

  // In place of a delay. A number, since an optional would be put together in memory only to be
  // taken apart again, with every message.
  static constexpr Duration kLost{-1};

  // The one-way delay of the `sequence`-th transmission of `from`, of `bytes` bytes sent at `now`;
  // kLost if it is lost.
  Duration Carry(PeerRef from, PeerRef to, std::uint32_t sequence, std::uint32_t bytes, Time now) {
    return is_plain_ ? latency_.minimum() : CarryOver(from, to, sequence, bytes, now);
  }

  // The delay of news about a connection: they are neither lost nor do they overtake each other, so
  // they have no jitter.
  Duration Delay(PeerRef from, PeerRef to) const;

  // True if the link between the two carries nothing although both ends believe in it.
  bool IsDeadLink(PeerRef a, PeerRef b) const;

  // Notes an exchange over a link made for it. True if the link had to be dialled.
  bool UseEphemeral(PeerRef from, PeerRef to, Time now);
  // True if a link made for an earlier exchange between the two is still kept.
  bool HasEphemeral(PeerRef from, PeerRef to, Time now) const;
  bool tracks_ephemeral() const { return !ephemeral_.empty(); }

  void AddPeer();

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(latency_, bandwidth_, seed_, loss_parts_, dead_link_parts_, ephemeral_hold_,
            ephemeral_);
    if constexpr (Archive::kReading) is_plain_ = IsPlain();
  }

 private:
  struct Ephemeral {
    std::uint64_t pair = ~std::uint64_t{0};
    Time until;
  };

  bool IsPlain() const {
    return latency_.is_plain_constant() && loss_parts_ == 0 && !bandwidth_.enabled();
  }
  Duration CarryOver(PeerRef from, PeerRef to, std::uint32_t sequence, std::uint32_t bytes,
                     Time now);
  std::uint64_t Salt(PeerRef from, std::uint32_t sequence) const;
  std::size_t EphemeralIndex(std::uint64_t pair) const;

  Latency latency_;
  Bandwidth bandwidth_;
  bool is_plain_ = false;  // every message takes the same time
  std::uint64_t seed_ = 0;
  std::uint64_t loss_parts_ = 0;
  std::uint64_t dead_link_parts_ = 0;
  Duration ephemeral_hold_;
  std::vector<Ephemeral>
      ephemeral_;  // direct-mapped, a bounded memory of links; empty = not tracked
};

}  // namespace tombolo::sim
