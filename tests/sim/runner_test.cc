#include "sim/runner.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "sim/series.h"

namespace tombolo::sim {
namespace {

Scenario Small() {
  Scenario scenario;
  scenario.world.peers = 100;
  scenario.duration = Duration::Seconds(5);
  WorkloadOptions lookups;
  lookups.rate_per_s = 20;
  scenario.workloads = {lookups};
  return scenario;
}

TEST(Runner, EqualScenariosGiveEqualRuns) {
  const RunResult a = RunScenario(Small(), {});
  const RunResult b = RunScenario(Small(), {});
  EXPECT_EQ(a.trace_hash, b.trace_hash);
  EXPECT_EQ(a.metrics.events, b.metrics.events);
  Scenario other = Small();
  other.world.seed = 2;
  EXPECT_NE(RunScenario(other, {}).trace_hash, a.trace_hash);
}

TEST(Runner, SeriesAndProgressDoNotChangeTheRun) {
  const std::uint64_t expected = RunScenario(Small(), {}).trace_hash;
  Scenario scenario = Small();
  scenario.report.series = Duration::Milliseconds(7);
  Progress progress(true, "test");
  EXPECT_EQ(RunScenario(scenario, {&progress}).trace_hash, expected);
}

TEST(Runner, DrainWaitsForOperationsUnderWay) {
  Scenario scenario = Small();
  scenario.drain = Duration{};
  const RunResult cut = RunScenario(scenario, {});
  EXPECT_GT(cut.active_operations, 0U);
  EXPECT_EQ(cut.simulated, scenario.duration);
  const RunResult whole = RunScenario(Small(), {});
  EXPECT_EQ(whole.active_operations, 0U);
  EXPECT_GT(whole.simulated, scenario.duration);
  EXPECT_LT(whole.simulated, scenario.duration + Duration::Seconds(5))
      << "stops once all have ended";
}

TEST(Runner, WarmupIsNotMeasured) {
  Scenario scenario = Small();
  scenario.warmup = Duration::Seconds(10);
  const RunResult result = RunScenario(scenario, {});
  const std::uint64_t started = result.metrics.of(OperationKind::kLookup).started;
  EXPECT_EQ(started, RunScenario(Small(), {}).metrics.of(OperationKind::kLookup).started);
  EXPECT_LT(result.simulated, Duration::Seconds(10));
}

TEST(Runner, ActionsChangeThePopulation) {
  Scenario scenario = Small();
  TimedAction join;
  join.at = Duration::Seconds(1);
  join.join = 10;
  TimedAction leave;
  leave.at = Duration::Seconds(2);
  leave.leave = 0.5;
  scenario.actions = {join, leave};
  RunResult result = RunScenario(scenario, {});
  EXPECT_EQ(result.metrics.joins, 10U);
  EXPECT_EQ(result.metrics.leaves, 55U);
  EXPECT_EQ(result.live_peers, 55U);
  TimedAction crash;
  crash.at = Duration::Seconds(3);
  crash.crash = 1;
  scenario.actions = {crash};
  result = RunScenario(scenario, {});
  EXPECT_EQ(result.metrics.crashes, 100U);
  EXPECT_EQ(result.live_peers, 0U);
}

TEST(Runner, LateWorkloadsAndActionsDoNothing) {
  Scenario scenario = Small();
  scenario.workloads[0].start = Duration::Seconds(5);
  TimedAction late;
  late.at = Duration::Seconds(6);
  late.crash = 1;
  scenario.actions = {late};
  const RunResult result = RunScenario(scenario, {});
  EXPECT_EQ(result.metrics.of(OperationKind::kLookup).started, 0U);
  EXPECT_EQ(result.live_peers, 100U);
}

TEST(Runner, ChecksDoNotCount) {
  Scenario scenario = Small();
  scenario.report.check_lookups = 0;
  scenario.report.check_peers = 0;
  const RunResult plain = RunScenario(scenario, {});
  EXPECT_FALSE(plain.buckets);
  EXPECT_FALSE(plain.lookups);
  const RunResult checked = RunScenario(Small(), {});
  EXPECT_EQ(checked.metrics.events, plain.metrics.events);
  EXPECT_EQ(checked.trace_hash, plain.trace_hash);
  ASSERT_TRUE(checked.buckets);
  EXPECT_EQ(checked.buckets->peers, 100U);
  ASSERT_TRUE(checked.lookups);
  EXPECT_EQ(checked.lookups->lookups, 100U);
}

TEST(Runner, AnInterruptEndsTheRunWithWhatIsThere) {
  const Interrupts interrupts;
  ASSERT_EQ(raise(SIGINT), 0);
  ASSERT_TRUE(interrupts.raised());
  Scenario scenario = Small();
  scenario.duration = Duration::Hours(10);
  const RunResult result = RunScenario(scenario, {});
  EXPECT_TRUE(result.interrupted);
  EXPECT_LT(result.simulated, scenario.duration);
  EXPECT_FALSE(result.buckets);
  EXPECT_TRUE(interrupts.raised()) << "the outer one still sees it";
}

TEST(Series, RowsAddUpToTheTotals) {
  const RunResult result = RunScenario(Small(), {});
  const auto& columns = result.series.columns();
  for (std::size_t column = 0; column < columns.size(); ++column) {
    double sum = 0;
    for (std::size_t row = 0; row < result.series.rows(); ++row)
      sum += result.series.at(row, column);
    if (columns[column].name == "events") {
      EXPECT_EQ(sum, static_cast<double>(result.metrics.events));
    }
    if (columns[column].name == "lookup_started") {
      EXPECT_EQ(sum, static_cast<double>(result.metrics.of(OperationKind::kLookup).started));
    }
  }
  EXPECT_GE(result.series.rows(), 5U);
}

TEST(Series, CsvHasOnlyWhatHappened) {
  const std::string csv = SeriesCsv(RunScenario(Small(), {}).series);
  EXPECT_TRUE(csv.starts_with(
      "time_s,live_peers,events,messages,bytes,lost,to_dead,joins,crashes,leaves,"
      "lookup_started,lookup_succeeded,lookup_failed,lookup_latency_ms_mean\n1,100,"))
      << csv.substr(0, 300);
}

}  // namespace
}  // namespace tombolo::sim
