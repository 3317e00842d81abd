#include "node/codec_table.h"

namespace tombolo::node {
namespace {

bool Bit(std::uint8_t bits, std::size_t i) { return (bits >> i & 1) != 0; }

std::uint8_t BitIf(bool set, std::size_t i) {
  return set ? static_cast<std::uint8_t>(1U << i) : std::uint8_t{0};
}

// The number of entries on the wire, 0 after an error.
std::size_t EntryCount(int size, std::size_t most, Decoder& decoder) {
  const auto count = static_cast<std::size_t>(size);
  if (count <= most) return count;
  decoder.Fail(DecodeError::kBadCount);
  return 0;
}

// Bits that each stand for an entry of a lease update.
std::uint8_t EntryBits(std::uint32_t bits, Decoder& decoder) {
  decoder.Require(bits < 1U << LeaseUpdate::kMaxEntries, DecodeError::kBadRange);
  return static_cast<std::uint8_t>(bits);
}

}  // namespace

static void Put(const LeaseUpdate& update, const Encoder&, wire::LeaseUpdate& out) {
  out.set_digest(update.digest);
  out.set_rpc(update.rpc);
  for (std::size_t i = 0; i < update.count; ++i) {
    wire::LeaseUpdate::Entry& entry = *out.add_entries();
    Encoder::Id(update.keys[i], entry.mutable_key());
    entry.set_sequence(update.sequences[i]);
    entry.set_room(Bit(update.rooms, i));
    entry.set_end(Bit(update.ends, i));
  }
}
static void Get(wire::LeaseUpdate& in, Decoder& decoder, LeaseUpdate& update) {
  update.digest = in.digest();
  update.rpc = in.rpc();
  const std::size_t count = EntryCount(in.entries_size(), LeaseUpdate::kMaxEntries, decoder);
  update.count = static_cast<std::uint8_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const wire::LeaseUpdate::Entry& entry = in.entries(static_cast<int>(i));
    update.keys[i] = decoder.Id(entry.key());
    update.sequences[i] = entry.sequence();
    update.rooms = update.rooms | BitIf(entry.room(), i);
    update.ends = update.ends | BitIf(entry.end(), i);
  }
}

static void Put(const LeaseAck& ack, const Encoder&, wire::LeaseAck& out) {
  out.set_rpc(ack.rpc);
  out.set_agreed(ack.agreed);
  out.set_refused(ack.refused);
  out.set_outdated(ack.outdated);
}
static void Get(wire::LeaseAck& in, Decoder& decoder, LeaseAck& ack) {
  ack.rpc = in.rpc();
  ack.agreed = in.agreed();
  ack.refused = EntryBits(in.refused(), decoder);
  ack.outdated = EntryBits(in.outdated(), decoder);
}

static void Put(const LeaseMoved& moved, const Encoder& encoder, wire::LeaseMoved& out) {
  Encoder::Id(moved.client, out.mutable_client());
  encoder.Contact(moved.home, out.mutable_home());
  out.set_sequence(moved.sequence);
}
static void Get(wire::LeaseMoved& in, Decoder& decoder, LeaseMoved& moved) {
  moved.client = decoder.Id(in.client());
  decoder.Contact(in.has_home(), in.home(), moved.home);
  moved.sequence = in.sequence();
}

static void Put(const LeaseCrowded& crowded, const Encoder&, wire::LeaseCrowded& out) {
  for (std::size_t i = 0; i < crowded.count; ++i) {
    wire::LeaseCrowded::Entry& entry = *out.add_entries();
    Encoder::Id(crowded.keys[i], entry.mutable_key());
    entry.set_room(Bit(crowded.rooms, i));
  }
}
static void Get(wire::LeaseCrowded& in, Decoder& decoder, LeaseCrowded& crowded) {
  const std::size_t count = EntryCount(in.entries_size(), LeaseCrowded::kMaxEntries, decoder);
  crowded.count = static_cast<std::uint8_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const wire::LeaseCrowded::Entry& entry = in.entries(static_cast<int>(i));
    crowded.keys[i] = decoder.Id(entry.key());
    crowded.rooms = crowded.rooms | BitIf(entry.room(), i);
  }
}

static void Put(const FindLease& find, const Encoder&, wire::FindLease& out) {
  out.set_rpc(find.rpc);
  Encoder::Id(find.client, out.mutable_client());
}
static void Get(wire::FindLease& in, Decoder& decoder, FindLease& find) {
  find.rpc = in.rpc();
  find.client = decoder.Id(in.client());
}

static void Put(const LeaseFound& found, const Encoder& encoder, wire::LeaseFound& out) {
  out.set_rpc(found.rpc);
  encoder.Contact(found.home, out.mutable_home());
  out.set_sequence(found.sequence);
}
static void Get(wire::LeaseFound& in, Decoder& decoder, LeaseFound& found) {
  found.rpc = in.rpc();
  decoder.Contact(in.has_home(), in.home(), found.home);
  found.sequence = in.sequence();
}

static void Put(const RoomHomes& homes, const Encoder& encoder, wire::RoomHomes& out) {
  Encoder::Id(homes.room, out.mutable_room());
  encoder.List(homes.contacts, out.mutable_contacts());
}
static void Get(wire::RoomHomes& in, Decoder& decoder, RoomHomes& homes) {
  homes.room = decoder.Id(in.room());
  decoder.List(in.contacts(), homes.contacts);
}

static void Put(const RoomDigest& digest, const Encoder&, wire::RoomDigest& out) {
  out.set_digest(digest.digest);
}
static void Get(wire::RoomDigest& in, Decoder&, RoomDigest& digest) { digest.digest = in.digest(); }

static void Put(const RoomVersions& versions, const Encoder&, wire::RoomVersions& out) {
  for (std::size_t i = 0; i < versions.count; ++i) {
    wire::RoomVersions::Entry& entry = *out.add_entries();
    Encoder::Id(versions.rooms[i], entry.mutable_room());
    entry.set_version(versions.versions[i]);
  }
  out.set_answer(versions.answer);
}
static void Get(wire::RoomVersions& in, Decoder& decoder, RoomVersions& versions) {
  const std::size_t count = EntryCount(in.entries_size(), RoomVersions::kMaxEntries, decoder);
  versions.count = static_cast<std::uint8_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const wire::RoomVersions::Entry& entry = in.entries(static_cast<int>(i));
    versions.rooms[i] = decoder.Id(entry.room());
    versions.versions[i] = entry.version();
  }
  versions.answer = in.answer();
}

static void Put(const RoomGone& gone, const Encoder&, wire::RoomGone& out) {
  Encoder::Id(gone.room, out.mutable_room());
}
static void Get(wire::RoomGone& in, Decoder& decoder, RoomGone& gone) {
  gone.room = decoder.Id(in.room());
}

static void Put(const RoomChange& change, const Encoder&, wire::RoomChange& out) {
  Encoder::Id(change.room, out.mutable_room());
  Encoder::Id(change.client, out.mutable_client());
  out.set_version(change.version);
  out.set_joined(change.joined);
}
static void Get(wire::RoomChange& in, Decoder& decoder, RoomChange& change) {
  change.room = decoder.Id(in.room());
  change.client = decoder.Id(in.client());
  change.version = in.version();
  change.joined = in.joined();
}

static void Put(const RoomAsk& ask, const Encoder&, wire::RoomAsk& out) {
  Encoder::Id(ask.room, out.mutable_room());
  out.set_first(ask.first);
}
static void Get(wire::RoomAsk& in, Decoder& decoder, RoomAsk& ask) {
  ask.room = decoder.Id(in.room());
  ask.first = decoder.Number<std::uint16_t>(in.first());
}

static void Put(const RoomMembers& members, const Encoder&, wire::RoomMembers& out) {
  Encoder::Id(members.room, out.mutable_room());
  for (std::size_t i = 0; i < members.entries(); ++i) {
    Encoder::Id(members.members[i], out.add_members());
  }
  out.set_version(members.version);
  out.set_total(members.total);
  out.set_first(members.first);
}
static void Get(wire::RoomMembers& in, Decoder& decoder, RoomMembers& members) {
  members.room = decoder.Id(in.room());
  members.version = in.version();
  members.total = decoder.Number<std::uint16_t>(in.total());
  members.first = decoder.Number<std::uint16_t>(in.first());
  if (members.entries() != static_cast<std::uint32_t>(in.members_size())) {
    return decoder.Fail(DecodeError::kBadCount);
  }
  for (std::size_t i = 0; i < members.entries(); ++i) {
    members.members[i] = decoder.Id(in.members(static_cast<int>(i)));
  }
}

const FamilyTable<AttachMessages>& AttachTable() {
  using M = wire::Message;
  static constexpr FamilyTable<AttachMessages> kTable(
      Row<LeaseUpdate, &M::mutable_lease_update, Case::kLeaseUpdate>(),
      Row<LeaseAck, &M::mutable_lease_ack, Case::kLeaseAck>(),
      Row<LeaseMoved, &M::mutable_lease_moved, Case::kLeaseMoved>(),
      Row<LeaseCrowded, &M::mutable_lease_crowded, Case::kLeaseCrowded>(),
      Row<FindLease, &M::mutable_find_lease, Case::kFindLease>(),
      Row<LeaseFound, &M::mutable_lease_found, Case::kLeaseFound>(),
      Row<RoomHomes, &M::mutable_room_homes, Case::kRoomHomes>(),
      Row<RoomDigest, &M::mutable_room_digest, Case::kRoomDigest>(),
      Row<RoomVersions, &M::mutable_room_versions, Case::kRoomVersions>(),
      Row<RoomGone, &M::mutable_room_gone, Case::kRoomGone>(),
      Row<RoomChange, &M::mutable_room_change, Case::kRoomChange>(),
      Row<RoomAsk, &M::mutable_room_ask, Case::kRoomAsk>(),
      Row<RoomMembers, &M::mutable_room_members, Case::kRoomMembers>());
  return kTable;
}

}  // namespace tombolo::node
