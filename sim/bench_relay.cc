// bench relay: the row "all buckets x1" of the table of greedy relay over existing connections.
#include <array>
#include <nlohmann/json.hpp>

#include "sim/bench.h"
#include "sim/report.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kSends = 10'000;
constexpr int kMaxLinks = 1024;  // no limit in practice: 32 are held on average with 100,000 peers

std::uint64_t Forwards(const Metrics& metrics, ForwardKind kind) {
  return metrics.forwards[static_cast<std::size_t>(kind)];
}

template <class Kind>
std::uint64_t Messages(const Metrics& metrics) {
  return metrics.messages[Message(Kind{}).index()];
}

std::uint64_t Acknowledgements(const Metrics& metrics) {
  return Messages<HopAck>(metrics) + Messages<HopProbe>(metrics) +
         Forwards(metrics, ForwardKind::kReceipt) + Forwards(metrics, ForwardKind::kUnreachable);
}

std::uint64_t FailedBecause(const OperationMetrics& sends, FailReason reason) {
  return sends.failed_by_reason[static_cast<std::size_t>(reason)];
}

}  // namespace

absl::StatusOr<Scenario> RelayScenario(const BenchOptions& options) {
  Scenario scenario = BenchScenario(options, OperationKind::kSend, kSends);
  LinkConfig& links = scenario.world.core.links;
  links.per_bucket = 1;
  links.neighbours = 0;
  links.max_links = kMaxLinks;
  if (absl::Status status = ApplyBenchSettings(options, scenario); !status.ok()) return status;
  if (scenario.world.nat_share > 0) {
    // Who cannot be dialled is reached through the nearest who can: without neighbours the bench
    // would measure a network that no peer would build. Applied again so that a setting of the user
    // wins.
    links.neighbours = LinkConfig().neighbours;
    if (absl::Status status = ApplyBenchSettings(options, scenario); !status.ok()) return status;
  }
  return scenario;
}

nlohmann::ordered_json RelayReport(const Scenario& scenario, const RunResult& result) {
  const Metrics& metrics = result.metrics;
  const OperationMetrics& sends = metrics.of(OperationKind::kSend);
  const auto ended = static_cast<double>(sends.succeeded + sends.failed);
  const std::uint64_t unreachable =
      FailedBecause(sends, FailReason::kUnreachable) + FailedBecause(sends, FailReason::kNoLinks);
  nlohmann::ordered_json report = CommonReport(scenario, result);
  report["sends"] = sends.started;
  report["delivered_ratio"] = Ratio(static_cast<double>(sends.succeeded), ended);
  report["unreachable_ratio"] = Ratio(static_cast<double>(unreachable), ended);
  report["failed_ratio"] = Ratio(static_cast<double>(sends.failed), ended);
  report["hops_mean"] = sends.hops.mean();
  report["hops_p99"] = sends.hops.quantile(0.99);
  report["messages_per_send"] =
      Ratio(static_cast<double>(Forwards(metrics, ForwardKind::kData)), ended);
  report["acks_per_send"] = Ratio(static_cast<double>(Acknowledgements(metrics)), ended);
  report["latency_ms"] = LatencyReport(sends.latency);
  report["sends_per_second"] = Ratio(ended, result.costs.cpu_seconds);
  return report;
}

}  // namespace tombolo::sim
