#include "overlay/merge_queue.h"

#include <algorithm>

namespace tombolo {

void MergeQueue::Add(const Detected& detected, const PartStep& step) {
  const auto same = [&](const auto& row) { return row.peer == detected.peer; };
  const bool fresh = std::none_of(queue_.begin(), queue_.end(), same) &&
                     std::none_of(seen_.begin(), seen_.end(), [&](const Seen& seen) {
                       return same(seen) && seen.until > step.now;
                     });
  if (!fresh) return;
  if (queue_.size() >= kMaxQueued) return step.out.Drop(DropReason::kOverload);
  queue_.push_back(detected);
  due_ = std::max(due_, step.now);
}

std::optional<MergeQueue::Detected> MergeQueue::Take(const PartStep& step) {
  std::erase_if(seen_, [&](const Seen& seen) { return seen.until <= step.now; });
  if (queue_.empty() || due_ > step.now) return std::nullopt;
  const Detected first = queue_.front();
  queue_.erase(queue_.begin());
  if (seen_.size() >= kMaxSeen) seen_.erase(seen_.begin());
  seen_.push_back({first.peer, step.now + kSeenFor});
  due_ = step.now + step.config.heal.queue_interval;
  return first;
}

Time MergeQueue::next_deadline() const {
  const Time forget = seen_.empty() ? kNever : seen_.front().until;
  return queue_.empty() ? forget : std::min(forget, due_);
}

}  // namespace tombolo
