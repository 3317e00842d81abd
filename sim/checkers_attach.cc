#include "sim/checkers_attach.h"

#include <algorithm>
#include <map>
#include <set>
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

// Two of those who cannot be dialled speak to each other only while a link or an answer happens to
// keep a way open.
bool MayBeStrangers(const World& world, PeerRef a, PeerRef b) {
  return a != b && !world.directory().dialable(a) && !world.directory().dialable(b);
}

std::vector<Entry> Truth(const World& world, const std::vector<Members>& homes, PeerRef viewer) {
  std::vector<Entry> entries;
  for (const Members& members : homes) {
    const bool reached = members.home == viewer || world.CanTalkBothWays(viewer, members.home);
    if (!reached || MayBeStrangers(world, viewer, members.home)) continue;
    for (const NodeId& client : members.clients)
      entries.emplace_back(world.directory().id(members.home), client);
  }
  std::ranges::sort(entries);
  return entries;
}

std::vector<Entry> ViewOf(const World& world, const NodeId& room, PeerRef home) {
  std::vector<Entry> entries;
  for (const RoomMember& member : world.peer(home).parts()->attach->rooms.View(room, home)) {
    if (!MayBeStrangers(world, home, member.home))
      entries.emplace_back(world.directory().id(member.home), member.client);
  }
  std::ranges::sort(entries);
  return entries;
}

bool Claims(const World& world, PeerRef peer, const NodeId& client) {
  const PeerParts* parts = world.peer(peer).parts();
  return parts != nullptr && parts->attach && parts->attach->home.Find(client).has_value();
}

// Members that homes have and that are elsewhere, or in other rooms.
std::uint32_t Strays(const World& world, const NodeId& room, const Members& members) {
  const auto is_here = [&](const NodeId& client) {
    const auto at = world.clients().find(client);
    return at != world.clients().end() && at->second.home == members.home &&
           std::ranges::binary_search(at->second.rooms, room);
  };
  return static_cast<std::uint32_t>(members.clients.size()) -
         static_cast<std::uint32_t>(std::ranges::count_if(members.clients, is_here));
}

// Clients that have a home which does not know that they are in this room.
std::uint32_t Absentees(const World& world, const NodeId& room) {
  std::uint32_t absent = 0;
  for (const auto& [id, client] : world.clients()) {
    const bool member = std::ranges::binary_search(client.rooms, room);
    if (!member || client.home == PeerRef::kNone) continue;
    const PeerParts* parts = world.peer(client.home).parts();
    const bool known = parts != nullptr && parts->attach &&
                       std::ranges::binary_search(parts->attach->rooms.OwnMembers(room), id);
    absent += known ? 0 : 1;
  }
  return absent;
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

HomeCheck CheckHomes(const World& world) {
  HomeCheck check;
  for (const auto& [id, client] : world.clients()) {
    ++check.clients;
    for (const PeerRef peer : world.oracle().live()) {
      if (Claims(world, peer, id) == (peer == client.home) || check.wrong++ > 0) continue;
      check.first_client = id;
      check.first_home = peer;
    }
  }
  return check;
}

RoomCheck CheckRooms(const World& world) {
  RoomCheck check;
  std::set<NodeId> rooms;
  for (const auto& [id, client] : world.clients())
    rooms.insert(client.rooms.begin(), client.rooms.end());
  for (const NodeId& room : rooms) check.misplaced += Absentees(world, room);
  for (const auto& [room, homes] : RoomsOf(world)) {
    ++check.rooms;
    for (const Members& members : homes) {
      ++check.views;
      check.misplaced += Strays(world, room, members);
      if (ViewOf(world, room, members.home) == Truth(world, homes, members.home)) continue;
      if (check.wrong++ > 0) continue;
      check.first_room = room;
      check.first_home = members.home;
    }
  }
  return check;
}

}  // namespace tombolo::sim
