// Compares what peers believe of clients and rooms with what is true.
//
//   I13   every live client is found from every peer of its island, at its home
//   I14   the homes of a room that can talk to each other have equal views, and the right ones
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

struct RoomCheck {
  std::uint32_t rooms = 0;
  std::uint32_t views = 0;  // homes of rooms, summed over rooms
  std::uint32_t wrong = 0;
  std::optional<NodeId> first_room;
  PeerRef first_home = PeerRef::kNone;
};

RoomCheck CheckRooms(const World& world);

}  // namespace tombolo::sim
