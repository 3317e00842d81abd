// The table of the kinds of messages: how each is put on the wire and got from it.
//
// The file of a family ends in the definition of its table, with one row per kind in the order of
// the family:
//
//   const FamilyTable<RingMessages> kRingTable = {
//       Row<FindSuccessor, &wire::Message::mutable_find_successor, Case::kFindSuccessor>(), ...
//
// A missing, surplus or misplaced row does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <variant>

#include "node/codec_io.h"
#include "overlay/message.h"

namespace tombolo::node {

using Case = wire::Message::KindCase;

struct KindCodec {
  Case kind_case;
  void (*put)(const Message& message, const Encoder& encoder, wire::Message& out);
  void (*get)(wire::Message& in, Decoder& decoder, Message& message);
};

template <class Kind>
struct RowOf {
  KindCodec codec;
};

template <class Kind, auto kMutable, Case kCase>
constexpr RowOf<Kind> Row() {
  return {{kCase,
           [](const Message& message, const Encoder& encoder, wire::Message& out) {
             Put(*std::get_if<Kind>(&message), encoder, *(out.*kMutable)());
           },
           [](wire::Message& in, Decoder& decoder, Message& message) {
             Get(*(in.*kMutable)(), decoder, message.emplace<Kind>());
           }}};
}

template <class Family>
class FamilyTable;

template <class... Kinds>
class FamilyTable<MessageFamily<Kinds...>> {
 public:
  constexpr explicit FamilyTable(RowOf<Kinds>... rows) : rows_{rows.codec...} {}
  const std::array<KindCodec, sizeof...(Kinds)>& rows() const { return rows_; }

 private:
  std::array<KindCodec, sizeof...(Kinds)> rows_;
};

// In the order of the kinds.
const FamilyTable<KademliaMessages>& KademliaTable();
const FamilyTable<RelayMessages>& RelayTable();
const FamilyTable<RingMessages>& RingTable();
const FamilyTable<GossipMessages>& GossipTable();
const FamilyTable<HealMessages>& HealTable();
const FamilyTable<AttachMessages>& AttachTable();

}  // namespace tombolo::node
