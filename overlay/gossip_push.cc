// Broadcasts on their way: from the application, from a link, down the tree.
#include <algorithm>

#include "overlay/gossip.h"

namespace tombolo {
namespace {

Payload ShareOf(const Payload& payload, const PartStep& step) {
  step.out.Share(payload);
  return payload;
}

}  // namespace

std::uint64_t GossipKey(const NodeId& origin, std::uint64_t sequence) {
  std::uint64_t key = Mix64(sequence);
  for (const std::uint32_t word : origin.words) key = Mix64(key ^ word) + word;
  return Mix64(key);
}

void Gossip::Broadcast(const tombolo::Broadcast& command, const PartStep& step) {
  const GossipConfig& config = step.config.gossip;
  const auto refuse = [&](FailReason reason) {
    step.out.Release(command.payload);
    step.out.Notify(Failed{command.request, reason, step.now});
  };
  if (command.payload.bytes > config.max_payload_bytes) return refuse(FailReason::kRefused);
  if (window_.RecentOf(step.self_id, step) >= config.origin_broadcasts) {
    return refuse(FailReason::kOverload);
  }
  // A new life of this peer must not repeat the sequences of the last one.
  if (next_sequence_ == 0) next_sequence_ = (step.rng.Next() << 32) | 1U;
  KeptBroadcast kept;
  kept.push.origin = step.self_id;
  kept.push.sequence = next_sequence_++;
  kept.push.topic = command.topic;
  kept.push.payload = command.payload;
  kept.push.max_hops = std::max<std::uint8_t>(command.max_hops, 1);
  kept.key = GossipKey(kept.push.origin, kept.push.sequence);
  kept.arrived = step.now;
  kept.expires = step.now + std::clamp(command.ttl, Duration::Milliseconds(1), config.max_ttl);
  if (command.acknowledge &&
      !counts_.Ensure().BeginOwn(kept.key, command.request, command.deadline, step)) {
    return refuse(FailReason::kOverload);
  }
  Remember({kept.key, {}, PeerRef::kNone, 0}, step);
  Spread(kept, PeerRef::kNone, step);
  window_.Add(kept, step);
}

void Gossip::OnPush(PeerRef from, const GossipPush& push, const PartStep& step) {
  GossipLink* link = links_.Find(from, step);
  if (link == nullptr) {
    step.out.Drop(DropReason::kNotLinked);
    return step.out.Release(push.payload);
  }
  const std::uint64_t key = GossipKey(push.origin, push.sequence);
  link->Forget(key);
  if (const Seen* seen = seen_.Find(key, step.now)) {
    step.out.Release(push.payload);
    return OnDuplicate(*link, *seen, step);
  }
  if (!Admits(push, step)) return step.out.Release(push.payload);
  if (window_.RecentOf(push.origin, step) >= step.config.gossip.origin_broadcasts ||
      !link->Spend(GossipCost::kBroadcast, 1, step.config.gossip.link_broadcasts, step)) {
    step.out.Drop(DropReason::kGossipRate);
    missing_.OnTooFast(key, from, step);
    return step.out.Release(push.payload);
  }
  const Duration ttl = std::min(Duration::Milliseconds(push.ttl_ms), step.config.gossip.max_ttl);
  Accept(*link, {key, step.now, step.now + ttl, push}, step);
}

// False, and counted, if there can be no such broadcast.
bool Gossip::Admits(const GossipPush& push, const PartStep& step) {
  if (push.origin == step.self_id) {
    step.out.Drop(DropReason::kSelf);
  } else if (push.ttl_ms == 0 || push.hops == 0 || push.hops > push.max_hops) {
    step.out.Drop(DropReason::kGossipExpired);
  } else if (push.payload.bytes > step.config.gossip.max_payload_bytes) {
    step.out.Drop(DropReason::kRecordRejected);
  } else {
    return true;
  }
  return false;
}

// The network may repeat what the link of the tree has brought; only others are pruned.
void Gossip::OnDuplicate(GossipLink& link, const Seen& seen, const PartStep& step) {
  step.out.Drop(DropReason::kDuplicateGossip);
  if (seen.from == link.peer) return;
  link.eager = false;
  step.out.Send(link.peer, GossipPrune{seen.key});
}

void Gossip::Accept(GossipLink& link, const KeptBroadcast& kept, const PartStep& step) {
  const GossipPush& push = kept.push;
  const PeerRef from = link.peer;
  link.eager = true;
  Remember({kept.key, {}, from, push.hops}, step);
  missing_.OnArrived(kept.key);
  const bool listens = Listens(push.topic);
  if (listens) {
    step.out.Notify(BroadcastArrived{push.origin, push.sequence, push.topic,
                                     ShareOf(push.payload, step), push.hops});
  }
  if (push.count_ms > 0) {
    const Duration span = std::min(Duration::Milliseconds(push.count_ms), Duration::Hours(24));
    counts_.Ensure().Begin(kept.key, from, listens ? 1 : 0, span, step);
  }
  Spread(kept, from, step);
  window_.Add(kept, step);
}

// To everybody but `from`: pushed down the tree, announced elsewhere.
void Gossip::Spread(const KeptBroadcast& kept, PeerRef from, const PartStep& step) {
  if (kept.push.hops < kept.push.max_hops) {
    for (GossipLink& link : links_.rows()) {
      if (link.peer == from) continue;
      if (link.eager) {
        PushTo(link.peer, kept, step);
      } else {
        Announce(link, kept, step);
      }
    }
  }
  if (counts_) counts_->Settle(kept.key, step);
  if (compare_at_ == kNever) ArmCompare(step);
}

void Gossip::PushTo(PeerRef peer, const KeptBroadcast& kept, const PartStep& step) {
  GossipPush push = kept.push;
  ++push.hops;
  push.ttl_ms = static_cast<std::uint32_t>((kept.expires - step.now).us / 1000);
  push.count_ms = counts_ ? counts_->TimeBelow(kept.key, step) : 0;
  if (push.ttl_ms == 0) return;
  step.out.Send(peer, push);
  if (push.count_ms > 0) counts_->Expect(kept.key, peer);
}

void Gossip::Remember(const Seen& seen, const PartStep& step) {
  seen_.ForgetExpired(step.now);
  if (seen_.size() >= static_cast<std::size_t>(step.config.gossip.max_seen)) {
    seen_.ForgetOldest();
    step.out.Drop(DropReason::kOverload);
  }
  Seen row = seen;
  row.expires = step.now + step.config.gossip.seen_ttl;
  seen_.Insert(row, step.rng);
}

bool Gossip::Listens(std::uint64_t topic) const {
  return topic == 0 || std::binary_search(topics_.begin(), topics_.end(), topic);
}

}  // namespace tombolo
