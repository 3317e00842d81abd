// The messages of the core to and from the wire: the only place that knows both.
//
// Encoding cannot fail. Decoding trusts nothing: whatever the core takes for granted of a message
// is checked here, and a message that breaks it is one counted error and leaves nothing behind, no
// list, no payload and no new peer. What is checked: the kind is known; ids have 20 bytes; enums
// and counts are within their ranges; lists have at most kMaxListed contacts, or what the kind
// allows; contacts that the core needs are there; addresses are addresses; payloads have at most
// `max_payload_bytes`. What is plausible, and from whom, is for the core to judge.
//
// A kind of message is one pair of functions, Put and Get, and one row of a table, all three in the
// file of its family (codec_kademlia.cc and so on; codec_io.h is what they are written in). A kind
// without a row does not compile.
//
// A list may name more peers than there is room for (known_peers.h): it ends before the first of
// them, which is counted. Thread rule: the strand of the node.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "messages.pb.h"
#include "node/known_peers.h"
#include "overlay/contact_lists.h"
#include "overlay/message.h"
#include "overlay/payload_store.h"
#include "overlay/time.h"

namespace tombolo::node {

namespace wire = tombolo::messages::v1;

enum class DecodeError : std::uint8_t {
  kUnknownKind,  // of a newer version, or none
  kBadId,        // not 20 bytes
  kBadRange,     // a number or an enum beyond what the field can be
  kBadCount,     // too many elements, or unequal numbers of them
  kBadAddress,   // of a contact
  kMissing,      // a contact or record that has to be there
  kTooLarge,     // payload
  kNoRoom,       // for a peer that has to be named
  kCount,
};

inline constexpr std::size_t kDecodeErrors = static_cast<std::size_t>(DecodeError::kCount);
inline constexpr std::array<std::string_view, kDecodeErrors> kDecodeErrorNames = {
    "unknown_kind", "bad_id",  "bad_range", "bad_count",
    "bad_address",  "missing", "too_large", "no_room"};

class Codec {
 public:
  // Larger than any limit of the core's configuration that a node may be given.
  static constexpr std::uint32_t kMaxPayloadBytes = 128 * 1024;

  struct Counters {
    std::array<std::uint64_t, kDecodeErrors> errors{};
    std::uint64_t contacts_cut = 0;  // off lists, for lack of room
  };

  // All three must outlive the codec.
  Codec(KnownPeers& peers, ContactLists& lists, PayloadStore& payloads,
        std::uint32_t max_payload_bytes = kMaxPayloadBytes)
      : peers_(peers), lists_(lists), payloads_(payloads), max_payload_bytes_(max_payload_bytes) {}

  // `out` must be empty. The list and the payload of the message stay the caller's.
  void Encode(const Message& message, wire::Message& out) const;

  // `from` has sent it. The list and one share of the payload of `out` are the caller's; bytes are
  // moved out of `in`.
  absl::Status Decode(wire::Message& in, PeerRef from, Time now, Message& out);

  const Counters& counters() const { return counters_; }

 private:
  KnownPeers& peers_;
  ContactLists& lists_;
  PayloadStore& payloads_;
  std::uint32_t max_payload_bytes_;
  Counters counters_;
};

// 20 bytes, the most significant first.
void PutId(const NodeId& id, std::string& bytes);
// Requires 20 bytes.
NodeId GetId(std::string_view bytes);

inline constexpr std::size_t kIdBytes = 20;

}  // namespace tombolo::node
