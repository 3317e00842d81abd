#include "overlay/peer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace tombolo {
namespace {

constexpr std::uint32_t kPingTag = 0x80000000U;  // keeps ping numbers apart from those of lookups
constexpr std::size_t kMaxPings = 32;            // unanswered at once; further checks wait

// Puts the `dialable` closest contacts that can be dialled and the `hidden` closest of the others
// in front, closest first, and returns how many these are. Most lookups have no use for peers that
// cannot be dialled; where these are many, they must not take the places of all others.
std::size_t TakeClosest(std::span<PeerRef> contacts, const NodeId& target, std::size_t dialable,
                        std::size_t hidden, const Directory& ids) {
  std::ranges::sort(contacts,
                    [&](PeerRef a, PeerRef b) { return IsCloser(ids.id(a), ids.id(b), target); });
  std::size_t taken = 0;
  for (const PeerRef peer : contacts) {
    std::size_t& room = ids.dialable(peer) ? dialable : hidden;
    if (room == 0) continue;
    --room;
    contacts[taken++] = peer;
  }
  return taken;
}

}  // namespace

void Peer::Receive(PeerRef from, const Message& message, const Step& step) {
  if (state_ == PeerState::kIdle || state_ == PeerState::kLeft || from == self_) {
    step.out.Drop(from == self_ ? DropReason::kSelf : DropReason::kNotJoined);
    return step.out.Release(PayloadOf(message));
  }
  const PartStep part = Part(step);
  std::visit([&](const auto& body) { Handle(from, body, part); }, message);
  Settle();
}

void Peer::Tick(const Step& step) {
  if (step.now < deadline_) return;
  const PartStep part = Part(step);
  if (ring_) TickRing(part);
  if (parts_) {
    ExpirePings(part);
    std::vector<PeerRef> silent;
    parts_->lookups.OnTimer(part, silent);
    for (const PeerRef peer : silent) SeenSilent(peer, part);
    DrainLookups(part);
    TickStore(part);
    TickAttach(part);
    if (Relaying() != nullptr) TickRelaying(part);
    if (parts_->gossip) parts_->gossip->Tick(part);
    TickIslands(part);
    if (parts_->healing) TickMerge(part);
  }
  const bool retry = parts_ && parts_->upkeep && parts_->upkeep->retry_at <= step.now;
  if (retry || refresh_at_ <= step.now) StartUpkeep(part);
  Settle();
}

void Peer::Execute(const Command& command, const Step& step) {
  const PartStep part = Part(step);
  const bool takes_part = state_ == PeerState::kJoining || state_ == PeerState::kJoined;
  if (takes_part || std::holds_alternative<Join>(command)) {
    std::visit([&](const auto& body) { Start(body, part); }, command);
  } else {
    Refuse(command, FailReason::kLeft, part);
  }
  Settle();
}

// Ends a command that the peer cannot carry out: it is outside the overlay, or relays nothing.
void Peer::Refuse(const Command& command, FailReason reason, const PartStep& step) {
  if (const Lookup* lookup = std::get_if<Lookup>(&command)) {
    step.out.Notify(
        LookupDone{lookup->request, lookup->target, ListHandle::kEmpty, 0, 0, 0, step.now});
  } else if (const Put* put = std::get_if<Put>(&command)) {
    step.out.Release(put->payload);
    step.out.Notify(PutDone{put->request, 0, 0, step.now});
  } else if (const Get* get = std::get_if<Get>(&command)) {
    step.out.Notify(GetDone{get->request, false, {}, 0, 0, step.now});
  } else if (const Send* send = std::get_if<Send>(&command)) {
    step.out.Release(send->payload);
    step.out.Notify(Failed{send->request, reason, step.now});
  } else if (const Broadcast* broadcast = std::get_if<Broadcast>(&command)) {
    step.out.Release(broadcast->payload);
    step.out.Notify(Failed{broadcast->request, reason, step.now});
  } else if (const Connect* connect = std::get_if<Connect>(&command)) {
    step.out.Notify(Failed{connect->request, reason, step.now});
  } else {
    RefuseAttach(command, step);
  }
}

void Peer::Build(RoutingTable table, Time first_refresh) {
  assert(state_ == PeerState::kIdle);
  table_ = std::move(table);
  state_ = PeerState::kJoined;
  refresh_at_ = first_refresh;
  deadline_ = first_refresh;
}

void Peer::SettleParts() {
  if (parts_->records && parts_->records->idle()) parts_->records.Reset();
  if (parts_->put_get && parts_->put_get->idle()) parts_->put_get.Reset();
  if (parts_->healing) {
    Healing& healing = *parts_->healing;
    if (healing.merge && healing.merge->idle()) healing.merge.Reset();
    if (healing.idle()) parts_->healing.Reset();
  }
  if (parts_->attach && parts_->attach->idle()) parts_->attach.Reset();
  if (parts_->idle()) return parts_.Reset();
  deadline_ = std::min(deadline_, parts_->next_deadline());
}

void Peer::Handle(PeerRef from, const Ping& ping, const PartStep& step) {
  SeenAlive(from, step);
  step.out.Send(from, Pong{ping.rpc});
}

void Peer::Handle(PeerRef from, const Pong& pong, const PartStep& step) {
  if (parts_) {
    auto& pings = parts_->pings;
    const auto sent = std::find_if(pings.begin(), pings.end(), [&](const PendingPing& ping) {
      return ping.rpc == pong.rpc && ping.peer == from;
    });
    if (sent != pings.end()) {
      pings.erase(sent);
      return SeenAlive(from, step);
    }
  }
  if (ring_ && ring_->OnPong(from, pong, step)) return SeenAlive(from, step);
  HeardLate(from, step);
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef from, const FindNode& find, const PartStep& step) {
  SeenAlive(from, step);
  step.out.Send(from, Nodes{find.rpc, ClosestList(from, find.target, find.more, step)});
}

void Peer::Handle(PeerRef from, const Nodes& nodes, const PartStep& step) {
  if (!parts_ || !parts_->lookups.OnNodes(from, nodes, step)) {
    if (!parts_) step.out.Drop(DropReason::kUnknownRpc);
    return HeardLate(from, step);
  }
  SeenAlive(from, step);
  DrainLookups(step);
}

void Peer::Handle(PeerRef from, const Leave&, const PartStep& step) {
  table_.Remove(from, LevelOf(from, step));
  ForgetNeighbour(from, step);
}

// The k closest contacts and `more`, but never more than twice k: an answer has to stay small. The
// asker is none of them: near its own id it would take a place in every answer, and with a small k
// whom it has to find may then be in none.
ListHandle Peer::ClosestList(PeerRef asker, const NodeId& target, std::uint32_t more,
                             const PartStep& step) {
  std::array<PeerRef, kMaxListed> closest;
  const auto take = [&](std::size_t most) {
    const std::size_t taken = table_.Closest(id_, target, most, step.ids, closest);
    const auto end = std::remove(closest.begin(), closest.begin() + taken, asker);
    return static_cast<std::size_t>(end - closest.begin());
  };
  const auto k = static_cast<std::size_t>(step.config.table.k);
  const std::size_t wanted = std::min(k + std::min<std::size_t>(more, k), kMaxListed);
  std::size_t count = take(wanted);
  if (count < wanted) count = take(std::min(wanted + 1, kMaxListed));
  const bool crowded =
      !links().empty() && std::any_of(closest.begin(), closest.begin() + count,
                                      [&](PeerRef peer) { return !step.ids.dialable(peer); });
  if (crowded) {
    count = take(kMaxListed);
    count = TakeClosest({closest.data(), count}, target, wanted, k, step.ids);
  }
  return step.lists.Add({closest.data(), count});
}

int Peer::LevelOf(PeerRef peer, const PartStep& step) const {
  return CommonPrefixLength(id_, step.ids.id(peer));
}

void Peer::SeenInTable(PeerRef from, const PartStep& step) {
  const int level = LevelOf(from, step);
  if (level == kIdBits || !IsReachable(from, step)) return;
  LearnNeighbour(from, step);
  const SeenResult result = table_.Seen(from, level, step.config.table, step.ids);
  if (result == SeenResult::kCached && step.config.table.policy == BucketPolicy::kPingBeforeEvict &&
      table_.ClaimCheck(level, step.now, step.config.table.check_interval)) {
    AskWhetherAlive(table_.live(level).front(), step);
  }
}

// One request was not answered. A contact that fails is passed over until it is heard of again; a
// neighbour on the ring is dear: it is asked before it is given up.
void Peer::SeenSilent(PeerRef peer, const PartStep& step) {
  if (!ring_ || !ring_->neighbours().Contains(peer)) return SeenDead(peer, step);
  table_.Failed(peer, LevelOf(peer, step));
  ring_->Doubt(peer, step);
}

// Many requests in a row were not answered, or one by a peer that matters little.
void Peer::SeenDead(PeerRef peer, const PartStep& step) {
  if (step.config.heals()) LostContact(peer, step);
  table_.Failed(peer, LevelOf(peer, step));
  const RelayParts* relaying = Relaying();
  // A link answers for its own end.
  if (relaying != nullptr && relaying->links.Find(peer, step) != nullptr) return;
  ForgetNeighbour(peer, step);
}

void Peer::AskWhetherAlive(PeerRef peer, const PartStep& step) {
  PeerParts& parts = EnsureParts();
  if (parts.pings.size() >= kMaxPings) return;
  const std::uint32_t rpc = kPingTag | next_ping_++;
  parts.pings.push_back({peer, rpc, step.now + step.config.lookup.rpc_timeout});
  step.out.Send(peer, Ping{rpc});
}

void Peer::ExpirePings(const PartStep& step) {
  auto& pings = parts_->pings;
  for (const PendingPing& ping : pings) {
    if (ping.deadline <= step.now) SeenSilent(ping.peer, step);
  }
  std::erase_if(pings, [&](const PendingPing& ping) { return ping.deadline <= step.now; });
}

}  // namespace tombolo
