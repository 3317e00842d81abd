// What peers say to each other about clients and rooms: leases_home.h, leases_held.h and rooms.h
// have the procedures. Plain values; see message.h.
//
// `rpc` is chosen by the asker and repeated in the answer. Who a lease is of is never said: the
// link proves the sender, and a peer speaks of its own leases only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "overlay/contact_lists.h"
#include "overlay/message_family.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"

namespace tombolo {

// What a lease is about.
enum class LeaseKind : std::uint8_t {
  kClient,  // the client `key` is attached to the home; the newest home has it alone
  kRoom,    // the home has members of the room `key`; rooms have many homes
};

// Renews all leases that the receiver holds for the sender, and brings up to two of them up to
// date. `digest` is the sum of the hashes (leases_key.h) of all leases that the receiver should
// hold now.
struct LeaseUpdate {
  static constexpr std::string_view kName = "lease_update";
  static constexpr std::uint32_t kFieldBytes = 4 + 8 + 1;
  static constexpr std::uint32_t kEntryBytes = 20 + 8;
  static constexpr std::size_t kMaxEntries = 2;

  std::uint64_t digest;
  std::array<std::uint64_t, kMaxEntries> sequences;
  std::array<NodeId, kMaxEntries> keys;
  std::uint32_t rpc;
  std::uint8_t count;  // entries in use
  std::uint8_t rooms;  // bit i: entry i is of a room
  std::uint8_t ends;   // bit i: entry i is given up

  std::uint32_t entries() const { return count; }
  LeaseKind kind(std::size_t i) const {
    return (rooms >> i & 1) != 0 ? LeaseKind::kRoom : LeaseKind::kClient;
  }
  bool is_end(std::size_t i) const { return (ends >> i & 1) != 0; }
};

// The answer. If the two differ, nothing but the entries themselves was renewed.
struct LeaseAck {
  static constexpr std::string_view kName = "lease_ack";
  static constexpr std::uint32_t kFieldBytes = 4 + 1;

  std::uint32_t rpc;
  bool agreed;            // the receiver holds what the digest says
  std::uint8_t refused;   // bit i: no room for entry i
  std::uint8_t outdated;  // bit i: a newer lease is held; a LeaseMoved tells which
};

// To a home: the client has a newer lease elsewhere.
struct LeaseMoved {
  static constexpr std::string_view kName = "lease_moved";
  static constexpr std::uint32_t kFieldBytes = 20 + 26 + 8;

  NodeId client;
  PeerRef home;
  std::uint64_t sequence;
};

// To a home: others are closer to these keys than the sender, which should no longer hold them.
struct LeaseCrowded {
  static constexpr std::string_view kName = "lease_crowded";
  static constexpr std::uint32_t kFieldBytes = 1;
  static constexpr std::uint32_t kEntryBytes = 20;
  static constexpr std::size_t kMaxEntries = 3;

  std::array<NodeId, kMaxEntries> keys;
  std::uint8_t count;
  std::uint8_t rooms;  // bit i: keys[i] is of a room

  std::uint32_t entries() const { return count; }
  LeaseKind kind(std::size_t i) const {
    return (rooms >> i & 1) != 0 ? LeaseKind::kRoom : LeaseKind::kClient;
  }
};

// Asks where a client is; answered by LeaseFound, or by Nodes as FIND_NODE is.
struct FindLease {
  static constexpr std::string_view kName = "find_lease";
  static constexpr std::uint32_t kFieldBytes = 4 + 20;

  std::uint32_t rpc;
  NodeId client;
};

struct LeaseFound {
  static constexpr std::string_view kName = "lease_found";
  static constexpr std::uint32_t kFieldBytes = 4 + 26 + 8;

  std::uint32_t rpc;
  PeerRef home;
  std::uint64_t sequence;
};

// To a home that has just told of a room: the other homes that hold a lease of it.
struct RoomHomes {
  static constexpr std::string_view kName = "room_homes";
  static constexpr std::uint32_t kFieldBytes = 20;

  NodeId room;
  ListHandle contacts;
};

// Home to home, periodic: the sum of the hashes of the rooms that the sender shares with the
// receiver, at the sender's versions.
struct RoomDigest {
  static constexpr std::string_view kName = "room_digest";
  static constexpr std::uint32_t kFieldBytes = 8;

  std::uint64_t digest;
};

// Home to home: rooms that the sender believes to share, at its versions of its own members.
struct RoomVersions {
  static constexpr std::string_view kName = "room_versions";
  static constexpr std::uint32_t kFieldBytes = 1;
  static constexpr std::uint32_t kEntryBytes = 20 + 4;
  static constexpr std::size_t kMaxEntries = 3;

  std::array<NodeId, kMaxEntries> rooms;
  std::array<std::uint32_t, kMaxEntries> versions;
  std::uint8_t count;
  bool answer;  // the receiver should say its versions too

  std::uint32_t entries() const { return count; }
};

// Home to home: the sender is no home of the room.
struct RoomGone {
  static constexpr std::string_view kName = "room_gone";
  static constexpr std::uint32_t kFieldBytes = 20;

  NodeId room;
};

// Home to home: a member came to the sender or left it, which made `version`.
struct RoomChange {
  static constexpr std::string_view kName = "room_change";
  static constexpr std::uint32_t kFieldBytes = 20 + 20 + 4 + 1;

  NodeId room;
  NodeId client;
  std::uint32_t version;
  bool joined;
};

// Home to home: asks for the members at the receiver, from the `first` one on.
struct RoomAsk {
  static constexpr std::string_view kName = "room_ask";
  static constexpr std::uint32_t kFieldBytes = 20 + 2;

  NodeId room;
  std::uint16_t first;
};

// Members at the sender, ascending by id: `first`, and the next one if there are that many.
struct RoomMembers {
  static constexpr std::string_view kName = "room_members";
  static constexpr std::uint32_t kFieldBytes = 20 + 4 + 2 + 2;
  static constexpr std::uint32_t kEntryBytes = 20;
  static constexpr std::size_t kMaxEntries = 2;

  NodeId room;
  std::array<NodeId, kMaxEntries> members;
  std::uint32_t version;
  std::uint16_t total;
  std::uint16_t first;

  std::uint32_t entries() const {
    const std::uint32_t left = total > first ? static_cast<std::uint32_t>(total - first) : 0;
    return left < kMaxEntries ? left : static_cast<std::uint32_t>(kMaxEntries);
  }
};

using LeaseMessages =
    MessageFamily<LeaseUpdate, LeaseAck, LeaseMoved, LeaseCrowded, FindLease, LeaseFound>;
using RoomMessages =
    MessageFamily<RoomHomes, RoomDigest, RoomVersions, RoomGone, RoomChange, RoomAsk, RoomMembers>;
using AttachMessages = ConcatFamilies<LeaseMessages, RoomMessages>::Type;

}  // namespace tombolo
