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
  std::uint32_t payload_bytes = 64;               // of sends and puts
  Duration deadline = Duration::Seconds(30);      // of sends
  std::uint8_t copies = 1;                        // of sends
  std::uint32_t keys = 1000;                      // puts and gets draw from this many keys
  Duration ttl = Duration::Hours(24);             // of puts

  std::optional<std::string> Validate() const;
};

}  // namespace tombolo::sim
