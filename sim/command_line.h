// What the commands of tombolo-sim have in common: exit statuses, refusals, options that recur.
//
// Not part of the library. Options keep references to what they fill.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tombolo::sim {

enum ExitStatus : int { kGood = 0, kCheckFailed = 1, kBadInput = 2, kInterrupted = 130 };

// Prints one line on stderr, whatever the message; returns kBadInput.
int Refuse(std::string_view message);

// What to say of the arguments that `command`, or what was chosen below it, does not know; empty if
// there are none. Requires that they allow extras.
std::string UnknownArgument(const CLI::App& command);

// Adds --seed, which is a setting like any other and wins over those of --set.
void AddSeed(CLI::App& command, std::vector<std::string>& settings);

// Adds an option whose values have names; any other value is refused with the list of them.
template <class Value>
void AddNamed(CLI::App& command, const std::string& name, Value& value,
              const std::vector<std::pair<std::string, Value>>& values, const std::string& doc) {
  std::vector<std::string> names;
  for (const auto& [text, each] : values) names.push_back(text);
  const auto choose = [&value, values](const std::string& chosen) {
    for (const auto& [text, each] : values) {
      if (text == chosen) value = each;
    }
  };
  command.add_option_function<std::string>(name, choose, doc)->check(CLI::IsMember(names));
}

}  // namespace tombolo::sim
