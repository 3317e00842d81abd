// Carries out one plan of the swarm and judges it.
//
// Safety: while faults happen, and to the end, every message and event is checked (swarm_safety.h,
// swarm_ledger.h). Liveness: once the faults have stopped, tables, ring and views must become right
// within LivenessBound, and stay right (under jitter: become right again within that bound); then
// lookups must be exact, sends delivered, and what was put be found. At last everybody goes down,
// and nothing may be left: no list, no payload, no operation.
//
// Equal plans give equal outcomes on every machine. Thread rule: one caller. Errors: none; what
// fails is a Violation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/swarm_ledger.h"
#include "sim/swarm_plan.h"

namespace tombolo::sim {

struct SwarmOutcome {
  std::optional<Violation> violation;
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  std::uint64_t trace_hash = 0;
  std::array<std::uint64_t, kInjectedKinds> injected{};
  Duration simulated;
  Duration converged_after;  // the end of the faults
  bool knowledge_lost =
      false;  // deaths cut the graph of who knows whom for good: no liveness asked
};

SwarmOutcome RunPlan(const SwarmPlan& plan);

// The same run once more, as a story: what was done to the world, and the last messages of the
// offender before the violation. At most `lines` of each.
std::vector<std::string> TellPlan(const SwarmPlan& plan, const Violation& violation,
                                  std::size_t lines);

}  // namespace tombolo::sim
