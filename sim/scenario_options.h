// What a scenario says: a world, what happens to it, and what is reported. Read by scenario.h, made
// by code in the benches.
//
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "overlay/time.h"
#include "sim/options.h"
#include "sim/workload.h"
#include "sim/world.h"

namespace tombolo::sim {

// Something done to the world from outside, once. Several things of one moment happen in this
// order.
struct TimedAction {
  Duration at;                    // since the start of the run
  double crash = 0;               // share of the live peers that dies without a word
  double leave = 0;               // share of the live peers that leaves politely
  std::uint32_t join = 0;         // new peers that join through random live ones
  bool heal = false;              // every path is back
  std::vector<double> partition;  // shares of the live peers in random islands
  bool partition_one_way = false;
  std::vector<std::uint32_t> isolate;      // peers
  std::vector<std::uint32_t> cut;          // a pair
  std::vector<std::uint32_t> cut_one_way;  // from the first to the second
  std::vector<std::uint32_t> bridge;       // a pair
  std::uint32_t bridges = 0;               // between random live peers of different islands

  // The first broken rule, naming key, value and what is allowed; nullopt if all is well. Requires
  // peers by number of those that the world starts with.
  std::optional<std::string> Validate(std::uint32_t peers) const;
  // Carries it out.
  void Perform(World& world) const;
};

// What must hold at the end; a broken one makes the exit status 1. Negative: not asked for.
struct Expectations {
  double lookup_success = -1;             // least share of lookups that succeed
  double closest_found = -1;              // least share of lookups that find the closest live peer
  double send_success = -1;               // least share of sends that are delivered
  std::int64_t false_empty_buckets = -1;  // at most
  bool ring_ok = false;                   // at the end; see conditions.h
  bool tables_ok = false;
  bool all_routable = false;
};

// What ends the run proper: its duration, or a condition before.
enum class RunEnd : std::uint8_t { kDuration, kRingOk, kTablesOk, kAllRoutable };

struct ReportOptions {
  Duration series = Duration::Seconds(1);  // interval of series.csv
  std::uint32_t check_peers = 10'000;      // peers whose buckets are compared with the truth
  std::uint32_t check_lookups = 100;       // lookups compared with the truth after the end
};

struct Scenario {
  WorldOptions world;
  Duration duration = Duration::Seconds(60);  // of the run proper
  RunEnd end = RunEnd::kDuration;             // conditions count once the last action is over
  Duration warmup;                            // simulated before it, not measured
  Duration drain = Duration::Seconds(60);     // longest wait for operations under way at the end
  std::vector<WorkloadOptions> workloads;     // times count from the start of the run
  std::vector<TimedAction> actions;           // by time
  Expectations expect;
  ReportOptions report;
};

}  // namespace tombolo::sim
