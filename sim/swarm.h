// The swarm: one seed after the other, each a random world under random faults (swarm_plan.h), and
// what is to be known of those that fail.
//
// Thread rule: one caller. Errors: none; a failed seed is a result.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sim/progress.h"
#include "sim/swarm_run.h"

namespace tombolo::sim {

struct SwarmOptions {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1000;
  std::uint64_t failures_max = 10;  // the swarm ends with this many failed seeds
  bool brief = false;               // failed seeds are not run again to be explained
};

struct SwarmFailure {
  std::uint64_t seed = 0;
  Violation violation;
  std::string plan;     // in brief
  FaultSet faults = 0;  // that the world suffered
  FaultSet needed = 0;  // of these, without any one of which the seed passes
  std::vector<std::string> story;
};

struct SwarmReport {
  SwarmOptions options;
  std::uint64_t done = 0;  // seeds
  std::uint64_t events = 0;
  std::uint64_t operations = 0;
  std::uint64_t knowledge_lost = 0;  // seeds of which no liveness was asked (swarm_liveness.h)
  std::uint64_t trace_hash = 0;      // the sum over all seeds
  Duration simulated;
  std::vector<SwarmFailure> failures;
  bool interrupted = false;
};

SwarmReport RunSwarm(const SwarmOptions& options, Progress& progress);

// "seed 17: I5 no false-empty bucket at peer 4, 61.2 s: ...; replay: tombolo-sim swarm ...", and
// indented below it the plan, the faults that are needed, and the story.
std::string SwarmFailureText(const SwarmFailure& failure);
// The command that replays a seed.
std::string SwarmCommand(std::uint64_t seed);

// One line for people.
std::string SwarmText(const SwarmReport& report);
nlohmann::ordered_json SwarmJson(const SwarmReport& report, const Usage& before,
                                 const Usage& after);

}  // namespace tombolo::sim
