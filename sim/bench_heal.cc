// bench heal: islands with exact tables and rings, 50 ms one way, and one bridge between two.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "sim/bench.h"
#include "sim/report.h"

namespace tombolo::sim {
namespace {

// Above, links would cost more memory and time than the healing itself: nothing is sent then.
constexpr std::uint32_t kLinkedPeers = 20'000;

std::vector<std::uint32_t> SizesOf(const BenchOptions& options) {
  if (!options.sizes.empty()) return options.sizes;
  std::vector<std::uint32_t> sizes(options.islands, options.peers / options.islands);
  for (std::uint32_t i = 0; i < options.peers % options.islands; ++i) ++sizes[i];
  return sizes;
}

absl::Status CheckSizes(const BenchOptions& options) {
  const std::uint64_t sum =
      std::accumulate(options.sizes.begin(), options.sizes.end(), std::uint64_t{0});
  const bool empty =
      std::find(options.sizes.begin(), options.sizes.end(), 0U) != options.sizes.end();
  if (sum <= kMaxPeers && options.sizes.size() <= kMaxIslands && !empty) return absl::OkStatus();
  return absl::InvalidArgumentError("--sizes: allowed are 1 to " + std::to_string(kMaxIslands) +
                                    " sizes above 0, " + std::to_string(kMaxPeers) +
                                    " peers in all");
}

// A measure in mean one-way delays; null if it was not reached.
nlohmann::ordered_json Delays(const HealFigures& heal, const std::optional<Duration>& span) {
  if (!span) return nullptr;
  return Ratio(static_cast<double>(span->us), static_cast<double>(heal.delay.us));
}

nlohmann::ordered_json Share(std::uint64_t good, std::uint64_t all) {
  if (all == 0) return nullptr;
  return Ratio(static_cast<double>(good), static_cast<double>(all));
}

}  // namespace

absl::StatusOr<Scenario> HealScenario(const BenchOptions& options) {
  if (absl::Status status = CheckSizes(options); !status.ok()) return status;
  const std::vector<std::uint32_t> sizes = SizesOf(options);
  Scenario scenario;
  WorldOptions& world = scenario.world;
  world.peers = std::accumulate(sizes.begin(), sizes.end(), 0U);
  world.seed = options.seed;
  world.dead_share = options.dead;
  world.missing_share = options.missing;
  world.loss = options.loss;
  world.core.overlay = OverlayKind::kBoth;
  world.core.heal.strategy = options.strategy;
  if (options.heal.start == HealStart::kSeparate) world.islands = sizes;
  if (world.peers > kLinkedPeers) world.core.links.max_links = world.core.links.reserved = 0;
  if (absl::Status status = ApplyBenchSettings(options, scenario); !status.ok()) return status;
  if (!world.core.heals())
    return absl::InvalidArgumentError(
        "bench heal: needs overlay = \"both\" and heal.enabled = true");
  return scenario;
}

RunResult RunHeal(const BenchOptions& options, const Scenario& scenario, const Watch& watch) {
  const Interrupts interrupts;
  RunResult result;
  TrimMemory();
  const Usage before = ReadUsage();
  result.costs.rss_empty_bytes = before.rss_bytes;
  result.world = std::make_unique<World>(scenario.world);
  World& world = *result.world;
  const Usage ready = ReadUsage();
  result.costs.setup_seconds = ready.wall_seconds - before.wall_seconds;
  const Duration total = options.heal.limit +
                         (options.heal.start == HealStart::kSplit ? options.heal.cut : Duration{});
  const auto go_on = [&] {
    if (watch.progress) watch.progress->Update(world.now() - Time{}, total, world.metrics().events);
    return !interrupts.raised();
  };
  if (world.live_count() > 1)
    result.heal = MeasureHeal(world, options.heal, SizesOf(options), go_on);
  const Usage after = ReadUsage();
  result.interrupted = interrupts.raised();
  result.metrics = world.metrics();
  result.trace_hash = world.trace_hash();
  result.simulated = world.now() - Time{};
  result.live_peers = world.live_count();
  result.active_operations = world.active_operations();
  result.costs.cpu_seconds = after.cpu_seconds - ready.cpu_seconds;
  result.costs.wall_seconds = after.wall_seconds - ready.wall_seconds;
  result.costs.rss_bytes = after.rss_bytes;
  result.costs.peak_rss_bytes = after.peak_rss_bytes;
  return result;
}

nlohmann::ordered_json HealReport(const Scenario& scenario, const RunResult& result) {
  nlohmann::ordered_json report = CommonReport(scenario, result);
  if (!result.heal) return report;
  const HealFigures& heal = *result.heal;
  const auto per_node = [&](std::uint64_t messages) {
    return Ratio(static_cast<double>(messages), result.live_peers);
  };
  report["live_peers"] = result.live_peers;
  const auto strategy = static_cast<std::size_t>(scenario.world.core.heal.strategy);
  report["strategy"] = kMergeStrategyNames[strategy];
  report["healed"] = heal.healed;
  report["delay_ms"] = heal.delay.milliseconds();
  report["ring_ok_delays"] = Delays(heal, heal.ring_ok);
  report["tables_ok_delays"] = Delays(heal, heal.tables_ok);
  report["merged_delays"] = Delays(heal, heal.merged);
  report["detected_seconds"] = nullptr;
  if (heal.detected) report["detected_seconds"] = heal.detected->seconds();
  report["messages_per_node"] = per_node(heal.merge_messages);
  report["messages_per_small_island_node"] =
      Ratio(static_cast<double>(heal.merge_messages), heal.smallest_island);
  report["merge_messages"] = heal.merge_messages;
  report["acks_per_node"] = per_node(heal.acks);
  report["refresh_messages_per_node"] = per_node(heal.refresh_messages);
  report["background_messages_per_node"] = per_node(heal.background_messages);
  report["busiest_node_messages"] = heal.busiest;
  report["false_empty_before_refresh"] = heal.false_empty_before_refresh;
  report["false_empty_buckets"] = heal.false_empty;
  report["routable_ratio"] =
      Share(heal.walks_during_ok + heal.walks_after_ok, heal.walks_during + heal.walks_after);
  report["routable_during_merge_ratio"] = Share(heal.walks_during_ok, heal.walks_during);
  report["repeated_during_merge_ratio"] = Share(heal.walks_repeated, heal.walks_during);
  report["handed_back_during_merge_ratio"] = Share(heal.walks_handed_back, heal.walks_during);
  report["routable_after_ratio"] = Share(heal.walks_after_ok, heal.walks_after);
  report["delivered_during_merge_ratio"] = Share(heal.delivered, heal.sends);
  return report;
}

std::string HealShortfall(const RunResult& result) {
  if (!result.heal || result.heal->healed) return "";
  const HealFigures& heal = *result.heal;
  if (!heal.ring_ok) return "no single ordered ring within the limit";
  if (!heal.tables_ok)
    return std::to_string(heal.false_empty) + " false-empty buckets at the limit";
  return "not all sampled pairs are routable, or the ring broke again";
}

}  // namespace tombolo::sim
