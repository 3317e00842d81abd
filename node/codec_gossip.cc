#include <algorithm>

#include "node/codec_table.h"

namespace tombolo::node {

static void Put(const GossipPush& push, const Encoder& encoder, wire::GossipPush& out) {
  Encoder::Id(push.origin, out.mutable_origin());
  out.set_sequence(push.sequence);
  out.set_topic(push.topic);
  out.set_payload(encoder.Bytes(push.payload));
  out.set_ttl_ms(push.ttl_ms);
  out.set_count_ms(push.count_ms);
  out.set_hops(push.hops);
  out.set_max_hops(push.max_hops);
}
static void Get(wire::GossipPush& in, Decoder& decoder, GossipPush& push) {
  push.origin = decoder.Id(in.origin());
  push.sequence = in.sequence();
  push.topic = in.topic();
  decoder.Bytes(in.mutable_payload(), push.payload);
  push.ttl_ms = in.ttl_ms();
  push.count_ms = in.count_ms();
  push.hops = decoder.Number<std::uint8_t>(in.hops());
  push.max_hops = decoder.Number<std::uint8_t>(in.max_hops());
}

static void Put(const GossipHave& have, const Encoder&, wire::GossipHave& out) {
  out.mutable_keys()->Add(have.keys.begin(), have.keys.begin() + have.count);
  out.mutable_hops()->assign(have.hops.begin(), have.hops.begin() + have.count);
}
static void Get(wire::GossipHave& in, Decoder& decoder, GossipHave& have) {
  const auto count = static_cast<std::size_t>(in.keys_size());
  if (count > kMaxAnnounced || in.hops().size() != count) {
    return decoder.Fail(DecodeError::kBadCount);
  }
  have.count = static_cast<std::uint8_t>(count);
  std::copy(in.keys().begin(), in.keys().end(), have.keys.begin());
  std::copy(in.hops().begin(), in.hops().end(), have.hops.begin());
}

static void Put(const GossipGraft& graft, const Encoder&, wire::GossipGraft& out) {
  out.mutable_keys()->Add(graft.keys.begin(), graft.keys.begin() + graft.count);
}
static void Get(wire::GossipGraft& in, Decoder& decoder, GossipGraft& graft) {
  const auto count = static_cast<std::size_t>(in.keys_size());
  if (count > kMaxGrafted) return decoder.Fail(DecodeError::kBadCount);
  graft.count = static_cast<std::uint8_t>(count);
  std::copy(in.keys().begin(), in.keys().end(), graft.keys.begin());
}

static void Put(const GossipPrune& prune, const Encoder&, wire::GossipPrune& out) {
  out.set_key(prune.key);
}
static void Get(wire::GossipPrune& in, Decoder&, GossipPrune& prune) { prune.key = in.key(); }

static void Put(const GossipCount& count, const Encoder&, wire::GossipCount& out) {
  out.set_key(count.key);
  out.set_total(count.total);
}
static void Get(wire::GossipCount& in, Decoder&, GossipCount& count) {
  count.key = in.key();
  count.total = in.total();
}

const FamilyTable<GossipMessages>& GossipTable() {
  using M = wire::Message;
  static constexpr FamilyTable<GossipMessages> kTable(
      Row<GossipPush, &M::mutable_gossip_push, Case::kGossipPush>(),
      Row<GossipHave, &M::mutable_gossip_have, Case::kGossipHave>(),
      Row<GossipGraft, &M::mutable_gossip_graft, Case::kGossipGraft>(),
      Row<GossipPrune, &M::mutable_gossip_prune, Case::kGossipPrune>(),
      Row<GossipCount, &M::mutable_gossip_count, Case::kGossipCount>());
  return kTable;
}

}  // namespace tombolo::node
