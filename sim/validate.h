// Published and measured tables of the literature against the core itself: a verdict per row.
//
// Thread rule: one caller. Errors: none; a row that does not hold is a result.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sim/progress.h"
#include "sim/runner.h"

namespace tombolo::sim {

struct ValidateOptions {
  bool large = false;  // also 2^20 peers: some minutes and 2 GB
  double scale =
      1;  // of the numbers of samples; below 1 for quick looks, the verdicts lose meaning
};

// What a row asks of the figure.
enum class Rule : std::uint8_t {
  kWithin,   // |measured - expected| <= tolerance
  kAtMost,   // measured <= expected + tolerance
  kAtLeast,  // measured >= expected - tolerance
};

struct ValidateRow {
  std::string table;
  std::string row;
  std::string metric;
  double expected = 0;
  double measured = 0;
  double tolerance = 0;
  Rule rule = Rule::kWithin;

  bool ok() const;
};

struct Validation {
  std::vector<ValidateRow> rows;
  std::vector<std::string> skipped;  // rows that only ValidateOptions::large has, by table and name
  // Over all worlds that were built.
  std::uint64_t seed = 1;
  std::uint32_t peers = 0;  // of the largest
  Metrics metrics;
  Duration simulated;
  std::uint64_t trace_hash = 0;
  double setup_seconds = 0;

  bool interrupted = false;  // rows are missing

  // Counts a run among the worlds.
  void AddRun(const RunResult& result);

  bool ok() const;
};

// What a validation shows and hears.
struct ValidateWatch {
  Progress& progress;
  const Interrupts& interrupts;

  // Shows that step `done` of `total` begins; false if it should not.
  bool Begin(const std::string& what, std::uint64_t done, std::uint64_t total) const {
    progress.Step(what, done, total);
    return !interrupts.raised();
  }
};

Validation Validate(const ValidateOptions& options, Progress& progress);

// Greedy hops over k-buckets (Kademlia), by k and number of peers.
void ValidateHops(const ValidateOptions& options, const ValidateWatch& watch,
                  Validation& validation);
// Hops of relayed sends over one and two links per bucket.
void ValidateRelay(const ValidateOptions& options, const ValidateWatch& watch,
                   Validation& validation);
// Failed routes when a share of all peers has died and nobody repairs.
void ValidateResilience(const ValidateOptions& options, const ValidateWatch& watch,
                        Validation& validation);

// Sends past relays that keep what they should pass on, by the number of disjoint copies.
void ValidateDroppers(const ValidateOptions& options, const ValidateWatch& watch,
                      Validation& validation);

// Chord: path lengths, keys per node, failures and churn.
void ValidateChord(const ValidateOptions& options, const ValidateWatch& watch,
                   Validation& validation);

nlohmann::ordered_json ValidateReport(const Validation& validation, const Usage& before,
                                      const Usage& after);
std::string ValidateText(const Validation& validation);

}  // namespace tombolo::sim
