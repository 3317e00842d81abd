#include "sim/number_table.h"

#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>
#include <system_error>

namespace tombolo::sim {
namespace {

constexpr std::string_view kSeparators = " \t,\r";

// Appends the numbers of one line to the table. Returns the first field that is no finite number.
std::string_view AppendLine(std::string_view line, std::vector<double>& numbers) {
  while (true) {
    const std::size_t begin = line.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) return {};
    line.remove_prefix(begin);
    const std::string_view field = line.substr(0, line.find_first_of(kSeparators));
    double value = 0;
    const auto [end, status] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (status != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) {
      return field;
    }
    numbers.push_back(value);
    line.remove_prefix(field.size());
  }
}

std::string At(const std::string& name, std::size_t line, const std::string& problem) {
  return name + ":" + std::to_string(line) + ": " + problem;
}

// Reads one line into the table; false if it sets an error.
bool ReadLine(std::string_view line, std::uint32_t number, NumberTable& table) {
  line = line.substr(0, line.find('#'));
  if (line.starts_with("node")) {
    table.has_node_lines = true;
    return true;
  }
  const auto begin = static_cast<std::uint32_t>(table.numbers.size());
  const std::string_view bad = AppendLine(line, table.numbers);
  if (!bad.empty()) {
    table.error = At(table.name, number,
                     "'" + std::string(bad.substr(0, 40)) +
                         "' is no number, expected numbers separated by tabs, "
                         "commas or spaces");
    return false;
  }
  if (table.numbers.size() > kMaxNumbers) {
    table.error = At(table.name, number,
                     "too many numbers, allowed are up to " + std::to_string(kMaxNumbers));
    return false;
  }
  const auto end = static_cast<std::uint32_t>(table.numbers.size());
  if (end > begin) table.rows.push_back({number, begin, end});
  return true;
}

}  // namespace

std::string NumberTable::ErrorAt(std::size_t index, const std::string& problem) const {
  return At(name, rows[index].line, problem);
}

NumberTable ParseNumbers(std::string_view text, const std::string& name) {
  NumberTable table;
  table.name = name;
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (!ReadLine(text.substr(0, end), line, table)) return table;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (table.rows.empty()) table.error = At(name, 1, "no numbers, expected at least one row");
  return table;
}

NumberTable ReadNumbers(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  // An empty file also sets failbit on `text`: what is there to read decides, not the state of
  // `text`.
  if (file) text << file.rdbuf();
  if (!file) {
    NumberTable table;
    table.error = At(path, 1, "cannot be read, expected a text file of numbers");
    return table;
  }
  return ParseNumbers(text.str(), path);
}

std::string NumberText(double value) {
  std::array<char, 64> text{};
  const double size = std::abs(value);
  const bool is_handy = size == 0 || (size >= 1e-4 && size < 1e15);
  const auto format = is_handy ? std::chars_format::fixed : std::chars_format::general;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value, format);
  return {text.data(), result.ptr};
}

}  // namespace tombolo::sim
