// Reads text files of numbers: rows of fields that are separated by tabs, commas or spaces.
//
// `#` starts a comment, empty lines are skipped, lines that begin with `node` are noted and skipped
// (the King data has them). Errors: the text in `error`, "FILE:LINE: what, what is allowed". Thread
// rule: plain values and free functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tombolo::sim {

struct NumberTable {
  struct Row {
    std::uint32_t line = 0;  // from 1
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  std::string name;  // what stands for the file in errors
  std::vector<double> numbers;
  std::vector<Row> rows;
  bool has_node_lines = false;
  std::string error;  // empty if all is well

  bool ok() const { return error.empty(); }
  std::span<const double> row(std::size_t index) const {
    return std::span(numbers).subspan(rows[index].begin, rows[index].end - rows[index].begin);
  }
  // "FILE:LINE: problem" for the row at `index`.
  std::string ErrorAt(std::size_t index, const std::string& problem) const;
};

// More numbers than a table of this kind can need: the limit of what is read into memory.
inline constexpr std::size_t kMaxNumbers = 32'000'000;

NumberTable ParseNumbers(std::string_view text, const std::string& name);
NumberTable ReadNumbers(const std::string& path);

// `value` in as few digits as tell it apart: "0.5", "1000000", "1e+20".
std::string NumberText(double value);

}  // namespace tombolo::sim
