// What peer-relay's peers say to each other (npm peer-relay 0.0.2), as bytes: one JSON value per
// message of a WebSocket. First the greeting, an id; then frames:
//
//   {"to": id, "from": id, "path": [ids of those it has passed], "nonce": text, "data": {"type":
//   ...}}
//
// An id is 40 hexadecimal digits, or 20 numbers as the original's Buffer writes itself; both are
// understood everywhere, the digits are written.
//
// Parsing is stricter than the original, which ends with an exception for much of what is refused
// here; so does a client that such a frame is passed on to. What is passed on is checked as far as
// the types of the protocol go; the content of `user` is between its users.
//
// Thread rule: pure functions and plain values. A frame's texts lie in the message. Errors: of
// others, by kind (PeerRelayFault).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/node_id.h"

namespace tombolo::node {

inline constexpr std::size_t kPeerRelayHops = 20;   // Router.maxHops of the original
inline constexpr std::size_t kPeerRelayNear = 20;   // candidates in an answer
inline constexpr std::size_t kPeerRelayNonce = 64;  // bytes; the original's has 15

enum class PeerRelayType : std::uint8_t {
  kUser,
  kFindPeers,
  kFoundPeers,
  kOffer,
  kAnswer,
  kSignal,
  kOther,
};

enum class PeerRelayFault : std::uint8_t { kNone, kNoJson, kNoFrame, kBadId, kBadPath, kBadData };

struct PeerRelayFrame {
  NodeId to;
  NodeId from;
  std::array<NodeId, kPeerRelayHops> path{};
  std::size_t hops = 0;    // of the path
  std::string_view nonce;  // printable, without quotes
  std::string_view data;   // JSON, an object with a type
  PeerRelayType type = PeerRelayType::kOther;
  std::string_view body;  // data.data as JSON; empty if there is none

  std::span<const NodeId> passed() const { return {path.data(), hops}; }
};

std::optional<NodeId> ParsePeerRelayId(std::string_view json);
PeerRelayFault ParsePeerRelayFrame(std::string_view message, PeerRelayFrame& frame);
// Finds type and body of `frame.data` and checks them. What a node has sent is no better than what
// a client has.
bool CheckPeerRelayData(PeerRelayFrame& frame);

// The ids of a foundPeers, at most kMost of them.
std::vector<NodeId> PeerRelayIds(std::string_view body);

struct PeerRelayAnswer {
  std::string_view url;  // empty: none
  bool wrtc = false;
};
PeerRelayAnswer ReadPeerRelayAnswer(std::string_view body);

// ---- Writing.

void AppendHex(const NodeId& id, std::string& out);
std::string PeerRelayGreeting(const NodeId& id);
// As `frame` is, with `via` added to its path (and its origin before, if the path was empty).
void AppendPeerRelayFrame(const PeerRelayFrame& frame, const NodeId& via, std::string& out);
// Data of the messages that a node says itself.
std::string FindPeersData(const NodeId& self);
std::string FoundPeersData(std::span<const NodeId> ids);
std::string OfferData();
std::string AnswerData(const std::string& url);

}  // namespace tombolo::node
