#include "overlay/message.h"

namespace tombolo {
namespace {

constexpr std::uint32_t kContactBytes = 26;

std::uint32_t EntryBytes(const Message& message) {
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.entries(); }) return body.entries() * body.kEntryBytes;
        return std::uint32_t{0};
      },
      message);
}

}  // namespace

namespace message_internal {

ListHandle ListInside(const Message& message) {
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.contacts; }) return body.contacts;
        return ListHandle::kEmpty;
      },
      message);
}

Payload PayloadInside(const Message& message) {
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.payload; }) return body.payload;
        if constexpr (requires { body.record; }) return body.record.payload;
        return Payload{};
      },
      message);
}

std::uint32_t VariableBytes(const Message& message, const ContactLists& lists) {
  const MessageShape& shape = kMessageShapes[message.index()];
  std::uint32_t bytes = 0;
  if (shape.has_list) {
    bytes += kContactBytes * static_cast<std::uint32_t>(lists.Get(ListOf(message)).size());
  }
  if (shape.has_payload) bytes += PayloadOf(message).bytes;
  if (shape.has_entries) bytes += EntryBytes(message);
  if (const Evict* evict = std::get_if<Evict>(&message)) bytes += kContactBytes * evict->count;
  if (const GossipHave* have = std::get_if<GossipHave>(&message)) bytes += 9U * have->count;
  if (const GossipGraft* graft = std::get_if<GossipGraft>(&message)) bytes += 8U * graft->count;
  return bytes;
}

}  // namespace message_internal
}  // namespace tombolo
