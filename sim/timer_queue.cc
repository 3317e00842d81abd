#include "sim/timer_queue.h"

#include <algorithm>
#include <cassert>

namespace tombolo::sim {
namespace {

constexpr std::size_t kStaleMin = 64;  // below this a rebuild is not worth its fixed cost

}  // namespace

void TimerQueue::Resize(std::uint32_t peers) {
  assert(peers >= armed_.size());
  armed_.resize(peers, kNever);
  queued_.resize(peers, kNever);
}

std::uint32_t TimerQueue::AddPeer() {
  armed_.push_back(kNever);
  queued_.push_back(kNever);
  return static_cast<std::uint32_t>(armed_.size() - 1);
}

void TimerQueue::Arm(std::uint32_t peer, Time deadline) {
  assert(peer < armed_.size());
  if (deadline.us >= RadixWheel<Entry>::kTimeEnd) deadline = kNever;  // 146,000 years
  deadline.us = std::max(deadline.us, wheel_.last_us());
  armed_[peer] = deadline;
  if (deadline >= queued_[peer]) return;
  if (queued_[peer] != kNever) ++stale_;
  Enqueue(peer, deadline);
  if (stale_ > armed_.size() / 2 + kStaleMin) DropStale();
}

bool TimerQueue::PopBefore(Time end, Timer& out) {
  Entry entry;
  while (wheel_.PopBefore(end.us, entry)) {
    const std::uint32_t peer = entry.peer();
    const Time at{entry.time()};
    if (queued_[peer] != at) {
      --stale_;
      continue;
    }
    queued_[peer] = kNever;
    if (armed_[peer] == at) {
      armed_[peer] = kNever;
      out = {at, peer};
      return true;
    }
    if (armed_[peer] != kNever) Enqueue(peer, armed_[peer]);  // moved later in the meantime
  }
  return false;
}

std::size_t TimerQueue::memory_bytes() const {
  return (armed_.capacity() + queued_.capacity()) * sizeof(Time) + wheel_.memory_bytes();
}

void TimerQueue::Enqueue(std::uint32_t peer, Time at) {
  queued_[peer] = at;
  wheel_.Push(Entry(at.us, peer));
}

// Queues every armed peer anew.
void TimerQueue::DropStale() {
  wheel_.Clear(wheel_.last_us());
  stale_ = 0;
  queued_.assign(armed_.size(), kNever);
  for (std::uint32_t peer = 0; peer < peer_count(); ++peer) {
    if (armed_[peer] != kNever) Enqueue(peer, armed_[peer]);
  }
}

bool TimerQueue::Restore(std::int64_t last_us) {
  if (last_us < 0 || last_us >= RadixWheel<Entry>::kTimeEnd) return false;
  for (const Time at : armed_) {
    if (at != kNever && (at.us < last_us || at.us >= RadixWheel<Entry>::kTimeEnd)) return false;
  }
  wheel_.Clear(last_us);
  DropStale();
  return true;
}

void TimerQueue::Reset() { *this = TimerQueue(); }

}  // namespace tombolo::sim
