// What tomboloctl does for people at a shell: completion scripts, and the command that was meant.
// Both are made from the commands that there are. Thread rule: pure functions.
#pragma once

#include <CLI/App.hpp>

#include <string>
#include <vector>

namespace tombolo::node {

// `shell` is "bash" or "zsh"; empty for any other.
std::string CompletionScript(const CLI::App& app, const std::string& shell);

// If the first of `words` that is no flag and no value of one is no command of `app`: a complaint
// that names the nearest one. Else empty.
std::string UnknownCommand(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace tombolo::node
