#include "sim/event_queue.h"

namespace tombolo::sim {

// Leaves the queue unchanged and returns false if a time is out of range.
bool EventQueue::Restore(std::int64_t last_us, const std::vector<QueueEntry>& entries) {
  if (last_us < 0 || last_us >= RadixWheel<QueueEntry>::kTimeEnd) return false;
  for (const QueueEntry& entry : entries) {
    if (entry.time_us < last_us || entry.time_us >= RadixWheel<QueueEntry>::kTimeEnd) return false;
  }
  wheel_.Clear(last_us);
  for (const QueueEntry& entry : entries) wheel_.Push(entry);
  return true;
}

}  // namespace tombolo::sim
