// TOML text and `--set` arguments as a flat list of entries. Knows no keys. Thread rule: pure
// functions.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario_keys.h"

namespace tombolo::sim {

// One `key = value`, or the header of a section (empty key).
struct Entry {
  std::string section;    // "" = top level
  bool repeated = false;  // of a [[section]]
  std::size_t index = 0;  // which of the [[section]]s
  std::string key;
  Value value;
  std::string where;      // "FILE:LINE", or "--set section.key"
  std::size_t line = 0;   // in the file
  std::string directory;  // that relative paths start from; empty = the working directory
  bool is_header = false;
};

absl::StatusOr<std::vector<Entry>> ReadToml(std::string_view text, const std::string& name);

// A value as it would stand in a file; text that is no TOML value is a bare word.
Value ParseValue(const std::string& text);

}  // namespace tombolo::sim
