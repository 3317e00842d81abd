#include "python/bind/batch.h"

#include <algorithm>
#include <stdexcept>

namespace tombolo::python {
namespace {

// Waiting for the last operations is cut into steps, so that an interrupt is noticed.
constexpr Duration kWaitStep = Duration::Milliseconds(250);

}  // namespace

void Batch::Begin(sim::World& world) {
  if (world.live_count() < 2) throw std::runtime_error("no two peers are up");
  const PeerRef source = world.RandomLivePeer();
  if (options_.kind == sim::OperationKind::kLookup) {
    ids_.push_back(world.StartLookup(source, world.RandomId()));
    return;
  }
  PeerRef target = world.RandomLivePeer();
  while (target == source) target = world.RandomLivePeer();
  ids_.push_back(
      world.StartSend(source, world.directory().id(target), options_.bytes, options_.send));
}

bool Batch::Continue(Exclusive& running, std::uint64_t events_max) {
  BoundWorld& bound = running.bound();
  sim::World& world = running.world();
  if (!begun_) next_begin_ = world.now();
  begun_ = true;
  const std::uint64_t limit = world.metrics().events + events_max;
  while (ids_.size() < options_.count) {
    const std::uint64_t done = world.metrics().events;
    if (done >= limit || !bound.Advance(std::max(next_begin_, world.now()), limit - done))
      return false;
    Begin(world);
    next_begin_ = next_begin_ + options_.spacing;
  }
  while (results_.size() < ids_.size()) {
    if (!bound.AdvanceUntilEnded(ids_[results_.size()], world.now() + kWaitStep)) return false;
    results_.push_back(world.TakeOperation(ids_[results_.size()]));
    results_.back().closest = {};  // columns have no room for lists
  }
  return true;
}

}  // namespace tombolo::python
