#include "sim/command_line.h"

#include <iostream>

#include "overlay/nearest_word.h"

namespace tombolo::sim {
namespace {

// The command that was chosen, with those above it: "bench relay".
const CLI::App& Chosen(const CLI::App& command, std::string& path) {
  path += (path.empty() ? "" : " ") + command.get_name();
  const std::vector<const CLI::App*> below =
      command.get_subcommands([](const CLI::App* each) { return each->parsed(); });
  return below.empty() ? command : Chosen(*below.front(), path);
}

std::vector<std::string> FlagsOf(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

}  // namespace

int Refuse(std::string_view message) {
  std::cerr << "tombolo-sim: " << message.substr(0, message.find('\n')) << '\n';
  return kBadInput;
}

std::string UnknownArgument(const CLI::App& command) {
  const std::vector<std::string> unknown = command.remaining(true);
  if (unknown.empty()) return "";
  std::string path;
  const std::vector<std::string> flags = FlagsOf(Chosen(command, path));
  return path + ": " + tombolo::UnknownArgument(unknown, flags);
}

void AddSeed(CLI::App& command, std::vector<std::string>& settings) {
  const auto set = [&settings](const std::string& seed) { settings.push_back("seed=" + seed); };
  command.add_option_function<std::string>("--seed", set, "Seed of every random choice");
}

}  // namespace tombolo::sim
