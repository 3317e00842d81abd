#include <limits>

#include "node/codec_table.h"

namespace tombolo::node {
namespace {

constexpr std::uint64_t kMaxTtlUs = 366ULL * 24 * 3600 * 1'000'000;  // a year

void PutRecord(const Record& record, const Encoder& encoder, wire::Record& out) {
  Encoder::Id(record.key, out.mutable_key());
  out.set_payload(encoder.Bytes(record.payload));
  out.set_sequence(record.sequence);
  // A record that has just expired is no number below zero.
  out.set_ttl_us(record.ttl.us > 0 ? static_cast<std::uint64_t>(record.ttl.us) : 0);
}

void GetRecord(bool present, wire::Record& in, Decoder& decoder, Record& record) {
  decoder.Require(present, DecodeError::kMissing);
  record.key = decoder.Id(in.key());
  decoder.Bytes(in.mutable_payload(), record.payload);
  record.sequence = in.sequence();
  decoder.Require(in.ttl_us() <= kMaxTtlUs, DecodeError::kBadRange);
  record.ttl = Duration::Microseconds(static_cast<std::int64_t>(in.ttl_us()));
}

}  // namespace

static void Put(const Ping& ping, const Encoder&, wire::Ping& out) { out.set_rpc(ping.rpc); }
static void Get(wire::Ping& in, Decoder&, Ping& ping) { ping.rpc = in.rpc(); }

static void Put(const Pong& pong, const Encoder&, wire::Pong& out) { out.set_rpc(pong.rpc); }
static void Get(wire::Pong& in, Decoder&, Pong& pong) { pong.rpc = in.rpc(); }

static void Put(const FindNode& find, const Encoder&, wire::FindNode& out) {
  out.set_rpc(find.rpc);
  Encoder::Id(find.target, out.mutable_target());
  out.set_more(find.more);
}
static void Get(wire::FindNode& in, Decoder& decoder, FindNode& find) {
  find.rpc = in.rpc();
  find.target = decoder.Id(in.target());
  find.more = in.more();
}

static void Put(const FindValue& find, const Encoder&, wire::FindValue& out) {
  out.set_rpc(find.rpc);
  Encoder::Id(find.key, out.mutable_key());
}
static void Get(wire::FindValue& in, Decoder& decoder, FindValue& find) {
  find.rpc = in.rpc();
  find.key = decoder.Id(in.key());
}

static void Put(const Nodes& nodes, const Encoder& encoder, wire::Nodes& out) {
  out.set_rpc(nodes.rpc);
  encoder.List(nodes.contacts, out.mutable_contacts());
}
static void Get(wire::Nodes& in, Decoder& decoder, Nodes& nodes) {
  nodes.rpc = in.rpc();
  decoder.List(in.contacts(), nodes.contacts);
}

static void Put(const Value& value, const Encoder& encoder, wire::Value& out) {
  out.set_rpc(value.rpc);
  PutRecord(value.record, encoder, *out.mutable_record());
}
static void Get(wire::Value& in, Decoder& decoder, Value& value) {
  value.rpc = in.rpc();
  GetRecord(in.has_record(), *in.mutable_record(), decoder, value.record);
}

static void Put(const Store& store, const Encoder& encoder, wire::Store& out) {
  out.set_rpc(store.rpc);
  PutRecord(store.record, encoder, *out.mutable_record());
}
static void Get(wire::Store& in, Decoder& decoder, Store& store) {
  store.rpc = in.rpc();
  GetRecord(in.has_record(), *in.mutable_record(), decoder, store.record);
}

static void Put(const StoreAck& ack, const Encoder&, wire::StoreAck& out) {
  out.set_rpc(ack.rpc);
  out.set_status(static_cast<std::uint32_t>(ack.status));
}
static void Get(wire::StoreAck& in, Decoder& decoder, StoreAck& ack) {
  ack.rpc = in.rpc();
  ack.status = decoder.Enum(in.status(), StoreStatus::kRejected);
}

static void Put(const Leave&, const Encoder&, wire::Leave&) {}
static void Get(wire::Leave&, Decoder&, Leave&) {}

const FamilyTable<KademliaMessages>& KademliaTable() {
  using M = wire::Message;
  static constexpr FamilyTable<KademliaMessages> kTable(
      Row<Ping, &M::mutable_ping, Case::kPing>(), Row<Pong, &M::mutable_pong, Case::kPong>(),
      Row<FindNode, &M::mutable_find_node, Case::kFindNode>(),
      Row<FindValue, &M::mutable_find_value, Case::kFindValue>(),
      Row<Nodes, &M::mutable_nodes, Case::kNodes>(), Row<Value, &M::mutable_value, Case::kValue>(),
      Row<Store, &M::mutable_store, Case::kStore>(),
      Row<StoreAck, &M::mutable_store_ack, Case::kStoreAck>(),
      Row<Leave, &M::mutable_leave, Case::kLeave>());
  return kTable;
}

}  // namespace tombolo::node
