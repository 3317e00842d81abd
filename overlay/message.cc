#include "overlay/message.h"

namespace tombolo {
namespace {

constexpr std::uint32_t kFramingBytes = 8;
constexpr std::uint32_t kContactBytes = 26;
constexpr std::uint32_t kRecordBytes = 20 + 8 + 8;

// Fixed fields of each alternative, in the order of the variant.
constexpr std::array<std::uint32_t, kMessageKinds> kFieldBytes = {
    4, 4, 24, 24, 4, 4 + kRecordBytes, 4 + kRecordBytes, 5, 0, 2, 68, 5, 12};

}  // namespace

Payload PayloadOf(const Message& message) {
  if (const Forward* forward = std::get_if<Forward>(&message)) return forward->payload;
  if (const Value* value = std::get_if<Value>(&message)) return value->record.payload;
  if (const Store* store = std::get_if<Store>(&message)) return store->record.payload;
  return {};
}

std::uint32_t WireBytes(const Message& message, const ContactLists& lists) {
  std::uint32_t bytes = kFramingBytes + kFieldBytes[message.index()];
  if (const Nodes* nodes = std::get_if<Nodes>(&message)) {
    bytes += kContactBytes * static_cast<std::uint32_t>(lists.Get(nodes->contacts).size());
  } else if (const Evict* evict = std::get_if<Evict>(&message)) {
    bytes += kContactBytes * evict->count;
  } else {
    bytes += PayloadOf(message).bytes;
  }
  return bytes;
}

}  // namespace tombolo
