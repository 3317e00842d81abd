#include "sim/validate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/report.h"

namespace tombolo::sim {

namespace {

// By Rule.
struct RuleText {
  const char* name;
  const char* sign;  // before the tolerance
};
constexpr std::array<RuleText, 3> kRules = {RuleText{"within", "+-"}, RuleText{"at_most", "+ "},
                                            RuleText{"at_least", "- "}};

}  // namespace

bool ValidateRow::ok() const {
  if (rule == Rule::kAtMost) return measured <= expected + tolerance;
  if (rule == Rule::kAtLeast) return measured >= expected - tolerance;
  return std::abs(measured - expected) <= tolerance;
}

bool Validation::ok() const {
  return std::all_of(rows.begin(), rows.end(), [](const ValidateRow& row) { return row.ok(); });
}

void Validation::AddRun(const RunResult& result) {
  metrics.events += result.metrics.events;
  for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
    metrics.messages[kind] += result.metrics.messages[kind];
    metrics.bytes[kind] += result.metrics.bytes[kind];
  }
  simulated = simulated + result.simulated;
  trace_hash += result.trace_hash;
  setup_seconds += result.costs.setup_seconds;
  peers = std::max(peers, result.world->peer_count());
}

Validation Validate(const ValidateOptions& options, Progress& progress) {
  Validation validation;
  const Interrupts interrupts;
  const ValidateWatch watch{progress, interrupts};
  ValidateHops(options, watch, validation);
  ValidateRelay(options, watch, validation);
  ValidateResilience(options, watch, validation);
  ValidateDroppers(options, watch, validation);
  ValidateChord(options, watch, validation);
  validation.interrupted = interrupts.raised();
  return validation;
}

nlohmann::ordered_json ValidateReport(const Validation& validation, const Usage& before,
                                      const Usage& after) {
  Scenario scenario;
  scenario.world.seed = validation.seed;
  scenario.world.peers = validation.peers;
  RunResult total;
  total.metrics = validation.metrics;
  total.trace_hash = validation.trace_hash;
  total.simulated = validation.simulated;
  total.interrupted = validation.interrupted;
  total.costs = {validation.setup_seconds,
                 after.cpu_seconds - before.cpu_seconds,
                 after.wall_seconds - before.wall_seconds - validation.setup_seconds,
                 before.rss_bytes,
                 after.peak_rss_bytes,
                 after.peak_rss_bytes};
  nlohmann::ordered_json report = CommonReport(scenario, total);
  report["rows"] = nlohmann::ordered_json::array();
  for (const ValidateRow& row : validation.rows) {
    report["rows"].push_back({{"table", row.table},
                              {"row", row.row},
                              {"metric", row.metric},
                              {"expected", row.expected},
                              {"measured", row.measured},
                              {"tolerance", row.tolerance},
                              {"rule", kRules[static_cast<std::size_t>(row.rule)].name},
                              {"ok", row.ok()}});
  }
  report["rows_skipped"] = validation.skipped;
  return report;
}

std::string ValidateText(const Validation& validation) {
  std::string text =
      "table  row                        metric            expected  measured  tolerance\n";
  std::array<char, 160> line{};
  for (const ValidateRow& row : validation.rows) {
    std::snprintf(line.data(), line.size(), "%-5s  %-25s  %-16s  %8.3f  %8.3f  %s%-8.3f  %s\n",
                  row.table.c_str(), row.row.c_str(), row.metric.c_str(), row.expected,
                  row.measured, kRules[static_cast<std::size_t>(row.rule)].sign, row.tolerance,
                  row.ok() ? "ok" : "FAILED");
    text += line.data();
  }
  const auto failed = std::count_if(validation.rows.begin(), validation.rows.end(),
                                    [](const auto& r) { return !r.ok(); });
  for (const std::string& row : validation.skipped) text += row + "  only with --large\n";
  text += std::to_string(validation.rows.size()) + " rows, " + std::to_string(failed) + " failed\n";
  return text;
}

}  // namespace tombolo::sim
