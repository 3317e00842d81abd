// The closed list of what peers say to each other.
//
// Each message is a small trivially copyable struct; lists travel as handles (contact_lists.h),
// bytes as payloads (payload.h). The simulator moves them as they are; the codec of the node is the
// only place that knows both these structs and the wire. The sender is not part of a message: the
// link proves it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

#include "overlay/contact_lists.h"
#include "overlay/node_id.h"
#include "overlay/payload.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo {

// ---- Kademlia (Maymounkov & Mazieres 2002, section 2.3). `rpc` is chosen by the asker and
// repeated in the answer; an answer counts only if it comes from the peer that was asked.

struct Ping {
  std::uint32_t rpc;
};

struct Pong {
  std::uint32_t rpc;
};

struct FindNode {
  std::uint32_t rpc;
  NodeId target;
  // Contacts wanted beyond k: as many as the asker met dead, since others will name them too.
  std::uint32_t more = 0;
};

struct FindValue {
  std::uint32_t rpc;
  NodeId key;
};

// Answer to FindNode, and to FindValue where the value is not held: the k closest contacts.
struct Nodes {
  std::uint32_t rpc;
  ListHandle contacts;
};

// A stored value. Of two records of one key the higher sequence wins.
struct Record {
  NodeId key;
  Payload payload;
  std::uint64_t sequence;
  Duration ttl;  // time left to live, counted from arrival
};

// Answer to FindValue where the value is held.
struct Value {
  std::uint32_t rpc;
  Record record;
};

struct Store {
  std::uint32_t rpc;
  Record record;
};

enum class StoreStatus : std::uint8_t {
  kStored,    // held now, or held already with the same sequence
  kOutdated,  // a newer sequence is held
  kFull,      // the store is full of records that are closer to the peer
  kRejected,  // too large or expired
};

struct StoreAck {
  std::uint32_t rpc;
  StoreStatus status;
};

// The sender leaves the overlay for good; forget it at once.
struct Leave {};

// ---- Links.

enum class HangupReason : std::uint8_t {
  kRequested,  // the application asked for it
  kFull,       // the link table is full and others are worth more
  kLeaving,    // the peer leaves the overlay
  kIdle,       // nobody needs the link any more
};

inline constexpr std::size_t kMaxAlternatives = 3;

// Said before a link is closed for lack of room: peers of the same region that may have room.
struct Evict {
  HangupReason reason;
  std::uint8_t count;
  std::array<PeerRef, kMaxAlternatives> alternatives;
};

// ---- Relay.

enum class ForwardKind : std::uint8_t {
  kData,            // bytes of an application
  kReceipt,         // back to the origin: arrived
  kUnreachable,     // back to the origin: given up
  kConnectRequest,  // asks for a direct link
  kConnectAccept,   // agrees to one; the dialable side dials
  kConnectRefuse,   // no direct link is possible
};

enum class UnreachableReason : std::uint8_t {
  kNoRoute,  // no peer that could be reached knows the target
  kTtl,      // too many hops
};

// One message on its way from `origin` to `target`, forwarded hop by hop over links.
struct Forward {
  std::uint64_t id;  // chosen by the origin: one per message, attempt and copy group
  NodeId origin;
  NodeId target;
  Payload payload;
  std::uint32_t hop;      // chosen per hop by its sender; named by HopAck and HopProbe
  std::uint32_t subject;  // low bits of the id a receipt, unreachable or connect answer speaks of
  ForwardKind kind;
  UnreachableReason reason;  // of kUnreachable
  std::uint8_t ttl;          // hops left
  std::uint8_t hops;         // hops done; in a receipt, the hops of the message it confirms
  std::uint8_t copy;         // index of this disjoint copy
  std::uint8_t detours;      // detours left: hops that do not come XOR-closer
  bool wants_receipt;
  bool detouring;          // taking a detour around a local minimum
  std::uint64_t stuck_at;  // while detouring: the leading bits of the XOR distance to get under
};

enum class HopStatus : std::uint8_t {
  kAccepted,   // the receiver takes responsibility
  kDuplicate,  // seen before, and in good hands
  kRefused,    // the receiver has no way onward: try another link
  kUnknown,    // answer to a probe: never arrived
};

struct HopAck {
  std::uint32_t hop;
  HopStatus status;
};

// Asks, after the time-out of a hop, whether the message or its acknowledgement was lost: a few
// bytes instead of a second copy that would travel on beside the first.
struct HopProbe {
  std::uint32_t hop = 0;  // 0: only asks for a sign of life, answered with kUnknown
  std::uint64_t id = 0;   // of the message, which is what the receiver remembers
};

using Message = std::variant<Ping, Pong, FindNode, FindValue, Nodes, Value, Store, StoreAck, Leave,
                             Evict, Forward, HopAck, HopProbe>;

static_assert(std::is_trivially_copyable_v<Message>,
              "a message owns nothing; it may be copied as bytes");
static_assert(sizeof(Message) <= 96);

inline constexpr std::size_t kMessageKinds = std::variant_size_v<Message>;

// Names of the alternatives, in the order of the variant, as reports print them.
inline constexpr std::array<std::string_view, kMessageKinds> kMessageNames = {
    "ping",      "pong",  "find_node", "find_value", "nodes",   "value",    "store",
    "store_ack", "leave", "evict",     "forward",    "hop_ack", "hop_probe"};

// The list that a message carries, kEmpty if none.
inline ListHandle ListOf(const Message& message) {
  const Nodes* nodes = std::get_if<Nodes>(&message);
  return nodes != nullptr ? nodes->contacts : ListHandle::kEmpty;
}

// The bytes that a message carries, empty if none.
Payload PayloadOf(const Message& message);

// Size in bytes of a message in a compact binary encoding: fixed fields, 26 bytes per listed
// contact (id, IPv4 address, port), the payload, and 8 bytes of framing. For accounting and
// bandwidth.
std::uint32_t WireBytes(const Message& message, const ContactLists& lists);

}  // namespace tombolo
