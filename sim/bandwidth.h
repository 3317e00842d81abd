// The uplink of every peer: a rate, and a queue that drops what it cannot hold (drop-tail).
//
// Only the way up is modelled, the narrow one of home lines; a message that is accepted arrives
// after queueing + transmission + the delay of the path. Off by default, and then without memory.
//
// Rates of the presets are those of current access products: DSL 1 Mbit/s up, cable 20, fibre 500,
// cloud 1,000, with a queue of 100 ms. `kMixed` draws a tier per peer by a hash; its shares are the
// user's choice, no measurement. Thread rule: one caller at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "overlay/time.h"

namespace tombolo::sim {

enum class BandwidthModel : std::uint8_t { kNone, kFixed, kDsl, kCable, kFibre, kCloud, kMixed };

struct BandwidthOptions {
  BandwidthModel model = BandwidthModel::kNone;
  std::uint64_t up_bytes_per_s = 1'250'000;      // of kFixed: 10 Mbit/s
  Duration queue = Duration::Milliseconds(100);  // longest wait before transmission
  double dsl_share = 0.25;                       // of kMixed; relative to the sum of the four
  double cable_share = 0.25;
  double fibre_share = 0.25;
  double cloud_share = 0.25;

  // The first broken rule, naming key, value and allowed range; nullopt if all is well.
  std::optional<std::string> Validate() const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(model, up_bytes_per_s, queue, dsl_share, cable_share, fibre_share, cloud_share);
  }
};

class Bandwidth {
 public:
  Bandwidth() = default;
  // Requires valid options.
  Bandwidth(const BandwidthOptions& options, std::uint64_t seed, std::uint32_t peers);

  bool enabled() const { return model_ != BandwidthModel::kNone; }

  // Takes `bytes` of `peer` at `now`, which must not go back per peer. Returns the wait plus the
  // time of transmission, or nullopt (and counts it) if the wait would exceed the queue. Requires
  // enabled().
  std::optional<Duration> Enqueue(std::uint32_t peer, std::uint32_t bytes, Time now);

  // One more peer, with the next index.
  void AddPeer();

  std::uint64_t UpBytesPerSecond(std::uint32_t peer) const;
  std::uint64_t dropped() const { return dropped_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(model_, seed_, fixed_bytes_per_s_, queue_, tier_limits_, free_at_, dropped_);
  }

 private:
  static constexpr std::size_t kTiers = 4;

  BandwidthModel model_ = BandwidthModel::kNone;
  std::uint64_t seed_ = 0;
  std::uint64_t fixed_bytes_per_s_ = 0;
  Duration queue_;
  std::array<std::uint64_t, kTiers> tier_limits_{};  // cumulated shares of kMixed, parts of 2^32
  std::vector<Time> free_at_;                        // when each uplink has sent all it holds
  std::uint64_t dropped_ = 0;
};

}  // namespace tombolo::sim
