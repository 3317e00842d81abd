#include "sim/bench.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace tombolo::sim {
namespace {

constexpr double kRate = 1000;                   // operations per second: 1 ms apart
constexpr Duration kDrain = Duration::Hours(1);  // all operations end long before

constexpr std::array kBenches = {
    Bench{"broadcast", "one sender to everybody; then half of all peers die",
          kReadsLoss | kReadsDeadLinks | kReadsLatency, BroadcastScenario, BroadcastReport,
          RunBroadcast},
    Bench{"chord-built", "Chord of 2001 over an exact ring", 0, ChordBuiltScenario, ChordReport},
    Bench{"chord-paper", "Chord of 2001 while everybody joins", kReadsSchedule, ChordPaperScenario,
          ChordReport},
    Bench{"heal", "islands that find each other and merge", kReadsIslands | kReadsLoss | kReadsDead,
          HealScenario, HealReport, RunHeal, HealShortfall},
    Bench{"kademlia-lookup", "iterative lookups over pre-built tables",
          kReadsLookups | kReadsDead | kReadsLatency, KademliaLookupScenario, KademliaLookupReport},
    Bench{"relay", "sends between random pairs over one link per bucket",
          kReadsSends | kReadsLoss | kReadsDeadLinks | kReadsLatency, RelayScenario, RelayReport},
};

}  // namespace

std::span<const Bench> Benches() { return kBenches; }

const Bench* FindBench(std::string_view name) {
  const auto found = std::find_if(kBenches.begin(), kBenches.end(),
                                  [&](const Bench& b) { return b.name == name; });
  return found == kBenches.end() ? nullptr : &*found;
}

std::string BenchNames() {
  std::string names;
  for (const Bench& bench : kBenches)
    names += (names.empty() ? "" : ", ") + std::string(bench.name);
  return names;
}

Scenario BenchScenario(const BenchOptions& options, OperationKind kind, std::uint64_t count) {
  Scenario scenario;
  scenario.world.peers = options.peers;
  scenario.world.seed = options.seed;
  scenario.world.start = StartMode::kBuilt;
  scenario.world.dead_share = options.dead;
  scenario.world.loss = options.loss;
  scenario.world.dead_links = options.dead_links;
  WorkloadOptions workload;
  workload.kind = kind;
  workload.rate_per_s = kRate;
  workload.spacing = Spacing::kFixed;
  workload.count = options.operations != 0 ? options.operations : count;
  scenario.duration = Duration::Milliseconds(static_cast<std::int64_t>(workload.count));
  scenario.workloads = {workload};
  scenario.drain = kDrain;
  scenario.report.check_peers = 0;
  scenario.report.check_lookups = 0;
  return scenario;
}

absl::Status ApplyBenchSettings(const BenchOptions& options, Scenario& scenario) {
  std::vector<std::string> settings = {"latency.model=constant", "latency.one_way_ms=50"};
  if (!options.latency_file.empty())
    settings = {"latency.model=matrix", "latency.file=" + options.latency_file};
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  return ApplySettings(settings, scenario);
}

}  // namespace tombolo::sim
