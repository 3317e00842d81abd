#include "sim/command_line.h"

#include <algorithm>
#include <iostream>

#include "overlay/edit_distance.h"

namespace tombolo::sim {
namespace {

// The command that was chosen, with those above it: "bench relay".
const CLI::App& Chosen(const CLI::App& command, std::string& path) {
  path += (path.empty() ? "" : " ") + command.get_name();
  const std::vector<const CLI::App*> below =
      command.get_subcommands([](const CLI::App* each) { return each->parsed(); });
  return below.empty() ? command : Chosen(*below.front(), path);
}

// "did you mean '--peers'?", or nothing if no option is near.
std::string NearestOption(const CLI::App& command, const std::string& word) {
  const std::string given = word.substr(0, word.find('='));
  const std::size_t dashes = std::min(given.find_first_not_of('-'), given.size());
  std::size_t distance = std::max<std::size_t>(1, (given.size() - dashes) / 3) + 1;
  std::string nearest;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::size_t here = EditDistance(given, "--" + name);
      if (here < distance) nearest = name;
      distance = std::min(distance, here);
    }
  }
  return nearest.empty() ? "" : "did you mean '--" + nearest + "'?";
}

}  // namespace

int Refuse(std::string_view message) {
  std::cerr << "tombolo-sim: " << message.substr(0, message.find('\n')) << '\n';
  return kBadInput;
}

std::string UnknownArgument(const CLI::App& command) {
  const std::vector<std::string> extras = command.remaining(true);
  if (extras.empty()) return "";
  // What belongs to an unknown option, its value, comes without a name.
  const auto option = std::find_if(extras.begin(), extras.end(),
                                   [](const std::string& each) { return each.starts_with("-"); });
  const std::string& word = option == extras.end() ? extras.front() : *option;
  std::string path;
  const std::string nearest = NearestOption(Chosen(command, path), word);
  return path + ": unknown argument '" + word + "'; " +
         (nearest.empty() ? "see " + path + " --help" : nearest);
}

void AddSeed(CLI::App& command, std::vector<std::string>& settings) {
  const auto set = [&settings](const std::string& seed) { settings.push_back("seed=" + seed); };
  command.add_option_function<std::string>("--seed", set, "Seed of every random choice");
}

}  // namespace tombolo::sim
