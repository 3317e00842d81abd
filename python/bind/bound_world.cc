#include "python/bind/bound_world.h"

#include <algorithm>

namespace tombolo::python {

bool BoundWorld::Advance(Time end, std::uint64_t events_max) {
  const std::uint64_t limit = world_.metrics().events + events_max;
  while (world_.RunSlice(std::min(end, next_record_), limit - world_.metrics().events)) {
    RecordIfDue();
    if (world_.now() >= end) return true;
    if (world_.metrics().events >= limit) return false;
  }
  return false;
}

bool BoundWorld::AdvanceUntilEnded(sim::OperationId id, Time limit) {
  while (!world_.RunUntilEnded(id, std::min(limit, next_record_))) {
    RecordIfDue();
    if (world_.now() >= limit) return false;
  }
  return true;
}

void BoundWorld::RecordIfDue() {
  if (world_.now() < next_record_) return;
  recorder_.Record(world_);
  next_record_ = next_record_ + interval_;
}

void BoundWorld::ResetMetrics() {
  world_.ResetMetrics();
  recorder_.Rebase(world_);
}

}  // namespace tombolo::python
