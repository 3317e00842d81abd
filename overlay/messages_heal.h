// What peers say to each other while islands find each other and merge (merge.h has the procedure).
//
// All but the acknowledgements are acknowledged, and repeated until they are (acked_sends.h). `rpc`
// is chosen by the sender of a message and repeated in its acknowledgement; of a merge message its
// last four bits count the repeats. Plain values; see message.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "overlay/contact_lists.h"
#include "overlay/message_family.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"

namespace tombolo {

inline constexpr std::size_t kSketchSize = 16;

// How long ago each peer of a sketch was heard of, in minutes, rounded up.
using SketchAges = std::array<std::uint8_t, kSketchSize>;

// Asks a remembered peer whether it lives and what it sees of its island; answered by IslandReply.
struct IslandProbe {
  static constexpr std::string_view kName = "island_probe";
  static constexpr std::uint32_t kFieldBytes = 4 + 16;

  std::uint32_t rpc;
  ListHandle contacts;  // its sketch of its island (island_digest.h); empty: it has none yet
  SketchAges ages;      // of the peers in it
};

struct IslandReply {
  static constexpr std::string_view kName = "island_reply";
  static constexpr std::uint32_t kFieldBytes = 4 + 16;

  std::uint32_t rpc;
  ListHandle contacts;
  SketchAges ages;
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

// The two islands meet at a prefix of `level` bits that sender and receiver share. Answered by
// MergeSyncReply.
struct MergeSync {
  static constexpr std::string_view kName = "merge_sync";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 1 + 1;

  std::uint32_t rpc;
  std::uint64_t session;  // one merge of two islands
  std::uint8_t level;
  bool first;           // `session` is the label of the sender's island: the receiver names it
  ListHandle contacts;  // of the sender, in its buckets from `level` to that of the receiver
};

struct MergeSyncReply {
  static constexpr std::string_view kName = "merge_sync_reply";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 1;

  std::uint32_t rpc;
  std::uint64_t session;
  bool duplicate;  // the two islands have met at this prefix, or are about to
  ListHandle contacts;
};

// To an own contact: meet these peers of the other island, at a prefix of `level` bits.
struct MergeBridge {
  static constexpr std::string_view kName = "merge_bridge";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 26 + 1;

  std::uint32_t rpc;
  std::uint64_t session;
  PeerRef partner;  // who named them
  std::uint8_t level;
  ListHandle contacts;
};

// To an own contact: these peers of the other island are the only ones in a subtree that was empty.
struct MergeFill {
  static constexpr std::string_view kName = "merge_fill";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 1;

  std::uint32_t rpc;
  std::uint64_t session;
  std::uint8_t level;  // the receiver passes them on in its buckets from this level on
  ListHandle contacts;
};

// Ring unification: finds the place of `target` in the receiver's ring, from peer to nearer peer.
struct MergeLookup {
  static constexpr std::string_view kName = "merge_lookup";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 26 + 1;

  std::uint32_t rpc;
  std::uint64_t session;
  PeerRef target;
  std::uint8_t ttl;
};

enum class MeetKind : std::uint8_t {
  kMeet,     // answer if you know peers between us
  kAnswer,   // to kMeet; not answered
  kRelease,  // you are next to the sender no longer; not answered
};

// Ring unification: the sender and its neighbours, to one whose place they may change.
struct MergeMeet {
  static constexpr std::string_view kName = "merge_meet";
  static constexpr std::uint32_t kFieldBytes = 4 + 1 + 1;

  std::uint32_t rpc;
  ListHandle contacts;      // successors of the sender, then predecessors, nearest first
  std::uint8_t successors;  // how many of the list are successors
  MeetKind kind;
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
  NodeId thin;          // bit i: the bucket of level i wants contacts
  ListHandle contacts;  // neighbours of the sender, and contacts in its thin buckets
};

struct MergeRefreshed {
  static constexpr std::string_view kName = "merge_refreshed";
  static constexpr std::uint32_t kFieldBytes = 4;

  std::uint32_t rpc;
  ListHandle contacts;
};

// Ring unification without a zip (merge_queue.h): finds the place of `target` in the receiver's
// ring, clockwise.
struct UnifyLookup {
  static constexpr std::string_view kName = "unify_lookup";
  static constexpr std::uint32_t kFieldBytes = 4 + 26 + 1 + 1;

  std::uint32_t rpc;
  PeerRef target;
  std::uint8_t fanout;  // peers that are to look for it as well, and this one
  std::uint8_t ttl;
};

// The receiver belongs between these two neighbours of the sender's ring; one is the sender.
struct UnifyTry {
  static constexpr std::string_view kName = "unify_try";
  static constexpr std::uint32_t kFieldBytes = 4 + 26 + 26;

  std::uint32_t rpc;
  PeerRef predecessor;
  PeerRef successor;
};

// To an own contact: `target` is of another island. With the zip: and does not answer now, so that
// the receiver, who is a neighbour, is to remember it as well.
struct UnifyDetected {
  static constexpr std::string_view kName = "unify_detected";
  static constexpr std::uint32_t kFieldBytes = 4 + 26 + 1;

  std::uint32_t rpc;
  PeerRef target;
  std::uint8_t fanout;
};

using IslandMessages = MessageFamily<IslandProbe, IslandReply>;
using MergeMessages =
    MessageFamily<MergeConfirm, MergeConfirmed, MergeSync, MergeSyncReply, MergeBridge, MergeFill,
                  MergeLookup, MergeMeet, MergeAck, MergeRefresh, MergeRefreshed, UnifyLookup,
                  UnifyTry, UnifyDetected>;
using HealMessages = ConcatFamilies<IslandMessages, MergeMessages>::Type;

}  // namespace tombolo
