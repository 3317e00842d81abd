// Clients and rooms: commands, what becomes of them, and the workload of both.
#include <algorithm>
#include <cassert>

#include "sim/world.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kClientStream = 0x636c69656e74;
constexpr std::uint64_t kRoomStream = 0x726f6f6d;
constexpr Duration kSpread = Duration::Seconds(10);  // within which a workload attaches its clients

NodeId DrawId(std::uint64_t seed, std::uint64_t stream, std::uint32_t number) {
  Rng draws = Rng::Split(seed ^ stream, number);
  NodeId id;
  for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(draws.Next() >> 32);
  return id;
}

// Rooms in which a home still has a client from an earlier stay, of which it has not heard the end.
std::vector<NodeId> LeftMeanwhile(const Peer& home, const AttachedClient& client,
                                  const NodeId& id) {
  std::vector<NodeId> left;
  const PeerParts* parts = home.parts();
  if (parts == nullptr || !parts->attach || !parts->attach->home.Find(id)) return left;
  for (const NodeId& room : parts->attach->rooms.keys()) {
    const bool member = std::ranges::binary_search(parts->attach->rooms.OwnMembers(room), id);
    if (member && !std::ranges::binary_search(client.rooms, room)) left.push_back(room);
  }
  return left;
}

// True if its client has come to the same home again meanwhile, which ends an attaching.
bool HasComeAgain(const Slab<Operation>& operations, const Operation& attaching) {
  for (std::uint32_t slot = 0; slot < operations.size(); ++slot) {
    const Operation& other = operations[slot];
    const bool alike = other.status == OperationStatus::kActive && other.kind == attaching.kind &&
                       other.source == attaching.source && other.key == attaching.key;
    if (alike && &other != &attaching) return true;
  }
  return false;
}

}  // namespace

OperationId World::StartAttach(PeerRef home, const NodeId& client, std::uint64_t sequence) {
  return BeginAttach(home, client, sequence, true);
}

OperationId World::BeginAttach(PeerRef home, const NodeId& client, std::uint64_t sequence,
                               bool recorded) {
  const OperationId id = Begin(OperationKind::kAttach, home, client, recorded);
  AttachedClient& attached = clients_[client];
  attached.home = home;
  const std::vector<NodeId> rooms = attached.rooms;
  for (const NodeId& room : LeftMeanwhile(peers_[Index(home)], attached, client))
    Issue(home, tombolo::LeaveRoom{room, client});
  Issue(home, tombolo::AttachClient{id, client, sequence});
  if (attached.home != home) return id;  // lost at once: the home knows of a newer one
  for (const NodeId& room : rooms) Issue(home, tombolo::JoinRoom{0, room, client});
  return id;
}

void World::Detach(const NodeId& client) {
  const auto at = clients_.find(client);
  assert(at != clients_.end());
  const PeerRef home = at->second.home;
  clients_.erase(at);
  if (home != PeerRef::kNone && is_up(home)) Issue(home, tombolo::DetachClient{client});
}

OperationId World::StartResolve(PeerRef source, const NodeId& client) {
  const OperationId id = Begin(OperationKind::kResolve, source, client, true);
  Issue(source, tombolo::ResolveClient{id, client});
  return id;
}

void World::EnterRoom(const NodeId& client, const NodeId& room) {
  AttachedClient& attached = clients_.at(client);
  const auto place = std::ranges::lower_bound(attached.rooms, room);
  if (place != attached.rooms.end() && *place == room) return;
  attached.rooms.insert(place, room);
  if (attached.home != PeerRef::kNone) Issue(attached.home, tombolo::JoinRoom{0, room, client});
}

void World::ExitRoom(const NodeId& client, const NodeId& room) {
  AttachedClient& attached = clients_.at(client);
  if (std::erase(attached.rooms, room) == 0 || attached.home == PeerRef::kNone) return;
  Issue(attached.home, tombolo::LeaveRoom{room, client});
}

// The clients of a peer that has gone down look for new homes.
void World::LoseClients(PeerRef peer) {
  for (auto& [id, client] : clients_) {
    if (client.home == peer) LoseHome(client);
  }
}

void World::LoseHome(AttachedClient& client) {
  client.home = PeerRef::kNone;
  if (client.number == AttachedClient::kByHand) return;
  actions_.Schedule(now_ + client.reattach, Action::Kind::kReattach, client.number);
}

void World::Reattach(std::uint32_t number) {
  const NodeId id = DrawId(options_.seed, kClientStream, number);
  const auto at = clients_.find(id);
  if (at == clients_.end() || at->second.home != PeerRef::kNone || live_count_ == 0) return;
  BeginAttach(RandomLivePeer(), id, 0, false);
}

void World::OnEvent(PeerRef, const ClientAttached& attached) {
  Operation* operation = ActiveOperation(attached.request);
  if (operation == nullptr) return;
  operation->stored = attached.holders;
  operation->sequence = attached.sequence;
  const bool again = !attached.attached && HasComeAgain(operations_, *operation);
  operation->reason = again ? FailReason::kRefused : FailReason::kOverload;
  End(*operation, attached.attached ? OperationStatus::kSucceeded : OperationStatus::kFailed);
}

void World::OnEvent(PeerRef, const ClientResolved& resolved) {
  Operation* operation = ActiveOperation(resolved.request);
  if (operation == nullptr) return;
  operation->hops = resolved.hops;
  operation->messages = resolved.messages;
  operation->target = resolved.home;
  operation->sequence = resolved.sequence;
  operation->reason = FailReason::kUnreachable;
  const auto client = clients_.find(resolved.client);
  operation->closest_ok =
      resolved.found && client != clients_.end() && client->second.home == resolved.home;
  End(*operation, resolved.found ? OperationStatus::kSucceeded : OperationStatus::kFailed);
}

// The home says that the client is elsewhere: true after a move, else the client comes again. That
// ends an attaching, too.
void World::OnEvent(PeerRef peer, const LeaseLost& lost) {
  for (std::uint32_t slot = 0; active_operations_ > 0 && slot < operations_.size(); ++slot) {
    Operation& operation = operations_[slot];
    const bool attaching =
        operation.kind == OperationKind::kAttach && operation.status == OperationStatus::kActive;
    if (!attaching || operation.source != peer || operation.key != lost.client) continue;
    operation.reason = FailReason::kRefused;
    End(operation, OperationStatus::kFailed);
  }
  const auto client = clients_.find(lost.client);
  if (client != clients_.end() && client->second.home == peer) LoseHome(client->second);
}

// ---- The workload.

// Its clients come one after the other, each to one room if there are any.
void World::AttachLoad(const WorkloadOptions& options) {
  for (std::uint32_t i = 0; i < options.clients; ++i) {
    const std::uint32_t number = load_clients_++;
    AttachedClient& client = clients_[DrawId(options_.seed, kClientStream, number)];
    client.number = number;
    client.reattach = options.reattach;
    if (options.rooms > 0)
      client.rooms = {DrawId(options_.seed, kRoomStream, number % options.rooms)};
    actions_.Schedule(now_ + kSpread * i / options.clients, Action::Kind::kReattach, number);
  }
}

// A client moves, enters or leaves a room, or somebody looks for it.
void World::BeginAttachOperation(const WorkloadOptions& options, Rng& rng) {
  if (load_clients_ == 0) return;
  const NodeId id = DrawId(options_.seed, kClientStream, rng.Below(load_clients_));
  const std::span<const PeerRef> live = oracle_.live();
  const PeerRef peer = live[rng.Below(static_cast<std::uint32_t>(live.size()))];
  const auto at = clients_.find(id);
  if (at == clients_.end() || at->second.home == PeerRef::kNone) return;
  const std::uint64_t draw = rng.Below(1U << 30) * 4ULL;
  const std::uint64_t moves = ChanceParts(options.move_share);
  if (draw < moves) {
    BeginAttach(peer, id, 0, false);
  } else if (options.rooms > 0 && draw < moves + ChanceParts(options.room_share)) {
    const NodeId room = DrawId(options_.seed, kRoomStream, rng.Below(options.rooms));
    const bool inside = std::ranges::binary_search(at->second.rooms, room);
    if (inside) return ExitRoom(id, room);
    EnterRoom(id, room);
  } else {
    Issue(peer, tombolo::ResolveClient{Begin(OperationKind::kResolve, peer, id, false), id});
  }
}

}  // namespace tombolo::sim
