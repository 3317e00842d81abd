#include "sim/runner.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/series.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kSliceEvents =
    1 << 14;  // between two looks at the outside: some milliseconds
constexpr Duration kConditionPoll = Duration::Milliseconds(100);
constexpr Duration kDrainStep =
    Duration::Milliseconds(50);  // between two looks for operations under way

class Run {
 public:
  Run(const Scenario& scenario, const Watch& watch) : scenario_(scenario), watch_(watch) {}

  RunResult Execute() {
    const Interrupts interrupts;  // also of the set-up, which may take a while, and of the checks
    interrupts_ = &interrupts;
    TrimMemory();
    const Usage before = ReadUsage();
    result_.costs.rss_empty_bytes = before.rss_bytes;
    result_.world = std::make_unique<World>(scenario_.world);
    start_ = Time{} + scenario_.warmup;
    const bool warm = Advance(start_);
    const Usage ready = ReadUsage();
    result_.costs.setup_seconds = ready.wall_seconds - before.wall_seconds;
    if (warm) {
      world().ResetMetrics();
      Measure(ready);
    }
    Finish();
    if (!Interrupted()) Check();
    return std::move(result_);
  }

 private:
  World& world() { return *result_.world; }

  // Runs to `to`; false if interrupted.
  bool Advance(Time to) {
    while (!world().RunSlice(to, kSliceEvents)) {
      if (!Look()) return false;
    }
    return Look();
  }

  bool Look() {
    const Duration total = scenario_.warmup + scenario_.duration;
    if (watch_.progress) {
      watch_.progress->Update(world().now() - Time{}, total, world().metrics().events);
    }
    return !interrupts_->raised();
  }

  bool Interrupted() {
    result_.interrupted = interrupts_->raised();
    return result_.interrupted;
  }

  void Measure(const Usage& ready) {
    SeriesRecorder recorder(world(), scenario_.report.series);
    AddWorkloads();
    if (RunProper(recorder)) Drain();
    recorder.Record(world());
    const Usage after = ReadUsage();
    result_.costs.cpu_seconds = after.cpu_seconds - ready.cpu_seconds;
    result_.costs.wall_seconds = after.wall_seconds - ready.wall_seconds;
    result_.series = recorder.series();
  }

  // Workloads end with the run, so that the drain only waits.
  void AddWorkloads() {
    for (WorkloadOptions workload : scenario_.workloads) {
      if (workload.start >= scenario_.duration) continue;
      workload.duration = std::min(workload.duration, scenario_.duration - workload.start);
      workload.start = workload.start + scenario_.warmup;
      world().AddWorkload(workload);
    }
  }

  // The condition that may end the run before its time.
  std::optional<ConditionWatch> EndWatch() const {
    if (scenario_.end == RunEnd::kDuration) return std::nullopt;
    return ConditionWatch(static_cast<Condition>(static_cast<int>(scenario_.end) - 1));
  }

  // Stops where an interval of the series ends, where something is done to the world, and, once
  // nothing more is to be done, where the condition that ends the run is looked at.
  bool RunProper(SeriesRecorder& recorder) {
    const Time end = start_ + scenario_.duration;
    Time sample = start_ + recorder.interval();
    auto action = scenario_.actions.begin();
    std::optional<ConditionWatch> watch = EndWatch();
    while (world().now() < end) {
      const bool acts = action != scenario_.actions.end() && start_ + action->at <= end;
      if (watch && !acts && watch->Holds(world())) break;
      const Time look = watch && !acts ? world().now() + kConditionPoll : end;
      const Time next = std::min({end, sample, look, acts ? start_ + action->at : end});
      if (!Advance(next)) return false;
      for (; action != scenario_.actions.end() && start_ + action->at <= next; ++action)
        action->Perform(world());
      if (next < sample) continue;
      recorder.Record(world());
      sample = sample + recorder.interval();
    }
    if (watch) result_.until = {watch->Holds(world()), world().now() - start_};
    return true;
  }

  void Drain() {
    const Time limit = world().now() + scenario_.drain;
    while (world().active_operations() > 0 && world().now() < limit) {
      if (!Advance(std::min(limit, world().now() + kDrainStep))) return;
    }
  }

  void Finish() {
    result_.metrics = world().metrics();
    result_.trace_hash = world().trace_hash();
    result_.simulated = std::max(Duration{}, world().now() - start_);
    result_.live_peers = world().live_count();
    result_.active_operations = world().active_operations();
    const Expectations& expect = scenario_.expect;
    const std::array<bool, kConditions> asked = {expect.ring_ok, expect.tables_ok,
                                                 expect.all_routable};
    for (std::size_t i = 0; i < kConditions; ++i) {
      if (asked[i]) result_.conditions[i] = CheckCondition(world(), static_cast<Condition>(i));
    }
    const Usage now = ReadUsage();
    result_.costs.rss_bytes = now.rss_bytes;
    result_.costs.peak_rss_bytes = now.peak_rss_bytes;
  }

  void Check() {
    const ReportOptions& report = scenario_.report;
    if (report.check_peers > 0) result_.buckets = CheckBuckets(world(), report.check_peers);
    if (Interrupted()) return;
    if (report.check_lookups > 0) result_.lookups = CheckLookups(world(), report.check_lookups);
    Interrupted();
  }

  const Scenario& scenario_;
  const Watch watch_;
  const Interrupts* interrupts_ = nullptr;
  Time start_;
  RunResult result_;
};

}  // namespace

RunResult RunScenario(const Scenario& scenario, const Watch& watch) {
  return Run(scenario, watch).Execute();
}

}  // namespace tombolo::sim
