// The promises that must hold at every moment, whatever the faults: looks at every message that a
// peer sends, and at the sizes of what peers hold.
//
//   S4  no forwarding loop: a greedy hop comes XOR-closer to the target, every hop takes from the
//       ttl, and no peer hands the same copy of a message to the same peer again and again
//   S7  everything is bounded: links, dials, hops, sends, lookups, records, neighbours
//
// Thread rule: one caller at a time. Errors: none; what is wrong is a Violation.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>

#include "sim/swarm_ledger.h"
#include "sim/world.h"

namespace tombolo::sim {

class SafetyWatch {
 public:
  // Takes the messages that the world has logged since the last call.
  std::optional<Violation> CheckMessages(World& world);

  // Looks into every live peer.
  static std::optional<Violation> CheckBounds(const World& world);

 private:
  // One copy of a message between two peers.
  struct Passage {
    std::uint64_t id;
    PeerRef from;
    PeerRef to;
    std::uint8_t copy;
    auto operator<=>(const Passage&) const = default;
  };

  std::optional<Violation> CheckForward(const World& world, const LoggedMessage& logged,
                                        const Forward& forward);

  std::map<Passage, std::uint32_t> passages_;
};

}  // namespace tombolo::sim
