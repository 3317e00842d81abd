// One hop: taking a message over, passing it on, and what can go wrong between two peers.
#include <algorithm>
#include <cassert>
#include <utility>

#include "overlay/link_rows.h"
#include "overlay/relay.h"
#include "overlay/round_trip.h"

namespace tombolo {
namespace {

constexpr int kMaxResends = 3;  // over one link that answers but keeps losing the message
constexpr Duration kFarRoundTrip = Duration::Milliseconds(400);

Link* LinkTo(std::span<Link> links, PeerRef peer, const PartStep& step) {
  const std::size_t index = FindLink(links, step.self_id, peer, step.ids);
  return index < links.size() ? &links[index] : nullptr;
}

void Acknowledge(PeerRef to, const Forward& message, HopStatus status, const PartStep& step) {
  step.out.Send(to, HopAck{message.hop, status});
}

// For a link without a sample: it may be as slow as two of the others, but no slower than if none
// had one. The others may be far faster than it, if all traffic goes to a near peer: that may cost
// a probe, but it is not suspected before an answer from another continent would be here.
Duration GuessTimeout(Duration of_others, bool probing, const RelayConfig& config) {
  const Duration least = probing ? kFarRoundTrip : Duration{0};
  return std::min(std::max(of_others, least), config.initial_rto);
}

}  // namespace

void Relay::OnForward(PeerRef from, const Forward& message, std::span<Link> links,
                      const PartStep& step) {
  Link* link = LinkTo(links, from, step);
  if (link == nullptr) {
    step.out.Drop(DropReason::kNotLinked);
    return step.out.Release(message.payload);
  }
  link->suspect = false;
  const std::uint32_t own = message.origin == step.self_id ? OwnerOf(message.id) : 0;
  if (message.target == step.self_id) {
    Arrive(from, message, links, step);
  } else if (own != 0) {
    OnReturned(own, from, message, links, step);
  } else if (SeenEntry* seen = seen_.Find(message.id, step.now)) {
    OnSeenAgain(*seen, from, message, links, step);
  } else {
    Accept(from, Arriving(step, message), links, step);
  }
  Prune();
}

void Relay::OnHopAck(PeerRef from, const HopAck& ack, std::span<Link> links, const PartStep& step) {
  Link* link = LinkTo(links, from, step);
  if (link == nullptr) return step.out.Drop(DropReason::kNotLinked);
  link->suspect = false;
  if (ack.hop == 0) return;  // the sign of life that a probe asked for
  Hop* hop = hops_.Find(ack.hop);
  if (hop == nullptr || hop->to != from) return step.out.Drop(DropReason::kUnknownHop);
  if (hop->phase == Phase::kSent) {
    const Duration sample = step.now - hop->sent;
    SampleRoundTrip(sample, link->srtt, link->rttvar);
    SampleRoundTrip(sample, any_hop_srtt_, any_hop_rttvar_);
  }
  switch (ack.status) {
    case HopStatus::kAccepted:
    case HopStatus::kDuplicate: {
      const Hop taken = *hop;
      Settle(ack.hop, step);
      if (taken.previous == PeerRef::kNone) OnOwnHopTaken(taken.message, step);
      break;
    }
    case HopStatus::kRefused:
      // A refused detour was one all the same: it cost a copy.
      if (hop->route == RouteKind::kDetour) --hop->message.detours;
      hop->Exclude(from);
      Advance(ack.hop, links, step);
      break;
    case HopStatus::kUnknown:
      if (hop->phase == Phase::kProbing) Resend(ack.hop, links, step);
      break;
  }
  Prune();
}

void Relay::OnHopProbe(PeerRef from, const HopProbe& probe, std::span<Link> links,
                       const PartStep& step) {
  Link* link = LinkTo(links, from, step);
  if (link == nullptr) return step.out.Drop(DropReason::kNotLinked);
  link->suspect = false;
  step.out.Send(
      from, HopAck{probe.hop, probe.hop == 0 ? HopStatus::kUnknown : Recall(from, probe.id, step)});
}

void Relay::OnLinkDown(PeerRef peer, std::span<Link> links, const PartStep& step) {
  for (std::size_t slot = 0; slot < hops_.slots(); ++slot) {
    const std::uint32_t handle = hops_.handle_at(slot);
    Hop* hop = hops_.Find(handle);
    if (hop == nullptr || hop->to != peer) continue;
    hop->Exclude(peer);
    Advance(handle, links, step);
  }
  Prune();
}

// A message that was not seen before. `message` is as Arriving made it.
void Relay::Accept(PeerRef from, const Forward& message, std::span<Link> links,
                   const PartStep& step) {
  if (message.origin == step.self_id || Full(step)) {
    step.out.Drop(Full(step) ? DropReason::kOverload : DropReason::kSelf);
    Acknowledge(from, message, HopStatus::kRefused, step);
    return step.out.Release(message.payload);
  }
  Hop hop;
  hop.message = message;
  hop.previous = from;
  hop.Exclude(from);
  const Route route = NextHop(message, hop.tried_span(), links, step);
  const bool stuck = route.next == PeerRef::kNone && message.ttl > 0;
  SeenEntry& seen = seen_.Insert(message.id, step);
  seen.previous = from;
  seen.copies = CopyBit(message.copy);
  seen.state = stuck ? SeenState::kGaveUp : SeenState::kForwarding;
  Acknowledge(from, message, stuck ? HopStatus::kRefused : HopStatus::kAccepted, step);
  if (stuck) return step.out.Release(message.payload);
  hop.to = route.next;
  hop.route = route.kind;
  const std::uint32_t handle = hops_.Add(hop);
  if (message.ttl == 0) return ExpireTtl(handle, links, step);
  Transmit(handle, links, step);
}

// Flags are as sent: a message that is handed back detours, however close we are.
void Relay::OnSeenAgain(SeenEntry& seen, PeerRef from, const Forward& message,
                        std::span<Link> links, const PartStep& step) {
  const bool same_copy = (seen.copies & CopyBit(message.copy)) != 0;
  HopStatus status = HopStatus::kRefused;
  if (same_copy && seen.state != SeenState::kGaveUp) {
    if (message.detouring && from == seen.next && !Full(step)) {
      return OnHandedBack(seen, from, message, links, step);
    }
    const bool known = from == seen.previous || TriedBefore(seen, from);
    if (!message.detouring || known) status = HopStatus::kDuplicate;
  }
  Acknowledge(from, message, status, step);
  step.out.Drop(DropReason::kDuplicateForward);
  step.out.Release(message.payload);
}

// The peer that we passed the message on to has no way onward.
void Relay::OnHandedBack(SeenEntry& seen, PeerRef from, const Forward& message,
                         std::span<Link> links, const PartStep& step) {
  Acknowledge(from, message, HopStatus::kAccepted, step);
  Forward arriving = Arriving(step, message);
  std::uint32_t handle = seen.hop;
  if (Hop* hop = hops_.Find(handle); hop != nullptr && hop->message.id == message.id) {
    // Overtook its own acknowledgement; we still have the payload.
    step.out.Release(message.payload);
    arriving.payload = hop->message.payload;
    hop->message = arriving;
  } else {
    Hop again;
    again.message = arriving;
    again.previous = seen.previous;
    if (seen.previous != PeerRef::kNone) {
      again.Exclude(seen.previous);
    } else {
      // What we say about messages carries no bytes, and a hop of our own owns none.
      step.out.Release(std::exchange(again.message.payload, {}));
    }
    handle = hops_.Add(again);
  }
  hops_.Find(handle)->Exclude(from);
  Advance(handle, links, step);
}

// Only what the asker itself sent is remembered for certain; anything else it may send again.
HopStatus Relay::Recall(PeerRef from, std::uint64_t id, const PartStep& step) {
  const SeenEntry* seen = seen_.Find(id, step.now);
  if (seen == nullptr || seen->previous != from) return HopStatus::kUnknown;
  return seen->state == SeenState::kGaveUp ? HopStatus::kRefused : HopStatus::kAccepted;
}

// True if we gave the message to `peer`, and took it elsewhere when we heard nothing.
bool Relay::TriedBefore(const SeenEntry& seen, PeerRef peer) {
  const Hop* hop = hops_.Find(seen.hop);
  if (hop == nullptr || hop->message.id != seen.key) return false;
  const std::span<const PeerRef> tried = hop->tried_span();
  return std::find(tried.begin(), tried.end(), peer) != tried.end();
}

bool Relay::Full(const PartStep& step) const {
  return hops_.size() >= static_cast<std::size_t>(step.config.relay.max_pending) ||
         hops_.size() >= decltype(hops_)::kMaxSlots;
}

// Goes to the next link. The one before is among those tried.
void Relay::Advance(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Hop& hop = *hops_.Find(handle);
  if (hop.message.ttl == 0) return ExpireTtl(handle, links, step);
  if (hop.route == RouteKind::kHandBack || hop.tried_count == kMaxTried)
    return GiveUp(handle, links, step);
  const Route route = NextHop(hop.message, hop.tried_span(), links, step);
  if (route.next == PeerRef::kNone) return GiveUp(handle, links, step);
  hop.to = route.next;
  hop.route = route.kind;
  Transmit(handle, links, step);
}

void Relay::Transmit(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Hop& hop = *hops_.Find(handle);
  hop.message.hop = handle;
  hop.phase = Phase::kSent;
  hop.resends = 0;
  hop.sent = step.now;
  if (Outgoing* own = sends_.Find(hop.previous == PeerRef::kNone ? OwnerOf(hop.message.id) : 0)) {
    own->first[hop.message.copy] = hop.to;
    own->hops[hop.message.copy] = handle;
  } else if (SeenEntry* seen = seen_.Find(hop.message.id, step.now)) {
    seen->next = hop.to;
    seen->hop = handle;
  }
  step.out.Send(hop.to, Departing(step, hop.message, hop.route));
  ArmHop(handle, links, step);
}

// No link is left to try.
void Relay::GiveUp(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Hop& hop = *hops_.Find(handle);
  const Forward message = hop.message;
  if (hop.previous == PeerRef::kNone) {
    Settle(handle, step);
    return OnOwnHopFailed(message, step);
  }
  if (SeenEntry* seen = seen_.Find(message.id, step.now)) seen->state = SeenState::kGaveUp;
  if (hop.route != RouteKind::kHandBack && message.detours > 0 &&
      LinkTo(links, hop.previous, step)) {
    hop.to = hop.previous;
    hop.route = RouteKind::kHandBack;
    return Transmit(handle, links, step);
  }
  Settle(handle, step);
  SendUnreachable(message, UnreachableReason::kNoRoute, links, step);
}

void Relay::ExpireTtl(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  const Hop hop = *hops_.Find(handle);
  step.out.Drop(DropReason::kTtlExceeded);
  Settle(handle, step);
  if (SeenEntry* seen = seen_.Find(hop.message.id, step.now)) seen->state = SeenState::kGaveUp;
  if (hop.previous == PeerRef::kNone) return OnOwnHopFailed(hop.message, step);
  SendUnreachable(hop.message, UnreachableReason::kTtl, links, step);
}

void Relay::Settle(std::uint32_t handle, const PartStep& step) {
  const Hop& hop = *hops_.Find(handle);
  if (hop.previous != PeerRef::kNone) step.out.Release(hop.message.payload);
  hops_.Remove(handle);
}

void Relay::OnHopTimeout(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Hop& hop = *hops_.Find(handle);
  Link* link = LinkTo(links, hop.to, step);
  if (hop.phase != Phase::kProbing && link != nullptr) {
    hop.phase = Phase::kProbing;
    step.out.Send(hop.to, HopProbe{handle, hop.message.id});
    return ArmHop(handle, links, step);
  }
  if (link != nullptr) link->suspect = true;
  hop.Exclude(hop.to);
  Advance(handle, links, step);
}

// The other side lives, but the message did not arrive.
void Relay::Resend(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Hop& hop = *hops_.Find(handle);
  if (hop.resends == kMaxResends) {
    hop.Exclude(hop.to);
    return Advance(handle, links, step);
  }
  ++hop.resends;
  hop.phase = Phase::kResent;
  step.out.Send(hop.to, Departing(step, hop.message, hop.route));
  ArmHop(handle, links, step);
}

void Relay::ArmHop(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Hop& hop = *hops_.Find(handle);
  const Link* link = LinkTo(links, hop.to, step);
  const RelayConfig& config = step.config.relay;
  if (link != nullptr && link->srtt.us > 0) {
    hop.deadline = step.now + RetryTimeout(link->srtt, link->rttvar, config);
  } else {
    const Duration of_others = RetryTimeout(any_hop_srtt_ * 2, any_hop_rttvar_ * 2, config);
    hop.deadline = step.now + GuessTimeout(of_others, hop.phase == Phase::kProbing, config);
  }
  hop_timers_.Push(hop.deadline, handle);
}

}  // namespace tombolo
