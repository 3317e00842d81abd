// The benches of `tombolo-sim bench`: a scenario made by code, and the figures wanted of it.
//
// Thread rule: pure functions. Errors: a status that names the option or setting, and what is
// allowed.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/runner.h"
#include "sim/scenario.h"

namespace tombolo::sim {

struct BenchOptions {
  std::uint32_t peers = 10'000;
  std::uint64_t seed = 1;
  std::uint64_t operations = 0;  // lookups or sends; 0 = as the bench defines
  std::string latency_file;      // matrix of round-trip times; empty = 50 ms one way between all
  double dead = 0;               // share of peers dead from the start
  double loss = 0;               // share of messages
  double dead_links = 0;         // share of links
  // bench heal; see HealOptions.
  std::uint32_t islands = 2;         // of equal size, unless sizes are given
  std::vector<std::uint32_t> sizes;  // of each island; together they are the peers
  HealOptions heal;
  MergeStrategy strategy = MergeStrategy::kZip;
  double missing = 0;           // share of the contacts absent from the tables
  std::string schedule = "t0";  // bench chord-paper: all join at once, or "spread" over 500 s
  BroadcastRunOptions broadcast;
  std::vector<std::string> settings;  // "key=value", applied last
};

// What of BenchOptions, beyond peers, seed and settings, a bench reads.
enum BenchReads : unsigned {
  kReadsLookups = 1U << 0,  // operations
  kReadsSends = 1U << 1,    // operations
  kReadsDead = 1U << 2,
  kReadsLoss = 1U << 3,
  kReadsDeadLinks = 1U << 4,
  kReadsLatency = 1U << 5,
  kReadsSchedule = 1U << 6,
  kReadsIslands = 1U << 7,  // all that bench heal alone has
};

struct Bench {
  std::string_view name;
  std::string_view doc;
  unsigned reads;  // BenchReads
  absl::StatusOr<Scenario> (*scenario)(const BenchOptions& options);
  nlohmann::ordered_json (*report)(const Scenario& scenario, const RunResult& result);
  // What runs the scenario, if it is more than RunScenario.
  RunResult (*run)(const BenchOptions& options, const Scenario& scenario,
                   const Watch& watch) = nullptr;
  // What the run fell short of; empty if nothing. A bench without it only measures.
  std::string (*shortfall)(const RunResult& result) = nullptr;
};

std::span<const Bench> Benches();

// Null if there is no such bench.
const Bench* FindBench(std::string_view name);

// "a, b, c".
std::string BenchNames();

// Iterative lookups of random ids by random live peers, 1000 a second; k = 20, alpha = 3.
absl::StatusOr<Scenario> KademliaLookupScenario(const BenchOptions& options);
nlohmann::ordered_json KademliaLookupReport(const Scenario& scenario, const RunResult& result);

// Sends between random pairs, 1000 a second, over one link per non-empty bucket, used both ways.
absl::StatusOr<Scenario> RelayScenario(const BenchOptions& options);
nlohmann::ordered_json RelayReport(const Scenario& scenario, const RunResult& result);

// Islands that find each other and merge.
absl::StatusOr<Scenario> HealScenario(const BenchOptions& options);
RunResult RunHeal(const BenchOptions& options, const Scenario& scenario, const Watch& watch);
nlohmann::ordered_json HealReport(const Scenario& scenario, const RunResult& result);
std::string HealShortfall(const RunResult& result);

// The protocol of 2001 while everybody joins, and over an exact ring.
absl::StatusOr<Scenario> ChordPaperScenario(const BenchOptions& options);
absl::StatusOr<Scenario> ChordBuiltScenario(const BenchOptions& options);
nlohmann::ordered_json ChordReport(const Scenario& scenario, const RunResult& result);

// Broadcasts of one sender, then the death of half of all peers.
absl::StatusOr<Scenario> BroadcastScenario(const BenchOptions& options);
RunResult RunBroadcast(const BenchOptions& options, const Scenario& scenario, const Watch& watch);
nlohmann::ordered_json BroadcastReport(const Scenario& scenario, const RunResult& result);

// What both have in common: peers, seed, latency, and a workload of `count` operations at 1000 a
// second.
Scenario BenchScenario(const BenchOptions& options, OperationKind kind, std::uint64_t count);
absl::Status ApplyBenchSettings(const BenchOptions& options, Scenario& scenario);

}  // namespace tombolo::sim
