// Many operations of one kind, from random live peers, evenly spaced in time, with a result each.
//
// Ownership: plain value beside the world it runs in; it holds numbers of operations of that world,
// so a batch must end in the world in which it began. Thread rule: that of the world.
#pragma once

#include <cstdint>
#include <vector>

#include "python/bind/bound_world.h"

namespace tombolo::python {

struct BatchOptions {
  sim::OperationKind kind = sim::OperationKind::kLookup;  // lookup or send
  std::uint32_t count = 0;
  Duration spacing;          // between the beginnings of two operations
  std::uint32_t bytes = 64;  // of sends
  sim::SendOptions send;
};

class Batch {
 public:
  explicit Batch(const BatchOptions& options) : options_(options) {}

  // Goes on for about `events_max` events; true once every operation has ended. Throws
  // std::runtime_error if no peer is left to begin one.
  bool Continue(Exclusive& running, std::uint64_t events_max);

  std::uint32_t ended() const { return static_cast<std::uint32_t>(results_.size()); }
  // In the order in which they began.
  const std::vector<sim::Operation>& results() const { return results_; }

 private:
  void Begin(sim::World& world);

  BatchOptions options_;
  Time next_begin_;
  bool begun_ = false;
  std::vector<sim::OperationId> ids_;
  std::vector<sim::Operation> results_;
};

}  // namespace tombolo::python
