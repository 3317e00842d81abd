#include "sim/report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/bench.h"

namespace tombolo::sim {
namespace {

using Json = nlohmann::ordered_json;

Scenario Small() {
  Scenario scenario;
  scenario.world.peers = 100;
  scenario.duration = Duration::Seconds(2);
  WorkloadOptions workload;
  workload.rate_per_s = 20;
  scenario.workloads = {workload, workload};
  scenario.workloads[1].kind = OperationKind::kSend;
  return scenario;
}

TEST(Report, EveryReportHasTheContractsFields) {
  const Scenario scenario = Small();
  const RunResult result = RunScenario(scenario, {});
  for (const Json& report : {CommonReport(scenario, result), FullReport(scenario, result)}) {
    for (const char* field : {"version", "seed", "peers", "events", "messages", "messages_by_kind",
                              "bytes", "simulated_seconds", "setup_seconds", "cpu_seconds",
                              "wall_seconds", "peak_rss_bytes", "bytes_per_peer", "trace_hash"}) {
      EXPECT_TRUE(report.contains(field)) << field;
    }
  }
}

TEST(Report, FiguresAreThoseOfTheRun) {
  const Scenario scenario = Small();
  const RunResult result = RunScenario(scenario, {});
  const Json report = FullReport(scenario, result);
  EXPECT_EQ(report["peers"], 100);
  EXPECT_EQ(report["seed"], 1);
  EXPECT_EQ(report["events"], result.metrics.events);
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : report["messages_by_kind"].items())
    sum += count.get<std::uint64_t>();
  EXPECT_EQ(report["messages"], sum);
  const Json& lookups = report["operations"]["lookup"];
  EXPECT_EQ(lookups["success_ratio"], 1.0);
  EXPECT_EQ(lookups["closest_found"], 1.0);
  EXPECT_GT(lookups["hops"]["mean"], 1.0);
  EXPECT_GE(lookups["latency_ms"]["mean"], 100.0) << "one round trip of 50 ms one way at least";
  EXPECT_EQ(report["operations"]["send"]["success_ratio"], 1.0);
  EXPECT_FALSE(report["operations"].contains("put"));
  EXPECT_EQ(report["checks"]["buckets"]["false_empty"], 0);
  EXPECT_TRUE(report["expectations_broken"].empty());
}

TEST(Report, HashesHaveSixteenDigits) {
  EXPECT_EQ(HashText(0), "0000000000000000");
  EXPECT_EQ(HashText(0x0123456789abcdefULL), "0123456789abcdef");
  EXPECT_EQ(HashText(~std::uint64_t{0}), "ffffffffffffffff");
}

TEST(Report, RatiosOfNothingAreZero) {
  EXPECT_EQ(Ratio(1, 0), 0);
  EXPECT_EQ(Ratio(1, 4), 0.25);
}

TEST(Report, BrokenExpectationsAreNamed) {
  Scenario scenario = Small();
  RunResult result = RunScenario(scenario, {});
  EXPECT_TRUE(BrokenExpectations(scenario, result).empty()) << "nothing was expected";
  scenario.expect = {1, 1, 1, 0};
  EXPECT_TRUE(BrokenExpectations(scenario, result).empty());
  result.metrics.of(OperationKind::kSend).failed = 1;
  result.metrics.of(OperationKind::kLookup).closest_ok = 0;
  result.buckets->false_empty = 3;
  const std::vector<std::string> broken = BrokenExpectations(scenario, result);
  ASSERT_EQ(broken.size(), 3U);
  EXPECT_TRUE(broken[0].starts_with("closest_found is 0.0"));
  EXPECT_TRUE(broken[1].starts_with("send_success is 0.9"));
  EXPECT_TRUE(broken[2].starts_with(
      "false_empty_buckets is 3, expected at most 0: I5 no false-empty bucket: 3 of "))
      << broken[2];
  result.buckets.reset();
  EXPECT_TRUE(BrokenExpectations(scenario, result)
                  .back()
                  .starts_with("false_empty_buckets was not checked"));
}

// Two islands that nobody brings together: every condition is broken, and the first who is wrong
// about it is named with the invariant and the time, on the terminal and in the report.
TEST(Report, ABrokenExpectationNamesPeerInvariantAndTime) {
  Scenario scenario;
  scenario.world.peers = 40;
  scenario.world.core.overlay = OverlayKind::kBoth;
  scenario.world.islands = {20, 20};
  scenario.warmup = Duration::Seconds(1);
  scenario.duration = Duration::Seconds(2);
  scenario.expect.ring_ok = scenario.expect.tables_ok = scenario.expect.all_routable = true;
  scenario.expect.false_empty_buckets = 0;
  const RunResult result = RunScenario(scenario, {});
  const Json report = FullReport(scenario, result);
  const std::vector<std::string> broken = BrokenExpectations(scenario, result);
  ASSERT_EQ(broken.size(), 4U);
  struct Case {
    const char* key;
    const char* report;
    const char* invariant;
  };
  constexpr Case kCases[] = {{"ring_ok does", "ring_ok", "I1 one ring"},
                             {"tables_ok does", "tables_ok", "I5 no false-empty bucket"},
                             {"all_routable does", "all_routable", "I6 routable"},
                             {"false_empty_buckets is", "buckets", "I5 no false-empty bucket"}};
  for (std::size_t i = 0; i < broken.size(); ++i) {
    const Json& check = report["checks"][kCases[i].report];
    const Json& first = check["first"];
    const std::string text = std::string(kCases[i].invariant) + ": ";
    const std::string offender = " broken at 3 s; first: peer " + first["number"].dump() + " (" +
                                 first["peer"].get<std::string>().substr(0, 8) +
                                 "...): " + first["detail"].get<std::string>();
    EXPECT_TRUE(broken[i].starts_with(kCases[i].key)) << broken[i];
    EXPECT_NE(broken[i].find(text), std::string::npos) << broken[i];
    EXPECT_TRUE(broken[i].ends_with(offender)) << broken[i] << "\n" << offender;
    EXPECT_EQ(first["time_s"], 3.0);
    EXPECT_EQ(report["expectations_broken"][i], broken[i]);
    if (i < kConditions) {
      EXPECT_EQ(check["invariant"], kCases[i].invariant);
      EXPECT_GT(check["broken"], 0);
    }
  }
}

TEST(Report, AConditionThatHoldsHasNoOffender) {
  Scenario scenario = Small();
  scenario.expect.tables_ok = true;
  const RunResult result = RunScenario(scenario, {});
  EXPECT_TRUE(BrokenExpectations(scenario, result).empty());
  const Json checks = FullReport(scenario, result)["checks"];
  EXPECT_EQ(checks["tables_ok"]["broken"], 0);
  EXPECT_FALSE(checks["tables_ok"].contains("first"));
  EXPECT_FALSE(checks.contains("ring_ok")) << "it was not expected";
}

TEST(Report, SummaryNamesWhatHappened) {
  const Scenario scenario = Small();
  RunResult result = RunScenario(scenario, {});
  const std::string text = Summary(FullReport(scenario, result));
  for (const char* part : {"peers               100,", "\nlookup\n", "\nsend\n", "0 false-empty",
                           "(100.00 %)", "trace hash"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find("interrupted"), std::string::npos);
  result.interrupted = true;
  EXPECT_TRUE(
      Summary(FullReport(scenario, result)).starts_with("interrupted: the report so far\n"));
}

// The messages of a ring's own lookups are not counted, though they take hops.
TEST(Report, SummaryTellsMessagesOnlyWhereTheyAreCounted) {
  const Scenario counted = Small();
  const std::string text = Summary(FullReport(counted, RunScenario(counted, {})));
  EXPECT_NE(text.find("messages each"), std::string::npos) << text;
  BenchOptions options;
  options.peers = 200;
  absl::StatusOr<Scenario> uncounted = ChordBuiltScenario(options);
  ASSERT_TRUE(uncounted.ok());
  uncounted->duration = Duration::Seconds(100);
  const RunResult result = RunScenario(*uncounted, {});
  EXPECT_GT(result.metrics.of(OperationKind::kLookup).hops.mean(), 0);
  const std::string ring = Summary(FullReport(*uncounted, result));
  EXPECT_NE(ring.find("\nlookup\n"), std::string::npos) << ring;
  EXPECT_EQ(ring.find("messages each"), std::string::npos) << ring;
}

TEST(Report, FilesAreWrittenWholeOrRefused) {
  const std::string path = ::testing::TempDir() + "/report_test.json";
  ASSERT_TRUE(WriteFile(path, "text").ok());
  std::string text;
  std::ifstream(path) >> text;
  EXPECT_EQ(text, "text");
  const absl::Status status = WriteFile("no/such/folder/x.json", "text");
  EXPECT_TRUE(
      std::string(status.message()).starts_with("no/such/folder/x.json: cannot be written"));
}

TEST(Bench, NamesAreKnown) {
  EXPECT_EQ(BenchNames(), "broadcast, chord-built, chord-paper, heal, kademlia-lookup, relay");
  EXPECT_NE(FindBench("relay"), nullptr);
  EXPECT_EQ(FindBench("pastry"), nullptr);
}

TEST(Bench, WrongSettingsAreErrors) {
  BenchOptions options;
  options.settings = {"kademlia.k=0"};
  EXPECT_TRUE(std::string(KademliaLookupScenario(options).status().message())
                  .starts_with("--set kademlia.k: "));
  options.settings = {};
  options.latency_file = "no/such.tsv";
  EXPECT_TRUE(std::string(KademliaLookupScenario(options).status().message())
                  .starts_with("--set latency.file: "));
}

TEST(Bench, KademliaLookupMeasuresAllLookups) {
  BenchOptions options;
  options.peers = 1000;
  options.operations = 2000;
  const auto scenario = KademliaLookupScenario(options);
  ASSERT_TRUE(scenario.ok());
  const Json report = KademliaLookupReport(*scenario, RunScenario(*scenario, {}));
  EXPECT_EQ(report["lookups"], 2000);
  EXPECT_EQ(report["closest_found"], 1.0);
  EXPECT_NEAR(report["messages_per_lookup"].get<double>(), 43.1, 43.1 * 0.03);
  EXPECT_NEAR(report["hops_mean"].get<double>(), 1.90, 1.90 * 0.03);
  for (const char* field : {"lookups_per_second", "hops_p50", "hops_p99", "trace_hash"}) {
    EXPECT_TRUE(report.contains(field)) << field;
  }
  EXPECT_EQ(report["latency_ms"].size(), 5U);
}

TEST(Bench, LookupsFindTheClosestLiveAmongTheDead) {
  BenchOptions options;
  options.peers = 1000;
  options.operations = 1000;
  options.dead = 0.2;
  const auto scenario = KademliaLookupScenario(options);
  ASSERT_TRUE(scenario.ok());
  const Json report = KademliaLookupReport(*scenario, RunScenario(*scenario, {}));
  EXPECT_GE(report["closest_found"], 0.999);
  EXPECT_GT(report["dead_contacts_per_lookup"], 1.0);
}

TEST(Bench, RelaySendsOnePayloadPerHop) {
  BenchOptions options;
  options.peers = 1000;
  options.operations = 5000;
  const auto scenario = RelayScenario(options);
  ASSERT_TRUE(scenario.ok());
  const Json report = RelayReport(*scenario, RunScenario(*scenario, {}));
  EXPECT_EQ(report["sends"], 5000);
  EXPECT_EQ(report["delivered_ratio"], 1.0);
  EXPECT_EQ(report["unreachable_ratio"], 0.0);
  EXPECT_EQ(report["messages_per_send"], report["hops_mean"]);
  EXPECT_GT(report["acks_per_send"], report["hops_mean"]);
  EXPECT_NEAR(report["hops_mean"].get<double>(), 3.85, 3.85 * 0.03);
}

}  // namespace
}  // namespace tombolo::sim
