// Reads scenarios from TOML and from `--set`.
//
// Keys carry their unit in their name (`_s`, `_ms`, `_per_s`, `_bytes`; shares are 0..1). All of
// them are listed in scenario_keys.cc, the one table that the reader, the errors and
// docs/scenario.md come from.
//
// Errors: InvalidArgument with one line that names file, line and key, and what is allowed. Thread
// rule: plain values and pure functions.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <span>
#include <string>
#include <string_view>

#include "sim/scenario_options.h"

namespace tombolo::sim {

// Reads the scenario file at `path`, then applies `settings` ("kademlia.k=8",
// "workload.0.rate_per_s=5"). Paths in the file are relative to it, paths in settings to the
// working directory.
absl::StatusOr<Scenario> ReadScenario(const std::string& path,
                                      std::span<const std::string> settings);

// The same for a text; `name` stands for the file in errors.
absl::StatusOr<Scenario> ParseScenario(std::string_view text, const std::string& name,
                                       std::span<const std::string> settings);

// Applies settings to a scenario made by code, as the benches do.
absl::Status ApplySettings(std::span<const std::string> settings, Scenario& scenario);

// Every key with unit, default, range and meaning, as Markdown.
std::string DescribeKeys();

}  // namespace tombolo::sim
