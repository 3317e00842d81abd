#include "node/codec.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/node/any_message.h"
#include "tests/node/core_taster.h"

namespace tombolo::node {
namespace {

constexpr PeerRef kSender{1};

wire::Message Encoded(const Message& message, const CodecWorld& world) {
  wire::Message encoded;
  world.codec.Encode(message, encoded);
  return encoded;
}

// What the decoder says of a message, which then has left nothing behind.
std::string Refusal(wire::Message in, CodecWorld& world) {
  const std::size_t lists = world.lists.in_use();
  const std::size_t payloads = world.payloads.in_use();
  const std::size_t peers = world.peers.size();
  Message out;
  const absl::Status status = world.codec.Decode(in, kSender, Time{}, out);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(world.lists.in_use(), lists);
  EXPECT_EQ(world.payloads.in_use(), payloads);
  EXPECT_EQ(world.peers.size(), peers);
  return std::string(status.message());
}

std::uint64_t Errors(DecodeError error, const CodecWorld& world) {
  return world.codec.counters().errors[static_cast<std::size_t>(error)];
}

void SetContact(wire::Contact* contact, const std::string& address) {
  contact->set_id(std::string(kIdBytes, 'c'));
  if (!address.empty()) contact->add_addresses(address);
}

TEST(Codec, EveryKindSurvivesTheWay) {
  CodecWorld world(1);
  std::set<int> cases;
  for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
    for (int round = 0; round < 200; ++round) {
      const Message sent = AnyMessageOf(kind, world);
      ASSERT_EQ(sent.index(), kind);
      std::string bytes;
      ASSERT_TRUE(Encoded(sent, world).SerializeToString(&bytes));
      wire::Message read;
      ASSERT_TRUE(read.ParseFromString(bytes));
      cases.insert(read.kind_case());
      Message received;
      ASSERT_TRUE(world.codec.Decode(read, kSender, Time{}, received).ok()) << kMessageNames[kind];
      ASSERT_TRUE(SameMessage(sent, received, world)) << kMessageNames[kind];
      Discard(sent, world);
      Discard(received, world);
    }
  }
  EXPECT_EQ(cases.size(), kMessageKinds);
  EXPECT_EQ(world.lists.in_use(), 0U);
  EXPECT_EQ(world.payloads.in_use(), 0U);
}

TEST(Codec, ContactsBringTheirAddressesAlong) {
  CodecWorld sender(1);
  CodecWorld receiver(2);
  const std::string address = "192.0.2.7:7400";
  const std::string_view addresses[] = {address};
  const NodeId id = sender.AnyId();
  const PeerRef dialable = *sender.peers.Name(id, addresses, KnownPeers::self(), Time{});
  const PeerRef hidden = *sender.peers.Name(sender.AnyId(), {}, KnownPeers::self(), Time{});
  const PeerRef both[] = {dialable, hidden};
  wire::Message carried = Encoded(Nodes{1, sender.lists.Add(both)}, sender);
  Message received;
  ASSERT_TRUE(receiver.codec.Decode(carried, kSender, Time{}, received).ok());
  const auto named = receiver.lists.Get(ListOf(received));
  ASSERT_EQ(named.size(), 2U);
  EXPECT_EQ(receiver.peers.ids().id(named[0]), id);
  ASSERT_EQ(receiver.peers.addresses(named[0]).size(), 1U);
  EXPECT_EQ(receiver.peers.addresses(named[0])[0].text, address);
  EXPECT_TRUE(receiver.peers.ids().dialable(named[0]));
  EXPECT_FALSE(receiver.peers.ids().dialable(named[1]));
  EXPECT_FALSE(receiver.peers.proven(named[0]));
}

TEST(Codec, RefusesByNameAndCounts) {
  CodecWorld world(1);
  wire::Message nothing;
  EXPECT_EQ(Refusal(nothing, world), "message: unknown_kind");

  wire::Message find;
  find.mutable_find_node()->set_target("short");
  EXPECT_EQ(Refusal(find, world), "find_node: bad_id");

  wire::Message ack;
  ack.mutable_store_ack()->set_status(4);
  EXPECT_EQ(Refusal(ack, world), "store_ack: bad_range");

  wire::Message nodes;
  for (std::size_t i = 0; i <= kMaxListed; ++i)
    SetContact(nodes.mutable_nodes()->add_contacts(), "");
  EXPECT_EQ(Refusal(nodes, world), "nodes: bad_count");

  wire::Message found;
  found.mutable_successor_found()->set_rpc(1);
  EXPECT_EQ(Refusal(found, world), "successor_found: missing");

  wire::Message store;
  store.mutable_store()->mutable_record()->set_key(std::string(kIdBytes, 'k'));
  store.mutable_store()->mutable_record()->set_payload(
      std::string(Codec::kMaxPayloadBytes + 1, 'x'));
  EXPECT_EQ(Refusal(store, world), "store: too_large");

  EXPECT_EQ(Errors(DecodeError::kUnknownKind, world), 1U);
  EXPECT_EQ(Errors(DecodeError::kBadId, world), 1U);
  EXPECT_EQ(Errors(DecodeError::kTooLarge, world), 1U);
}

// The first contact is good: it must not become known.
TEST(Codec, OneBadContactSpoilsTheMessage) {
  CodecWorld world(1);
  for (const char* address : {"no port", "host:0", "host:65536", "host:99999999999", "dns:///x:1",
                              "unix:/tmp/x", ":7400", "[::1:7400", "a b:1", "-a:1"}) {
    wire::Message nodes;
    SetContact(nodes.mutable_nodes()->add_contacts(), "10.0.0.9:1");
    SetContact(nodes.mutable_nodes()->add_contacts(), address);
    EXPECT_EQ(Refusal(nodes, world), "nodes: bad_address") << address;
  }
  wire::Message many;
  wire::Contact* contact = many.mutable_nodes()->add_contacts();
  SetContact(contact, "10.0.0.9:1");
  for (std::size_t i = 0; i < kMaxAddresses; ++i) contact->add_addresses("10.0.0.9:2");
  EXPECT_EQ(Refusal(many, world), "nodes: bad_count");
}

TEST(Codec, CountsHaveToAgree) {
  CodecWorld world(1);
  wire::Message have;
  have.mutable_gossip_have()->add_keys(1);
  EXPECT_EQ(Refusal(have, world), "gossip_have: bad_count");

  wire::Message ring;
  ring.mutable_ring_neighbours()->set_successors(1);
  EXPECT_EQ(Refusal(ring, world), "ring_neighbours: bad_count");

  wire::Message probe;
  probe.mutable_island_probe()->set_ages("x");
  EXPECT_EQ(Refusal(probe, world), "island_probe: bad_count");

  wire::Message members;
  members.mutable_room_members()->set_room(std::string(kIdBytes, 'r'));
  members.mutable_room_members()->set_total(2);
  EXPECT_EQ(Refusal(members, world), "room_members: bad_count");

  wire::Message update;
  for (int i = 0; i < 3; ++i) {
    update.mutable_lease_update()->add_entries()->set_key(std::string(kIdBytes, 'k'));
  }
  EXPECT_EQ(Refusal(update, world), "lease_update: bad_count");
}

TEST(Codec, AFullDirectoryCutsListsAndRefusesWhoHasToBeNamed) {
  CodecWorld world(1, 13);  // 14 of 16 with the node itself, all that names may take
  KnownPeers few(world.AnyId(), 16);
  Codec codec(few, world.lists, world.payloads);
  wire::Message nodes;
  for (int i = 0; i < 20; ++i) {
    nodes.mutable_nodes()->add_contacts()->set_id(
        std::string(kIdBytes, static_cast<char>('a' + i)));
  }
  wire::Message again = nodes;
  Message received;
  ASSERT_TRUE(codec.Decode(nodes, KnownPeers::self(), Time{}, received).ok());
  EXPECT_EQ(world.lists.Get(ListOf(received)).size(), 13U);
  EXPECT_EQ(codec.counters().contacts_cut, 7U);
  world.lists.Release(ListOf(received));

  wire::Message found;
  found.mutable_successor_found()->mutable_successor()->set_id(std::string(kIdBytes, 'z'));
  EXPECT_EQ(codec.Decode(found, KnownPeers::self(), Time{}, received).message(),
            "successor_found: no_room");
  EXPECT_EQ(few.size(), 14U);
}

// Whatever comes off the wire is either refused or something that the core can live with.
TEST(Codec, WhatItLetsThroughTheCoreAccepts) {
  CodecWorld world(3);
  CoreTaster taster(world.peers, world.lists, world.payloads);
  for (std::size_t i = 0; i < 8; ++i) taster.LinkUp(world.refs[i]);
  Rng rng(4);
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 60'000; ++round) {
    const Message seed = AnyMessageOf(rng.Below(kMessageKinds), world);
    std::string bytes = Encoded(seed, world).SerializeAsString();
    Discard(seed, world);
    for (std::uint32_t left = rng.Below(4); left > 0 && !bytes.empty(); --left) {
      bytes[rng.Below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<char>(rng.Next());
    }
    if (rng.Below(8) == 0) bytes.resize(rng.Below(static_cast<std::uint32_t>(bytes.size()) + 1));
    wire::Message read;
    Message message;
    if (!read.ParseFromString(bytes)) continue;
    if (!world.codec.Decode(read, world.refs[0], taster.now(), message).ok()) {
      ++refused;
      continue;
    }
    ++accepted;
    taster.Taste(rng.Below(2) == 0 ? world.refs[rng.Below(8)] : world.AnyRef(), message);
    if (rng.Below(20) == 0) taster.PassTime(Duration::Milliseconds(rng.Below(2000)));
  }
  EXPECT_GT(accepted, 20'000);
  EXPECT_GT(refused, 1'000);
  taster.Leave();
  EXPECT_EQ(world.lists.in_use(), 0U);
  EXPECT_EQ(world.payloads.in_use(), 0U);
}

}  // namespace
}  // namespace tombolo::node
