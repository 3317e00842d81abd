// What peers say to each other while islands find each other and merge (merge.h has the procedure).
//
// All but the acknowledgements are acknowledged, and repeated until they are; `rpc` is chosen by
// the sender of a message and repeated in its acknowledgement. Plain values; see message.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "overlay/contact_lists.h"
#include "overlay/message_family.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"

namespace tombolo {

// Asks a remembered peer whether it lives and what it sees of its island; answered by IslandReply.
struct IslandProbe {
  static constexpr std::string_view kName = "island_probe";
  static constexpr std::uint32_t kFieldBytes = 4 + 4;

  std::uint32_t rpc;
  std::uint32_t size;   // peers in the island of the sender, by its estimate
  ListHandle contacts;  // its sketch of the island (island_digest.h)
};

struct IslandReply {
  static constexpr std::string_view kName = "island_reply";
  static constexpr std::uint32_t kFieldBytes = 4 + 4;

  std::uint32_t rpc;
  std::uint32_t size;
  ListHandle contacts;
};

// Is `target` known in this island? Forwarded greedily through the tables, answered to `origin`.
struct MergeConfirm {
  static constexpr std::string_view kName = "merge_confirm";
  static constexpr std::uint32_t kFieldBytes = 4 + 4 + 26 + 26 + 1;

  std::uint32_t rpc;
  std::uint32_t question;  // chosen by origin
  PeerRef origin;
  PeerRef target;
  std::uint8_t ttl;
};

struct MergeConfirmed {
  static constexpr std::string_view kName = "merge_confirmed";
  static constexpr std::uint32_t kFieldBytes = 4 + 4 + 1;

  std::uint32_t rpc;
  std::uint32_t question;
  bool known;
};

// The two islands meet at a prefix of `level` bits that sender and receiver share.
struct MergeSync {
  static constexpr std::string_view kName = "merge_sync";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 1;

  std::uint32_t rpc;
  std::uint64_t session;  // one merge of two islands; 0: the receiver is to name it
  std::uint8_t level;
  ListHandle contacts;  // of the sender, in the buckets from `level` on
};

struct MergeSyncReply {
  static constexpr std::string_view kName = "merge_sync_reply";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 1 + 1;

  std::uint32_t rpc;
  std::uint64_t session;
  std::uint8_t level;
  bool duplicate;  // the receiver had met this island at this prefix before
  ListHandle contacts;
};

// To an own contact: meet these peers of the other island, at a prefix of `level` bits.
struct MergeBridge {
  static constexpr std::string_view kName = "merge_bridge";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 1;

  std::uint32_t rpc;
  std::uint64_t session;
  std::uint8_t level;
  ListHandle contacts;
};

// To an own contact: these peers of the other island are the only ones in a subtree that was empty.
struct MergeFill {
  static constexpr std::string_view kName = "merge_fill";
  static constexpr std::uint32_t kFieldBytes = 4 + 1;

  std::uint32_t rpc;
  std::uint8_t level;  // the receiver passes them on in its buckets from this level on
  ListHandle contacts;
};

// Ring unification: finds the place of `target` in the receiver's ring, from neighbour to nearer
// neighbour.
struct MergeLookup {
  static constexpr std::string_view kName = "merge_lookup";
  static constexpr std::uint32_t kFieldBytes = 4 + 26 + 1;

  std::uint32_t rpc;
  PeerRef target;
  std::uint8_t ttl;
};

// Ring unification: the sender and its neighbours, to one whose place they may change.
struct MergeMeet {
  static constexpr std::string_view kName = "merge_meet";
  static constexpr std::uint32_t kFieldBytes = 4 + 1 + 1;

  std::uint32_t rpc;
  ListHandle contacts;      // successors of the sender, then predecessors, nearest first
  std::uint8_t successors;  // how many of the list are successors
  bool released;            // the receiver is a neighbour no longer; no answer is wanted
};

struct MergeAck {
  static constexpr std::string_view kName = "merge_ack";
  static constexpr std::uint32_t kFieldBytes = 4;

  std::uint32_t rpc;
};

// After a merge: what do you hold in my thin buckets, and around me? Answered by MergeRefreshed.
struct MergeRefresh {
  static constexpr std::string_view kName = "merge_refresh";
  static constexpr std::uint32_t kFieldBytes = 4 + 20;

  std::uint32_t rpc;
  std::uint64_t thin[2];  // bit i of the 128: the bucket of level i wants contacts
};

struct MergeRefreshed {
  static constexpr std::string_view kName = "merge_refreshed";
  static constexpr std::uint32_t kFieldBytes = 4;

  std::uint32_t rpc;
  ListHandle contacts;
};

using HealMessages = MessageFamily<IslandProbe, IslandReply, MergeConfirm, MergeConfirmed,
                                   MergeSync, MergeSyncReply, MergeBridge, MergeFill, MergeLookup,
                                   MergeMeet, MergeAck, MergeRefresh, MergeRefreshed>;

}  // namespace tombolo
