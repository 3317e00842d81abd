// Clients and rooms: what the parts of Attach have to say to each other and to the rest of a peer.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "overlay/peer.h"

namespace tombolo {
namespace {

LeaseKey ClientKey(const NodeId& client) { return {LeaseKind::kClient, client}; }
LeaseKey RoomKey(const NodeId& room) { return {LeaseKind::kRoom, room}; }

}  // namespace

// ---- Commands.

void Peer::RefuseAttach(const Command& command, const PartStep& step) {
  if (const AttachClient* attach = std::get_if<AttachClient>(&command)) {
    step.out.Notify(ClientAttached{attach->request, false, attach->client, 0, 0, step.now});
  } else if (const ResolveClient* resolve = std::get_if<ResolveClient>(&command)) {
    step.out.Notify(ClientResolved{resolve->request, false, 0, 0, PeerRef::kNone, resolve->client,
                                   0, step.now});
  } else if (const JoinRoom* join = std::get_if<JoinRoom>(&command)) {
    step.out.Notify(RoomJoined{join->request, false, join->room});
  }
}

void Peer::Start(const AttachClient& attach, const PartStep& step) {
  if (!step.config.has_table()) return RefuseAttach(attach, step);
  HomeLeases& home = EnsureParts().attach.Ensure().home;
  if (!home.Attach(attach.request, attach.client, attach.sequence, step))
    return RefuseAttach(attach, step);
  CompareWithHeld(attach.client, step);
  StartLeaseLookups(step);
}

// A home is a holder as well, the only one in an island of two: what it holds for another home
// counts like the word of any other holder, and that home hears who is newer.
void Peer::CompareWithHeld(const NodeId& client, const PartStep& step) {
  Attach& attach = *parts_->attach;
  const std::optional<LeaseAt> held = attach.held.Find(client, step.now);
  if (!held) return;
  const LeaseMoved moved{client, held->home, held->sequence};
  const bool newer = held->sequence >= *attach.home.Find(client);
  if (newer && attach.home.OnMoved(held->home, moved, step)) return LeaveRooms(client, step);
  attach.held.EndOlder(client, *attach.home.Find(client), step);
}

void Peer::Start(const DetachClient& detach, const PartStep& step) {
  if (!parts_ || !parts_->attach) return;
  parts_->attach->home.End(ClientKey(detach.client), step);
  LeaveRooms(detach.client, step);
}

void Peer::Start(const ResolveClient& resolve, const PartStep& step) {
  if (!step.config.has_table()) return RefuseAttach(resolve, step);
  Attach& attach = EnsureParts().attach.Ensure();
  const auto operation = attach.resolves.Begin(resolve, step);
  if (!operation) return;
  if (attach.home.Find(resolve.client)) return attach.resolves.End(*operation, true, 0, 0, step);
  if (const auto held = attach.held.Find(resolve.client, step.now))
    attach.resolves.OnFound(*operation, *held, step);
  StartLookup({LookupPurpose::kResolve, *operation, resolve.client}, step);
}

void Peer::Start(const JoinRoom& join, const PartStep& step) {
  if (!step.config.has_table()) return RefuseAttach(join, step);
  Attach& attach = EnsureParts().attach.Ensure();
  const bool joined = attach.rooms.Join(join.room, join.client, step);
  step.out.Notify(RoomJoined{join.request, joined, join.room});
  if (!joined) return;
  attach.home.EnterRoom(join.room, step);
  StartLeaseLookups(step);
}

void Peer::Start(const LeaveRoom& leave, const PartStep& step) {
  if (!parts_ || !parts_->attach) return;
  parts_->attach->rooms.Leave(leave.room, leave.client, step);
  if (!parts_->attach->rooms.IsHome(leave.room))
    parts_->attach->home.End(RoomKey(leave.room), step);
}

// A client that is no longer here is no longer a member here.
void Peer::LeaveRooms(const NodeId& client, const PartStep& step) {
  for (const NodeId& room : parts_->attach->rooms.LeaveAll(client, step))
    parts_->attach->home.End(RoomKey(room), step);
}

// Nobody waits for answers: what could not be told expires.
void Peer::EndAttach(const PartStep& step) {
  if (!parts_ || !parts_->attach) return;
  parts_->attach->rooms.EndAll(step);
  parts_->attach->home.EndAll(step);
  parts_->attach->resolves.EndAll(step);
}

// Peers of another island have come into the table: whoever is closest to the leases may be there.
void Peer::RenewAttached(const PartStep& step) {
  if (!parts_ || !parts_->attach) return;
  parts_->attach->home.OnMerge(step);
  StartLeaseLookups(step);
}

// ---- Lookups.

void Peer::StartLeaseLookups(const PartStep& step) {
  while (parts_ && parts_->attach) {
    const std::optional<LeaseKey> key = parts_->attach->home.TakeLookup();
    if (!key) return;
    StartLookup({LookupPurpose::kLease, static_cast<std::uint32_t>(key->kind), key->id}, step);
  }
}

void Peer::LeaseLookupDone(const LookupState& done, const PartStep& step) {
  if (!parts_ || !parts_->attach) return;
  std::array<PeerRef, kMaxListed> closest;
  const std::size_t count =
      done.Closest({closest.data(), static_cast<std::size_t>(step.config.table.k)});
  const auto kind = static_cast<LeaseKind>(done.goal().request);
  parts_->attach->home.OnLookupDone({kind, done.goal().target}, {closest.data(), count}, step);
  StartLeaseLookups(step);
}

void Peer::ResolveDone(const LookupState& done, const PartStep& step) {
  if (!parts_ || !parts_->attach) return;
  Resolves& resolves = parts_->attach->resolves;
  const std::uint32_t operation = done.goal().request;
  const bool here = parts_->attach->home.Find(resolves.client(operation)).has_value();
  resolves.End(operation, here, done.hops(), done.messages(), step);
}

void Peer::AttachLookupRefused(const LookupGoal& goal, const PartStep& step) {
  if (goal.purpose == LookupPurpose::kResolve) {
    parts_->attach->resolves.End(goal.request, false, 0, 0, step);
  } else {
    parts_->attach->home.OnLookupRefused({static_cast<LeaseKind>(goal.request), goal.target}, step);
  }
}

// ---- Messages between homes and holders.

void Peer::Handle(PeerRef from, const LeaseUpdate& update, const PartStep& step) {
  SeenAlive(from, step);
  Attach& attach = EnsureParts().attach.Ensure();
  const std::size_t count = std::min<std::size_t>(update.count, LeaseUpdate::kMaxEntries);
  for (std::size_t i = 0; i < count; ++i) {
    const bool claims = update.kind(i) == LeaseKind::kClient && !update.is_end(i);
    if (claims && attach.home.Yields(update.keys[i], from, update.sequences[i], step))
      LeaveRooms(update.keys[i], step);
    // A holder that is a home of the room itself is found without help.
    if (update.kind(i) == LeaseKind::kRoom && !update.is_end(i) &&
        attach.rooms.IsHome(update.keys[i])) {
      attach.rooms.OnHomes(update.keys[i], {&from, 1}, step);
    }
  }
  attach.held.Accept(from, update, step);
  if (count == 0) TellCrowded(from, step);
}

// The home should look for better holders of keys to which this peer knows so many closer ones that
// a few dead ones among them do not matter.
void Peer::TellCrowded(PeerRef home, const PartStep& step) {
  const auto replicas = static_cast<std::size_t>(step.config.attach.replicas);
  const std::size_t enough = replicas + replicas / 2;
  if (table_.live_count() < enough) return;
  std::array<PeerRef, kMaxListed> closest;
  parts_->attach->held.TellCrowded(home, step, [&](const NodeId& key) {
    const std::size_t count = table_.Closest(id_, key, enough, step.ids, closest);
    return std::all_of(closest.begin(), closest.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](PeerRef peer) { return IsCloser(step.ids.id(peer), id_, key); });
  });
}

void Peer::Handle(PeerRef from, const LeaseAck& ack, const PartStep& step) {
  if (!parts_ || !parts_->attach) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  parts_->attach->home.OnAck(from, ack, step);
  StartLeaseLookups(step);
}

void Peer::Handle(PeerRef from, const LeaseMoved& moved, const PartStep& step) {
  if (!parts_ || !parts_->attach) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  if (parts_->attach->home.OnMoved(from, moved, step)) LeaveRooms(moved.client, step);
}

void Peer::Handle(PeerRef from, const LeaseCrowded& crowded, const PartStep& step) {
  if (!parts_ || !parts_->attach) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  parts_->attach->home.OnCrowded(from, crowded, step);
  StartLeaseLookups(step);
}

// The home itself knows best; then who holds a lease; anybody else names closer peers.
void Peer::Handle(PeerRef from, const FindLease& find, const PartStep& step) {
  SeenAlive(from, step);
  if (parts_ && parts_->attach) {
    if (const auto sequence = parts_->attach->home.Find(find.client))
      return step.out.Send(from, LeaseFound{find.rpc, self_, *sequence});
    if (const auto held = parts_->attach->held.Find(find.client, step.now))
      return step.out.Send(from, LeaseFound{find.rpc, held->home, held->sequence});
  }
  step.out.Send(from, Nodes{find.rpc, ClosestList(from, find.client, 0, step)});
}

void Peer::Handle(PeerRef from, const LeaseFound& found, const PartStep& step) {
  const std::optional<std::uint32_t> operation =
      parts_ ? parts_->lookups.OnLeaseFound(from, found.rpc, step) : std::nullopt;
  if (!operation) {
    if (!parts_) step.out.Drop(DropReason::kUnknownRpc);
    HeardLate(from, step);
    return DrainLookups(step);  // a wrong answer may have been the last one awaited
  }
  SeenAlive(from, step);
  if (step.ids.Contains(found.home))
    parts_->attach->resolves.OnFound(*operation, {found.home, found.sequence}, step);
  DrainLookups(step);
}

// ---- Messages between homes of a room.

void Peer::Handle(PeerRef from, const RoomMessages::Variant& message, const PartStep& step) {
  if (!parts_ || !parts_->attach) return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  std::visit([&](const auto& body) { parts_->attach->rooms.On(from, body, step); }, message);
}

void Peer::TickAttach(const PartStep& step) {
  if (!parts_->attach) return;
  std::vector<PeerRef> silent;
  parts_->attach->home.OnTimer(table_.live_count(), step, silent);
  for (const PeerRef peer : silent) SeenSilent(peer, step);
  parts_->attach->held.OnTimer(step);
  parts_->attach->rooms.OnTimer(step);
  StartLeaseLookups(step);
}

}  // namespace tombolo
