#include "sim/scenario_toml.h"

#define TOML_EXCEPTIONS 0
#include <absl/status/status.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace tombolo::sim {
namespace {

// A list of numbers; any other list is of no use to a key.
Value ListOf(const toml::array& array) {
  std::vector<double> numbers;
  for (const toml::node& node : array) {
    const std::optional<double> number = node.value<double>();
    if (!number || node.is_boolean()) return Unsupported{"an array"};
    numbers.push_back(*number);
  }
  return numbers;
}

Value ValueOf(const toml::node& node) {
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* boolean = node.as_boolean()) return boolean->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* array = node.as_array()) return ListOf(*array);
  if (node.is_table()) return Unsupported{"a section"};
  return Unsupported{"a date or time"};
}

// Collects the entries of one file.
class Reader {
 public:
  explicit Reader(const std::string& name)
      : name_(name), directory_(std::filesystem::path(name).parent_path().string()) {}

  std::vector<Entry> Read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      const std::string name(key.str());
      if (const toml::table* table = node.as_table()) {
        AddSection(name, false, 0, *table);
      } else if (const toml::array* array = node.as_array();
                 array != nullptr && IsSections(*array)) {
        for (std::size_t i = 0; i < array->size(); ++i)
          AddSection(name, true, i, *(*array)[i].as_table());
      } else {
        Add("", false, 0, name, node, key.source());
      }
    }
    // The parser sorts by name; errors and later settings go by the order of the file.
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.line < b.line; });
    return std::move(entries_);
  }

 private:
  static bool IsSections(const toml::array& array) {
    return !array.empty() && array.is_homogeneous(toml::node_type::table);
  }

  void AddSection(const std::string& section, bool repeated, std::size_t index,
                  const toml::table& table) {
    Add(section, repeated, index, "", table, table.source());
    entries_.back().is_header = true;
    for (const auto& [key, node] : table) {
      Add(section, repeated, index, std::string(key.str()), node, key.source());
    }
  }

  void Add(const std::string& section, bool repeated, std::size_t index, const std::string& key,
           const toml::node& node, const toml::source_region& place) {
    const std::size_t line = place.begin.line;
    entries_.push_back({section, repeated, index, key, ValueOf(node),
                        name_ + ":" + std::to_string(line), line, directory_, false});
  }

  const std::string name_;
  const std::string directory_;
  std::vector<Entry> entries_;
};

}  // namespace

absl::StatusOr<std::vector<Entry>> ReadToml(std::string_view text, const std::string& name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return absl::InvalidArgumentError(name + ":" + std::to_string(error.source().begin.line) +
                                      ": " + std::string(error.description()));
  }
  return Reader(name).Read(parsed.table());
}

Value ParseValue(const std::string& text) {
  const toml::parse_result parsed = toml::parse("value = " + text);
  const toml::node* node =
      parsed && parsed.table().size() == 1 ? parsed.table().get("value") : nullptr;
  return node == nullptr ? Value(text) : ValueOf(*node);
}

}  // namespace tombolo::sim
