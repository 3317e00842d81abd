// tombolo-sim bench.
//
// Not part of the library.
#pragma once

#include <CLI/CLI.hpp>

#include "sim/bench.h"

namespace tombolo::sim {

// Adds the command with a subcommand for each bench, whose options fill `options`.
CLI::App& AddBench(CLI::App& app, BenchOptions& options, bool& json_only);

// Runs the bench that the command line has chosen; returns an exit status.
int RunBench(const CLI::App& command, const BenchOptions& options, bool json_only);

}  // namespace tombolo::sim
