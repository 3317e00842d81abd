// Limits of the link table, and what it counts. Sizes in bytes. Thread rule: plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "overlay/time.h"

namespace tombolo::node {

// A frame with more messages breaks the protocol; what this node says is cut before.
inline constexpr int kMaxFrameMessages = 4096;

struct LinkOptions {
  std::size_t max_connections = 1024;  // all of them; callers beyond it are told FULL
  // Not kept; beyond it the longest unused is closed. At least 2: joining needs some.
  std::size_t max_ephemeral = 256;
  std::size_t max_dials = 64;      // peers being dialled; beyond it messages are dropped
  std::size_t dial_messages = 64;  // waiting for one dial; the latest are dropped
  std::size_t dial_bytes = 256 * 1024;

  Duration dial_deadline = Duration::Seconds(5);    // per address, to a proven connection
  Duration hello_deadline = Duration::Seconds(5);   // from there to the other's hello
  Duration linger = Duration::Seconds(2);           // from our goodbye to the end
  Duration close_spread = Duration{0};              // over which CloseAll parts with links
  Duration ephemeral_hold = Duration::Seconds(30);  // unused; the side that accepted: twice that

  std::size_t max_dial_backs = 4;                       // under way at once, for all peers
  Duration dial_back_interval = Duration::Seconds(60);  // between two for one link
  std::size_t frame_bytes = 64 * 1024;                  // a frame is cut when it has so many
  // Of what the transport has not sent yet. Above kSendHighWater (transport.h) the core hears of it
  // and routes around. From max_queue on messages with a payload are dropped, from twice that on
  // all of them.
  std::size_t max_queue = 4 * 1024 * 1024;
};

// Why a message was not sent, or a connection refused or ended.
enum class LinkCount : std::uint8_t {
  kDials,             // connections begun by this node
  kDialsFailed,       // that did not come up
  kAccepted,          // begun by others
  kGreeted,           // connections that exchanged hellos
  kDuplicates,        // ended since the pair had two
  kRefusedFull,       // connections: no room
  kRefusedMemory,     // connections: the node is over its memory budget
  kRefusedHello,      // connections: a hello that is none, or none in time
  kRefusedSelf,       // connections to ourselves
  kBrokenProtocol,    // connections: frames that may not be
  kIdentityFailed,    // connections: the transport could not prove the other's id
  kIdleClosed,        // ephemeral connections
  kNoLink,            // messages dropped: they need a link that is not there
  kNotDialable,       // messages dropped: nobody knows an address
  kBackingOff,        // messages dropped: dials of the peer have just failed
  kDialOverload,      // messages dropped: too much waits for dials
  kDialLost,          // messages dropped: the dial they waited for failed
  kQueueFull,         // messages dropped: the other side does not read
  kDialBacks,         // dials made since a peer asked for them
  kDialBacksRefused,  // such requests: too many, too often, or for another host
  kFrames,            // written
  kMessages,          // written, in these frames
  kCount,
};

inline constexpr std::size_t kLinkCounts = static_cast<std::size_t>(LinkCount::kCount);
inline constexpr std::array<std::string_view, kLinkCounts> kLinkCountNames = {
    "dials",           "dials_failed",   "accepted",      "greeted",      "duplicates",
    "refused_full",    "refused_memory", "refused_hello", "refused_self", "broken_protocol",
    "identity_failed", "idle_closed",    "no_link",       "not_dialable", "backing_off",
    "dial_overload",   "dial_lost",      "queue_full",    "dial_backs",   "dial_backs_refused",
    "frames",          "messages"};

}  // namespace tombolo::node
