// What the two ends and the hops between have in common: time, news and the end.
#include "overlay/relay.h"

#include <algorithm>
#include <array>

namespace tombolo {

// An answer goes back the way that its subject came, as far as it is remembered: a way that has
// just worked, past all who lose or keep what they should pass on. And a message that is repeated
// leaves over another link than before, if there is one that leads closer.
Route Relay::NextHop(const Forward& message, std::span<const PeerRef> excluded,
                     std::span<const Link> links, const PartStep& step) {
  if (IsAnswer(message.kind)) {
    const SeenEntry* seen = seen_.Find(message.subject, step.now);
    const Route back =
        seen == nullptr ? Route{} : PickBack(step, links, message, excluded, seen->previous);
    if (back.next != PeerRef::kNone) return back;
  } else if ((message.id & kAttemptMask) != 0) {
    const Route other = PickOther(message, excluded, links, step);
    if (other.next != PeerRef::kNone && other.kind == RouteKind::kCloser) return other;
  }
  return PickRoute(step, links, message, excluded);
}

// Not over the links that earlier attempts took from here.
Route Relay::PickOther(const Forward& message, std::span<const PeerRef> excluded,
                       std::span<const Link> links, const PartStep& step) {
  std::array<PeerRef, kMaxTried + kAttemptMask> avoided{};
  auto end = std::copy(excluded.begin(), excluded.end(), avoided.begin());
  for (std::uint64_t attempt = message.id & kAttemptMask; attempt > 0; --attempt) {
    const SeenEntry* seen = seen_.Find((message.id & ~kAttemptMask) | (attempt - 1), step.now);
    if (seen != nullptr) *end++ = seen->next;
  }
  return PickRoute(step, links, message, {avoided.begin(), end});
}

std::optional<RelayNews> Relay::TakeNews() {
  if (news_.empty()) return std::nullopt;
  const RelayNews news = news_.front();
  news_.erase(news_.begin());
  return news;
}

void Relay::Tick(std::span<Link> links, const PartStep& step) {
  while (hop_timers_.next() <= step.now) {
    const auto [at, handle] = hop_timers_.Pop();
    if (const Hop* hop = hops_.Find(handle); hop != nullptr && hop->deadline == at) {
      OnHopTimeout(handle, links, step);
    }
  }
  while (send_timers_.next() <= step.now) {
    const auto [at, handle] = send_timers_.Pop();
    if (const Outgoing* outgoing = sends_.Find(handle);
        outgoing != nullptr && outgoing->timer == at) {
      OnSendTimeout(handle, links, step);
    }
  }
  Prune();
}

void Relay::Stop(const PartStep& step) {
  for (std::size_t slot = 0; slot < hops_.slots(); ++slot) {
    const Hop* hop = hops_.Find(hops_.handle_at(slot));
    if (hop != nullptr && hop->previous != PeerRef::kNone) step.out.Release(hop->message.payload);
  }
  for (std::size_t slot = 0; slot < sends_.slots(); ++slot) {
    const Outgoing* outgoing = sends_.Find(sends_.handle_at(slot));
    if (outgoing != nullptr) ReportFailure(*outgoing, FailReason::kLeft, step);
  }
  *this = Relay();
}

void Relay::Prune() {
  hop_timers_.Prune(hops_.size(), [&](Time at, std::uint32_t handle) {
    const Hop* hop = hops_.Find(handle);
    return hop != nullptr && hop->deadline == at;
  });
  send_timers_.Prune(sends_.size(), [&](Time at, std::uint32_t handle) {
    const Outgoing* outgoing = sends_.Find(handle);
    return outgoing != nullptr && outgoing->timer == at;
  });
}

}  // namespace tombolo
