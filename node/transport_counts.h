// What a transport has done and refused since it began, one counter per kind. Thread rule: any
// thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tombolo::node {

enum class TransportCount : std::uint8_t {
  kDials,
  kDialsFailed,
  kAccepted,      // TCP connections taken in
  kOpened,        // connections that came up, either way
  kRefusedTotal,  // connections beyond a limit of AcceptLimits
  kRefusedAddress,
  kRefusedPrefix,
  kRefusedIdentity,  // certificate wrong, or not of the expected id
  kRefusedNetwork,   // network key not proven
  kRefusedList,      // by the allow or deny list
  kHandshakeLost,    // taken in, but no stream came of it in time
  kSilent,           // a stream that did not prove itself or sent no frame in time
  kProtocolErrors,   // bytes that are no frame, or a frame beyond the limit
  kKeepaliveLost,    // as the dialling side sees it; the other side sees a closed connection
  kReadsPaused,      // a connection brought more than its rate
  kFramesReceived,
  kBytesReceived,
  kFramesSent,
  kBytesSent,
  kWrites,  // several frames may share one
  kCount,
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(TransportCount::kCount)>
    kTransportCountNames = {
        "dials",           "dials_failed",   "accepted",         "opened",          "refused_total",
        "refused_address", "refused_prefix", "refused_identity", "refused_network", "refused_list",
        "handshake_lost",  "silent",         "protocol_errors",  "keepalive_lost",  "reads_paused",
        "frames_received", "bytes_received", "frames_sent",      "bytes_sent",      "writes",
};

class TransportCounts {
 public:
  void Add(TransportCount kind, std::uint64_t amount = 1) {
    counts_[static_cast<std::size_t>(kind)].fetch_add(amount, std::memory_order_relaxed);
  }
  std::uint64_t operator[](TransportCount kind) const {
    return counts_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(TransportCount::kCount)>
      counts_{};
};

}  // namespace tombolo::node
