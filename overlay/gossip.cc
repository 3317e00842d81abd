// What is said about broadcasts: announcements, grafts, prunes, and who is told of what.
#include "overlay/gossip.h"

#include <algorithm>
#include <utility>

namespace tombolo {

void Gossip::Start(std::span<const Link> links, const PartStep& step) {
  // Those that come first become eager: a random choice.
  std::vector<PeerRef> peers;
  for (const Link& link : links) peers.push_back(link.peer);
  for (std::size_t left = peers.size(); left > 1; --left) {
    std::swap(peers[left - 1], peers[step.rng.Below(static_cast<std::uint32_t>(left))]);
  }
  for (const PeerRef peer : peers) links_.Add(peer, step);
}

void Gossip::Subscribe(std::uint64_t topic, const PartStep& step) {
  const auto at = std::lower_bound(topics_.begin(), topics_.end(), topic);
  if (at != topics_.end() && *at == topic) return;
  if (topics_.size() >= static_cast<std::size_t>(step.config.gossip.max_topics)) {
    return step.out.Drop(DropReason::kOverload);
  }
  topics_.insert(at, topic);
}

void Gossip::Unsubscribe(std::uint64_t topic) { std::erase(topics_, topic); }

void Gossip::OnHave(PeerRef from, const GossipHave& have, const PartStep& step) {
  GossipLink* link = links_.Find(from, step);
  if (link == nullptr) return step.out.Drop(DropReason::kNotLinked);
  if (have.count > kMaxAnnounced ||
      !link->Spend(GossipCost::kHave, 1, step.config.gossip.link_haves, step)) {
    return step.out.Drop(DropReason::kGossipRate);
  }
  for (std::size_t i = 0; i < have.count; ++i) {
    link->Forget(have.keys[i]);
    if (Seen* seen = seen_.Find(have.keys[i], step.now)) {
      Optimise(*link, *seen, have.hops[i], step);
    } else {
      missing_.OnAnnounced(have.keys[i], from, step);
    }
  }
}

// The announcer is so much nearer to the origin that its link takes the place of the one that the
// broadcast came by (Plumtree, section 3.8).
void Gossip::Optimise(GossipLink& link, Seen& seen, std::uint8_t hops, const PartStep& step) {
  const int threshold = step.config.gossip.optimise_hops;
  if (threshold == 0 || link.eager || seen.from == PeerRef::kNone) return;
  if (hops + 1 + threshold >= seen.hops) return;
  if (GossipLink* old = links_.Find(seen.from, step)) {
    old->eager = false;
    step.out.Send(old->peer, GossipPrune{});
  }
  link.eager = true;
  step.out.Send(link.peer, GossipGraft{});
  seen.from = link.peer;
  seen.hops = static_cast<std::uint8_t>(hops + 1);
}

void Gossip::OnGraft(PeerRef from, const GossipGraft& graft, const PartStep& step) {
  GossipLink* link = links_.Find(from, step);
  if (link == nullptr) return step.out.Drop(DropReason::kNotLinked);
  if (graft.count > kMaxGrafted ||
      !link->Spend(GossipCost::kGraft, std::max<std::uint32_t>(graft.count, 1),
                   step.config.gossip.link_grafts, step)) {
    return step.out.Drop(DropReason::kGossipRate);
  }
  link->eager = true;
  for (std::size_t i = 0; i < graft.count; ++i) {
    if (const KeptBroadcast* kept = window_.Find(graft.keys[i], step.now)) {
      if (kept->push.hops < kept->push.max_hops) PushTo(from, *kept, step);
    } else {
      step.out.Drop(DropReason::kUnknownRpc);
    }
  }
  // It misses something of the latest, so it may miss more.
  if (link->showing && graft.count > 0) CatchUpWith(from, step);
}

void Gossip::OnPrune(PeerRef from, const GossipPrune& prune, const PartStep& step) {
  GossipLink* link = links_.Find(from, step);
  if (link == nullptr) return step.out.Drop(DropReason::kNotLinked);
  link->eager = false;
  if (counts_) counts_->OnPruned(prune.key, from, step);
}

void Gossip::OnCount(PeerRef from, const GossipCount& count, const PartStep& step) {
  if (!counts_ || !counts_->OnTotal(count.key, from, count.total, step)) {
    step.out.Drop(DropReason::kUnknownRpc);
  }
}

void Gossip::OnLinkUp(PeerRef peer, const PartStep& step) {
  links_.Add(peer, step);
  const std::span<const KeptBroadcast> rows = window_.rows();
  Show(*links_.Find(peer, step), rows.last(std::min(rows.size(), kMaxAnnounced)), step);
}

void Gossip::OnLinkDown(PeerRef peer, const PartStep& step) {
  links_.Remove(peer, step);
  if (counts_) counts_->OnLinkDown(peer, step);
}

void Gossip::CatchUpWith(PeerRef peer, const PartStep& step) {
  GossipLink* link = links_.Find(peer, step);
  if (link == nullptr) return;
  link->showing = false;
  for (const KeptBroadcast& kept : window_.rows()) Announce(*link, kept, step);
}

// One message. Whoever misses none of these is taken to miss nothing, for now.
void Gossip::Show(GossipLink& link, std::span<const KeptBroadcast> some, const PartStep& step) {
  if (some.empty()) return;
  link.showing = true;
  for (const KeptBroadcast& kept : some) Announce(link, kept, step);
}

// Shows some of what is kept to somebody: any of it, so that over time everything is shown.
void Gossip::Compare(const PartStep& step) {
  const std::span<const KeptBroadcast> rows = window_.rows();
  const std::size_t shown = std::min(rows.size(), kMaxAnnounced);
  const std::size_t first = step.rng.Below(static_cast<std::uint32_t>(rows.size() - shown + 1));
  Show(links_.Random(step), rows.subspan(first, shown), step);
}

void Gossip::Announce(GossipLink& link, const KeptBroadcast& kept, const PartStep& step) {
  if (kept.push.hops >= kept.push.max_hops || kept.expires <= step.now) return;
  link.Forget(kept.key);
  link.Announce({kept.key, kept.push.hops}, step);
  if (flush_at_ != kNever) return;
  const auto interval = static_cast<std::uint64_t>(step.config.gossip.lazy_interval.us);
  // Spread out, so that one end of a link speaks before the other and spares it the trouble.
  flush_at_ =
      step.now + Duration{static_cast<std::int64_t>(interval / 2 + step.rng.Below64(interval))};
}

void Gossip::Flush(const PartStep& step) {
  flush_at_ = kNever;
  bool all = true;
  for (GossipLink& link : links_.rows()) all = FlushTo(link, step) && all;
  if (!all) flush_at_ = step.now + step.config.gossip.heartbeat;
}

// False if the other side would take more only in its next heartbeat.
bool Gossip::FlushTo(GossipLink& link, const PartStep& step) {
  // Half of it, since heartbeats of two peers do not begin together.
  const int limit = std::max(step.config.gossip.link_haves / 2, 1);
  std::size_t done = 0;
  while (done < link.waiting.size()) {
    if (!link.Spend(GossipCost::kAnnounce, 1, limit, step)) break;
    GossipHave have{};
    for (; have.count < kMaxAnnounced && done < link.waiting.size(); ++have.count, ++done) {
      have.keys[have.count] = link.waiting[done].key;
      have.hops[have.count] = static_cast<std::uint8_t>(link.waiting[done].hops);
    }
    step.out.Send(link.peer, have);
  }
  link.waiting.erase(link.waiting.begin(),
                     link.waiting.begin() + static_cast<std::ptrdiff_t>(done));
  return link.waiting.empty();
}

void Gossip::ArmCompare(const PartStep& step) {
  const auto interval = static_cast<std::uint64_t>(step.config.gossip.compare_interval.us);
  compare_at_ =
      step.now + Duration{static_cast<std::int64_t>(interval / 2 + step.rng.Below64(interval))};
}

void Gossip::Tick(const PartStep& step) {
  window_.Tick(step);
  missing_.Tick(links_, step);
  if (counts_) {
    counts_->Tick(!links_.empty(), step);
    if (counts_->size() == 0) counts_.Reset();
  }
  if (flush_at_ <= step.now) Flush(step);
  if (compare_at_ > step.now) return;
  compare_at_ = kNever;
  if (window_.rows().empty()) return;
  if (!links_.empty()) Compare(step);
  ArmCompare(step);
}

Time Gossip::next_deadline() const {
  const Time counts = counts_ ? counts_->next_deadline() : kNever;
  return std::min(
      {window_.next_deadline(), missing_.next_deadline(), counts, flush_at_, compare_at_});
}

void Gossip::Stop(const PartStep& step) {
  if (counts_) counts_->Stop(step);
  window_.Clear(step);
  *this = Gossip();
}

}  // namespace tombolo
