// Limits of channels, why they end, and what is counted. Sizes in bytes. Thread rule: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "overlay/time.h"

namespace tombolo::node {

// What a channel may have on its way, or wait for its application, at first: either end grants so
// much without having been asked, so that data may follow an open at once.
inline constexpr std::size_t kFirstWindow = 32 * 1024;
// Data of one segment: with all else in it, it stays below 64 KiB.
inline constexpr std::size_t kMaxFragment = 60 * 1024;
inline constexpr std::size_t kMaxServiceBytes = 64;
inline constexpr std::size_t kMaxResetBytes = 128;

struct ChannelOptions {
  std::size_t max_channels = 4096;  // more are refused with kOverload
  std::size_t max_per_peer = 1024;  // likewise
  // One channel holds at most this much for the application, and as much from it. It begins with
  // kFirstWindow and doubles as long as it is used up quickly.
  std::size_t max_window = 1024 * 1024;
  // Sum of the windows of all channels. What no longer fits does not grow, or is refused.
  std::size_t max_memory = 256 * 1024 * 1024;
  // Without a word from the other side: asked at a quarter of it, reset with kTimeout at its end.
  Duration silence = Duration::Seconds(20);
};

// The numbers are those of the wire (proto/control.proto).
enum class ResetReason : std::uint8_t {
  kUnspecified,
  kCancelled,  // the application has given it up
  kNoService,  // nobody accepts it
  kRefused,    // by the service
  kOverload,   // a limit
  kTimeout,    // the other side was silent
  kProtocol,   // the other side broke the protocol
  kLeaving,    // a node of the two is stopping
  kUnknown,    // the other side knows no such channel
};

inline constexpr std::array<std::string_view, 9> kResetReasonNames = {
    "unspecified", "cancelled", "no_service", "refused", "overload",
    "timeout",     "protocol",  "leaving",    "unknown"};

enum class ChannelCount : std::uint8_t {
  kOpened,          // by this node
  kAccepted,        // opened by others
  kClosed,          // that ended well
  kResetHere,       // by this side, whatever the reason
  kResetThere,      // by the other side
  kTimeouts,        // of the former: the other side was silent
  kBroken,          // of the former: the other side broke the protocol
  kRefusedService,  // opens of others: nobody accepts the service
  kRefusedFull,     // opens, of either side: a limit of number or memory
  kUnknown,         // segments of channels that are not there
  kMalformed,       // segments that may not be
  kDuplicates,      // segments with nothing new in them
  kHeld,            // segments that came behind a gap
  kDropped,         // of the former: no room to hold them
  kSegmentsOut,
  kSegmentsIn,
  kBytesOut,     // of applications, without what is repeated
  kBytesIn,      // likewise
  kBytesAgain,   // sent once more
  kPathChanges,  // channels that went on over another path
  kGrown,        // windows doubled
  kNotGrown,     // windows that would have been, but for the limit of memory
  kCount,
};

inline constexpr std::size_t kChannelCounts = static_cast<std::size_t>(ChannelCount::kCount);
inline constexpr std::array<std::string_view, kChannelCounts> kChannelCountNames = {
    "opened",      "accepted",        "closed",       "reset_here",  "reset_there", "timeouts",
    "broken",      "refused_service", "refused_full", "unknown",     "malformed",   "duplicates",
    "held",        "dropped",         "segments_out", "segments_in", "bytes_out",   "bytes_in",
    "bytes_again", "path_changes",    "grown",        "not_grown"};

}  // namespace tombolo::node
