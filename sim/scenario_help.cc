// The table of keys as Markdown: docs/scenario.md and `tombolo-sim run --help-keys`.
#include <string>

#include "sim/scenario.h"
#include "sim/scenario_keys.h"

namespace tombolo::sim {
namespace {

// A '|' would end the cell.
std::string Cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, 1, '\\');
  return text;
}

std::string DescribeSection(const Section& section, Target& target) {
  std::string text;
  const std::string name(section.name);
  if (!name.empty())
    text += "\n## " + (section.repeated ? "[[" + name + "]]" : "[" + name + "]") + "\n";
  text += "\n" + std::string(section.doc) +
          "\n\n| key | default | allowed | meaning |\n|---|---|---|---|\n";
  for (const Key& key : Keys()) {
    if (key.section != section.name) continue;
    text += "| `" + std::string(key.name) + "` | " + ValueText(key, target) + " | " +
            Cell(AllowedText(key, target)) + " | " + Cell(std::string(key.doc)) + " |\n";
  }
  return text;
}

}  // namespace

std::string DescribeKeys() {
  Scenario scenario;
  WorkloadOptions workload;
  TimedAction action;
  Target target{&scenario, &workload, &action};
  std::string text =
      "# Scenario files\n\n"
      "`tombolo-sim run SCENARIO.toml` reads TOML with these keys. Every key may be left out. "
      "Units are part\n"
      "of the names: `_s` seconds, `_ms` milliseconds, `_per_s` per second, `_bytes` bytes; shares "
      "go from 0\n"
      "to 1. Unknown keys and wrong values are errors that name file, line and what is allowed.\n\n"
      "`--set kademlia.k=8` sets a key on the command line, `--set workload.0.rate_per_s=5` one of "
      "the first\n"
      "`[[workload]]`. Paths in a file are relative to it, paths on the command line to the "
      "working directory.\n\n"
      "This page is the output of `tombolo-sim run --help-keys`.\n";
  for (const Section& section : Sections()) text += DescribeSection(section, target);
  return text;
}

}  // namespace tombolo::sim
