// Members and views; rooms_sync.cc has what is said to other homes.
#include "overlay/rooms.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tombolo {
namespace {

bool Contains(const std::vector<NodeId>& ids, const NodeId& id) {
  return std::ranges::binary_search(ids, id);
}

}  // namespace

int Rooms::CountOf(const Room& room, const NodeId& client) {
  const auto elsewhere = std::ranges::count_if(
      room.others, [&](const auto& other) { return Contains(other.second.members, client); });
  return static_cast<int>(elsewhere) + (Contains(room.members, client) ? 1 : 0);
}

bool Rooms::Join(const NodeId& key, const NodeId& client, const PartStep& step) {
  auto at = rooms_.find(key);
  const bool is_new = at == rooms_.end();
  const auto max_members = static_cast<std::size_t>(step.config.attach.max_members);
  const bool full = is_new ? rooms_.size() >= static_cast<std::size_t>(step.config.attach.max_rooms)
                           : at->second.members.size() >= max_members;
  if (!is_new && Contains(at->second.members, client)) return true;
  if (full) {
    step.out.Drop(DropReason::kOverload);
    return false;
  }
  if (is_new) {
    at = rooms_.emplace(key, Room{}).first;
    at->second.version = static_cast<std::uint32_t>(step.rng.Next());
  }
  Room& room = at->second;
  if (CountOf(room, client) == 0) step.out.Notify(RoomChanged{key, client, step.self, true});
  room.members.insert(std::ranges::lower_bound(room.members, client), client);
  TellChange(key, room, client, true, step);
  return true;
}

void Rooms::Leave(const NodeId& key, const NodeId& client, const PartStep& step) {
  const auto at = rooms_.find(key);
  if (at == rooms_.end() || !Contains(at->second.members, client)) return;
  Room& room = at->second;
  room.members.erase(std::ranges::lower_bound(room.members, client));
  if (CountOf(room, client) == 0) step.out.Notify(RoomChanged{key, client, step.self, false});
  if (room.members.empty()) return Forget(at, step);
  TellChange(key, room, client, false, step);
}

std::vector<NodeId> Rooms::LeaveAll(const NodeId& client, const PartStep& step) {
  std::vector<NodeId> left;
  for (const NodeId& key : keys()) {
    Leave(key, client, step);
    if (!IsHome(key)) left.push_back(key);
  }
  return left;
}

void Rooms::EndAll(const PartStep& step) {
  while (!rooms_.empty()) Forget(rooms_.begin(), step);
  deadline_ = kNever;
}

// The room has no member here any more.
void Rooms::Forget(RoomMap::iterator at, const PartStep& step) {
  const NodeId key = at->first;
  for (auto& [id, other] : at->second.others) {
    step.out.Send(other.peer, RoomGone{key});
    StopAsking(other);
    Release(partners_.find(id));
  }
  rooms_.erase(at);
}

void Rooms::TellChange(const NodeId& key, Room& room, const NodeId& client, bool joined,
                       const PartStep& step) {
  ++room.version;
  // Should the news be lost, a digest shortly after tells.
  const Time soon = step.now + step.config.lookup.rpc_timeout;
  for (const auto& [id, other] : room.others) {
    step.out.Send(other.peer, RoomChange{key, client, room.version, joined});
    Partner& partner = partners_.at(id);
    partner.digest_at = std::min(partner.digest_at, soon);
    SetTurn(id, partner, std::min(partner.turn, soon));
  }
}

// The members at another home are these now.
void Rooms::SetMembers(const NodeId& key, Room& room, Other& other, std::vector<NodeId> members,
                       const PartStep& step) {
  const std::vector<NodeId> before = std::exchange(other.members, std::move(members));
  std::vector<NodeId> differing;
  std::ranges::set_difference(before, other.members, std::back_inserter(differing));
  for (const NodeId& client : differing) {
    if (CountOf(room, client) == 0) step.out.Notify(RoomChanged{key, client, other.peer, false});
  }
  differing.clear();
  std::ranges::set_difference(other.members, before, std::back_inserter(differing));
  for (const NodeId& client : differing) {
    if (CountOf(room, client) == 1) step.out.Notify(RoomChanged{key, client, other.peer, true});
  }
}

std::vector<NodeId> Rooms::keys() const {
  std::vector<NodeId> keys;
  keys.reserve(rooms_.size());
  for (const auto& [key, room] : rooms_) keys.push_back(key);
  return keys;
}

std::span<const NodeId> Rooms::OwnMembers(const NodeId& room) const {
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return {};
  return at->second.members;
}

std::vector<RoomMember> Rooms::View(const NodeId& room, PeerRef self) const {
  std::vector<RoomMember> view;
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return view;
  for (const NodeId& client : at->second.members) view.push_back({client, self});
  for (const auto& [id, other] : at->second.others) {
    for (const NodeId& client : other.members) view.push_back({client, other.peer});
  }
  return view;
}

bool Rooms::IsConsistent() const {
  std::map<NodeId, std::uint32_t> shared;
  std::uint32_t asking = 0;
  for (const auto& [key, room] : rooms_) {
    if (room.members.empty() || !std::ranges::is_sorted(room.members)) return false;
    for (const auto& [id, other] : room.others) {
      ++shared[id];
      asking += other.asking ? 1 : 0;
      if (!std::ranges::is_sorted(other.members)) return false;
    }
  }
  return asking == asking_ &&
         std::ranges::equal(shared, partners_, [](const auto& a, const auto& b) {
           return a.first == b.first && a.second == b.second.rooms;
         });
}

}  // namespace tombolo
