// Links: which to open and keep, and what becomes of them.
#include <algorithm>

#include "overlay/peer.h"

namespace tombolo {

std::span<const Link> Peer::links() const {
  const RelayParts* relaying = Relaying();
  return relaying != nullptr ? relaying->links.rows() : std::span<const Link>();
}

const RelayParts* Peer::Relaying() const { return parts_ ? parts_->relaying.get() : nullptr; }

RelayParts* Peer::Relaying() { return parts_ ? parts_->relaying.get() : nullptr; }

void Peer::LinkUp(PeerRef peer, const LinkAttributes& attributes, const Step& step) {
  const bool takes_part = state_ == PeerState::kJoining || state_ == PeerState::kJoined;
  if (!takes_part || step.config.links.max_links == 0) {
    return step.out.Hangup(peer, takes_part ? HangupReason::kFull : HangupReason::kLeaving);
  }
  const PartStep part = Part(step);
  RelayParts& relaying = StartRelaying(part);
  const Neighbours before = *NeighbourSet();
  LearnNeighbour(peer, part);
  const bool requested = relaying.requests.Wants(peer, part);
  if (relaying.links.OnUp(peer, attributes, requested, NeighbourSet()->all(), part)) {
    relaying.requests.OnLinkUp(peer, part);
    SeenAlive(peer, part);
    if (parts_->gossip) parts_->gossip->OnLinkUp(peer, part);
    if (relaying.links.rows().size() == 1) relaying.relay.OnFirstLink(relaying.links.rows(), part);
  } else {
    // A hidden newcomer is a neighbour by its link alone: without it, whoever it pushed out is
    // back.
    if (!attributes.dialable) *NeighbourSet() = before;
    relaying.requests.OnDialFailed(peer, part);
  }
  DrainRelayNews(part);
  Settle();
}

void Peer::LinkDown(PeerRef peer, LinkDownReason reason, const Step& step) {
  if (RelayParts* relaying = Relaying()) {
    const PartStep part = Part(step);
    relaying->links.OnDown(peer, reason, part);
    // Of two dials that crossed, one may fail when the other has brought the link up.
    if (relaying->links.Find(peer, part) == nullptr) {
      if (reason == LinkDownReason::kDialFailed) relaying->requests.OnDialFailed(peer, part);
      LostLink(peer, reason, part);
    }
  }
  Settle();
}

// The link table has let go of the link: what was under way over it goes elsewhere, and gaps are
// filled.
void Peer::LostLink(PeerRef peer, LinkDownReason reason, const PartStep& step) {
  RelayParts& relaying = *Relaying();
  relaying.relay.OnLinkDown(peer, relaying.links.rows(), step);
  DrainRelayNews(step);
  if (parts_->gossip) parts_->gossip->OnLinkDown(peer, step);
  const bool silent = reason == LinkDownReason::kTimeout || reason == LinkDownReason::kDialFailed;
  if (silent && step.config.heals()) LostContact(peer, step);
  const int level = LevelOf(peer, step);
  if (!step.ids.dialable(peer)) {
    // Only its link made it a contact.
    table_.Remove(peer, level);
    ForgetNeighbour(peer, step);
  } else if (silent) {
    table_.Failed(peer, level);
    ForgetNeighbour(peer, step);
  }
  relaying.links.StartMaintenance(step.now);
}

void Peer::LinkPressureChanged(PeerRef peer, LinkPressure pressure, const Step& step) {
  if (RelayParts* relaying = Relaying()) relaying->links.SetPressure(peer, pressure, Part(step));
}

RelayParts& Peer::StartRelaying(const PartStep& step) {
  Lazy<RelayParts>& relaying = EnsureParts().relaying;
  if (!relaying) relaying.Ensure().links.StartMaintenance(step.now);
  return *relaying;
}

void Peer::MaintainLinks(const PartStep& step) {
  RelayParts& relaying = *Relaying();
  if (!relaying.links.ClaimMaintenance(step)) return;
  const std::span<const PeerRef> neighbours = NeighbourSet()->all();
  for (int level = 0; level < table_.levels(); ++level) {
    if (relaying.links.Missing(level, step) <= 0) continue;
    const std::span<const PeerRef> bucket = table_.live(level);
    if (bucket.empty()) continue;
    // From a random contact on, so that not all links of a region lead to the same peers.
    const std::size_t first = rng_.Below(static_cast<std::uint32_t>(bucket.size()));
    relaying.links.Fill(bucket.subspan(first), neighbours, step);
    relaying.links.Fill(bucket.first(first), neighbours, step);
  }
  relaying.links.DialAll(neighbours, neighbours, step);
  if (step.config.has_table()) AskTheLinked(step);
  if (!ring_) return;
  for (const Finger& finger : ring_->fingers().runs()) {
    if (finger.peer != PeerRef::kNone) relaying.links.DialAll({&finger.peer, 1}, neighbours, step);
  }
}

// No bucket is empty while a link leads there: a contact that failed to answer, as on a path that
// loses messages, is not asked by anybody else, but its link says that it lives.
void Peer::AskTheLinked(const PartStep& step) {
  for (const Link& link : links()) {
    if (table_.live(link.bucket).empty()) AskWhetherAlive(link.peer, step);
  }
}

// True if the table may name the peer to others: those that cannot be dialled only while we are
// linked.
bool Peer::IsReachable(PeerRef peer, const PartStep& step) const {
  if (step.ids.dialable(peer)) return true;
  const RelayParts* relaying = Relaying();
  return relaying != nullptr && relaying->links.Find(peer, step) != nullptr;
}

void Peer::Handle(PeerRef from, const Evict& evict, const PartStep& step) {
  RelayParts* relaying = Relaying();
  if (relaying == nullptr) return step.out.Drop(DropReason::kNotLinked);
  if (!relaying->links.OnEvict(from, evict, step)) return;
  LostLink(from, LinkDownReason::kClosed, step);
  const std::size_t count = std::min<std::size_t>(evict.count, evict.alternatives.size());
  relaying->links.Fill({evict.alternatives.data(), count}, NeighbourSet()->all(), step);
}

void Peer::Start(const Connect& connect, const PartStep& step) {
  if (step.config.links.max_links == 0) return Refuse(connect, FailReason::kNoLinks, step);
  RelayParts& relaying = StartRelaying(step);
  const std::optional<PeerRef> target = step.ids.Find(connect.target);
  if (target && relaying.links.Find(*target, step) != nullptr) {
    relaying.links.MarkRequested(*target, step);
    return step.out.Notify(PeerUp{*target});
  }
  if (const auto number = relaying.requests.Start(connect, step)) {
    relaying.relay.RequestLink(*number, connect.target, relaying.links.rows(), step);
    DrainRelayNews(step);
  }
}

void Peer::Start(const Disconnect& disconnect, const PartStep& step) {
  RelayParts* relaying = Relaying();
  const std::optional<PeerRef> target = step.ids.Find(disconnect.target);
  if (relaying == nullptr || !target) return;
  if (relaying->links.Hangup(*target, HangupReason::kRequested, step)) {
    LostLink(*target, LinkDownReason::kHungUp, step);
  }
}

}  // namespace tombolo
