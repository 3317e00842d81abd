// Load that a world puts on itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "overlay/time.h"
#include "sim/operation.h"

namespace tombolo::sim {

enum class Spacing : std::uint8_t { kFixed, kPoisson };

// Operations of one kind, from random live sources to random live targets or random keys.
struct WorkloadOptions {
  OperationKind kind = OperationKind::kLookup;
  double rate_per_s = 1;  // in the whole world
  Spacing spacing = Spacing::kPoisson;
  Duration start;                                 // since the world's time 0
  Duration duration = Duration::Hours(24 * 365);  // the end itself is not part of it
  std::uint64_t count = ~std::uint64_t{0};        // operations at most
  std::uint32_t payload_bytes = 64;               // of sends, puts and broadcasts
  Duration deadline = Duration::Seconds(30);      // of sends and broadcasts
  std::uint8_t copies = 1;                        // of sends
  std::uint32_t keys = 1000;                      // puts and gets draw from this many keys
  Duration ttl = Duration::Hours(24);             // of puts and broadcasts
  std::uint32_t senders = 0;                      // broadcasts come from this many peers; 0 = any
  bool acknowledge = false;                       // of broadcasts
  std::uint8_t max_hops = 64;                     // likewise
  // Of kind attach: clients that come within ten seconds of the start. An operation moves one, lets
  // it enter or leave a room, or else looks for it from anywhere.
  std::uint32_t clients = 100;
  std::uint32_t rooms = 0;                   // each client begins in one of them
  double move_share = 0.1;                   // of the operations
  double room_share = 0.1;                   // likewise
  Duration reattach = Duration::Seconds(5);  // until the clients of a dead home have another

  std::optional<std::string> Validate() const;
};

}  // namespace tombolo::sim
