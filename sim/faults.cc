#include "sim/faults.h"

#include "sim/number_table.h"
#include "sim/partition.h"

namespace tombolo::sim {
namespace {

constexpr double kMaxRate = 1000;  // faults of one kind per second
constexpr double kMaxFlood = 100'000;
constexpr Duration kTick = Duration::Microseconds(1);
constexpr Duration kMillisecond = Duration::Milliseconds(1);
constexpr Duration kHour = Duration::Hours(1);
constexpr Duration kDay = Duration::Hours(24);

// Keeps the first broken rule.
class Rules {
 public:
  void Range(const char* key, double value, double least, double most, const char* unit = "") {
    if (broken_ || (value >= least && value <= most)) return;
    broken_ = std::string("faults.") + key + " = " + NumberText(value) + unit + ": allowed are " +
              NumberText(least) + " to " + NumberText(most) + unit;
  }
  void Share(const char* key, double value) { Range(key, value, 0, 1); }
  void Rate(const char* key, double value) { Range(key, value, 0, kMaxRate); }
  void Span(const char* key, Duration value, Duration least, Duration most) {
    Range(key, value.seconds(), least.seconds(), most.seconds(), " s");
  }
  const std::optional<std::string>& broken() const { return broken_; }

 private:
  std::optional<std::string> broken_;
};

void CheckMessages(const FaultOptions& faults, Rules& rules) {
  rules.Share("drop", faults.drop);
  rules.Share("delay", faults.delay);
  rules.Span("delay_mean", faults.delay_mean, kTick, kHour);
  if (faults.delay_shape != 0) rules.Range("delay_shape", faults.delay_shape, 1.05, 100);
  rules.Share("duplicate", faults.duplicate);
  rules.Share("reorder", faults.reorder);
  rules.Span("spread", faults.spread, kTick, kHour);
  rules.Share("corrupt", faults.corrupt);
}

void CheckLinks(const FaultOptions& faults, Rules& rules) {
  rules.Rate("flaps_per_s", faults.flaps_per_s);
  rules.Range("flap_cycles", faults.flap_cycles, 1, 1000);
  rules.Span("flap_down", faults.flap_down, kMillisecond, kHour);
  rules.Span("flap_up", faults.flap_up, kMillisecond, kHour);
  rules.Rate("clogs_per_s", faults.clogs_per_s);
  rules.Span("clog", faults.clog, kMillisecond, kHour);
  rules.Rate("swizzles_per_s", faults.swizzles_per_s);
  rules.Span("swizzle_spacing", faults.swizzle_spacing, kTick, Duration::Minutes(1));
  rules.Rate("half_opens_per_s", faults.half_opens_per_s);
  rules.Rate("resets_per_s", faults.resets_per_s);
  rules.Rate("rebinds_per_s", faults.rebinds_per_s);
  rules.Share("squeeze_share", faults.squeeze_share);
  rules.Range("squeeze_factor", faults.squeeze_factor, 1, 1000);
}

void CheckPartitions(const FaultOptions& faults, Rules& rules) {
  rules.Rate("partitions_per_s", faults.partitions_per_s);
  rules.Span("partition", faults.partition, kMillisecond, kDay);
  rules.Range("partition_islands", faults.partition_islands, 2, kMostIslands);
  rules.Share("asymmetric_share", faults.asymmetric_share);
  rules.Share("isolate_share", faults.isolate_share);
  rules.Share("network_share", faults.network_share);
  rules.Range("networks", faults.networks, 1, kMostIslands);
  rules.Range("bridge_nodes", faults.bridge_nodes, 0, 1000);
}

void CheckPeers(const FaultOptions& faults, Rules& rules) {
  rules.Rate("crashes_per_s", faults.crashes_per_s);
  rules.Span("down", faults.down, kMillisecond, kDay);
  rules.Share("forget_share", faults.forget_share);
  rules.Share("rollback_share", faults.rollback_share);
  // The two exclude each other; their sum may miss 1 by a rounding.
  if (faults.forget_share + faults.rollback_share > 1 + 1e-9)
    rules.Range("forget_share", faults.forget_share, 0, 1 - faults.rollback_share);
  rules.Span("rollback_age", faults.rollback_age, kMillisecond, kDay);
  rules.Rate("pauses_per_s", faults.pauses_per_s);
  rules.Span("pause", faults.pause, kMillisecond, kHour);
  rules.Share("skew_share", faults.skew_share);
  rules.Span("skew_offset", faults.skew_offset, Duration{0}, kDay * 10);
  rules.Range("skew_drift", faults.skew_drift, 0, 0.5);
  rules.Rate("mass_joins_per_s", faults.mass_joins_per_s);
  rules.Rate("mass_leaves_per_s", faults.mass_leaves_per_s);
  rules.Share("mass_share", faults.mass_share);
  if (faults.wave.us != 0) rules.Span("wave", faults.wave, kMillisecond, kDay * 10);
  rules.Rate("clock_jumps_per_s", faults.clock_jumps_per_s);
  rules.Span("clock_jump", faults.clock_jump, kMillisecond, kDay);
  rules.Share("slow_reader_share", faults.slow_reader_share);
  rules.Range("read_per_s", faults.read_per_s, 0.1, 100'000);
}

void CheckRuleBreakers(const FaultOptions& faults, Rules& rules) {
  rules.Share("liar_share", faults.liar_share);
  rules.Share("lie_share", faults.lie_share);
  rules.Share("false_digest_share", faults.false_digest_share);
  rules.Share("dropper_share", faults.dropper_share);
  rules.Share("flooder_share", faults.flooder_share);
  rules.Range("flood_per_s", faults.flood_per_s, 0, kMaxFlood);
}

}  // namespace

std::optional<std::string> FaultOptions::Validate() const {
  Rules rules;
  rules.Span("start", start, Duration{0}, kDay * 365);
  rules.Span("end", end, start, kDay * 365);
  CheckMessages(*this, rules);
  CheckLinks(*this, rules);
  CheckPartitions(*this, rules);
  CheckPeers(*this, rules);
  CheckRuleBreakers(*this, rules);
  return rules.broken();
}

}  // namespace tombolo::sim
