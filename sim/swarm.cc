#include "sim/swarm.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/report.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kStoryLines = 12;

std::string Seconds(Duration span) {
  std::string text = std::to_string(span.us / 1000);
  if (text.size() < 4) text.insert(0, 4 - text.size(), '0');
  return text.insert(text.size() - 3, ".") + " s";
}

std::string PeerName(PeerRef peer) {
  return peer == PeerRef::kNone ? "the world" : "peer " + std::to_string(Index(peer));
}

// A plan that fails.
struct Failing {
  FaultSet off = 0;  // classes that it was drawn without
  SwarmPlan plan;
  Violation violation;
};

// Runs plans one after the other: an assertion that fails in one names it, and Ctrl-C is heard
// between two.
class Runs {
 public:
  bool interrupted() const { return interrupts_.raised(); }

  SwarmOutcome Run(const SwarmPlan& plan, FaultSet off) {
    note_.Set(plan.seed, SwarmCommand(plan.seed, off));
    return RunPlan(plan);
  }

 private:
  const Interrupts interrupts_;
  SeedOnAbort note_;
};

// Switches classes off, each for good if the same invariant still breaks, until none can be spared;
// interrupted, it leaves off with the smallest plan so far.
Failing Reduce(Failing failing, const PlanSource& draw, Runs& runs) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t i = 0; i < kFaultClasses && !runs.interrupted(); ++i) {
      const auto fault = static_cast<FaultClass>(i);
      if (!failing.plan.has(fault)) continue;
      const FaultSet off = failing.off | Bit(fault);
      SwarmPlan plan = draw(failing.plan.seed, off);
      if (plan.has(fault)) continue;  // it is what the plan is about
      const SwarmOutcome outcome = runs.Run(plan, off);
      if (!outcome.violation || outcome.violation->invariant != failing.violation.invariant)
        continue;
      failing = {off, std::move(plan), *outcome.violation};
      smaller = true;
    }
  }
  return failing;
}

SwarmFailure Explain(Failing failing, const PlanSource& draw, bool brief, Runs& runs) {
  SwarmFailure failure;
  failure.seed = failing.plan.seed;
  failure.plan = Describe(failing.plan);
  failure.faults = failing.plan.faults;
  if (!brief) {
    failing = Reduce(std::move(failing), draw, runs);
    failure.story = TellPlan(failing.plan, failing.violation, kStoryLines);
  }
  failure.needed = failing.plan.faults;
  failure.violation = failing.violation;
  failure.command = SwarmCommand(failure.seed, failing.off);
  return failure;
}

}  // namespace

SwarmReport RunSwarm(const SwarmOptions& options, Progress& progress, const PlanSource& draw) {
  Runs runs;
  SwarmReport report;
  report.options = options;
  while (report.done < options.seeds && report.failures.size() < options.failures_max) {
    if (runs.interrupted()) break;
    const std::uint64_t seed = options.first + report.done;
    progress.Step("seed " + std::to_string(seed), report.done, options.seeds);
    SwarmPlan plan = draw(seed, options.without);
    const SwarmOutcome outcome = runs.Run(plan, options.without);
    ++report.done;
    report.events += outcome.events;
    report.operations += outcome.operations;
    report.knowledge_lost += outcome.knowledge_lost ? 1 : 0;
    report.trace_hash += outcome.trace_hash;
    report.simulated = report.simulated + outcome.simulated;
    if (!outcome.violation) continue;
    Failing failing{options.without, std::move(plan), *outcome.violation};
    report.failures.push_back(Explain(std::move(failing), draw, options.brief, runs));
  }
  report.interrupted = runs.interrupted();
  return report;
}

std::string SwarmCommand(std::uint64_t seed, FaultSet without) {
  std::string command = "tombolo-sim swarm --seeds 1 --first " + std::to_string(seed);
  if (without == 0) return command;
  std::string names = FaultNames(without);
  std::erase(names, ' ');
  return command + " --without " + names;
}

std::string SwarmFailureText(const SwarmFailure& failure) {
  const Violation& violation = failure.violation;
  std::string text = "seed " + std::to_string(failure.seed) + ": " + violation.invariant + " at " +
                     PeerName(violation.peer) + ", " + Seconds(violation.at - Time{}) + ": " +
                     violation.detail + "; replay: " + failure.command + "\n";
  text += "  " + failure.plan + "\n  needed of these: " + FaultNames(failure.needed) + "\n";
  for (const std::string& line : failure.story) text += "  " + line + "\n";
  return text;
}

std::string SwarmText(const SwarmReport& report) {
  return std::to_string(report.done) + " seeds from " + std::to_string(report.options.first) +
         ": " + std::to_string(report.failures.size()) + " failed, " +
         std::to_string(report.knowledge_lost) + " cut apart by deaths; " +
         std::to_string(report.operations) + " operations, " + std::to_string(report.events) +
         " events in " + Seconds(report.simulated) + " of simulated time, trace hash " +
         HashText(report.trace_hash) + "\n";
}

nlohmann::ordered_json SwarmJson(const SwarmReport& report, const Usage& before,
                                 const Usage& after) {
  nlohmann::ordered_json failures = nlohmann::ordered_json::array();
  for (const SwarmFailure& failure : report.failures) {
    const Violation& violation = failure.violation;
    const bool somebody = violation.peer != PeerRef::kNone;
    failures.push_back(
        {{"seed", failure.seed},
         {"invariant", violation.invariant},
         {"peer", somebody ? nlohmann::ordered_json(Index(violation.peer)) : nullptr},
         {"time_s", (violation.at - Time{}).seconds()},
         {"detail", violation.detail},
         {"command", failure.command},
         {"plan", failure.plan},
         {"faults", FaultNames(failure.faults)},
         {"faults_needed", FaultNames(failure.needed)},
         {"story", failure.story}});
  }
  nlohmann::ordered_json json = {{"version", Version()},
                                 {"first", report.options.first},
                                 {"seeds", report.options.seeds},
                                 {"without", FaultNames(report.options.without)},
                                 {"seeds_done", report.done},
                                 {"seeds_failed", report.failures.size()},
                                 {"seeds_cut_apart", report.knowledge_lost},
                                 {"operations", report.operations},
                                 {"events", report.events},
                                 {"simulated_seconds", report.simulated.seconds()},
                                 {"cpu_seconds", after.cpu_seconds - before.cpu_seconds},
                                 {"wall_seconds", after.wall_seconds - before.wall_seconds},
                                 {"peak_rss_bytes", after.peak_rss_bytes},
                                 {"trace_hash", HashText(report.trace_hash)},
                                 {"failures", failures}};
  if (report.interrupted) json["interrupted"] = true;
  return json;
}

}  // namespace tombolo::sim
