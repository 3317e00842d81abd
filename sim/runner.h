// Runs a scenario from start to end and gathers what a report needs.
//
// A run has up to four parts: set-up (the world is built, the warm-up simulated), the run proper,
// the drain (no new operations; those under way end), and the checks. Measured are the second and
// third.
//
// Ownership: the result owns the world. Thread rule: one caller. The world does not depend on
// progress, interrupts or clocks; they decide only when a run is cut short.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "sim/broadcast_run.h"
#include "sim/checkers.h"
#include "sim/conditions.h"
#include "sim/heal_run.h"
#include "sim/histogram.h"
#include "sim/metrics.h"
#include "sim/progress.h"
#include "sim/scenario.h"
#include "sim/world.h"

namespace tombolo::sim {

// The outside of a run.
struct Watch {
  Progress* progress = nullptr;  // may be null
};

struct Costs {
  double setup_seconds = 0;           // wall clock
  double cpu_seconds = 0;             // of the measured parts
  double wall_seconds = 0;            // of the measured parts
  std::uint64_t rss_empty_bytes = 0;  // before the world was built
  std::uint64_t rss_bytes = 0;        // at the end of the measured parts
  std::uint64_t peak_rss_bytes = 0;
};

// How the wait for the condition of `run_until` went.
struct Until {
  bool reached = false;
  Duration at;  // of the run proper: when it was reached, or the run was over without it
};

struct RunResult {
  std::unique_ptr<World> world;
  // As of the end of the measured parts; the checks let the world run on.
  Metrics metrics;
  std::uint64_t trace_hash = 0;
  Duration simulated;  // of the measured parts
  std::uint32_t live_peers = 0;
  std::uint32_t active_operations = 0;
  Costs costs;
  TimeSeries series;
  std::optional<Until> until;  // if the scenario names a condition, and the run was not interrupted
  bool interrupted = false;
  std::optional<BucketCheck> buckets;  // if asked for, and not interrupted before
  std::optional<LookupCheck> lookups;
  std::optional<BroadcastFigures> broadcast;                     // of bench broadcast
  std::array<std::optional<Finding>, kConditions> conditions{};  // of those expected, at the end
  std::optional<HealFigures> heal;                               // of bench heal
};

RunResult RunScenario(const Scenario& scenario, const Watch& watch);

}  // namespace tombolo::sim
