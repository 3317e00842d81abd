// The world as Python holds it: the simulator's World, and the time series recorded while it runs.
//
// All running goes through Advance, which stops at every boundary of the series. Ownership: plain
// value, copied by fork. Thread rule: the GIL is released while a world runs, so another thread may
// find it busy: `Exclusive` turns that into an exception instead of a race.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "sim/operation.h"
#include "sim/series.h"
#include "sim/world.h"

namespace tombolo::python {

class BoundWorld {
 public:
  BoundWorld(const sim::WorldOptions& options, Duration interval)
      : world_(options),
        recorder_(world_, interval),
        interval_(interval),
        next_record_{interval.us} {}
  // A placeholder that Serialize replaces.
  BoundWorld() : BoundWorld(SmallOptions(), Duration::Seconds(1)) {}

  // Throws std::runtime_error while another thread runs this world.
  sim::World& world() {
    if (busy_.now) throw std::runtime_error("this world is running in another thread");
    return world_;
  }

  // Runs up to `end`, at most `events_max` events; false if there is more to do.
  bool Advance(Time end, std::uint64_t events_max);
  // Runs until the operation has ended, at most up to `limit`.
  bool AdvanceUntilEnded(sim::OperationId id, Time limit);

  const sim::TimeSeries& series() const { return recorder_.series(); }
  void ResetMetrics();

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(world_, recorder_, interval_, next_record_);
  }

 private:
  friend class Exclusive;

  // A copy of a running world does not run.
  struct Busy {
    Busy() = default;
    Busy(const Busy&) {}
    Busy& operator=(const Busy&) { return *this; }
    bool now = false;
  };

  static sim::WorldOptions SmallOptions() {
    sim::WorldOptions options;
    options.peers = 1;
    return options;
  }
  void RecordIfDue();

  sim::World world_;
  sim::SeriesRecorder recorder_;
  Duration interval_;
  Time next_record_;
  Busy busy_;
};

// Marks a world as running while the GIL is released. Create and destroy with the GIL held.
class Exclusive {
 public:
  explicit Exclusive(BoundWorld& bound) : bound_(bound) {
    bound.world();
    bound_.busy_.now = true;
  }
  ~Exclusive() { bound_.busy_.now = false; }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

  BoundWorld& bound() { return bound_; }
  sim::World& world() { return bound_.world_; }

 private:
  BoundWorld& bound_;
};

}  // namespace tombolo::python
