// Many commands over one connection, for programs: `tomboloctl script` reads a command per line and
// writes JSON lines, each with the number of the line that it answers:
//
//   in   send 45d7...1df6 hello        out  {"line":1,"reply":{"failure":"NONE","hops":1,...}}
//   in   watch                              {"line":1,"status":0}
//                                           {"line":2,"reply":{"subscribed":{}}}
//
// The commands run side by side, so a slow one holds nobody up; the last thing said of each is its
// exit status, with what went wrong as "error". At most kMaxCommands run at once; at the bound
// reading waits. Empty lines are passed over. Ends when the input has ended and all commands have.
//
// Thread rule: one caller; `run` is called from threads of its own. Errors: those of the commands.
#pragma once

#include <cstdio>
#include <functional>
#include <istream>
#include <string>

#include "node/tomboloctl_print.h"

namespace tombolo::node {

inline constexpr int kMaxCommands = 256;

// Carries out one command, reports through the printer and returns its exit status.
using RunCommand = std::function<int(const std::string& command, const Printer& printer)>;

void RunScript(std::istream& in, std::FILE* out, const RunCommand& run);

}  // namespace tombolo::node
