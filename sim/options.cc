#include "sim/options.h"

#include "sim/number_table.h"
#include "sim/workload.h"

namespace tombolo::sim {
namespace {

// Of a share between 0 and 1; NaN is out of range too.
std::optional<std::string> CheckShare(const char* key, double value) {
  if (value >= 0 && value <= 1) return std::nullopt;
  return std::string(key) + " = " + std::to_string(value) + " is out of range: allowed is 0 to 1";
}

std::optional<std::string> CheckSpan(const char* key, Duration value, Duration low, Duration high) {
  if (value >= low && value <= high) return std::nullopt;
  return std::string(key) + " = " + std::to_string(value.seconds()) +
         " s is out of range: allowed is " + std::to_string(low.seconds()) + " to " +
         std::to_string(high.seconds()) + " s";
}

constexpr Duration kYear = Duration::Hours(24 * 365);
constexpr double kMaxReplaced = 1e5;  // peers per second

// With more newcomers than one per microsecond time would stand still.
std::optional<std::string> CheckTurnover(const ChurnOptions& churn, std::uint32_t peers) {
  const double least_s = peers / kMaxReplaced;
  if (!churn.enabled() || churn.mean.seconds() >= least_s) return std::nullopt;
  return "churn.mean_s = " + NumberText(churn.mean.seconds()) + ": allowed is at least " +
         NumberText(least_s) + " with " + std::to_string(peers) + " peers, of whom " +
         NumberText(kMaxReplaced) + " a second would be replaced";
}

std::optional<std::string> CheckIslands(const WorldOptions& options) {
  if (options.islands.empty()) return std::nullopt;
  std::uint64_t peers = 0;
  bool populated = true;
  for (const std::uint32_t size : options.islands) {
    peers += size;
    populated = populated && size > 0;
  }
  if (options.islands.size() > kMaxIslands || !populated || peers != options.peers) {
    return "islands = " + std::to_string(options.islands.size()) + " sizes, " +
           std::to_string(peers) + " peers in all: allowed are 1 to " +
           std::to_string(kMaxIslands) +
           " sizes above 0 that add up to peers = " + std::to_string(options.peers);
  }
  if (options.start == StartMode::kBuilt) return std::nullopt;
  return std::string("islands: allowed only with start = \"built\"");
}

std::optional<std::string> CheckRingTurns(const WorldOptions& options) {
  if (options.ring_turns == 1) return std::nullopt;
  const bool built = options.start == StartMode::kBuilt && options.core.has_ring();
  if (built && options.ring_turns >= 1 && options.ring_turns <= kMaxRingTurns) return std::nullopt;
  return "ring_turns = " + std::to_string(options.ring_turns) + ": allowed is 1, and up to " +
         std::to_string(kMaxRingTurns) + " with start = \"built\" and an overlay with a ring";
}

// Ids are drawn until one is free, and are not used twice.
std::optional<std::string> CheckIds(const WorldOptions& options) {
  const int bits = options.core.id_bits();
  if (bits >= 32) return std::nullopt;
  const std::uint32_t most = std::uint32_t{1} << (bits - 1);
  if (options.peers > most) {
    return "peers = " + std::to_string(options.peers) + ": allowed is at most " +
           std::to_string(most) + " with ring.bits = " + std::to_string(bits);
  }
  if (options.churn.enabled() || options.churn.join_per_s > 0) {
    return "ring.bits = " + std::to_string(bits) + ": allowed is at least 32 with churn";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> WorldOptions::Validate() const {
  if (peers < 1 || peers > kMaxPeers) {
    return "peers = " + std::to_string(peers) + " is out of range: allowed is 1 to " +
           std::to_string(kMaxPeers);
  }
  if (auto broken = core.Validate()) return broken;
  if (auto broken = CheckIds(*this)) return broken;
  if (auto broken = latency.Validate()) return broken;
  if (auto broken = bandwidth.Validate()) return broken;
  if (auto broken = churn.Validate()) return broken;
  if (auto broken = CheckTurnover(churn, peers)) return broken;
  if (auto broken = faults.Validate()) return broken;
  if (faults.squeeze_share > 0 && bandwidth.model == BandwidthModel::kNone)
    return std::string("faults.squeeze_share: allowed above 0 only with a bandwidth.model");
  if (auto broken = CheckShare("loss", loss)) return broken;
  if (auto broken = CheckShare("nat_share", nat_share)) return broken;
  if (auto broken = CheckShare("dead_share", dead_share)) return broken;
  if (auto broken = CheckShare("missing_share", missing_share)) return broken;
  if (auto broken = CheckShare("dead_links", dead_links)) return broken;
  if (auto broken = CheckIslands(*this)) return broken;
  if (auto broken = CheckRingTurns(*this)) return broken;
  if (auto broken = CheckSpan("join_spacing", join_spacing, Duration{0}, kYear)) return broken;
  if (auto broken = CheckSpan("keepalive_timeout", keepalive_timeout, Duration{1}, kYear))
    return broken;
  return CheckSpan("ephemeral_hold", ephemeral_hold, Duration{0}, kYear);
}

std::optional<std::string> WorkloadOptions::Validate() const {
  if (!(rate_per_s > 0 && rate_per_s <= 1e6)) {
    return "rate_per_s = " + std::to_string(rate_per_s) +
           " is out of range: allowed is above 0 to 1000000";
  }
  if (copies < 1 || copies > 8) {
    return "copies = " + std::to_string(copies) + " is out of range: allowed is 1 to 8";
  }
  if (clients < 1) return std::string("clients = 0 is out of range: allowed is 1 to 4294967295");
  if (auto broken = CheckShare("move_share", move_share)) return broken;
  if (auto broken = CheckShare("room_share", room_share)) return broken;
  if (auto broken = CheckSpan("reattach_s", reattach, Duration{0}, kYear)) return broken;
  if (keys < 1) return std::string("keys = 0 is out of range: allowed is 1 to 4294967295");
  if (auto broken = CheckSpan("start_s", start, Duration{0}, kYear)) return broken;
  if (auto broken = CheckSpan("duration_s", duration, Duration{0}, kYear)) return broken;
  if (auto broken = CheckSpan("ttl_s", ttl, Duration{1}, kYear)) return broken;
  return CheckSpan("deadline_s", deadline, Duration::Milliseconds(1), Duration::Hours(24));
}

}  // namespace tombolo::sim
