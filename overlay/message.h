// The closed list of what peers say to each other.
//
// Each message is a small trivially copyable struct; lists travel as handles (contact_lists.h),
// bytes as payloads (payload.h). The simulator moves them as they are; the codec of the node is the
// only place that knows both these structs and the wire. The sender is not part of a message: the
// link proves it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

#include "overlay/contact_lists.h"
#include "overlay/message_family.h"
#include "overlay/messages_attach.h"
#include "overlay/messages_gossip.h"
#include "overlay/messages_heal.h"
#include "overlay/messages_kademlia.h"
#include "overlay/messages_relay.h"
#include "overlay/messages_ring.h"
#include "overlay/payload.h"

namespace tombolo {

using AllMessages = ConcatFamilies<KademliaMessages, RelayMessages, RingMessages, GossipMessages,
                                   HealMessages, AttachMessages>::Type;
using Message = AllMessages::Variant;

static_assert(std::is_trivially_copyable_v<Message>,
              "a message owns nothing; it may be copied as bytes");
static_assert(sizeof(Message) <= 96);

inline constexpr std::size_t kMessageKinds = std::variant_size_v<Message>;

// Names of the alternatives, in the order of the variant, as reports print them.
inline constexpr std::array<std::string_view, kMessageKinds> kMessageNames =
    []<class... Kinds>(MessageFamily<Kinds...>) {
      return std::array<std::string_view, kMessageKinds>{Kinds::kName...};
    }(AllMessages{});

// What each kind carries, looked up by its index: a switch over dozens of types in the hot path
// would cost more than the message.
struct MessageShape {
  std::uint32_t field_bytes = 0;
  bool has_list = false;
  bool has_payload = false;
  bool has_entries = false;  // a number of equal parts, entries() of kEntryBytes each
  bool has_counted = false;  // an array of which only `count` elements travel
  bool varies = false;       // in size, for any of these reasons
};

template <class Kind>
constexpr MessageShape ShapeOf() {
  MessageShape shape;
  shape.field_bytes = Kind::kFieldBytes;
  shape.has_list = requires(Kind kind) { kind.contacts; };
  shape.has_payload = requires(Kind kind) { kind.payload; }
  || requires(Kind kind) { kind.record; };
  shape.has_entries = requires(Kind kind) { kind.entries(); };
  shape.has_counted = requires(Kind kind) { kind.count; };
  shape.varies = shape.has_list || shape.has_payload || shape.has_entries || shape.has_counted;
  return shape;
}

inline constexpr std::array<MessageShape, kMessageKinds> kMessageShapes =
    []<class... Kinds>(MessageFamily<Kinds...>) {
      return std::array<MessageShape, kMessageKinds>{ShapeOf<Kinds>()...};
    }(AllMessages{});

namespace message_internal {
ListHandle ListInside(const Message& message);
Payload PayloadInside(const Message& message);
std::uint32_t VariableBytes(const Message& message, const ContactLists& lists);
}  // namespace message_internal

// The list that a message carries, kEmpty if none.
inline ListHandle ListOf(const Message& message) {
  const bool has = kMessageShapes[message.index()].has_list;
  return has ? message_internal::ListInside(message) : ListHandle::kEmpty;
}

// The bytes that a message carries, empty if none.
inline Payload PayloadOf(const Message& message) {
  const bool has = kMessageShapes[message.index()].has_payload;
  return has ? message_internal::PayloadInside(message) : Payload{};
}

// Size in bytes of a message in a compact binary encoding: fixed fields, 26 bytes per listed
// contact (id, IPv4 address, port), the payload, and 8 bytes of framing. For accounting and
// bandwidth.
inline std::uint32_t WireBytes(const Message& message, const ContactLists& lists) {
  constexpr std::uint32_t kFramingBytes = 8;
  const MessageShape& shape = kMessageShapes[message.index()];
  const std::uint32_t fixed = kFramingBytes + shape.field_bytes;
  return shape.varies ? fixed + message_internal::VariableBytes(message, lists) : fixed;
}

}  // namespace tombolo
