// The keys of a scenario: one table, from which the reader, its errors, docs/scenario.md and the
// options of Python are made.
//
// Ownership: a Field points into the scenario it was made from. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "overlay/time.h"
#include "sim/scenario_options.h"

namespace tombolo::sim {

// Where a key's value lives. The choice of one name among several is set by its index.
struct ChoiceField {
  std::vector<std::string_view> names;
  std::function<std::size_t()> get;
  std::function<void(std::size_t)> set;
};
struct PathField {
  std::string* path;
};
using Field = std::variant<int*, std::uint8_t*, std::uint32_t*, std::uint64_t*, std::int64_t*,
                           double*, bool*, std::string*, Duration*, std::vector<double>*,
                           std::vector<std::uint32_t>*, ChoiceField, PathField>;

// What a key belongs to: the scenario, and for repeated sections the one being read.
struct Target {
  Scenario* scenario = nullptr;
  WorkloadOptions* workload = nullptr;
  TimedAction* action = nullptr;
};

// Range of keys whose value is not a number.
inline constexpr double kNoLimit = 0;

struct Key {
  std::string_view section;  // "" = top level
  std::string_view name;
  double min = kNoLimit;  // in the key's unit
  double max = kNoLimit;
  std::string_view doc;
  Field (*field)(Target&);
};

struct Section {
  std::string_view name;
  bool repeated = false;  // written [[name]], any number of times
  std::string_view doc;
};

std::span<const Section> Sections();
std::span<const Key> Keys();
// Those of them that set Scenario::world.
std::span<const Key> WorldKeys();

// A value as written.
struct Unsupported {
  std::string_view type;  // "array", "table", "date"
};
using Value =
    std::variant<std::int64_t, double, bool, std::string, std::vector<double>, Unsupported>;

// Stores `value`; on error returns what is wrong and allowed ("must be ..., is ..."), nullopt if
// all is well.
std::optional<std::string> Assign(const Key& key, const Value& value, Target& target);

// What the key allows, its value in `target` as TOML, and its unit ("s", "ms", ... or empty).
std::string AllowedText(const Key& key, Target& target);
std::string ValueText(const Key& key, Target& target);
std::string_view UnitOf(const Key& key);

// What is wrong with a workload in a world of this configuration. Records and leases are kept at
// peers that the buckets find: a ring on its own keeps none, and has none to ask for.
std::optional<std::string> CheckLoad(const WorkloadOptions& workload, const Config& core);

// True if the values of `key` are words: bare words on the command line need no quotes.
bool TakesWords(const Key& key, Target& target);

}  // namespace tombolo::sim
