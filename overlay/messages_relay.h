// What peers say to each other about links, and what they relay over them. Plain values; see
// message.h.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "overlay/message_family.h"
#include "overlay/node_id.h"
#include "overlay/payload.h"
#include "overlay/peer_ref.h"

namespace tombolo {

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
  static constexpr std::string_view kName = "evict";
  static constexpr std::uint32_t kFieldBytes = 2;

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

// What a message says of another one, to its origin.
constexpr bool IsAnswer(ForwardKind kind) {
  return kind != ForwardKind::kData && kind != ForwardKind::kConnectRequest;
}

enum class UnreachableReason : std::uint8_t {
  kNoRoute,  // no peer that could be reached knows the target
  kTtl,      // too many hops
};

// One message on its way from `origin` to `target`, forwarded hop by hop over links.
struct Forward {
  static constexpr std::string_view kName = "forward";
  static constexpr std::uint32_t kFieldBytes = 72;

  std::uint64_t id;       // chosen by the origin: one per message, attempt and copy group
  std::uint64_t subject;  // the id of the message that an answer (IsAnswer) speaks of
  NodeId origin;
  NodeId target;
  Payload payload;
  std::uint32_t hop;  // chosen per hop by its sender; named by HopAck and HopProbe
  ForwardKind kind;
  UnreachableReason reason;  // of kUnreachable
  std::uint8_t ttl;          // hops left
  std::uint8_t hops;         // hops done; in a receipt, the hops of the message it confirms
  std::uint8_t copy;         // index of this disjoint copy
  std::uint8_t detours;      // detours left: hops that do not come closer
  bool wants_receipt;
  bool detouring;  // taking a detour around a local minimum
  // Leading bits of the distance where the last detour began, and which ends once a hop gets under
  // it; 0: none yet. Stays when it is over, for those to whom the message is handed back.
  std::uint64_t stuck_at;
};

enum class HopStatus : std::uint8_t {
  kAccepted,   // the receiver takes responsibility
  kDuplicate,  // seen before, and in good hands
  kRefused,    // the receiver has no way onward: try another link
  kUnknown,    // answer to a probe: never arrived
};

struct HopAck {
  static constexpr std::string_view kName = "hop_ack";
  static constexpr std::uint32_t kFieldBytes = 5;

  std::uint32_t hop;
  HopStatus status;
};

// Asks, after the time-out of a hop, whether the message or its acknowledgement was lost: a few
// bytes instead of a second copy that would travel on beside the first.
struct HopProbe {
  static constexpr std::string_view kName = "hop_probe";
  static constexpr std::uint32_t kFieldBytes = 12;

  std::uint32_t hop = 0;  // 0: only asks for a sign of life, answered with kUnknown
  std::uint64_t id = 0;   // of the message, which is what the receiver remembers
};

using RelayMessages = MessageFamily<Evict, Forward, HopAck, HopProbe>;

}  // namespace tombolo
