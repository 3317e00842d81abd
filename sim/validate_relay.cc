// Greedy relay over existing connections: table 1.3 of docs/ground-truth.md, rows "all buckets x1"
// and "x2", measured with real sends: links, hop acknowledgements and receipts.
#include <algorithm>
#include <array>
#include <optional>

#include "sim/bench.h"
#include "sim/validate.h"

namespace tombolo::sim {
namespace {

struct Row {
  std::uint32_t peers;
  int per_bucket;
  double mean;
  std::optional<int> p99;  // where the table gives it
};
constexpr std::array<Row, 5> kRows = {{
    {1'000, 1, 3.85, std::nullopt},
    {10'000, 1, 5.13, 9},
    {100'000, 1, 6.40, 10},
    {10'000, 2, 3.97, 6},
    {100'000, 2, 5.00, 8},
}};

// The standard deviation is about 1.5 hops: the error of the mean is 0.01 hops, a tenth of the
// tolerance.
constexpr double kSends = 20'000;
constexpr double kMeanTolerance = 0.03;  // share of the expected mean

void Add(const Row& row, const RunResult& result, Validation& validation) {
  const OperationMetrics& sends = result.metrics.of(OperationKind::kSend);
  const std::string name =
      "all buckets x" + std::to_string(row.per_bucket) + " n=" + std::to_string(row.peers);
  validation.rows.push_back({"1.3", name, "hops_mean", row.mean, sends.hops.mean(),
                             row.mean * kMeanTolerance, Rule::kWithin});
  if (row.p99) {
    validation.rows.push_back({"1.3", name, "hops_p99", static_cast<double>(*row.p99),
                               static_cast<double>(sends.hops.quantile(0.99)), 1, Rule::kWithin});
  }
  const auto delivered = static_cast<double>(sends.succeeded) /
                         static_cast<double>(std::max<std::uint64_t>(sends.started, 1));
  validation.rows.push_back({"1.3", name, "delivered_ratio", 1, delivered, 0, Rule::kWithin});
}

}  // namespace

void ValidateRelay(const ValidateOptions& options, const ValidateWatch& watch,
                   Validation& validation) {
  std::uint64_t done = 0;
  for (const Row& row : kRows) {
    if (!watch.Begin("relayed sends", done++, kRows.size())) return;
    BenchOptions bench;
    bench.peers = row.peers;
    bench.seed = validation.seed;
    bench.operations = static_cast<std::uint64_t>(kSends * options.scale);
    bench.settings = {"links.per_bucket=" + std::to_string(row.per_bucket)};
    const absl::StatusOr<Scenario> scenario = RelayScenario(bench);
    if (!scenario.ok()) {  // would be an error in the lines above: shown as a row that fails
      validation.rows.push_back(
          {"1.3", std::string(scenario.status().message()), "error", 0, 1, 0, Rule::kWithin});
      return;
    }
    const RunResult result = RunScenario(*scenario, Watch{});
    if (result.interrupted) return;
    Add(row, result, validation);
    validation.AddRun(result);
  }
}

}  // namespace tombolo::sim
