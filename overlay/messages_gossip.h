// What peers say to each other to broadcast (gossip.h has the procedure). Plain values; see
// message.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "overlay/message_family.h"
#include "overlay/node_id.h"
#include "overlay/payload.h"

namespace tombolo {

// A broadcast is named by its origin and the origin's sequence; on links that have it already or
// should hear of it only, by 64 bits made of both (GossipKey).

inline constexpr std::size_t kMaxAnnounced = 9;  // keys of one GossipHave
inline constexpr std::size_t kMaxGrafted = 10;   // keys of one GossipGraft

// The broadcast itself, passed along the tree or in answer to a graft.
struct GossipPush {
  static constexpr std::string_view kName = "gossip_push";
  static constexpr std::uint32_t kFieldBytes = 46;

  NodeId origin;
  std::uint64_t sequence;  // a random start of the origin's life above, a count below 2^32
  std::uint64_t topic;     // 0 = everybody
  Payload payload;
  std::uint32_t ttl_ms;    // left to live
  std::uint32_t count_ms;  // time the receiver has to count those behind it; 0 = do not count
  std::uint8_t hops;       // of the receiver: 1 next to the origin
  std::uint8_t max_hops;
};

// "I have these": lazy push.
struct GossipHave {
  static constexpr std::string_view kName = "gossip_have";
  static constexpr std::uint32_t kFieldBytes = 1;  // and 9 per key

  std::array<std::uint64_t, kMaxAnnounced> keys;
  std::array<std::uint8_t, kMaxAnnounced> hops;  // that each took to the sender
  std::uint8_t count;
};

// "Send me these, and what comes after": the link becomes part of the tree.
struct GossipGraft {
  static constexpr std::string_view kName = "gossip_graft";
  static constexpr std::uint32_t kFieldBytes = 1;  // and 8 per key

  std::array<std::uint64_t, kMaxGrafted> keys;
  std::uint8_t count;  // 0 = only what comes after
};

// "I had that from somebody else": the link leaves the tree.
struct GossipPrune {
  static constexpr std::string_view kName = "gossip_prune";
  static constexpr std::uint32_t kFieldBytes = 8;

  std::uint64_t key;  // 0 = of no broadcast in particular
};

// "So many have it through me so far", the sender among them. Totals, not differences: repeating
// one does no harm.
struct GossipCount {
  static constexpr std::string_view kName = "gossip_count";
  static constexpr std::uint32_t kFieldBytes = 12;

  std::uint64_t key;
  std::uint32_t total;
};

using GossipMessages = MessageFamily<GossipPush, GossipHave, GossipGraft, GossipPrune, GossipCount>;

}  // namespace tombolo
