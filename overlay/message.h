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

// The list that a message carries, kEmpty if none.
ListHandle ListOf(const Message& message);

// The bytes that a message carries, empty if none.
Payload PayloadOf(const Message& message);

// Size in bytes of a message in a compact binary encoding: fixed fields, 26 bytes per listed
// contact (id, IPv4 address, port), the payload, and 8 bytes of framing. For accounting and
// bandwidth.
std::uint32_t WireBytes(const Message& message, const ContactLists& lists);

}  // namespace tombolo
