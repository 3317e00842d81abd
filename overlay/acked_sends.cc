#include "overlay/acked_sends.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tombolo {
namespace {

constexpr int kTryBits = 4;  // of an rpc: which transmission of the message it is
constexpr std::uint32_t kTryMask = (1U << kTryBits) - 1;
constexpr std::size_t kMaxDoublings = 2;

// So that ten million messages follow before the number begins anew.
std::uint32_t RandomStart(Rng& rng) { return 1 + static_cast<std::uint32_t>(rng.Next() >> 37); }

std::size_t Turn(const AckedSend& send) {
  return static_cast<std::size_t>(send.tries) / AckedSends::kTurn;
}

}  // namespace

void AckedSends::Send(AckedSend send, const PartStep& step) {
  assert(!send.receivers.empty());
  if (rows_.size() >= kMaxRows) return step.out.Drop(DropReason::kOverload);
  if (send.receivers.size() > kMaxReceivers) send.receivers.resize(kMaxReceivers);
  // Receivers remember what they have acted upon. Numbers that began anew with every merge, or with
  // every life of a peer, would be acknowledged as repeats and come to nothing.
  if (next_number_ == 0) next_number_ = RandomStart(step.rng);
  send.number = next_number_++ & (~0U >> kTryBits);
  Transmit(rows_.emplace_back(std::move(send)), step);
}

// Sends the next copy, or waits for the rate to allow it.
void AckedSends::Transmit(AckedSend& send, const PartStep& step) {
  const HealConfig& config = step.config.heal;
  const Duration interval = Duration::Seconds(1) / config.rate;
  const Time allowed = budget_at_ - interval * config.burst;
  send.waiting = allowed > step.now;
  if (send.waiting) {
    send.deadline = allowed;
    return;
  }
  budget_at_ = std::max(budget_at_, step.now) + interval;
  const PeerRef to = send.receivers[Turn(send) % send.receivers.size()];
  const std::uint32_t rpc = (send.number << kTryBits) | (send.tries & kTryMask);
  std::visit(
      [&](auto body) {
        body.rpc = rpc;
        if constexpr (requires { body.contacts; }) body.contacts = step.lists.Add(send.contacts);
        step.out.Send(to, body);
      },
      send.message);
  if (send.tries == 0) send.first_sent = step.now;
  ++send.tries;
  send.last_sent = step.now;
  send.deadline = step.now + Timeout(send, config);
}

Duration AckedSends::Timeout(const AckedSend& send, const HealConfig& config) const {
  const Duration margin = std::max(srtt_ / 2, rttvar_ * 4);
  const Duration base = srtt_.us == 0 ? config.initial_rto
                                      : std::clamp(srtt_ + margin, config.min_rto, config.max_rto);
  const std::size_t rounds = (send.tries - 1U) / (kTurn * send.receivers.size());
  return base * (std::int64_t{1} << std::min(rounds, kMaxDoublings));
}

void AckedSends::Sample(Duration sample) {
  sample = std::max(sample, Duration::Microseconds(1));
  if (srtt_.us == 0) {
    srtt_ = sample;
    rttvar_ = sample / 8;
    return;
  }
  const Duration error = sample < srtt_ ? srtt_ - sample : sample - srtt_;
  rttvar_ = (rttvar_ * 3 + error) / 4;
  srtt_ = (srtt_ * 7 + sample) / 8;
}

std::optional<AckedSend> AckedSends::Acked(PeerRef from, std::uint32_t rpc, const PartStep& step) {
  const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const AckedSend& send) {
    return send.number == rpc >> kTryBits;
  });
  if (row == rows_.end() || row->tries == 0) return std::nullopt;
  if (std::find(row->receivers.begin(), row->receivers.end(), from) == row->receivers.end()) {
    return std::nullopt;
  }
  const std::uint32_t which = rpc & kTryMask;
  if (which == ((row->tries - 1U) & kTryMask)) {
    Sample(step.now - row->last_sent);
  } else if (which == 0) {
    Sample(step.now - row->first_sent);
  }
  AckedSend send = std::move(*row);
  rows_.erase(row);
  return send;
}

void AckedSends::Tick(const PartStep& step, std::vector<SilentSend>& silent) {
  std::erase_if(suspects_, [&](const Suspect& suspect) { return suspect.until <= step.now; });
  for (std::size_t i = 0; i < rows_.size();) {
    AckedSend& send = rows_[i];
    if (send.deadline > step.now) {
      ++i;
      continue;
    }
    const std::size_t count = send.receivers.size();
    const bool turn_over = !send.waiting && send.tries > 0 && send.tries % kTurn == 0;
    if (turn_over) AddSuspect(send.receivers[(Turn(send) - 1) % count], step.now);
    const bool all_silent = turn_over && Turn(send) == count;
    const bool last = send.tries >= std::max<std::size_t>(kMaxTries, kTurn * count);
    const bool ended = !send.waiting && (last || (all_silent && send.brief));
    if (ended) {
      silent.push_back({std::move(send), true, all_silent});
      rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (all_silent) silent.push_back({send, false, true});
    Transmit(send, step);
    ++i;
  }
}

void AckedSends::AddSuspect(PeerRef peer, Time now) {
  Heard(peer);
  if (suspects_.size() >= kMaxSuspects) suspects_.erase(suspects_.begin());
  suspects_.push_back({peer, now + kSuspicion});
}

void AckedSends::Heard(PeerRef peer) {
  std::erase_if(suspects_, [&](const Suspect& suspect) { return suspect.peer == peer; });
}

bool AckedSends::IsSuspect(PeerRef peer, Time now) const {
  return std::any_of(suspects_.begin(), suspects_.end(), [&](const Suspect& suspect) {
    return suspect.peer == peer && suspect.until > now;
  });
}

Time AckedSends::next_deadline() const {
  Time next = suspects_.empty() ? kNever : suspects_.front().until;
  for (const AckedSend& send : rows_) next = std::min(next, send.deadline);
  return next;
}

}  // namespace tombolo
