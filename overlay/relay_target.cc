// Messages that have reached their target, and what is said in return.
#include "overlay/relay.h"
#include "overlay/rng.h"

namespace tombolo {
namespace {

// Under which the target remembers that its application has a message, whatever the attempt.
std::uint64_t DeliveryKey(const Forward& message) {
  return Mix64(message.origin.prefix64() + Mix64(message.id & ~kAttemptMask));
}

}  // namespace

// ---- As the target.

void Relay::Arrive(PeerRef from, const Forward& message, std::span<Link> links,
                   const PartStep& step) {
  SeenEntry* seen = seen_.Find(message.id, step.now);
  const bool own = message.origin == step.self_id;
  if (own || (seen != nullptr && (seen->copies & CopyBit(message.copy)) != 0)) {
    step.out.Send(from, HopAck{message.hop, own ? HopStatus::kRefused : HopStatus::kDuplicate});
    step.out.Drop(own ? DropReason::kSelf : DropReason::kDuplicateForward);
    return step.out.Release(message.payload);
  }
  if (seen == nullptr) {
    seen = &seen_.Insert(message.id, step);
    seen->previous = from;
    seen->state = SeenState::kDelivered;
  }
  seen->copies |= CopyBit(message.copy);
  step.out.Send(from, HopAck{message.hop, HopStatus::kAccepted});
  if (message.kind == ForwardKind::kData) return Deliver(message, links, step);
  step.out.Release(message.payload);
  switch (message.kind) {
    case ForwardKind::kUnreachable:
      return OnUnreachable(message, step);
    case ForwardKind::kConnectRequest:
      news_.push_back({RelayNews::Kind::kRequest, {}, 0, message.id, message.origin});
      return;
    default:
      return OnAnswer(message, step);
  }
}

void Relay::Deliver(const Forward& message, std::span<Link> links, const PartStep& step) {
  const std::uint64_t key = DeliveryKey(message);
  if (seen_.Find(key, step.now) == nullptr) {
    seen_.Insert(key, step).state = SeenState::kDelivered;
    step.out.Notify(MessageArrived{message.origin, message.payload, message.hops});
  } else {
    step.out.Release(message.payload);
  }
  if (!message.wants_receipt) return;
  Forward receipt{};
  receipt.target = message.origin;
  receipt.kind = ForwardKind::kReceipt;
  receipt.subject = message.id;
  receipt.hops = message.hops;
  Originate(receipt, links, step);
}

void Relay::SendUnreachable(const Forward& message, UnreachableReason reason, std::span<Link> links,
                            const PartStep& step) {
  if (!message.wants_receipt) return;
  Forward unreachable{};
  unreachable.target = message.origin;
  unreachable.kind = ForwardKind::kUnreachable;
  unreachable.reason = reason;
  unreachable.subject = message.id;
  unreachable.copy = message.copy;
  Originate(unreachable, links, step);
}

// Sends a message about a message: acknowledged per hop, but nobody is told if it does not arrive.
void Relay::Originate(Forward message, std::span<Link> links, const PartStep& step) {
  if (Full(step)) return step.out.Drop(DropReason::kOverload);
  message.id = step.rng.Next();
  message.origin = step.self_id;
  message.ttl = static_cast<std::uint8_t>(step.config.relay.ttl);
  message.detours = static_cast<std::uint8_t>(step.config.relay.detours);
  const Route route = NextHop(message, {}, links, step);
  if (route.next == PeerRef::kNone) return;
  seen_.Insert(message.id, step).copies = CopyBit(message.copy);
  Hop hop;
  hop.message = message;
  hop.to = route.next;
  hop.route = route.kind;
  Transmit(hops_.Add(hop), links, step);
}

void Relay::Answer(const RelayNews& request, ForwardKind kind, std::span<Link> links,
                   const PartStep& step) {
  Forward answer{};
  answer.target = request.peer;
  answer.kind = kind;
  answer.subject = request.subject;
  Originate(answer, links, step);
  Prune();
}

}  // namespace tombolo
