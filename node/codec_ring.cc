#include "node/codec_table.h"

namespace tombolo::node {
namespace {

// How many of a list are successors: no more than there are.
std::uint8_t Successors(std::uint32_t count, const WireContacts& contacts, Decoder& decoder) {
  decoder.Require(count <= static_cast<std::uint32_t>(contacts.size()), DecodeError::kBadCount);
  return decoder.Number<std::uint8_t>(count);
}

}  // namespace

static void Put(const FindSuccessor& find, const Encoder& encoder, wire::FindSuccessor& out) {
  out.set_rpc(find.rpc);
  encoder.Contact(find.asker, out.mutable_asker());
  Encoder::Id(find.key, out.mutable_key());
  out.set_hops(find.hops);
}
static void Get(wire::FindSuccessor& in, Decoder& decoder, FindSuccessor& find) {
  find.rpc = in.rpc();
  decoder.Contact(in.has_asker(), in.asker(), find.asker);
  find.key = decoder.Id(in.key());
  find.hops = decoder.Number<std::uint16_t>(in.hops());
}

static void Put(const SuccessorFound& found, const Encoder& encoder, wire::SuccessorFound& out) {
  out.set_rpc(found.rpc);
  encoder.Contact(found.successor, out.mutable_successor());
  out.set_hops(found.hops);
}
static void Get(wire::SuccessorFound& in, Decoder& decoder, SuccessorFound& found) {
  found.rpc = in.rpc();
  decoder.Contact(in.has_successor(), in.successor(), found.successor);
  found.hops = decoder.Number<std::uint16_t>(in.hops());
}

static void Put(const AskNeighbours& ask, const Encoder&, wire::AskNeighbours& out) {
  out.set_rpc(ask.rpc);
}
static void Get(wire::AskNeighbours& in, Decoder&, AskNeighbours& ask) { ask.rpc = in.rpc(); }

static void Put(const RingNeighbours& ring, const Encoder& encoder, wire::RingNeighbours& out) {
  out.set_rpc(ring.rpc);
  if (ring.predecessor != PeerRef::kNone) {
    encoder.Contact(ring.predecessor, out.mutable_predecessor());
  }
  encoder.List(ring.contacts, out.mutable_contacts());
  out.set_successors(ring.successors);
}
static void Get(wire::RingNeighbours& in, Decoder& decoder, RingNeighbours& ring) {
  ring.rpc = in.rpc();
  decoder.OptionalContact(in.has_predecessor(), in.predecessor(), ring.predecessor);
  decoder.List(in.contacts(), ring.contacts);
  ring.successors = Successors(in.successors(), in.contacts(), decoder);
}

static void Put(const tombolo::Notify&, const Encoder&, wire::Notify&) {}
static void Get(wire::Notify&, Decoder&, tombolo::Notify&) {}

static void Put(const RingLeave& leave, const Encoder& encoder, wire::RingLeave& out) {
  encoder.List(leave.contacts, out.mutable_contacts());
  out.set_successors(leave.successors);
}
static void Get(wire::RingLeave& in, Decoder& decoder, RingLeave& leave) {
  decoder.List(in.contacts(), leave.contacts);
  leave.successors = Successors(in.successors(), in.contacts(), decoder);
}

const FamilyTable<RingMessages>& RingTable() {
  using M = wire::Message;
  static constexpr FamilyTable<RingMessages> kTable(
      Row<FindSuccessor, &M::mutable_find_successor, Case::kFindSuccessor>(),
      Row<SuccessorFound, &M::mutable_successor_found, Case::kSuccessorFound>(),
      Row<AskNeighbours, &M::mutable_ask_neighbours, Case::kAskNeighbours>(),
      Row<RingNeighbours, &M::mutable_ring_neighbours, Case::kRingNeighbours>(),
      Row<tombolo::Notify, &M::mutable_notify, Case::kNotify>(),
      Row<RingLeave, &M::mutable_ring_leave, Case::kRingLeave>());
  return kTable;
}

}  // namespace tombolo::node
