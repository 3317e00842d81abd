// Relays that keep what they should pass on: table 4.3 of docs/ground-truth.md. A
// fifth of 10,000 peers acknowledges messages and drops them; k = 16 contacts, all of them links,
// and one attempt. A send goes on node-disjoint copies and succeeds when its receipt is back. Rows
// are one-sided: not worse than the table.
#include <array>
#include <cmath>
#include <string>

#include "sim/bench.h"
#include "sim/validate.h"

namespace tombolo::sim {
namespace {

struct Row {
  std::uint8_t copies;
  double lost_percent;
};
constexpr std::array<Row, 4> kRows = {{{1, 29.9}, {2, 10.9}, {4, 1.2}, {8, 0.03}}};

constexpr std::uint32_t kPeers = 10'000;
constexpr double kSends = 10'000;
constexpr double kDeviations = 4;    // of ours and of the table, which is no larger a sample
constexpr double kDropperRows = .3;  // percent: who the droppers are differs, and with it the mean

double Tolerance(double percent, double sends) {
  const double share = percent / 100;
  return kDeviations * std::sqrt(2 * share * (1 - share) / sends) * 100 + kDropperRows;
}

absl::StatusOr<Scenario> DropperScenario(const Row& row, std::uint64_t sends, std::uint64_t seed) {
  BenchOptions bench;
  bench.peers = kPeers;
  bench.seed = seed;
  bench.operations = sends;
  bench.settings = {"kademlia.k=16", "links.per_bucket=16", "relay.tries=1",
                    "faults.dropper_share=0.2", "workload.0.copies=" + std::to_string(row.copies)};
  return RelayScenario(bench);
}

}  // namespace

void ValidateDroppers(const ValidateOptions& options, const ValidateWatch& watch,
                      Validation& validation) {
  const auto sends = static_cast<std::uint64_t>(kSends * options.scale);
  std::uint64_t done = 0;
  for (const Row& row : kRows) {
    if (!watch.Begin("sends past droppers", done++, kRows.size())) return;
    const std::string name = "20 % droppers, copies=" + std::to_string(row.copies);
    const absl::StatusOr<Scenario> scenario = DropperScenario(row, sends, validation.seed);
    if (!scenario.ok()) {  // would be an error in the lines above: shown as a row that fails
      validation.rows.push_back(
          {"4.3", std::string(scenario.status().message()), "error", 0, 1, 0, Rule::kWithin});
      return;
    }
    const RunResult result = RunScenario(*scenario, Watch{});
    if (result.interrupted) return;
    const OperationMetrics& figures = result.metrics.of(OperationKind::kSend);
    const double lost =
        100 * static_cast<double>(figures.failed) / static_cast<double>(figures.started);
    validation.rows.push_back({"4.3", name, "failed_percent", row.lost_percent, lost,
                               Tolerance(row.lost_percent, static_cast<double>(sends)),
                               Rule::kAtMost});
    validation.AddRun(result);
  }
}

}  // namespace tombolo::sim
