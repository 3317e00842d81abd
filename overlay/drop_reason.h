// Why input from another peer was ignored. Hostile or late input is no error: it is counted and
// dropped.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tombolo {

enum class DropReason : std::uint8_t {
  kUnknownRpc,        // an answer that nobody waits for: late, repeated or forged
  kNotJoined,         // the peer is not part of an overlay yet, or has left it
  kUnknownHop,        // an acknowledgement of a hop that is settled
  kDuplicateForward,  // a relayed message seen before
  kTtlExceeded,       // a relayed message out of hops
  kNotLinked,         // a relay message from a peer without a link
  kOverload,          // a bounded table is full
  kRecordRejected,    // a record too large, expired or with an impossible time to live
  kSelf,              // a message that claims to come from ourselves
  kDuplicateGossip,   // a broadcast that came before
  kGossipExpired,     // a broadcast out of time or hops
  kGossipRate,        // more broadcast messages than a link or an origin may send per heartbeat
  kGossipForgotten,   // a broadcast no longer kept for others, for lack of room
  kCount,
};

inline constexpr std::size_t kDropReasons = static_cast<std::size_t>(DropReason::kCount);

inline constexpr std::array<std::string_view, kDropReasons> kDropNames = {
    "unknown_rpc",       "not_joined",      "unknown_hop",
    "duplicate_forward", "ttl_exceeded",    "not_linked",
    "overload",          "record_rejected", "self",
    "duplicate_gossip",  "gossip_expired",  "gossip_rate",
    "gossip_forgotten"};

}  // namespace tombolo
