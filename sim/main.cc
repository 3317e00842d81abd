// tombolo-sim: scenarios, benches and the validation of the core from the command line.
//
// Exit status: 0 good, 1 a check failed, 2 bad usage or bad input (one line on stderr), 130 after
// Ctrl-C.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "sim/bench_command.h"
#include "sim/command_line.h"
#include "sim/progress.h"
#include "sim/report.h"
#include "sim/runner.h"
#include "sim/scenario.h"
#include "sim/series.h"
#include "sim/swarm.h"
#include "sim/validate.h"

namespace {

using tombolo::sim::BenchOptions;
using tombolo::sim::kBadInput;
using tombolo::sim::kCheckFailed;
using tombolo::sim::kGood;
using tombolo::sim::kInterrupted;
using tombolo::sim::Refuse;
using tombolo::sim::RunResult;
using tombolo::sim::Scenario;
using Json = nlohmann::ordered_json;

// ---- run

struct RunOptions {
  std::string scenario;
  std::vector<std::string> settings;
  std::string report;
  std::string out;
  unsigned threads = 1;
  bool quiet = false;
  bool help_keys = false;
};

Json Manifest(const RunOptions& options, const Scenario& scenario) {
  return {{"version", tombolo::sim::Version()},
          {"scenario", options.scenario},
          {"settings", options.settings},
          {"seed", scenario.world.seed},
          {"files", {"report.json", "series.csv", "scenario.toml"}}};
}

// A copy of the scenario beside its results, so that they can be made again.
absl::Status CopyScenario(const RunOptions& options) {
  std::error_code error;
  const std::string copy = options.out + "/scenario.toml";
  if (std::filesystem::equivalent(options.scenario, copy, error)) return absl::OkStatus();
  std::filesystem::copy_file(options.scenario, copy,
                             std::filesystem::copy_options::overwrite_existing, error);
  if (error) return absl::InvalidArgumentError(copy + ": " + error.message());
  return absl::OkStatus();
}

absl::Status WriteResults(const RunOptions& options, const Scenario& scenario,
                          const RunResult& result, const Json& report) {
  const std::string text = report.dump(2) + "\n";
  if (!options.report.empty()) {
    if (absl::Status status = tombolo::sim::WriteFile(options.report, text); !status.ok())
      return status;
  }
  if (options.out.empty()) return absl::OkStatus();
  const std::pair<const char*, std::string> files[] = {
      {"/report.json", text},
      {"/series.csv", tombolo::sim::SeriesCsv(result.series)},
      {"/manifest.json", Manifest(options, scenario).dump(2) + "\n"}};
  for (const auto& [name, content] : files) {
    if (absl::Status status = tombolo::sim::WriteFile(options.out + name, content); !status.ok())
      return status;
  }
  return CopyScenario(options);
}

// A run of hours must not end in a file that cannot be written: found out before it starts.
absl::Status PrepareOutputs(const RunOptions& options) {
  if (!options.out.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.out, error);
    if (error) return absl::InvalidArgumentError("--out " + options.out + ": " + error.message());
    absl::Status status = tombolo::sim::CheckWritable(options.out + "/report.json");
    if (!status.ok()) return status;
  }
  return options.report.empty() ? absl::OkStatus() : tombolo::sim::CheckWritable(options.report);
}

int Run(const RunOptions& options) {
  if (options.help_keys) {
    std::cout << tombolo::sim::DescribeKeys();
    return kGood;
  }
  if (options.scenario.empty()) return Refuse("run: SCENARIO.toml is missing");
  const absl::StatusOr<Scenario> scenario =
      tombolo::sim::ReadScenario(options.scenario, options.settings);
  if (!scenario.ok()) return Refuse(std::string(scenario.status().message()));
  if (absl::Status status = PrepareOutputs(options); !status.ok())
    return Refuse(std::string(status.message()));
  if (options.threads > 1 && !options.quiet) {
    std::cerr << "tombolo-sim: one thread is used; results do not depend on --threads\n";
  }

  RunResult result;
  {
    tombolo::sim::Progress progress(!options.quiet, "run");
    result = tombolo::sim::RunScenario(*scenario, {&progress});
  }
  const Json report = tombolo::sim::FullReport(*scenario, result);
  if (absl::Status status = WriteResults(options, *scenario, result, report); !status.ok()) {
    return Refuse(std::string(status.message()));
  }
  if (!options.quiet) std::cout << tombolo::sim::Summary(report);
  if (result.interrupted) return kInterrupted;
  const std::vector<std::string> broken = tombolo::sim::BrokenExpectations(*scenario, result);
  for (const std::string& line : broken) std::cerr << "tombolo-sim: check failed: " << line << '\n';
  return broken.empty() ? kGood : kCheckFailed;
}

void AddRun(CLI::App& app, RunOptions& options) {
  CLI::App& run = *app.add_subcommand("run", "Runs a scenario");
  run.add_option("SCENARIO.toml", options.scenario, "What to run; see --help-keys");
  run.add_option("--set", options.settings,
                 "key=value: sets a key of the scenario, as kademlia.k=8")
      ->take_all()
      ->allow_extra_args(false);
  tombolo::sim::AddSeed(run, options.settings);
  run.add_option("--threads", options.threads, "Accepted; results do not depend on it")
      ->check(CLI::Range(1, 1024));
  run.add_option("--report", options.report, "Writes the report as JSON to this file");
  run.add_option("--out", options.out,
                 "Writes report.json, series.csv, scenario.toml and manifest.json to this folder");
  run.add_flag("--quiet", options.quiet, "No summary, no progress bar");
  run.add_flag("--help-keys", options.help_keys, "Prints all keys of a scenario as Markdown");
}

// ---- validate

int Validate(const tombolo::sim::ValidateOptions& options, bool json) {
  const tombolo::sim::Usage before = tombolo::sim::ReadUsage();
  tombolo::sim::Validation validation;
  {
    tombolo::sim::Progress progress(true, "validate");
    validation = tombolo::sim::Validate(options, progress);
  }
  const tombolo::sim::Usage after = tombolo::sim::ReadUsage();
  if (json) {
    std::cout << tombolo::sim::ValidateReport(validation, before, after).dump(2) << '\n';
  } else {
    std::cout << tombolo::sim::ValidateText(validation);
  }
  if (validation.interrupted) return kInterrupted;
  return validation.ok() ? kGood : kCheckFailed;
}

// ---- swarm

int Swarm(const tombolo::sim::SwarmOptions& options, bool json) {
  const tombolo::sim::Usage before = tombolo::sim::ReadUsage();
  tombolo::sim::SwarmReport report;
  {
    tombolo::sim::Progress progress(true, "swarm");
    report = tombolo::sim::RunSwarm(options, progress);
  }
  if (json) {
    const tombolo::sim::Usage after = tombolo::sim::ReadUsage();
    std::cout << tombolo::sim::SwarmJson(report, before, after).dump(2) << '\n';
  } else {
    for (const tombolo::sim::SwarmFailure& failure : report.failures)
      std::cout << tombolo::sim::SwarmFailureText(failure);
    std::cout << tombolo::sim::SwarmText(report);
  }
  if (!report.failures.empty()) return kCheckFailed;
  return report.interrupted ? kInterrupted : kGood;
}

// The set of the one class of this name. Requires that there is such a class.
tombolo::sim::FaultSet FaultOf(const std::string& name) {
  const auto& names = tombolo::sim::kFaultClassNames;
  const auto place = std::find(names.begin(), names.end(), name) - names.begin();
  return tombolo::sim::Bit(static_cast<tombolo::sim::FaultClass>(place));
}

CLI::App& AddSwarm(CLI::App& app, tombolo::sim::SwarmOptions& options, bool& json) {
  CLI::App& swarm = *app.add_subcommand("swarm", "Random faults in random worlds, seed by seed");
  const auto number = CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62);
  swarm.add_option("--seeds", options.seeds, "How many seeds; default 1000")->check(number);
  swarm.add_option("--first", options.first, "The first of them; default 1")->check(number);
  swarm
      .add_option("--failures", options.failures_max,
                  "Ends with this many failed seeds; default 10")
      ->check(number);
  swarm
      .add_option_function<std::vector<std::string>>(
          "--without",
          [&options](const std::vector<std::string>& names) {
            for (const std::string& name : names) options.without |= FaultOf(name);
          },
          "Classes of faults that are switched off, with commas between them")
      ->delimiter(',')
      ->check(CLI::IsMember(std::vector<std::string>(tombolo::sim::kFaultClassNames.begin(),
                                                     tombolo::sim::kFaultClassNames.end())));
  swarm.add_flag("--brief", options.brief, "Failed seeds are not run again to be explained");
  swarm.add_flag("--json", json, "JSON on stdout instead of text");
  return swarm;
}

int Main(int argc, char** argv) {
  CLI::App app("Simulates peer-to-peer overlays.", "tombolo-sim");
  app.set_version_flag("--version", std::string(tombolo::sim::Version()));
  app.require_subcommand(1);
  app.allow_extras();  // of the commands, too: what is unknown is named below
  RunOptions run;
  AddRun(app, run);
  BenchOptions bench;
  bool json = false;
  CLI::App& bench_command = tombolo::sim::AddBench(app, bench, json);
  tombolo::sim::ValidateOptions validate;
  CLI::App& validate_command =
      *app.add_subcommand("validate", "Compares published tables with the core");
  validate_command.add_flag("--json", json, "JSON on stdout instead of a table");
  validate_command.add_flag("--large", validate.large, "Also 2^20 peers: some minutes, 2 GB");
  tombolo::sim::SwarmOptions swarm;
  CLI::App& swarm_command = AddSwarm(app, swarm, json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    if (!app.get_subcommands().empty()) return Refuse(error.what());
    return Refuse(
        "no command, or an unknown one; allowed: run, bench, validate, swarm; see --help");
  }
  for (const CLI::App* command : app.get_subcommands()) {
    if (command == &bench_command && command->get_subcommands().empty()) continue;
    const std::string unknown = tombolo::sim::UnknownArgument(*command);
    if (!unknown.empty()) return Refuse(unknown);
  }
  if (bench_command.parsed()) return tombolo::sim::RunBench(bench_command, bench, json);
  if (validate_command.parsed()) return Validate(validate, json);
  if (swarm_command.parsed()) return Swarm(swarm, json);
  return Run(run);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("tombolo-sim: out of memory; give it fewer peers\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tombolo-sim: %s\n", error.what());
  }
  return kBadInput;
}
