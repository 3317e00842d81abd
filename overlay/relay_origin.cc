// Sends and requests of our own, until they end.
#include <algorithm>
#include <cassert>

#include "overlay/relay.h"
#include "overlay/rng.h"
#include "overlay/round_trip.h"

namespace tombolo {
namespace {

constexpr Duration kLongestDeadline = Duration::Hours(24);

}  // namespace

void Relay::Send(const tombolo::Send& command, std::span<Link> links, const PartStep& step) {
  if (command.target == step.self_id) {
    step.out.Notify(MessageArrived{step.self_id, command.payload, 0});
    if (command.receipt) step.out.Notify(Delivered{command.request, 0, step.now});
    return;
  }
  Outgoing outgoing;
  outgoing.target = command.target;
  outgoing.payload = command.payload;
  outgoing.deadline = step.now + std::min(command.deadline, kLongestDeadline);
  outgoing.request = command.request;
  outgoing.copies = static_cast<std::uint8_t>(std::clamp<int>(command.copies, 1, kMaxCopies));
  outgoing.receipt = command.receipt;
  Begin(outgoing, links, step);
}

void Relay::RequestLink(std::uint32_t request, const NodeId& target, std::span<Link> links,
                        const PartStep& step) {
  Outgoing outgoing;
  outgoing.kind = ForwardKind::kConnectRequest;
  outgoing.target = target;
  outgoing.deadline = step.now + step.config.relay.connect_timeout;
  outgoing.request = request;
  Begin(outgoing, links, step);
}

void Relay::Begin(Outgoing outgoing, std::span<Link> links, const PartStep& step) {
  outgoing.started = step.now;
  const auto limit = std::min(static_cast<std::size_t>(step.config.relay.max_pending),
                              decltype(sends_)::kMaxSlots);
  if (sends_.size() >= limit || hops_.size() + outgoing.copies > limit) {
    return ReportFailure(outgoing, FailReason::kOverload, step);
  }
  const std::uint32_t handle = sends_.Add(outgoing);
  sends_.Find(handle)->id = MakeRelayId(step.rng.Next(), handle);
  StartAttempt(handle, links, step);
  Prune();
}

void Relay::StartAttempt(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Outgoing& outgoing = *sends_.Find(handle);
  outgoing.open = 0;
  outgoing.waiting = links.empty();
  if (outgoing.waiting) return ArmSend(handle, outgoing.deadline);
  outgoing.sent = step.now;
  for (int copy = 0; copy < outgoing.copies; ++copy) {
    if (Launch(outgoing, copy, links, step)) outgoing.open |= CopyBit(copy);
  }
  if (outgoing.open == 0) return AttemptFailed(handle, step);
  const bool last = !outgoing.receipt || outgoing.attempt + 1 >= step.config.relay.tries;
  const Time retry = step.now + ReceiptTimeout(outgoing, step);
  ArmSend(handle, last ? outgoing.deadline : std::min(retry, outgoing.deadline));
}

void Relay::OnFirstLink(std::span<Link> links, const PartStep& step) {
  for (std::size_t slot = 0; slot < sends_.slots(); ++slot) {
    const std::uint32_t handle = sends_.handle_at(slot);
    const Outgoing* outgoing = sends_.Find(handle);
    if (outgoing != nullptr && outgoing->waiting) StartAttempt(handle, links, step);
  }
  Prune();
}

// Sends one copy, not over the first hop of another copy, and only if need be over one that this
// copy or a later one took in the attempt before. False if there is no way.
bool Relay::Launch(Outgoing& outgoing, int copy, std::span<Link> links, const PartStep& step) {
  const auto index = static_cast<std::size_t>(copy);
  const std::array before = outgoing.first;
  outgoing.first[index] = PeerRef::kNone;
  if (Full(step)) return false;
  Hop hop;
  hop.message = FirstForward(outgoing, copy, step);
  for (std::size_t other = 0; other < index; ++other) hop.Exclude(before[other]);
  const std::uint8_t taken = hop.tried_count;
  if (outgoing.attempt > 0) {
    for (std::size_t other = index; other < outgoing.copies; ++other) hop.Exclude(before[other]);
  }
  Route route = PickRoute(step, links, hop.message, hop.tried_span());
  if (route.next == PeerRef::kNone || route.kind == RouteKind::kDetour) {
    hop.tried_count = taken;
    route = PickRoute(step, links, hop.message, hop.tried_span());
  }
  if (route.next == PeerRef::kNone) return false;
  hop.to = route.next;
  hop.route = route.kind;
  Transmit(hops_.Add(hop), links, step);
  return true;
}

Forward Relay::FirstForward(const Outgoing& outgoing, int copy, const PartStep& step) {
  Forward message{};
  message.id = outgoing.id | outgoing.attempt;
  message.origin = step.self_id;
  message.target = outgoing.target;
  message.payload = outgoing.payload;
  message.kind = outgoing.kind;
  message.ttl = static_cast<std::uint8_t>(step.config.relay.ttl);
  message.detours = static_cast<std::uint8_t>(step.config.relay.detours);
  message.copy = static_cast<std::uint8_t>(copy);
  message.wants_receipt = outgoing.receipt;
  return message;
}

// One of our own messages has come to us: handed back by its first hop, or on a detour of its own.
void Relay::OnReturned(std::uint32_t own, PeerRef from, const Forward& message,
                       std::span<Link> links, const PartStep& step) {
  Outgoing& outgoing = *sends_.Find(own);
  step.out.Release(message.payload);  // the send has its own share
  const std::size_t copy = message.copy % kMaxCopies;
  const bool current = (message.id & kAttemptMask) == outgoing.attempt &&
                       (outgoing.open & CopyBit(message.copy)) != 0;
  const bool handed_back =
      current && message.detouring && from == outgoing.first[copy] && !Full(step);
  if (!handed_back) {
    const HopStatus status = current ? HopStatus::kRefused : HopStatus::kDuplicate;
    return step.out.Send(from, HopAck{message.hop, status});
  }
  step.out.Send(from, HopAck{message.hop, HopStatus::kAccepted});
  Forward arriving = Arriving(step, message);
  arriving.copy = static_cast<std::uint8_t>(copy);
  arriving.payload = outgoing.payload;
  if (hops_.Find(outgoing.hops[copy]) == nullptr) {
    Hop again;
    for (std::size_t other = 0; other < outgoing.copies; ++other) {
      if (other != copy) again.Exclude(outgoing.first[other]);
    }
    outgoing.hops[copy] = hops_.Add(again);
  }
  const std::uint32_t handle = outgoing.hops[copy];
  hops_.Find(handle)->message = arriving;
  hops_.Find(handle)->Exclude(from);
  Advance(handle, links, step);
}

void Relay::OnOwnHopTaken(const Forward& message, const PartStep& step) {
  const std::uint32_t handle = OwnerOf(message.id);
  if (handle == 0) return;
  Outgoing& outgoing = *sends_.Find(handle);
  outgoing.hops[message.copy] = 0;
  if (outgoing.receipt) return;
  outgoing.taken = true;
  CopyFailed(handle, message.copy, step);  // no more will be heard of it
}

void Relay::OnOwnHopFailed(const Forward& message, const PartStep& step) {
  if (const std::uint32_t handle = OwnerOf(message.id); handle != 0)
    CopyFailed(handle, message.copy, step);
}

void Relay::OnUnreachable(const Forward& message, const PartStep& step) {
  const std::uint32_t handle = OwnerOf(message.subject);
  const Outgoing* outgoing = sends_.Find(handle);
  const bool current = outgoing != nullptr &&
                       (message.subject & kAttemptMask) == outgoing->attempt &&
                       (outgoing->open & CopyBit(message.copy)) != 0;
  if (!current) return step.out.Drop(DropReason::kUnknownRpc);
  CopyFailed(handle, message.copy % kMaxCopies, step);
}

// A receipt, or the answer to a request for a link.
void Relay::OnAnswer(const Forward& message, const PartStep& step) {
  const std::uint32_t handle = OwnerOf(message.subject);
  const Outgoing* outgoing = sends_.Find(handle);
  const bool receipt = message.kind == ForwardKind::kReceipt;
  if (outgoing == nullptr || !outgoing->receipt || message.origin != outgoing->target ||
      receipt != (outgoing->kind == ForwardKind::kData)) {
    return step.out.Drop(DropReason::kUnknownRpc);
  }
  if (receipt) {
    // Which attempt a receipt belongs to is certain, but only first attempts show the usual time.
    if (outgoing->attempt == 0) {
      SampleRoundTrip(step.now - outgoing->sent, receipt_srtt_, receipt_rttvar_);
    }
    step.out.Notify(Delivered{outgoing->request, message.hops, outgoing->started});
  } else {
    const bool accepted = message.kind == ForwardKind::kConnectAccept;
    news_.push_back({accepted ? RelayNews::Kind::kAccepted : RelayNews::Kind::kRefused,
                     {},
                     outgoing->request,
                     0,
                     outgoing->target});
  }
  End(handle, step);
}

void Relay::CopyFailed(std::uint32_t handle, int copy, const PartStep& step) {
  Outgoing& outgoing = *sends_.Find(handle);
  CancelHop(outgoing, copy, step);
  outgoing.open &= static_cast<std::uint8_t>(~CopyBit(copy));
  if (outgoing.open == 0) AttemptFailed(handle, step);
}

// No copy of this attempt is under way any more. The next one waits a little, so that links that
// have died meanwhile may be noticed and replaced.
void Relay::AttemptFailed(std::uint32_t handle, const PartStep& step) {
  const Outgoing& outgoing = *sends_.Find(handle);
  if (outgoing.taken) return End(handle, step);
  if (!outgoing.receipt || outgoing.attempt + 1 >= step.config.relay.tries) {
    return Fail(handle, FailReason::kUnreachable, step);
  }
  const Duration pause = step.config.relay.initial_rto * (std::int64_t{1} << outgoing.attempt);
  ArmSend(handle, std::min(step.now + pause, outgoing.deadline));
}

void Relay::OnSendTimeout(std::uint32_t handle, std::span<Link> links, const PartStep& step) {
  Outgoing& outgoing = *sends_.Find(handle);
  if (outgoing.taken) return End(handle, step);
  if (step.now >= outgoing.deadline) {
    if (outgoing.waiting) return Fail(handle, FailReason::kNoLinks, step);
    return Fail(handle, outgoing.open == 0 ? FailReason::kUnreachable : FailReason::kDeadline,
                step);
  }
  CancelHops(outgoing, step);
  ++outgoing.attempt;
  StartAttempt(handle, links, step);
}

void Relay::Fail(std::uint32_t handle, FailReason reason, const PartStep& step) {
  CancelHops(*sends_.Find(handle), step);
  const Outgoing outgoing = *sends_.Find(handle);
  sends_.Remove(handle);
  ReportFailure(outgoing, reason, step);
}

void Relay::ReportFailure(const Outgoing& outgoing, FailReason reason, const PartStep& step) {
  if (outgoing.kind == ForwardKind::kData) {
    step.out.Notify(Failed{outgoing.request, reason, outgoing.started});
  } else {
    news_.push_back({RelayNews::Kind::kFailed, reason, outgoing.request, 0, outgoing.target});
  }
  step.out.Release(outgoing.payload);
}

void Relay::End(std::uint32_t handle, const PartStep& step) {
  Outgoing& outgoing = *sends_.Find(handle);
  CancelHops(outgoing, step);
  step.out.Release(outgoing.payload);
  sends_.Remove(handle);
}

void Relay::CancelHops(Outgoing& outgoing, const PartStep& step) {
  for (int copy = 0; copy < outgoing.copies; ++copy) CancelHop(outgoing, copy, step);
}

void Relay::CancelHop(Outgoing& outgoing, int copy, const PartStep& step) {
  std::uint32_t& handle = outgoing.hops[static_cast<std::size_t>(copy)];
  if (hops_.Find(handle) != nullptr) Settle(handle, step);
  handle = 0;
}

void Relay::ArmSend(std::uint32_t handle, Time timer) {
  sends_.Find(handle)->timer = timer;
  send_timers_.Push(timer, handle);
}

// Generous: what the hops can repair they repair themselves, and a second attempt costs a whole
// path. Eight initial time-outs leave room to find four dead links on the way; doubled with each
// attempt.
Duration Relay::ReceiptTimeout(const Outgoing& outgoing, const PartStep& step) const {
  const Duration usual = receipt_srtt_ + receipt_rttvar_ * 4;
  const Duration first = std::max(step.config.relay.initial_rto * 8, usual);
  const Duration half = (outgoing.deadline - outgoing.started) / 2;
  return std::min(first, half) * (std::int64_t{1} << outgoing.attempt);
}

// The send that one of our ids belongs to, 0 if it has ended or there was none.
std::uint32_t Relay::OwnerOf(std::uint64_t id) {
  const std::uint32_t handle = HandleIn(id);
  const Outgoing* outgoing = sends_.Find(handle);
  return outgoing != nullptr && outgoing->id == (id & ~kAttemptMask) ? handle : 0;
}

}  // namespace tombolo
