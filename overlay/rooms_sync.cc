// How the homes of a room keep up with each other; rooms.h has the procedure.
#include <algorithm>
#include <utility>

#include "overlay/rooms.h"

namespace tombolo {
namespace {

std::uint64_t VersionHash(const NodeId& room, std::uint32_t version) {
  return Mix64(IdHash(room) ^ version);
}

// Give or take an eighth.
Duration Jittered(Duration interval, Rng& rng) {
  const std::int64_t quarter = interval.us / 4;
  return interval - Duration{quarter / 2} +
         Duration{static_cast<std::int64_t>(rng.Below64(static_cast<std::uint64_t>(quarter) + 1))};
}

}  // namespace

// Null if there are too many homes.
Rooms::Other* Rooms::FindOrAdd(Room& room, PeerRef peer, const PartStep& step) {
  const NodeId& id = step.ids.id(peer);
  if (const auto at = room.others.find(id); at != room.others.end()) return &at->second;
  if (room.others.size() + 1 >= static_cast<std::size_t>(step.config.attach.max_homes)) {
    step.out.Drop(DropReason::kOverload);
    return nullptr;
  }
  Partner& partner = partners_[id];
  if (partner.rooms++ == 0) {
    partner.peer = peer;
    partner.heard = step.now;
    partner.digest_at = step.now + Jittered(step.config.attach.renew_interval, step.rng);
    SetTurn(id, partner, partner.digest_at);
  }
  Other& other = room.others[id];
  other.peer = peer;
  return &other;
}

// Another home is out of view, and so are its members.
void Rooms::Remove(const NodeId& key, Room& room, Others::iterator at, const PartStep& step) {
  SetMembers(key, room, at->second, {}, step);
  StopAsking(at->second);
  Release(partners_.find(at->first));
  room.others.erase(at);
}

// One room less is shared.
void Rooms::Release(Partners::iterator partner) {
  if (--partner->second.rooms > 0) return;
  turns_.erase({partner->second.turn, partner->first});
  partners_.erase(partner);
}

void Rooms::DropPartner(PeerRef peer, const PartStep& step) {
  const NodeId id = step.ids.id(peer);
  for (auto& [key, room] : rooms_) {
    if (const auto at = room.others.find(id); at != room.others.end()) Remove(key, room, at, step);
  }
}

void Rooms::Heard(PeerRef from, const PartStep& step) {
  if (const auto at = partners_.find(step.ids.id(from)); at != partners_.end())
    at->second.heard = step.now;
}

void Rooms::OnHomes(const NodeId& key, std::span<const PeerRef> homes, const PartStep& step) {
  const auto at = rooms_.find(key);
  if (at == rooms_.end()) return step.out.Drop(DropReason::kUnknownRpc);
  Room& room = at->second;
  for (const PeerRef peer : homes) {
    if (peer == step.self || !step.ids.Contains(peer)) continue;
    if (room.others.contains(step.ids.id(peer))) continue;
    if (FindOrAdd(room, peer, step) == nullptr) return;
    RoomVersions greeting{};
    greeting.rooms[0] = key;
    greeting.versions[0] = room.version;
    greeting.count = 1;
    greeting.answer = true;
    step.out.Send(peer, greeting);
  }
}

void Rooms::On(PeerRef, const RoomHomes& homes, const PartStep& step) {
  const std::span<const PeerRef> listed = step.lists.Get(homes.contacts);
  OnHomes(homes.room, std::vector<PeerRef>(listed.begin(), listed.end()), step);
}

void Rooms::On(PeerRef from, const RoomDigest& digest, const PartStep& step) {
  Heard(from, step);
  std::uint64_t expected = 0;
  for (const auto& [key, room] : rooms_) {
    const auto at = room.others.find(step.ids.id(from));
    if (at == room.others.end()) continue;
    // What is not known yet must not look like what is.
    const std::uint64_t hash = VersionHash(key, at->second.version);
    expected += at->second.known ? hash : ~hash;
  }
  if (expected != digest.digest) SendVersions(from, true, step);
}

// Our versions of all rooms shared with `to`, at least one message.
void Rooms::SendVersions(PeerRef to, bool answer, const PartStep& step) {
  RoomVersions message{};
  for (const auto& [key, room] : rooms_) {
    if (!room.others.contains(step.ids.id(to))) continue;
    if (message.count == RoomVersions::kMaxEntries)
      step.out.Send(to, std::exchange(message, RoomVersions{}));
    message.rooms[message.count] = key;
    message.versions[message.count++] = room.version;
  }
  message.answer = answer;
  if (answer || message.count > 0) step.out.Send(to, message);
}

void Rooms::On(PeerRef from, const RoomVersions& versions, const PartStep& step) {
  const std::size_t count = std::min<std::size_t>(versions.count, RoomVersions::kMaxEntries);
  for (std::size_t i = 0; i < count; ++i) {
    const NodeId& key = versions.rooms[i];
    const auto at = rooms_.find(key);
    if (at == rooms_.end()) {
      step.out.Send(from, RoomGone{key});
      continue;
    }
    Other* other = FindOrAdd(at->second, from, step);
    if (other == nullptr) continue;
    if (!other->known || other->version != versions.versions[i]) Ask(key, *other, 0, step);
  }
  Heard(from, step);
  if (versions.answer) SendVersions(from, false, step);
}

void Rooms::On(PeerRef from, const RoomGone& gone, const PartStep& step) {
  Heard(from, step);
  const auto at = rooms_.find(gone.room);
  if (at == rooms_.end()) return;
  const auto other = at->second.others.find(step.ids.id(from));
  if (other != at->second.others.end()) Remove(gone.room, at->second, other, step);
}

void Rooms::On(PeerRef from, const RoomChange& change, const PartStep& step) {
  const auto at = rooms_.find(change.room);
  if (at == rooms_.end()) return step.out.Send(from, RoomGone{change.room});
  Room& room = at->second;
  Other* other = FindOrAdd(room, from, step);
  if (other == nullptr) return;
  Heard(from, step);
  const auto ahead = static_cast<std::int32_t>(change.version - other->version);
  if (!other->known || ahead > 1) return Ask(change.room, *other, 0, step);
  if (ahead < 1) return;  // old news
  std::vector<NodeId> members = other->members;
  const auto place = std::ranges::lower_bound(members, change.client);
  const bool present = place != members.end() && *place == change.client;
  const auto max_members = static_cast<std::size_t>(step.config.attach.max_members);
  if (present == change.joined || (change.joined && members.size() >= max_members)) {
    return Ask(change.room, *other, 0, step);  // does not fit what is known
  }
  if (change.joined) {
    members.insert(place, change.client);
  } else {
    members.erase(place);
  }
  other->version = change.version;
  SetMembers(change.room, room, *other, std::move(members), step);
}

void Rooms::Ask(const NodeId& key, Other& other, std::size_t first, const PartStep& step) {
  if (first == 0) {
    if (other.asking) return;
    ++asking_;
    other.asking = true;
    other.filling.clear();
  }
  other.tries = 1;
  other.asked_from = static_cast<std::uint16_t>(first);
  other.ask_deadline = step.now + step.config.lookup.rpc_timeout;
  deadline_ = std::min(deadline_, other.ask_deadline);
  step.out.Send(other.peer, RoomAsk{key, other.asked_from});
}

void Rooms::StopAsking(Other& other) {
  if (!std::exchange(other.asking, false)) return;
  --asking_;
  other.filling = {};
}

void Rooms::On(PeerRef from, const RoomAsk& ask, const PartStep& step) {
  const auto at = rooms_.find(ask.room);
  if (at == rooms_.end()) return step.out.Send(from, RoomGone{ask.room});
  Heard(from, step);
  const Room& room = at->second;
  const std::size_t end = std::min(room.members.size(), ask.first + kBurst);
  for (std::size_t i = ask.first; i < end; i += RoomMembers::kMaxEntries) {
    RoomMembers message{};
    message.room = ask.room;
    message.version = room.version;
    message.total = static_cast<std::uint16_t>(room.members.size());
    message.first = static_cast<std::uint16_t>(i);
    for (std::size_t j = 0; j < message.entries(); ++j) message.members[j] = room.members[i + j];
    step.out.Send(from, message);
  }
}

void Rooms::On(PeerRef from, const RoomMembers& members, const PartStep& step) {
  Heard(from, step);
  const auto at = rooms_.find(members.room);
  if (at == rooms_.end()) return step.out.Drop(DropReason::kUnknownRpc);
  const auto found = at->second.others.find(step.ids.id(from));
  if (found == at->second.others.end() || !found->second.asking)
    return step.out.Drop(DropReason::kUnknownRpc);
  Other& other = found->second;
  if (members.first == 0) {
    other.filling.clear();
    other.filling_version = members.version;
  }
  if (members.first != other.filling.size()) return;  // a gap: asked again when the time is over
  if (members.version != other.filling_version) {
    StopAsking(other);  // changed meanwhile: from the start
    return Ask(members.room, other, 0, step);
  }
  for (std::size_t i = 0; i < members.entries(); ++i) {
    const NodeId& client = members.members[i];
    const bool ascends = other.filling.empty() || other.filling.back() < client;
    if (!ascends) return step.out.Drop(DropReason::kUnknownRpc);
    other.filling.push_back(client);
  }
  other.tries = 1;
  other.ask_deadline = step.now + step.config.lookup.rpc_timeout;
  const auto max_members = static_cast<std::size_t>(step.config.attach.max_members);
  const bool too_many = other.filling.size() > max_members;
  if (too_many) {
    step.out.Drop(DropReason::kOverload);
    other.filling.resize(max_members);
  }
  if (too_many || other.filling.size() >= members.total) {
    std::vector<NodeId> complete = std::exchange(other.filling, {});
    StopAsking(other);
    other.version = other.filling_version;
    other.known = true;
    return SetMembers(members.room, at->second, other, std::move(complete), step);
  }
  if (other.filling.size() == other.asked_from + kBurst)
    Ask(members.room, other, other.filling.size(), step);
}

void Rooms::OnTimer(const PartStep& step) {
  if (step.now < deadline_) return;
  const std::vector<NodeId> due = WhoseTurn(step.now);
  DropSilent(due, step);
  for (const NodeId& id : due) {
    if (const auto at = partners_.find(id); at != partners_.end()) TakeTurn(id, at->second, step);
  }
  if (asking_ > 0) RetryAsks(step);
  FindDeadline();
}

// Not all partners are looked at whenever one is due: where a thousand homes share rooms, that is
// most of the time that they take.
std::vector<NodeId> Rooms::WhoseTurn(Time now) const {
  std::vector<NodeId> due;
  for (auto at = turns_.begin(); at != turns_.end() && at->first <= now; ++at)
    due.push_back(at->second);
  std::ranges::sort(due);
  return due;
}

void Rooms::SetTurn(const NodeId& id, Partner& partner, Time turn) {
  turns_.erase({partner.turn, id});
  turns_.insert({turn, id});
  partner.turn = turn;
  deadline_ = std::min(deadline_, turn);
}

void Rooms::TakeTurn(const NodeId& id, Partner& partner, const PartStep& step) {
  const AttachConfig& config = step.config.attach;
  if (partner.digest_at <= step.now) {
    // Who has missed its turn is asked, several times before it counts as gone.
    const Duration interval = config.renew_interval;
    const bool silent = partner.heard + interval * 5 / 4 < step.now;
    partner.digest_at = step.now + (silent ? interval / 4 : Jittered(interval, step.rng));
    if (silent) {
      SendVersions(partner.peer, true, step);
    } else {
      SendDigest(id, partner.peer, step);
    }
  }
  SetTurn(id, partner, std::min(partner.digest_at, partner.heard + config.ttl));
}

void Rooms::SendDigest(const NodeId& id, PeerRef to, const PartStep& step) {
  RoomDigest message{0};
  for (const auto& [key, room] : rooms_) {
    if (room.others.contains(id)) message.digest += VersionHash(key, room.version);
  }
  step.out.Send(to, message);
}

void Rooms::DropSilent(std::span<const NodeId> candidates, const PartStep& step) {
  std::vector<PeerRef> silent;
  for (const NodeId& id : candidates) {
    const Partner& partner = partners_.at(id);
    if (partner.heard + step.config.attach.ttl <= step.now) silent.push_back(partner.peer);
  }
  for (const PeerRef peer : silent) DropPartner(peer, step);
}

// Asks on from where the answers ended.
void Rooms::RetryAsks(const PartStep& step) {
  for (auto& [key, room] : rooms_) {
    for (auto& [id, other] : room.others) {
      if (!other.asking || other.ask_deadline > step.now) continue;
      if (other.tries++ >= kTries) {
        StopAsking(other);
        continue;
      }
      other.asked_from = static_cast<std::uint16_t>(other.filling.size());
      other.ask_deadline = step.now + step.config.lookup.rpc_timeout;
      step.out.Send(other.peer, RoomAsk{key, other.asked_from});
    }
  }
}

void Rooms::FindDeadline() {
  deadline_ = turns_.empty() ? kNever : turns_.begin()->first;
  if (asking_ == 0) return;
  for (const auto& [key, room] : rooms_) {
    for (const auto& [id, other] : room.others) {
      if (other.asking) deadline_ = std::min(deadline_, other.ask_deadline);
    }
  }
}

}  // namespace tombolo
