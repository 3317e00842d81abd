// The swarm: one seed after the other, each a random world under random faults (swarm_plan.h), and
// what is to be known of those that fail.
//
// A failed seed is explained: the classes of faults that the failure does not need are switched off
// one after the other, and what is left is told, with the command that replays exactly that. Ctrl-C
// ends that, too, with the smallest plan so far.
//
// Thread rule: one caller. Errors: none; a failed seed is a result.
#pragma once

#include <cstdint>
#include <functional>
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
  FaultSet without = 0;             // classes that are switched off: see DrawPlan
};

// What is told of a failed seed is true of its smallest plan: the one that `command` replays.
struct SwarmFailure {
  std::uint64_t seed = 0;
  std::string plan;     // all of it, in brief
  FaultSet faults = 0;  // of all of it
  // Of these: without any one more, if that can be, nothing or something else is violated.
  FaultSet needed = 0;
  Violation violation;
  std::string command;
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

// The plan of a seed without some classes of faults: DrawPlan, but in tests of failures.
using PlanSource = std::function<SwarmPlan(std::uint64_t seed, FaultSet off)>;

SwarmReport RunSwarm(const SwarmOptions& options, Progress& progress,
                     const PlanSource& draw = DrawPlan);

// "seed 17: I5 no false-empty bucket at peer 4, 61.2 s: ...; replay: tombolo-sim swarm ...", and
// indented below it the plan, the faults that are needed, and the story.
std::string SwarmFailureText(const SwarmFailure& failure);
// The command that replays a seed without some classes of faults.
std::string SwarmCommand(std::uint64_t seed, FaultSet without);

// One line for people.
std::string SwarmText(const SwarmReport& report);
nlohmann::ordered_json SwarmJson(const SwarmReport& report, const Usage& before,
                                 const Usage& after);

}  // namespace tombolo::sim
