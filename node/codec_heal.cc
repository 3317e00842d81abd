#include <algorithm>

#include "node/codec_table.h"

namespace tombolo::node {
namespace {

// Probe and reply are alike.
template <class Kind, class Wire>
void PutSketch(const Kind& sketch, const Encoder& encoder, Wire& out) {
  out.set_rpc(sketch.rpc);
  encoder.List(sketch.contacts, out.mutable_contacts());
  out.mutable_ages()->assign(sketch.ages.begin(), sketch.ages.begin() + out.contacts_size());
}

template <class Wire, class Kind>
void GetSketch(Wire& in, Decoder& decoder, Kind& sketch) {
  sketch.rpc = in.rpc();
  sketch.ages.fill(0);
  decoder.List(in.contacts(), sketch.contacts, kSketchSize);
  if (in.ages().size() != static_cast<std::size_t>(in.contacts_size()) ||
      in.ages().size() > kSketchSize) {
    return decoder.Fail(DecodeError::kBadCount);
  }
  std::copy(in.ages().begin(), in.ages().end(), sketch.ages.begin());
}

}  // namespace

static void Put(const IslandProbe& probe, const Encoder& encoder, wire::IslandProbe& out) {
  PutSketch(probe, encoder, out);
}
static void Get(wire::IslandProbe& in, Decoder& decoder, IslandProbe& probe) {
  GetSketch(in, decoder, probe);
}

static void Put(const IslandReply& reply, const Encoder& encoder, wire::IslandReply& out) {
  PutSketch(reply, encoder, out);
}
static void Get(wire::IslandReply& in, Decoder& decoder, IslandReply& reply) {
  GetSketch(in, decoder, reply);
}

static void Put(const MergeConfirm& confirm, const Encoder& encoder, wire::MergeConfirm& out) {
  out.set_rpc(confirm.rpc);
  out.set_question(confirm.question);
  encoder.Contact(confirm.origin, out.mutable_origin());
  encoder.Contact(confirm.target, out.mutable_target());
  out.set_ttl(confirm.ttl);
}
static void Get(wire::MergeConfirm& in, Decoder& decoder, MergeConfirm& confirm) {
  confirm.rpc = in.rpc();
  confirm.question = in.question();
  decoder.Contact(in.has_origin(), in.origin(), confirm.origin);
  decoder.Contact(in.has_target(), in.target(), confirm.target);
  confirm.ttl = decoder.Number<std::uint8_t>(in.ttl());
}

static void Put(const MergeConfirmed& confirmed, const Encoder&, wire::MergeConfirmed& out) {
  out.set_rpc(confirmed.rpc);
  out.set_question(confirmed.question);
  out.set_known(confirmed.known);
}
static void Get(wire::MergeConfirmed& in, Decoder&, MergeConfirmed& confirmed) {
  confirmed.rpc = in.rpc();
  confirmed.question = in.question();
  confirmed.known = in.known();
}

static void Put(const MergeSync& sync, const Encoder& encoder, wire::MergeSync& out) {
  out.set_rpc(sync.rpc);
  out.set_session(sync.session);
  out.set_level(sync.level);
  out.set_first(sync.first);
  encoder.List(sync.contacts, out.mutable_contacts());
}
static void Get(wire::MergeSync& in, Decoder& decoder, MergeSync& sync) {
  sync.rpc = in.rpc();
  sync.session = in.session();
  sync.level = decoder.Number<std::uint8_t>(in.level());
  sync.first = in.first();
  decoder.List(in.contacts(), sync.contacts);
}

static void Put(const MergeSyncReply& reply, const Encoder& encoder, wire::MergeSyncReply& out) {
  out.set_rpc(reply.rpc);
  out.set_session(reply.session);
  out.set_duplicate(reply.duplicate);
  encoder.List(reply.contacts, out.mutable_contacts());
}
static void Get(wire::MergeSyncReply& in, Decoder& decoder, MergeSyncReply& reply) {
  reply.rpc = in.rpc();
  reply.session = in.session();
  reply.duplicate = in.duplicate();
  decoder.List(in.contacts(), reply.contacts);
}

static void Put(const MergeBridge& bridge, const Encoder& encoder, wire::MergeBridge& out) {
  out.set_rpc(bridge.rpc);
  out.set_session(bridge.session);
  encoder.Contact(bridge.partner, out.mutable_partner());
  out.set_level(bridge.level);
  encoder.List(bridge.contacts, out.mutable_contacts());
}
static void Get(wire::MergeBridge& in, Decoder& decoder, MergeBridge& bridge) {
  bridge.rpc = in.rpc();
  bridge.session = in.session();
  decoder.Contact(in.has_partner(), in.partner(), bridge.partner);
  bridge.level = decoder.Number<std::uint8_t>(in.level());
  decoder.List(in.contacts(), bridge.contacts);
}

static void Put(const MergeFill& fill, const Encoder& encoder, wire::MergeFill& out) {
  out.set_rpc(fill.rpc);
  out.set_session(fill.session);
  out.set_level(fill.level);
  encoder.List(fill.contacts, out.mutable_contacts());
}
static void Get(wire::MergeFill& in, Decoder& decoder, MergeFill& fill) {
  fill.rpc = in.rpc();
  fill.session = in.session();
  fill.level = decoder.Number<std::uint8_t>(in.level());
  decoder.List(in.contacts(), fill.contacts);
}

static void Put(const MergeLookup& lookup, const Encoder& encoder, wire::MergeLookup& out) {
  out.set_rpc(lookup.rpc);
  out.set_session(lookup.session);
  encoder.Contact(lookup.target, out.mutable_target());
  out.set_ttl(lookup.ttl);
}
static void Get(wire::MergeLookup& in, Decoder& decoder, MergeLookup& lookup) {
  lookup.rpc = in.rpc();
  lookup.session = in.session();
  decoder.Contact(in.has_target(), in.target(), lookup.target);
  lookup.ttl = decoder.Number<std::uint8_t>(in.ttl());
}

static void Put(const MergeMeet& meet, const Encoder& encoder, wire::MergeMeet& out) {
  out.set_rpc(meet.rpc);
  encoder.List(meet.contacts, out.mutable_contacts());
  out.set_successors(meet.successors);
  out.set_kind(static_cast<std::uint32_t>(meet.kind));
}
static void Get(wire::MergeMeet& in, Decoder& decoder, MergeMeet& meet) {
  meet.rpc = in.rpc();
  decoder.List(in.contacts(), meet.contacts);
  decoder.Require(in.successors() <= static_cast<std::uint32_t>(in.contacts_size()),
                  DecodeError::kBadCount);
  meet.successors = decoder.Number<std::uint8_t>(in.successors());
  meet.kind = decoder.Enum(in.kind(), MeetKind::kRelease);
}

static void Put(const MergeAck& ack, const Encoder&, wire::MergeAck& out) { out.set_rpc(ack.rpc); }
static void Get(wire::MergeAck& in, Decoder&, MergeAck& ack) { ack.rpc = in.rpc(); }

static void Put(const MergeRefresh& refresh, const Encoder& encoder, wire::MergeRefresh& out) {
  out.set_rpc(refresh.rpc);
  Encoder::Id(refresh.thin, out.mutable_thin());
  encoder.List(refresh.contacts, out.mutable_contacts());
}
static void Get(wire::MergeRefresh& in, Decoder& decoder, MergeRefresh& refresh) {
  refresh.rpc = in.rpc();
  refresh.thin = decoder.Id(in.thin());
  decoder.List(in.contacts(), refresh.contacts);
}

static void Put(const MergeRefreshed& refreshed, const Encoder& encoder,
                wire::MergeRefreshed& out) {
  out.set_rpc(refreshed.rpc);
  encoder.List(refreshed.contacts, out.mutable_contacts());
}
static void Get(wire::MergeRefreshed& in, Decoder& decoder, MergeRefreshed& refreshed) {
  refreshed.rpc = in.rpc();
  decoder.List(in.contacts(), refreshed.contacts);
}

static void Put(const UnifyLookup& lookup, const Encoder& encoder, wire::UnifyLookup& out) {
  out.set_rpc(lookup.rpc);
  encoder.Contact(lookup.target, out.mutable_target());
  out.set_fanout(lookup.fanout);
  out.set_ttl(lookup.ttl);
}
static void Get(wire::UnifyLookup& in, Decoder& decoder, UnifyLookup& lookup) {
  lookup.rpc = in.rpc();
  decoder.Contact(in.has_target(), in.target(), lookup.target);
  lookup.fanout = decoder.Number<std::uint8_t>(in.fanout());
  lookup.ttl = decoder.Number<std::uint8_t>(in.ttl());
}

static void Put(const UnifyTry& unify, const Encoder& encoder, wire::UnifyTry& out) {
  out.set_rpc(unify.rpc);
  encoder.Contact(unify.predecessor, out.mutable_predecessor());
  encoder.Contact(unify.successor, out.mutable_successor());
}
static void Get(wire::UnifyTry& in, Decoder& decoder, UnifyTry& unify) {
  unify.rpc = in.rpc();
  decoder.Contact(in.has_predecessor(), in.predecessor(), unify.predecessor);
  decoder.Contact(in.has_successor(), in.successor(), unify.successor);
}

static void Put(const UnifyDetected& detected, const Encoder& encoder, wire::UnifyDetected& out) {
  out.set_rpc(detected.rpc);
  encoder.Contact(detected.target, out.mutable_target());
  out.set_fanout(detected.fanout);
}
static void Get(wire::UnifyDetected& in, Decoder& decoder, UnifyDetected& detected) {
  detected.rpc = in.rpc();
  decoder.Contact(in.has_target(), in.target(), detected.target);
  detected.fanout = decoder.Number<std::uint8_t>(in.fanout());
}

const FamilyTable<HealMessages>& HealTable() {
  using M = wire::Message;
  static constexpr FamilyTable<HealMessages> kTable(
      Row<IslandProbe, &M::mutable_island_probe, Case::kIslandProbe>(),
      Row<IslandReply, &M::mutable_island_reply, Case::kIslandReply>(),
      Row<MergeConfirm, &M::mutable_merge_confirm, Case::kMergeConfirm>(),
      Row<MergeConfirmed, &M::mutable_merge_confirmed, Case::kMergeConfirmed>(),
      Row<MergeSync, &M::mutable_merge_sync, Case::kMergeSync>(),
      Row<MergeSyncReply, &M::mutable_merge_sync_reply, Case::kMergeSyncReply>(),
      Row<MergeBridge, &M::mutable_merge_bridge, Case::kMergeBridge>(),
      Row<MergeFill, &M::mutable_merge_fill, Case::kMergeFill>(),
      Row<MergeLookup, &M::mutable_merge_lookup, Case::kMergeLookup>(),
      Row<MergeMeet, &M::mutable_merge_meet, Case::kMergeMeet>(),
      Row<MergeAck, &M::mutable_merge_ack, Case::kMergeAck>(),
      Row<MergeRefresh, &M::mutable_merge_refresh, Case::kMergeRefresh>(),
      Row<MergeRefreshed, &M::mutable_merge_refreshed, Case::kMergeRefreshed>(),
      Row<UnifyLookup, &M::mutable_unify_lookup, Case::kUnifyLookup>(),
      Row<UnifyTry, &M::mutable_unify_try, Case::kUnifyTry>(),
      Row<UnifyDetected, &M::mutable_unify_detected, Case::kUnifyDetected>());
  return kTable;
}

}  // namespace tombolo::node
