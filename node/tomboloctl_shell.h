// What tomboloctl does for people at a shell: completion scripts, and words for what they mistyped.
// Both are made from the commands that there are. Thread rule: pure functions.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Error.hpp>

#include <string>
#include <vector>

namespace tombolo::node {

// `shell` is "bash" or "zsh"; empty for any other.
std::string CompletionScript(const CLI::App& app, const std::string& shell);

// Why `app` could not parse `words`, in one line that names the command or flag that was meant.
std::string WhatIsWrong(const CLI::App& app, const CLI::ParseError& error,
                        const std::vector<std::string>& words);

}  // namespace tombolo::node
