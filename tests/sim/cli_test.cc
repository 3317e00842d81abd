// The command line as a program: exit statuses, what goes to which stream, files.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "sim/report.h"
#include "sim/swarm_plan.h"
#include "sim/swarm_run.h"

namespace {

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Runs tombolo-sim; `interrupted`: as if Ctrl-C were pressed at once.
Outcome Sim(const std::vector<std::string>& arguments, bool interrupted = false) {
  const std::string folder = ::testing::TempDir() + "/cli_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  std::vector<char*> argv = {const_cast<char*>(TOMBOLO_SIM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen((folder + "/out").c_str(), "w", stdout) == nullptr) _exit(99);
    if (std::freopen((folder + "/err").c_str(), "w", stderr) == nullptr) _exit(99);
    if (interrupted) {  // a blocked signal that was raised is still pending in the new program
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGINT);
      sigprocmask(SIG_BLOCK, &set, nullptr);
      raise(SIGINT);
    }
    execv(argv[0], argv.data());
    _exit(98);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadAll(folder + "/out"),
          ReadAll(folder + "/err")};
}

std::string Scenario(const std::string& text) {
  const std::string path = ::testing::TempDir() + "/cli_" + std::to_string(getpid()) + ".toml";
  std::ofstream(path) << text;
  return path;
}

const char* const kTiny =
    "peers = 50\nduration_s = 2\n[[workload]]\nkind = \"lookup\"\nrate_per_s = 20\n";

TEST(Cli, RunPrintsASummary) {
  const Outcome outcome = Sim({"run", Scenario(kTiny)});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.out.find("trace hash"), std::string::npos);
  EXPECT_EQ(outcome.err, "") << "no progress bar in a pipe";
}

TEST(Cli, QuietPrintsNothing) {
  const Outcome outcome = Sim({"run", Scenario(kTiny), "--quiet", "--threads", "4"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST(Cli, ReportAndOutWriteFiles) {
  const std::string folder = ::testing::TempDir() + "/cli_results_" + std::to_string(getpid());
  const std::string file = folder + ".json";
  const Outcome outcome = Sim({"run", Scenario(kTiny), "--seed", "5", "--set", "peers=60",
                               "--report", file, "--out", folder});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto report = nlohmann::json::parse(ReadAll(file));
  EXPECT_EQ(report["seed"], 5);
  EXPECT_EQ(report["peers"], 60);
  EXPECT_EQ(ReadAll(folder + "/report.json"), ReadAll(file));
  EXPECT_TRUE(ReadAll(folder + "/series.csv").starts_with("time_s,"));
  EXPECT_EQ(ReadAll(folder + "/scenario.toml"), kTiny);
  EXPECT_EQ(nlohmann::json::parse(ReadAll(folder + "/manifest.json"))["settings"].size(), 2U);
}

TEST(Cli, ResultsCanBeMadeAgainInTheirOwnFolder) {
  const std::string folder = ::testing::TempDir() + "/cli_again_" + std::to_string(getpid());
  ASSERT_EQ(Sim({"run", Scenario(kTiny), "--out", folder, "--quiet"}).status, 0);
  const std::string first = ReadAll(folder + "/series.csv");
  const Outcome again = Sim({"run", folder + "/scenario.toml", "--out", folder, "--quiet"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(ReadAll(folder + "/series.csv"), first);
  EXPECT_EQ(ReadAll(folder + "/scenario.toml"), kTiny);
}

TEST(Cli, AReportGoesThroughALinkAndLeavesItInPlace) {
  const std::string base = ::testing::TempDir() + "/cli_link_" + std::to_string(getpid());
  std::filesystem::remove(base);
  std::filesystem::create_symlink(base + ".json", base);
  EXPECT_EQ(Sim({"run", Scenario(kTiny), "--report", base, "--quiet"}).status, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(base));
  EXPECT_EQ(nlohmann::json::parse(ReadAll(base + ".json"))["peers"], 50);
  EXPECT_EQ(Sim({"run", Scenario(kTiny), "--report", "/dev/null", "--quiet"}).status, 0);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(Cli, AReportThatCannotBeWrittenIsFoundOutBeforeTheRunAndLeavesNothing) {
  const std::string folder = ::testing::TempDir() + "/cli_folder_" + std::to_string(getpid());
  std::filesystem::create_directories(folder + "/out/report.json");
  const std::string endless = Scenario("peers = 50\nduration_s = 30_000_000\n");
  for (const char* option : {"--report", "--out"}) {
    const Outcome outcome = Sim({"run", endless, option, folder + "/out"});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_NE(outcome.err.find("cannot be written; allowed is a file"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(folder + "/out.part"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/out/report.json.part"));
}

TEST(Cli, ThreadsDoNotChangeTheResult) {
  const Outcome one = Sim({"run", Scenario(kTiny)});
  const Outcome four = Sim({"run", Scenario(kTiny), "--threads", "4"});
  const auto hash = [](const std::string& text) { return text.substr(text.find("trace hash")); };
  EXPECT_EQ(hash(one.out), hash(four.out));
  EXPECT_NE(four.err.find("one thread is used"), std::string::npos);
}

TEST(Cli, BadInputIsOneLineAndStatusTwo) {
  const std::string tiny = Scenario(kTiny);
  const struct {
    std::vector<std::string> arguments;
    std::string error;
  } kCases[] = {
      {{}, "allowed: run, bench, validate"},
      {{"walk"}, "allowed: run, bench, validate"},
      {{"run"}, "SCENARIO.toml is missing"},
      {{"run", tiny, "--bogus"}, "run: unknown argument '--bogus'; see --help"},
      {{"run", tiny, "--seeds", "3"}, "run: unknown argument '--seeds'; did you mean '--seed'?"},
      {{"run", tiny, tiny}, "run: unknown argument '" + tiny + "'; see --help"},
      {{"run", "no/such.toml"}, "no/such.toml: cannot be read"},
      {{"run", tiny, "--set", "kademlia.kk=8"},
       "--set kademlia.kk: unknown key 'kademlia.kk'; allowed in [kademlia]: k,"},
      {{"run", tiny, "--set", "kademlia.=8"}, "--set kademlia.: unknown key 'kademlia.'; allowed"},
      {{"run", tiny, "--seed", "-1"}, "seed is -1; allowed is a whole number, 0 to"},
      {{"run", tiny, "--seed", "one"}, "seed is \"one\"; allowed is a whole number, 0 to"},
      {{"run", tiny, "--threads", "0"}, "--threads"},
      {{"run", tiny, "--report", "no/such/folder/r.json"},
       "no/such/folder/r.json: cannot be written"},
      {{"run", tiny, "--out", "/dev/null/x"}, "--out /dev/null/x"},
      {{"bench"}, "name missing; allowed: "},
      {{"bench", "walk"}, "unknown bench 'walk'; allowed: "},
      {{"bench", "relay", "--lookups", "3"}, "bench relay: unknown argument '--lookups'"},
      {{"bench", "relay", "--los=3"}, "'--los=3'; did you mean '--loss'?"},
      {{"bench", "broadcast", "--dead", "0.1"},
       "bench broadcast: unknown argument '--dead'; see --help"},
      {{"swarm", "--seed", "3"}, "swarm: unknown argument '--seed'; did you mean '--seeds'?"},
      {{"bench", "relay", "--loss", "2"}, "--loss"},
      {{"bench", "kademlia-lookup", "--peers", "0"}, "--peers"},
      {{"bench", "kademlia-lookup", "--latency", "no/such.tsv"}, "no/such.tsv"},
      {{"bench", "heal", "--sizes", "30,0"}, "--sizes: allowed are 1 to 64 sizes above 0"},
      {{"bench", "heal", "--islands", "65"}, "--islands"},
      {{"bench", "heal", "--peers", "40", "--sizes", "30,20"}, "sum is 50, not the 40 of --peers"},
      {{"bench", "heal", "--islands", "3", "--sizes", "30,20"}, "2 of them, but --islands is 3"},
      {{"bench", "heal", "--peers", "10", "--islands", "20"}, "--islands: 20 of 10 peers"},
      {{"bench", "heal", "--start", "split", "--bridges", "5"}, "--bridges: nobody is introduced"},
      {{"bench", "heal", "--start", "split", "--false-alarms", "5"}, "--false-alarms: nobody is"},
      {{"bench", "heal", "--false-alarms", "5"}, "--false-alarms: with them no two islands meet"},
      {{"bench", "chord-built", "--peers", "2000", "--set", "ring.bits=8"},
       "tombolo-sim: peers = 2000: allowed is at most 128 with ring.bits = 8"},
      {{"bench", "heal", "--set", "overlay=chord"}, "bench heal: needs overlay = \"both\""},
      {{"bench", "heal", "--set", "heal.enabled=false"}, "and heal.enabled = true"},
      {{"bench", "heal", "--cut", "60"}, "--cut: nothing is cut but with --start split"},
      {{"bench", "heal", "--start", "late"}, "--start: late not in {separate,split}"},
      {{"bench", "heal", "--topology", "star"}, "--topology: star not in {hub,chain}"},
      {{"bench", "heal", "--strategy", "none"}, "--strategy: none not in {zip,gossip,simple}"},
      {{"swarm", "--without", "drop,crush"}, "--without: crush not in {jitter,drop,delay,"},
      {{"validate", "--huge"}, "validate: unknown argument '--huge'"},
  };
  for (const auto& [arguments, error] : kCases) {
    const Outcome outcome = Sim(arguments);
    EXPECT_EQ(outcome.status, 2) << error;
    EXPECT_TRUE(outcome.err.starts_with("tombolo-sim: ")) << outcome.err;
    EXPECT_NE(outcome.err.find(error), std::string::npos) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Cli, AFailedCheckIsStatusOne) {
  const Outcome outcome =
      Sim({"run", Scenario(std::string(kTiny) + "[expect]\nsend_success = 0.5\n"), "--quiet"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            "tombolo-sim: check failed: send_success is 0.000000, expected at least 0.500000\n");
}

// The flag of a printed command reaches the plan: what is left runs as it does without the class.
TEST(Cli, ASwarmRunsWithoutWhatIsSwitchedOff) {
  const auto swarm = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"swarm", "--seeds", "3", "--first", "1", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = Sim(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  };
  const auto off = [](std::initializer_list<tombolo::sim::FaultClass> faults) {
    tombolo::sim::FaultSet set = 0;
    for (const auto fault : faults) set |= tombolo::sim::Bit(fault);
    std::uint64_t hash = 0;
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
      hash += tombolo::sim::RunPlan(tombolo::sim::DrawPlan(seed, set)).trace_hash;
    return tombolo::sim::HashText(hash);
  };
  using enum tombolo::sim::FaultClass;
  const auto whole = swarm({});
  EXPECT_EQ(whole["without"], "none");
  EXPECT_EQ(whole["trace_hash"], off({}));
  const auto less = swarm({"--without", "jitter,crash,join,drop"});
  EXPECT_EQ(less["without"], "jitter, drop, crash, join");
  EXPECT_EQ(less["trace_hash"], off({kJitter, kCrash, kJoin, kDrop}));
  EXPECT_NE(less["trace_hash"], whole["trace_hash"]);
}

TEST(Cli, AFailedConditionNamesPeerInvariantAndTime) {
  const Outcome outcome = Sim({"run",
                               Scenario("peers = 20\noverlay = \"both\"\nduration_s = 2\n"
                                        "islands = [10, 10]\n[expect]\nring_ok = true\n"),
                               "--quiet"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(std::regex_match(
      outcome.err,
      std::regex("tombolo-sim: check failed: ring_ok does not hold at the end: I1 one ring: "
                 "[0-9]+ of 20 broken at 2 s; first: peer [0-9]+ \\([0-9a-f]{8}\\.\\.\\.\\): it "
                 "takes peer [0-9]+ for its successor, which is peer [0-9]+\n")))
      << outcome.err;
}

TEST(Cli, TheReportSaysWhetherTheConditionWasReached) {
  const std::string file = ::testing::TempDir() + "/cli_until_" + std::to_string(getpid());
  const auto until = [&](const std::string& actions, const std::string& words) {
    const Outcome run = Sim({"run", "--report", file,
                             Scenario("peers = 50\noverlay = \"both\"\nduration_s = 20\n"
                                      "run_until = \"ring_ok\"\n" +
                                      actions)});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_NE(run.out.find(words), std::string::npos) << run.out;
    return nlohmann::json::parse(ReadAll(file))["run_until"];
  };
  const std::string cut = "[[at]]\ntime_s = 2\npartition = [0.5, 0.5]\n";
  const nlohmann::json never = until(cut, "ring_ok: not reached in 20 s");
  EXPECT_EQ(never,
            (nlohmann::json{{"condition", "ring_ok"}, {"reached", false}, {"seconds", 20.0}}));
  const nlohmann::json healed =
      until(cut + "[[at]]\ntime_s = 4\nheal = true\n", "ring_ok: reached after");
  EXPECT_EQ(healed["reached"], true);
  EXPECT_LT(healed["seconds"], 20);
}

TEST(Cli, CtrlCEndsWithTheReportSoFar) {
  const std::string file = ::testing::TempDir() + "/cli_cut_" + std::to_string(getpid()) + ".json";
  const Outcome outcome =
      Sim({"run", Scenario("peers = 50\nduration_s = 30_000_000\n"), "--report", file}, true);
  EXPECT_EQ(outcome.status, 130);
  EXPECT_TRUE(outcome.out.starts_with("interrupted: the report so far\n"));
  EXPECT_EQ(nlohmann::json::parse(ReadAll(file))["interrupted"], true);
  for (const char* command : {"swarm", "validate"}) {
    const Outcome cut = Sim({command, "--json"}, true);
    EXPECT_EQ(cut.status, 130) << command;
    EXPECT_EQ(nlohmann::json::parse(cut.out)["interrupted"], true) << command;
  }
  EXPECT_EQ(Sim({"bench", "relay", "--peers", "50", "--sends", "100000000"}, true).status, 130);
  EXPECT_EQ(Sim({"validate"}, true).status, 130);
}

TEST(Cli, BenchHealReportsItsFiguresAndFailsAtTheLimit) {
  const Outcome healed = Sim({"bench", "heal", "--peers", "120", "--json", "--seed", "3"});
  ASSERT_EQ(healed.status, 0) << healed.err;
  const nlohmann::json report = nlohmann::json::parse(healed.out);
  for (const char* field :
       {"ring_ok_delays", "tables_ok_delays", "messages_per_node", "acks_per_node",
        "refresh_messages_per_node", "background_messages_per_node",
        "messages_per_small_island_node", "busiest_node_messages", "false_empty_buckets",
        "false_empty_before_refresh", "routable_ratio", "delivered_during_merge_ratio"}) {
    ASSERT_TRUE(report.contains(field)) << field;
    EXPECT_TRUE(report[field].is_number()) << field;
  }
  EXPECT_EQ(report["peers"], 120);
  EXPECT_EQ(report["routable_ratio"], 1);
  EXPECT_EQ(report["strategy"], "zip");
  const Outcome late = Sim({"bench", "heal", "--sizes", "60,40,20", "--limit", "0.2", "--json"});
  EXPECT_EQ(late.status, 1);
  EXPECT_NE(late.err.find("bench heal: no single ordered ring within the limit"), std::string::npos)
      << late.err;
  EXPECT_EQ(nlohmann::json::parse(late.out)["ring_ok_delays"], nullptr);
}

TEST(Cli, BenchHealComparesStrategies) {
  std::map<std::string, nlohmann::json> reports;
  for (const std::string strategy : {"zip", "gossip", "simple"}) {
    const Outcome outcome =
        Sim({"bench", "heal", "--peers", "200", "--json", "--strategy", strategy});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    reports[strategy] = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(reports[strategy]["strategy"], strategy);
  }
  const auto kind = [&](const std::string& strategy, const std::string& name) {
    return reports[strategy]["messages_by_kind"].value(name, 0);
  };
  EXPECT_GT(kind("zip", "merge_sync"), 0);
  EXPECT_EQ(kind("zip", "unify_lookup"), 0);
  EXPECT_EQ(kind("gossip", "merge_sync") + kind("simple", "merge_sync"), 0);
  EXPECT_GT(kind("gossip", "unify_detected"), 0);
  EXPECT_EQ(kind("simple", "unify_detected"), 0);
  EXPECT_GT(kind("simple", "unify_try"), 0);
}

TEST(Cli, BenchPrintsJson) {
  const std::vector<std::string> command = {
      "bench", "kademlia-lookup", "--peers", "100", "--lookups", "50", "--seed", "3"};
  const Outcome outcome = Sim(command);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["lookups"], 50);
  EXPECT_NE(outcome.err.find("trace hash"), std::string::npos) << "the summary goes to stderr";
  std::vector<std::string> bare = command;
  bare.push_back("--json");
  EXPECT_EQ(Sim(bare).err, "");
}

TEST(Cli, BenchBroadcastSaysReachAgainstTime) {
  const Outcome outcome = Sim({"bench", "broadcast", "--peers", "100", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json report = nlohmann::json::parse(outcome.out);
  for (const nlohmann::json& part : {report, report["after_deaths"]}) {
    const nlohmann::json& curve = part["reach_curve"];
    ASSERT_EQ(curve.size(), 10U);
    for (std::size_t i = 1; i < curve.size(); ++i) {
      EXPECT_GE(curve[i]["ms"], curve[i - 1]["ms"]);
      EXPECT_GT(curve[i]["ratio"], curve[i - 1]["ratio"]);
    }
    EXPECT_EQ(curve.back()["ratio"], part["reached_ratio"]);
    EXPECT_EQ(curve.back()["ms"], part["reach_ms"]["max"]);
  }
}

TEST(Cli, HelpAndVersionAreGood) {
  EXPECT_EQ(Sim({"--help"}).status, 0);
  EXPECT_EQ(Sim({"bench", "relay", "--help"}).status, 0);
  EXPECT_EQ(Sim({"--version"}).out, std::string(TOMBOLO_VERSION) + "\n");
  EXPECT_TRUE(Sim({"run", "--help-keys"}).out.starts_with("# Scenario files\n"));
}

}  // namespace
