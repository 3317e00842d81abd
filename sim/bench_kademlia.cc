// bench kademlia-lookup: by default 100,000 lookups over 50 ms one way, nobody dead.
#include <nlohmann/json.hpp>

#include "sim/bench.h"
#include "sim/report.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kLookups = 100'000;

}  // namespace

absl::StatusOr<Scenario> KademliaLookupScenario(const BenchOptions& options) {
  Scenario scenario = BenchScenario(options, OperationKind::kLookup, kLookups);
  scenario.world.core.table.k = 20;
  scenario.world.core.lookup.alpha = 3;
  // Nothing is relayed: links would only cost time and memory.
  scenario.world.core.links.max_links = 0;
  if (absl::Status status = ApplyBenchSettings(options, scenario); !status.ok()) return status;
  return scenario;
}

nlohmann::ordered_json KademliaLookupReport(const Scenario& scenario, const RunResult& result) {
  const OperationMetrics& lookups = result.metrics.of(OperationKind::kLookup);
  const auto ended = static_cast<double>(lookups.succeeded + lookups.failed);
  nlohmann::ordered_json report = CommonReport(scenario, result);
  report["lookups"] = lookups.succeeded + lookups.failed;
  report["lookups_per_second"] = Ratio(ended, result.costs.cpu_seconds);
  report["messages_per_lookup"] = Ratio(static_cast<double>(lookups.messages), ended);
  report["hops_mean"] = lookups.hops.mean();
  report["hops_p50"] = lookups.hops.quantile(0.5);
  report["hops_p99"] = lookups.hops.quantile(0.99);
  report["latency_ms"] = LatencyReport(lookups.latency);
  report["closest_found"] = Ratio(static_cast<double>(lookups.closest_ok), ended);
  report["dead_contacts_per_lookup"] = Ratio(static_cast<double>(lookups.dead), ended);
  return report;
}

}  // namespace tombolo::sim
