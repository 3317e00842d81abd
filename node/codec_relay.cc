#include "node/codec_table.h"

namespace tombolo::node {

static void Put(const Evict& evict, const Encoder& encoder, wire::Evict& out) {
  out.set_reason(static_cast<std::uint32_t>(evict.reason));
  for (std::size_t i = 0; i < evict.count; ++i) {
    encoder.Contact(evict.alternatives[i], out.add_alternatives());
  }
}
static void Get(wire::Evict& in, Decoder& decoder, Evict& evict) {
  evict.reason = decoder.Enum(in.reason(), HangupReason::kIdle);
  evict.alternatives.fill(PeerRef::kNone);
  const auto count = static_cast<std::size_t>(in.alternatives_size());
  if (count > kMaxAlternatives) return decoder.Fail(DecodeError::kBadCount);
  evict.count = static_cast<std::uint8_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    decoder.Contact(true, in.alternatives(static_cast<int>(i)), evict.alternatives[i]);
  }
}

static void Put(const Forward& forward, const Encoder& encoder, wire::Forward& out) {
  out.set_id(forward.id);
  out.set_subject(forward.subject);
  Encoder::Id(forward.origin, out.mutable_origin());
  Encoder::Id(forward.target, out.mutable_target());
  out.set_payload(encoder.Bytes(forward.payload));
  out.set_hop(forward.hop);
  out.set_kind(static_cast<std::uint32_t>(forward.kind));
  out.set_reason(static_cast<std::uint32_t>(forward.reason));
  out.set_ttl(forward.ttl);
  out.set_hops(forward.hops);
  out.set_copy(forward.copy);
  out.set_detours(forward.detours);
  out.set_wants_receipt(forward.wants_receipt);
  out.set_detouring(forward.detouring);
  out.set_stuck_at(forward.stuck_at);
}
static void Get(wire::Forward& in, Decoder& decoder, Forward& forward) {
  forward.id = in.id();
  forward.subject = in.subject();
  forward.origin = decoder.Id(in.origin());
  forward.target = decoder.Id(in.target());
  decoder.Bytes(in.mutable_payload(), forward.payload);
  forward.hop = in.hop();
  forward.kind = decoder.Enum(in.kind(), ForwardKind::kConnectRefuse);
  forward.reason = decoder.Enum(in.reason(), UnreachableReason::kTtl);
  forward.ttl = decoder.Number<std::uint8_t>(in.ttl());
  forward.hops = decoder.Number<std::uint8_t>(in.hops());
  forward.copy = decoder.Number<std::uint8_t>(in.copy());
  forward.detours = decoder.Number<std::uint8_t>(in.detours());
  forward.wants_receipt = in.wants_receipt();
  forward.detouring = in.detouring();
  forward.stuck_at = in.stuck_at();
}

static void Put(const HopAck& ack, const Encoder&, wire::HopAck& out) {
  out.set_hop(ack.hop);
  out.set_status(static_cast<std::uint32_t>(ack.status));
}
static void Get(wire::HopAck& in, Decoder& decoder, HopAck& ack) {
  ack.hop = in.hop();
  ack.status = decoder.Enum(in.status(), HopStatus::kUnknown);
}

static void Put(const HopProbe& probe, const Encoder&, wire::HopProbe& out) {
  out.set_hop(probe.hop);
  out.set_id(probe.id);
}
static void Get(wire::HopProbe& in, Decoder&, HopProbe& probe) {
  probe.hop = in.hop();
  probe.id = in.id();
}

const FamilyTable<RelayMessages>& RelayTable() {
  using M = wire::Message;
  static constexpr FamilyTable<RelayMessages> kTable(
      Row<Evict, &M::mutable_evict, Case::kEvict>(),
      Row<Forward, &M::mutable_forward, Case::kForward>(),
      Row<HopAck, &M::mutable_hop_ack, Case::kHopAck>(),
      Row<HopProbe, &M::mutable_hop_probe, Case::kHopProbe>());
  return kTable;
}

}  // namespace tombolo::node
