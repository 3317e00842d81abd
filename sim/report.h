// Reports: JSON with stable field names that carry their units, and a summary to read.
//
// Thread rule: pure functions, but for the writing of files. Errors: a status that names the file.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sim/runner.h"
#include "sim/scenario.h"

namespace tombolo::sim {

// Version of the program, as `--version` prints it.
std::string_view Version();

// 16 hexadecimal digits.
std::string HashText(std::uint64_t hash);

// What every report has.
nlohmann::ordered_json CommonReport(const Scenario& scenario, const RunResult& result);

// {mean, p50, p99, max} and {mean, p50, p95, p99, max}.
nlohmann::ordered_json HopsReport(const HopHistogram& hops);
nlohmann::ordered_json LatencyReport(const LatencyHistogram& latency);

// Everything about a run.
nlohmann::ordered_json FullReport(const Scenario& scenario, const RunResult& result);

// One line per expectation that does not hold.
std::vector<std::string> BrokenExpectations(const Scenario& scenario, const RunResult& result);

// The full report as text.
std::string Summary(const nlohmann::ordered_json& report);

// Writes `text` to `path`, through a temporary name: a reader sees all of it or nothing.
// A device, a pipe or a symbolic link is written to as it is.
absl::Status WriteFile(const std::string& path, const std::string& text);
// Whether WriteFile is going to work, as far as can be told before; leaves what is there alone.
absl::Status CheckWritable(const std::string& path);

// Numerator / denominator, 0 if there is nothing to divide by.
double Ratio(double numerator, double denominator);

}  // namespace tombolo::sim
