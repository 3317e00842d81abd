#include "sim/bench_command.h"

#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "sim/command_line.h"
#include "sim/progress.h"
#include "sim/report.h"
#include "sim/runner.h"

namespace tombolo::sim {
namespace {

void AddShare(CLI::App& sub, const std::string& name, double& share, const std::string& doc) {
  sub.add_option(name, share, "Share of " + doc)->check(CLI::Range(0.0, 1.0));
}

void AddSeconds(CLI::App& sub, const std::string& name, Duration& span, const std::string& doc) {
  const auto set = [&span](double seconds) {
    span = Duration::Milliseconds(static_cast<std::int64_t>(seconds * 1000));
  };
  sub.add_option_function<double>(name, set, "Simulated seconds " + doc)
      ->check(CLI::Range(0.001, 86'400.0));
}

// An option that another one takes the meaning from, and why; empty if there is none.
std::string Unheard(const CLI::App& sub, const BenchOptions& options) {
  const auto given = [&](const char* name) { return sub.count(name) > 0; };
  const bool split = options.heal.start == HealStart::kSplit;
  for (const char* name : {"--bridges", "--topology", "--false-alarms"}) {
    if (split && given(name))
      return std::string(name) + ": nobody is introduced with --start split";
  }
  const std::size_t islands_given = given("--sizes") ? options.sizes.size() : options.islands;
  if (given("--false-alarms") && islands_given > 1)
    return "--false-alarms: with them no two islands meet; add --islands 1";
  if (!split && given("--cut")) return "--cut: nothing is cut but with --start split";
  const std::string peers = std::to_string(options.peers);
  const std::string islands = std::to_string(options.islands);
  if (!given("--sizes"))
    return options.islands > options.peers ? "--islands: " + islands + " of " + peers + " peers"
                                           : "";
  const std::uint64_t sum =
      std::accumulate(options.sizes.begin(), options.sizes.end(), std::uint64_t{0});
  if (given("--peers") && sum != options.peers)
    return "--sizes: their sum is " + std::to_string(sum) + ", not the " + peers + " of --peers";
  if (given("--islands") && options.sizes.size() != options.islands)
    return "--sizes: " + std::to_string(options.sizes.size()) + " of them, but --islands is " +
           islands;
  return "";
}

void AddIslands(CLI::App& sub, BenchOptions& options) {
  sub.add_option("--islands", options.islands, "Islands of equal size; default 2")
      ->check(CLI::Range(std::size_t{1}, kMaxIslands));
  sub.add_option("--sizes", options.sizes, "Sizes of the islands, A,B,...; their sum is the peers")
      ->delimiter(',');
  sub.add_option("--bridges", options.heal.bridges,
                 "Random pairs introduced per two islands; default 1")
      ->check(CLI::Range(1U, 1000U));
  AddNamed<Bridges>(sub, "--topology", options.heal.topology,
                    {{"hub", Bridges::kHub}, {"chain", Bridges::kChain}},
                    "Which islands are introduced; default hub");
  AddNamed<HealStart>(sub, "--start", options.heal.start,
                      {{"separate", HealStart::kSeparate}, {"split", HealStart::kSplit}},
                      "separate (default): they never knew each other; split: one network cut for "
                      "a while");
  std::vector<std::pair<std::string, MergeStrategy>> strategies;
  for (std::size_t i = 0; i < kMergeStrategyNames.size(); ++i) {
    strategies.emplace_back(kMergeStrategyNames[i], static_cast<MergeStrategy>(i));
  }
  AddNamed(sub, "--strategy", options.strategy, strategies,
           "How a merge spreads: zip (default), or for comparison gossip or simple");
  sub.add_option("--false-alarms", options.heal.false_alarms,
                 "Introduces so many pairs of one island, and no others; with --islands 1")
      ->check(CLI::Range(1U, 1'000'000U));
  AddShare(sub, "--missing", options.missing, "contacts missing from the tables");
  AddSeconds(sub, "--limit", options.heal.limit, "until it counts as failed; default 300");
  AddSeconds(sub, "--cut", options.heal.cut, "that the islands of split are apart; default 4500");
  AddSeconds(sub, "--churn-half-life", options.heal.churn_half_life,
             "in which half of all peers are replaced by newcomers, until 120 s after the path is "
             "there; default: nobody is");
  AddSeconds(sub, "--one-way", options.heal.one_way,
             "in which only messages to islands of higher numbers pass, to begin with; default 0");
}

// The options of one bench: those that it reads.
void AddOptions(CLI::App& sub, unsigned reads, BenchOptions& options) {
  const auto count = CLI::Range(1U, 1'000'000'000U);
  if (reads & kReadsLookups) {
    sub.add_option("--lookups", options.operations, "How many are measured; default 100000")
        ->check(count);
  }
  if (reads & kReadsSends) {
    sub.add_option("--sends", options.operations, "How many are measured; default 10000")
        ->check(count);
  }
  if (reads & kReadsSchedule) {
    AddNamed<std::string>(sub, "--schedule", options.schedule, {{"t0", "t0"}, {"spread", "spread"}},
                          "t0 (default): all join at once; spread: over 500 s");
  }
  if (reads & kReadsIslands) AddIslands(sub, options);
  if (reads & kReadsLoss) AddShare(sub, "--loss", options.loss, "messages lost");
  if (reads & kReadsDead) AddShare(sub, "--dead", options.dead, "peers dead from the start");
  if (reads & kReadsDeadLinks) {
    AddShare(sub, "--dead-links", options.dead_links, "links that carry nothing");
  }
  if (reads & kReadsLatency) {
    sub.add_option("--latency", options.latency_file,
                   "Matrix of round-trip times in ms; default: 50 ms one way between all");
  }
}

int RunOne(const Bench& bench, const BenchOptions& options, bool json_only) {
  const std::string name(bench.name);
  const absl::StatusOr<Scenario> scenario = bench.scenario(options);
  if (!scenario.ok()) return Refuse(std::string(scenario.status().message()));
  RunResult result;
  {
    Progress progress(true, name);
    const Watch watch{&progress};
    result =
        bench.run != nullptr ? bench.run(options, *scenario, watch) : RunScenario(*scenario, watch);
  }
  if (!json_only) std::cerr << Summary(FullReport(*scenario, result));
  std::cout << bench.report(*scenario, result).dump(2) << '\n';
  if (result.interrupted) return kInterrupted;
  const std::string shortfall = bench.shortfall != nullptr ? bench.shortfall(result) : "";
  if (shortfall.empty()) return kGood;
  std::cerr << "tombolo-sim: bench " << name << ": " << shortfall << '\n';
  return kCheckFailed;
}

}  // namespace

CLI::App& AddBench(CLI::App& app, BenchOptions& options, bool& json_only) {
  CLI::App& command = *app.add_subcommand("bench", "Runs a bench: " + BenchNames());
  for (const Bench& bench : Benches()) {
    CLI::App& sub = *command.add_subcommand(std::string(bench.name), std::string(bench.doc));
    sub.add_option("--peers", options.peers, "Peers; default 10000")
        ->check(CLI::Range(2U, kMaxPeers));
    sub.add_option("--set", options.settings,
                   "key=value: sets a key of the scenario, as kademlia.k=8")
        ->take_all()
        ->allow_extra_args(false);
    AddSeed(sub, options.settings);
    sub.add_flag("--json", json_only, "JSON on stdout, and on stderr only what a check misses");
    AddOptions(sub, bench.reads, options);
  }
  return command;
}

int RunBench(const CLI::App& command, const BenchOptions& options, bool json_only) {
  const auto chosen = command.get_subcommands([](const CLI::App* sub) { return sub->parsed(); });
  if (!chosen.empty()) {
    const Bench& bench = *FindBench(chosen.front()->get_name());
    const bool islands = (bench.reads & kReadsIslands) != 0;
    const std::string unheard = islands ? Unheard(*chosen.front(), options) : "";
    return unheard.empty() ? RunOne(bench, options, json_only) : Refuse(unheard);
  }
  const std::vector<std::string> extras = command.remaining(true);
  const std::string what =
      extras.empty() ? "name missing" : "unknown bench '" + extras.front() + "'";
  return Refuse("bench: " + what + "; allowed: " + BenchNames());
}

}  // namespace tombolo::sim
