// The local name of a peer.
#pragma once

#include <cstdint>

namespace tombolo {

// An index into the host's Directory: 4 bytes where an id takes 20. Local to one directory, never
// sent to another machine, and never used to order anything: order comes from ids alone.
enum class PeerRef : std::uint32_t { kNone = 0xffffffffU };

constexpr std::uint32_t Index(PeerRef ref) { return static_cast<std::uint32_t>(ref); }

}  // namespace tombolo
