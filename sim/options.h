// Everything that defines a simulated world. Equal options give equal runs, bit for bit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "overlay/config.h"
#include "overlay/time.h"
#include "sim/bandwidth.h"
#include "sim/churn.h"
#include "sim/faults.h"
#include "sim/latency.h"

namespace tombolo::sim {

enum class StartMode : std::uint8_t {
  kBuilt,  // exact tables (and links) at time 0, every bucket fresh
  kJoin,   // peer 0 founds the overlay, the others join through it one after the other
};

// Whom the peers of StartMode::kJoin are told to join through.
enum class JoinThrough : std::uint8_t {
  kFounder,  // peer 0
  kEarlier,  // a random one whose turn came before
};

inline constexpr std::uint32_t kMaxPeers = 1U << 26;
inline constexpr std::size_t kMaxIslands = 64;
inline constexpr std::uint32_t kMaxRingTurns = 8;

struct WorldOptions {
  std::uint32_t peers = 1000;
  std::uint64_t seed = 1;
  StartMode start = StartMode::kBuilt;
  Duration join_spacing = Duration::Milliseconds(20);  // between joins of StartMode::kJoin
  JoinThrough join_through = JoinThrough::kFounder;
  Config core;
  LatencyOptions latency;
  BandwidthOptions bandwidth;
  ChurnOptions churn;
  FaultOptions faults;
  double loss = 0;           // share of messages lost on the way, each independently
  double nat_share = 0;      // share of peers that cannot be dialled
  double dead_share = 0;     // share of peers dead at time 0 but still in the tables of the others
  double missing_share = 0;  // share of the contacts that are left out of the built tables
  // Sizes of islands that are built separately and know nothing of each other, `peers` in all;
  // empty = one island.
  std::vector<std::uint32_t> islands;
  // How often the built rings go round the id space: 1 is right. More is loopy: each peer takes the
  // one after next (of 2 turns) for its successor, which all of them find consistent.
  std::uint32_t ring_turns = 1;
  double dead_links =
      0;  // share of the pairs whose links carry nothing although both ends believe in them
  Duration keepalive_timeout = Duration::Seconds(10);  // until a cut link is noticed
  Duration ephemeral_hold =
      Duration::Seconds(30);  // how long a link dialled for one message is kept

  // The first broken rule, naming key, value and allowed range; nullopt if all is well.
  std::optional<std::string> Validate() const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(peers, seed, start, join_spacing, join_through, core, latency, bandwidth, churn, faults,
            loss, nat_share, dead_share, missing_share, islands, ring_turns, dead_links,
            keepalive_timeout, ephemeral_hold);
  }
};

}  // namespace tombolo::sim
