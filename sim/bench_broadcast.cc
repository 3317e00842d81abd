// bench broadcast: one sender, then the death of half of all peers.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/bench.h"
#include "sim/report.h"

namespace tombolo::sim {
namespace {

template <class Kind>
std::uint64_t Messages(const Metrics& metrics) {
  return metrics.messages[Message(Kind{}).index()];
}

std::uint64_t Control(const Metrics& metrics) {
  return Messages<GossipHave>(metrics) + Messages<GossipGraft>(metrics) +
         Messages<GossipPrune>(metrics) + Messages<GossipCount>(metrics);
}

double Reached(const Metrics& metrics) {
  return Ratio(static_cast<double>(metrics.broadcasts.reached),
               static_cast<double>(metrics.broadcasts.wanted));
}

// Reach against time: when each tenth of the deliveries had been made, and which share of all who
// were to get it had it then.
nlohmann::ordered_json ReachCurve(const Metrics& metrics) {
  nlohmann::ordered_json curve = nlohmann::ordered_json::array();
  if (metrics.broadcasts.reached == 0) return curve;
  constexpr int kSteps = 10;
  for (int step = 1; step <= kSteps; ++step) {
    const double share = static_cast<double>(step) / kSteps;
    const LatencyHistogram& delay = metrics.broadcasts.delay;
    const std::int64_t us = step < kSteps ? delay.quantile(share) : delay.max();
    curve.push_back({{"ms", static_cast<double>(us) / 1000}, {"ratio", share * Reached(metrics)}});
  }
  return curve;
}

}  // namespace

absl::StatusOr<Scenario> BroadcastScenario(const BenchOptions& options) {
  Scenario scenario;
  scenario.world.peers = options.peers;
  scenario.world.seed = options.seed;
  scenario.world.loss = options.loss;
  scenario.world.dead_links = options.dead_links;
  if (absl::Status status = ApplyBenchSettings(options, scenario); !status.ok()) return status;
  return scenario;
}

RunResult RunBroadcast(const BenchOptions& options, const Scenario& scenario, const Watch& watch) {
  const Interrupts interrupts;
  RunResult result;
  TrimMemory();
  const Usage before = ReadUsage();
  result.world = std::make_unique<World>(scenario.world);
  const Usage ready = ReadUsage();
  const auto go_on = [&] {
    if (watch.progress) {
      const std::uint32_t all =
          (options.broadcast.settling + options.broadcast.measured) * options.broadcast.senders;
      watch.progress->Update(result.world->now() - Time{}, Duration::Seconds(all),
                             result.world->metrics().events);
    }
    return !interrupts.raised();
  };
  result.broadcast = MeasureBroadcasts(*result.world, options.broadcast, go_on);
  const Usage after = ReadUsage();
  result.metrics = result.broadcast->stable;
  result.trace_hash = result.broadcast->trace_hash;
  result.simulated = result.broadcast->simulated;
  result.live_peers = result.world->live_count();
  result.costs.setup_seconds = ready.wall_seconds - before.wall_seconds;
  result.costs.cpu_seconds = after.cpu_seconds - ready.cpu_seconds;
  result.costs.wall_seconds = after.wall_seconds - ready.wall_seconds;
  result.costs.rss_empty_bytes = before.rss_bytes;
  result.costs.rss_bytes = after.rss_bytes;
  result.costs.peak_rss_bytes = after.peak_rss_bytes;
  result.interrupted = interrupts.raised();
  return result;
}

nlohmann::ordered_json BroadcastReport(const Scenario& scenario, const RunResult& result) {
  const BroadcastFigures& figures = *result.broadcast;
  const double count = figures.broadcasts;
  nlohmann::ordered_json report = CommonReport(scenario, result);
  report["broadcasts"] = figures.broadcasts;
  report["reached_ratio"] = Reached(figures.stable);
  report["repeated"] = figures.stable.broadcasts.repeated + figures.failed.broadcasts.repeated;
  report["payload_messages"] =
      Ratio(static_cast<double>(Messages<GossipPush>(figures.stable)), count);
  report["control_messages"] = Ratio(static_cast<double>(Control(figures.stable)), count);
  report["last_delivery_hop"] = figures.last_hop.mean();
  report["hops"] = HopsReport(figures.stable.broadcasts.hops);
  report["reach_ms"] = LatencyReport(figures.stable.broadcasts.delay);
  report["reach_curve"] = ReachCurve(figures.stable);
  if (figures.survivors == 0) return report;
  // A round is a heartbeat: time for an announcement, the wait for the tree, a graft and its
  // answer.
  const Duration round = scenario.world.core.gossip.heartbeat;
  report["after_deaths"] = {
      {"survivors", figures.survivors},
      {"reached_ratio", Reached(figures.failed)},
      {"payload_messages", Messages<GossipPush>(figures.failed)},
      {"control_messages", Control(figures.failed)},
      {"reach_ms", LatencyReport(figures.failed.broadcasts.delay)},
      {"reach_curve", ReachCurve(figures.failed)},
      {"last_reached_ms", figures.reached_after.milliseconds()},
      {"repair_rounds", std::ceil(figures.reached_after.seconds() / round.seconds())},
  };
  return report;
}

}  // namespace tombolo::sim
