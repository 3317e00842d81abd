#include "overlay/message.h"

namespace tombolo {
namespace {

constexpr std::uint32_t kFramingBytes = 8;
constexpr std::uint32_t kContactBytes = 26;

// What each alternative carries, looked up by its index: a switch over dozens of types in the hot
// path would cost more than the message.
struct Shape {
  std::uint32_t field_bytes = 0;
  bool has_list = false;
  bool has_payload = false;
  bool has_entries = false;  // a number of equal parts, entries() of kEntryBytes each
};

template <class Kind>
constexpr Shape ShapeOf() {
  Shape shape;
  shape.field_bytes = Kind::kFieldBytes;
  shape.has_list = requires(Kind kind) { kind.contacts; };
  shape.has_payload = requires(Kind kind) { kind.payload; }
  || requires(Kind kind) { kind.record; };
  shape.has_entries = requires(Kind kind) { kind.entries(); };
  return shape;
}

constexpr std::array<Shape, kMessageKinds> kShapes = []<class... Kinds>(MessageFamily<Kinds...>) {
  return std::array<Shape, kMessageKinds>{ShapeOf<Kinds>()...};
}(AllMessages{});

std::uint32_t EntryBytes(const Message& message) {
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.entries(); }) return body.entries() * body.kEntryBytes;
        return std::uint32_t{0};
      },
      message);
}

}  // namespace

ListHandle ListOf(const Message& message) {
  if (!kShapes[message.index()].has_list) return ListHandle::kEmpty;
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.contacts; }) return body.contacts;
        return ListHandle::kEmpty;
      },
      message);
}

Payload PayloadOf(const Message& message) {
  if (!kShapes[message.index()].has_payload) return {};
  return std::visit(
      [](const auto& body) {
        if constexpr (requires { body.payload; }) return body.payload;
        if constexpr (requires { body.record; }) return body.record.payload;
        return Payload{};
      },
      message);
}

std::uint32_t WireBytes(const Message& message, const ContactLists& lists) {
  const Shape& shape = kShapes[message.index()];
  std::uint32_t bytes = kFramingBytes + shape.field_bytes;
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

}  // namespace tombolo
