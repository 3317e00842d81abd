// bench chord-paper and chord-built: the protocol of 2001 with the constants of SimGrid's example,
// whose messages and hops are published. Both run RingConfig::Paper2001 over 100 ms one way for
// 1000 s.
//
// chord-paper: everybody joins, at once (t0) or over 500 s (spread), through a random peer whose
// turn came before; lookups are for ids of fingers. At once, the ring is far from its order at the
// end: the bench counts messages. chord-built: an exact ring, lookups of random keys; it counts
// hops.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/bench.h"
#include "sim/report.h"

namespace tombolo::sim {
namespace {

constexpr Duration kRun = Duration::Seconds(1000);
constexpr Duration kSpread = Duration::Seconds(500);
constexpr int kPaperBits = 24;
constexpr int kWideBits = 30;  // of chord-built, and where 24 bits would be crowded
constexpr std::uint32_t kCrowd = 1'000'000;

Scenario ChordScenario(const BenchOptions& options) {
  Scenario scenario;
  WorldOptions& world = scenario.world;
  world.peers = options.peers;
  world.seed = options.seed;
  world.core.overlay = OverlayKind::kChord;
  world.core.ring = RingConfig::Paper2001();
  // Nothing is relayed.
  world.core.links.max_links = 0;
  world.core.links.reserved = 0;
  scenario.duration = kRun;
  scenario.drain = Duration{0};
  scenario.report.check_peers = 0;
  scenario.report.check_lookups = 0;
  scenario.report.series = Duration::Seconds(100);
  return scenario;
}

absl::Status ApplyChordSettings(const BenchOptions& options, Scenario& scenario) {
  std::vector<std::string> settings = {"latency.model=constant", "latency.one_way_ms=100"};
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  return ApplySettings(settings, scenario);
}

}  // namespace

absl::StatusOr<Scenario> ChordPaperScenario(const BenchOptions& options) {
  Scenario scenario = ChordScenario(options);
  WorldOptions& world = scenario.world;
  world.core.ring.bits = options.peers > kCrowd ? kWideBits : kPaperBits;
  world.start = StartMode::kJoin;
  world.join_through = JoinThrough::kEarlier;
  const bool spread = options.schedule == "spread";
  world.join_spacing = spread ? kSpread / options.peers : Duration{0};
  if (absl::Status status = ApplyChordSettings(options, scenario); !status.ok()) return status;
  return scenario;
}

absl::StatusOr<Scenario> ChordBuiltScenario(const BenchOptions& options) {
  Scenario scenario = ChordScenario(options);
  scenario.world.core.ring.bits = kWideBits;
  scenario.world.core.ring.lookup_keys = ProbeKeys::kUniform;
  scenario.world.start = StartMode::kBuilt;
  if (absl::Status status = ApplyChordSettings(options, scenario); !status.ok()) return status;
  return scenario;
}

nlohmann::ordered_json ChordReport(const Scenario& scenario, const RunResult& result) {
  const World& world = *result.world;
  std::uint64_t joined = 0;
  std::uint64_t right = 0;
  const std::span<const PeerRef> live = world.oracle().live();
  for (std::size_t i = 0; i < live.size(); ++i) {
    const Peer& peer = world.peer(live[i]);
    if (peer.state() != PeerState::kJoined) continue;
    ++joined;
    const std::span<const PeerRef> successors = peer.ring()->neighbours().successors();
    const PeerRef believed = successors.empty() ? live[i] : successors.front();
    right += believed == live[(i + 1) % live.size()] ? 1 : 0;
  }
  const OperationMetrics& lookups = result.metrics.of(OperationKind::kLookup);
  const auto ended = static_cast<double>(lookups.succeeded + lookups.failed);
  nlohmann::ordered_json report = CommonReport(scenario, result);
  report["joined"] = joined;
  report["lookups"] = lookups.succeeded + lookups.failed;
  report["hops_mean"] = lookups.hops.mean();
  report["answers_right"] = Ratio(static_cast<double>(lookups.closest_ok), ended);
  report["successors_right"] = Ratio(static_cast<double>(right), static_cast<double>(joined));
  report["messages_per_peer"] = Ratio(static_cast<double>(result.metrics.total_messages()),
                                      static_cast<double>(scenario.world.peers));
  report["messages_per_second"] =
      Ratio(static_cast<double>(result.metrics.total_messages()), result.costs.cpu_seconds);
  return report;
}

}  // namespace tombolo::sim
