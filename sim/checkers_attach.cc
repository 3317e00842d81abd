#include "sim/checkers_attach.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace tombolo::sim {
namespace {

constexpr Duration kResolveLimit = Duration::Minutes(10);  // longer than any lookup

// Members of one room at one home.
struct Members {
  PeerRef home = PeerRef::kNone;
  std::vector<NodeId> clients;
};

using Entry = std::pair<NodeId, NodeId>;  // home and client

// What each room consists of, by the homes' own word.
std::map<NodeId, std::vector<Members>> RoomsOf(const World& world) {
  std::map<NodeId, std::vector<Members>> rooms;
  for (const PeerRef ref : world.oracle().live()) {
    const PeerParts* parts = world.peer(ref).parts();
    if (parts == nullptr || !parts->attach) continue;
    for (const NodeId& room : parts->attach->rooms.keys()) {
      const auto own = parts->attach->rooms.OwnMembers(room);
      rooms[room].push_back({ref, {own.begin(), own.end()}});
    }
  }
  return rooms;
}

std::vector<Entry> Truth(const World& world, const std::vector<Members>& homes, PeerRef viewer) {
  std::vector<Entry> entries;
  for (const Members& members : homes) {
    const bool reached = members.home == viewer || world.CanTalkBothWays(viewer, members.home);
    if (!reached) continue;
    for (const NodeId& client : members.clients)
      entries.emplace_back(world.directory().id(members.home), client);
  }
  std::ranges::sort(entries);
  return entries;
}

std::vector<Entry> ViewOf(const World& world, const NodeId& room, PeerRef home) {
  std::vector<Entry> entries;
  for (const RoomMember& member : world.peer(home).parts()->attach->rooms.View(room, home))
    entries.emplace_back(world.directory().id(member.home), member.client);
  std::ranges::sort(entries);
  return entries;
}

}  // namespace

ResolveCheck CheckResolves(World& world, std::uint32_t count) {
  ResolveCheck check;
  std::vector<NodeId> clients;
  for (const auto& [id, client] : world.clients()) {
    if (client.home != PeerRef::kNone) clients.push_back(id);
  }
  std::vector<OperationId> started;
  for (std::uint32_t i = 0; i < count && !clients.empty(); ++i) {
    const NodeId& client = clients[i * std::uint64_t{clients.size()} / count];
    const PeerRef home = world.clients().at(client).home;
    const PeerRef source = world.RandomLivePeer();
    if (world.island_of(source) != world.island_of(home)) continue;
    started.push_back(world.StartResolve(source, client));
  }
  const Time limit = world.now() + kResolveLimit;
  for (const OperationId id : started) {
    world.RunUntilEnded(id, limit);
    const Operation done = world.TakeOperation(id);
    ++check.resolves;
    if (done.closest_ok) {
      ++check.right;
      continue;
    }
    if (done.status == OperationStatus::kSucceeded) ++check.wrong_home;
    if (check.first_client) continue;
    check.first_client = done.key;
    check.first_source = done.source;
  }
  return check;
}

RoomCheck CheckRooms(const World& world) {
  RoomCheck check;
  for (const auto& [room, homes] : RoomsOf(world)) {
    ++check.rooms;
    for (const Members& members : homes) {
      ++check.views;
      if (ViewOf(world, room, members.home) == Truth(world, homes, members.home)) continue;
      if (check.wrong++ > 0) continue;
      check.first_room = room;
      check.first_home = members.home;
    }
  }
  return check;
}

}  // namespace tombolo::sim
