#include "sim/latency_points.h"

#include <optional>
#include <span>

#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

std::optional<std::string> CheckRow(std::span<const double> row, std::size_t columns) {
  if (row.size() < 2 || row.size() > kMaxDimensions + 1) {
    return std::to_string(row.size()) + " columns, expected 1 to " +
           std::to_string(kMaxDimensions) + " coordinates and the access delay";
  }
  if (row.size() != columns) {
    return std::to_string(row.size()) + " columns, expected " + std::to_string(columns) +
           " as in the first row";
  }
  for (const double value : row) {
    if (std::abs(value) > kMaxCoordinateMs) {
      return NumberText(value) + " ms is too far, allowed are up to " +
             NumberText(kMaxCoordinateMs) + " ms";
    }
  }
  if (row.back() < 0)
    return NumberText(row.back()) + " is a negative access delay, expected 0 or more";
  return std::nullopt;
}

LatencyPoints FromTable(const NumberTable& table) {
  LatencyPoints points;
  points.error = table.error;
  if (!table.ok()) return points;
  const std::size_t columns = table.row(0).size();
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (const auto problem = CheckRow(table.row(i), columns)) {
      points.error = table.ErrorAt(i, *problem);
      return points;
    }
  }
  points.count = static_cast<std::uint32_t>(table.rows.size());
  points.dimensions = static_cast<std::uint32_t>(columns - 1);
  points.values = table.numbers;
  return points;
}

}  // namespace

LatencyPoints ReadLatencyPoints(const std::string& path) { return FromTable(ReadNumbers(path)); }

LatencyPoints ParseLatencyPoints(std::string_view text, const std::string& name) {
  return FromTable(ParseNumbers(text, name));
}

}  // namespace tombolo::sim
