// Compares what peers believe of clients and rooms with what is true.
//
//   I13   every live client is found from every peer of its island, at its home; no other peer
//   takes
//         itself for its home (leases_home.h: the other home hears LeaseLost)
//   I14   the homes of a room that can talk to each other have equal views, and the right ones: by
//         the word of the homes, and by that of the clients. Of two homes neither of which can be
//         dialled it is not asked that they see each other.
//
// Claims and members are compared where the clients are attached; right after a move, or while the
// network is split, the old home may not have heard of it.
//
// Thread rule: pure functions of a world; CheckResolves lets it run on. Errors: none; a broken rule
// is a count and the first offender.
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "sim/world.h"

namespace tombolo::sim {

struct ResolveCheck {
  std::uint32_t resolves = 0;
  std::uint32_t right = 0;
  std::uint32_t wrong_home = 0;
  std::optional<NodeId> first_client;  // not found, or found elsewhere
  PeerRef first_source = PeerRef::kNone;
};

// Lets `count` random live peers look for random clients of their islands, at the same time, and
// waits for them.
ResolveCheck CheckResolves(World& world, std::uint32_t count);

struct HomeCheck {
  std::uint32_t clients = 0;
  std::uint32_t wrong = 0;  // homes that claim a client that is elsewhere, or do not know their own
  std::optional<NodeId> first_client;
  PeerRef first_home = PeerRef::kNone;
};

HomeCheck CheckHomes(const World& world);

struct RoomCheck {
  std::uint32_t rooms = 0;
  std::uint32_t views = 0;  // homes of rooms, summed over rooms
  std::uint32_t wrong = 0;
  std::uint32_t misplaced = 0;  // members that are not there, and clients that are no members
  std::optional<NodeId> first_room;
  PeerRef first_home = PeerRef::kNone;
};

RoomCheck CheckRooms(const World& world);

}  // namespace tombolo::sim
