// What the two ends and the hops between have in common: time, news and the end.
#include "overlay/relay.h"

namespace tombolo {

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
