#include "sim/timer_queue.h"

#include <algorithm>
#include <cassert>

namespace tombolo::sim {
namespace {

constexpr std::size_t kStaleMin = 64;  // below this a rebuild is not worth its fixed cost

}  // namespace

void TimerQueue::Resize(std::uint32_t peers) {
  assert(peers >= rows_.size());
  rows_.resize(peers);
}

std::uint32_t TimerQueue::AddPeer() {
  rows_.emplace_back();
  return peer_count() - 1;
}

void TimerQueue::Arm(std::uint32_t peer, Time deadline) {
  assert(peer < rows_.size());
  if (deadline.us >= RadixWheel<Entry>::kTimeEnd) deadline = kNever;  // 146,000 years
  deadline.us = std::max(deadline.us, wheel_.last_us());
  Row& row = rows_[peer];
  row.armed = deadline;
  if (deadline >= row.queued) return;
  const bool leaves_stale = row.queued != kNever;
  if (leaves_stale && ++stale_ > rows_.size() / 2 + kStaleMin) return DropStale();
  Enqueue(peer, deadline);
}

bool TimerQueue::PopBefore(Time end, Timer& out) {
  Entry entry;
  while (wheel_.PopBefore(end.us, entry)) {
    const std::uint32_t peer = entry.peer();
    const Time at{entry.time()};
    Row& row = rows_[peer];
    if (row.queued != at) {
      --stale_;
      continue;
    }
    row.queued = kNever;
    if (row.armed == at) {
      row.armed = kNever;
      out = {at, peer};
      return true;
    }
    if (row.armed != kNever) Enqueue(peer, row.armed);  // moved later in the meantime
  }
  return false;
}

std::size_t TimerQueue::memory_bytes() const {
  return rows_.capacity() * sizeof(Row) + wheel_.memory_bytes();
}

void TimerQueue::Enqueue(std::uint32_t peer, Time at) {
  rows_[peer].queued = at;
  wheel_.Push(Entry(at.us, peer));
}

// Queues every armed peer anew.
void TimerQueue::DropStale() {
  wheel_.Clear(wheel_.last_us());
  stale_ = 0;
  for (Row& row : rows_) row.queued = kNever;
  for (std::uint32_t peer = 0; peer < peer_count(); ++peer) {
    if (rows_[peer].armed != kNever) Enqueue(peer, rows_[peer].armed);
  }
}

std::vector<Time> TimerQueue::Deadlines() const {
  std::vector<Time> armed;
  armed.reserve(rows_.size());
  for (const Row& row : rows_) armed.push_back(row.armed);
  return armed;
}

bool TimerQueue::Restore(std::int64_t last_us, const std::vector<Time>& armed) {
  if (last_us < 0 || last_us >= RadixWheel<Entry>::kTimeEnd) return false;
  rows_.clear();
  for (const Time at : armed) {
    if (at != kNever && (at.us < last_us || at.us >= RadixWheel<Entry>::kTimeEnd)) return false;
    rows_.push_back({at, kNever});
  }
  wheel_.Clear(last_us);
  DropStale();
  return true;
}

void TimerQueue::Reset() { *this = TimerQueue(); }

}  // namespace tombolo::sim
