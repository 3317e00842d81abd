#include "sim/rtt_matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>

#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

// A square matrix of round-trip times on its way to an RttMatrix.
struct Square {
  std::string name;
  std::uint32_t hosts = 0;
  std::vector<double> rtt_ms;
  std::vector<std::uint32_t> lines;  // where each row came from; empty if that is not one line each
  std::string error;

  double& at(std::size_t i, std::size_t j) { return rtt_ms[i * hosts + j]; }
};

double UnitMs(RttUnit unit) {
  constexpr std::array<double, 3> kUnits = {1, 1000, 0.001};
  return kUnits[static_cast<std::size_t>(unit)];
}

RttMatrix Failed(std::string error) {
  RttMatrix matrix;
  matrix.error = std::move(error);
  return matrix;
}

bool IsHost(double number) {
  return number >= 1 && number <= 1e9 && number == static_cast<double>(static_cast<int>(number));
}

bool IsKing(const NumberTable& table) {
  if (table.has_node_lines) return true;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const std::span<const double> row = table.row(i);
    if (row.size() != 3 || !IsHost(row[0]) || !IsHost(row[1])) return false;
  }
  return true;
}

std::optional<std::string> CheckRtt(double rtt_ms) {
  if (rtt_ms < 0) return NumberText(rtt_ms) + " is negative, allowed are 0 (not measured) and up";
  if (rtt_ms > kMaxRttMs) {
    return NumberText(rtt_ms) + " ms is too long, allowed are up to " + NumberText(kMaxRttMs) +
           " ms: is the unit right?";
  }
  return std::nullopt;
}

std::string HostsError(std::size_t hosts) {
  return std::to_string(hosts) + " hosts, allowed are 2 to " + std::to_string(kMaxHosts);
}

Square FromKing(const NumberTable& table, double unit_ms) {
  Square square{table.name, 0, {}, {}, {}};
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const std::span<const double> row = table.row(i);
    if (row.size() != 3 || !IsHost(row[0]) || !IsHost(row[1])) {
      square.error = table.ErrorAt(i, "expected a row 'i,j rtt' with hosts from 1");
    } else if (const double last = std::max(row[0], row[1]); last > kMaxHosts) {
      square.error = table.ErrorAt(i, HostsError(static_cast<std::size_t>(last)));
    } else if (const auto problem = CheckRtt(row[2] * unit_ms)) {
      square.error = table.ErrorAt(i, *problem);
    } else {
      square.hosts = std::max(square.hosts, static_cast<std::uint32_t>(last));
    }
    if (!square.error.empty()) return square;
  }
  square.rtt_ms.resize(static_cast<std::size_t>(square.hosts) * square.hosts);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const std::span<const double> row = table.row(i);
    square.at(static_cast<std::size_t>(row[0]) - 1, static_cast<std::size_t>(row[1]) - 1) =
        row[2] * unit_ms;
  }
  return square;
}

Square FromRows(const NumberTable& table, double unit_ms) {
  Square square{table.name, static_cast<std::uint32_t>(table.rows.size()), {}, {}, {}};
  const std::size_t hosts = table.rows.size();
  for (std::size_t i = 0; i < hosts; ++i) {
    const std::span<const double> row = table.row(i);
    if (row.size() != hosts) {
      square.error =
          table.ErrorAt(i, std::to_string(row.size()) + " columns in a matrix of " +
                               std::to_string(hosts) + " rows, expected as many columns as rows");
      return square;
    }
    for (const double value : row) {
      if (const auto problem = CheckRtt(value * unit_ms)) {
        square.error = table.ErrorAt(i, *problem);
        return square;
      }
      square.rtt_ms.push_back(value * unit_ms);
    }
    square.lines.push_back(table.rows[i].line);
  }
  return square;
}

// The median of what host `i` measured to others; 0 if it measured nothing.
double RowMedian(Square& square, std::size_t i) {
  std::vector<double> known;
  for (std::size_t j = 0; j < square.hosts; ++j) {
    if (j != i && square.at(i, j) > 0) known.push_back(square.at(i, j));
  }
  if (known.empty()) return 0;
  const auto middle = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2);
  std::nth_element(known.begin(), middle, known.end());
  return *middle;
}

// Replaces what was not measured; returns the number of pairs.
std::uint64_t Fill(Square& square) {
  std::uint64_t filled = 0;
  const auto is_hole = [&](std::size_t i, std::size_t j) { return i != j && square.at(i, j) == 0; };
  for (std::size_t i = 0; i < square.hosts; ++i) {
    for (std::size_t j = 0; j < square.hosts; ++j) {
      if (!is_hole(i, j) || is_hole(j, i)) continue;
      square.at(i, j) = square.at(j, i);
      ++filled;
    }
  }
  for (std::size_t i = 0; i < square.hosts; ++i) {
    const double median = RowMedian(square, i);
    if (median == 0) {
      const std::size_t line = square.lines.empty() ? 1 : square.lines[i];
      square.error = square.name + ":" + std::to_string(line) + ": host " + std::to_string(i + 1) +
                     " has no measured round-trip time, expected one or more";
      return filled;
    }
    for (std::size_t j = 0; j < square.hosts; ++j) {
      if (!is_hole(i, j)) continue;
      square.at(i, j) = median;
      ++filled;
    }
  }
  return filled;
}

RttMatrix Finish(Square square) {
  if (!square.error.empty()) return Failed(std::move(square.error));
  if (square.hosts < 2 || square.hosts > kMaxHosts) {
    return Failed(square.name + ":1: " + HostsError(square.hosts));
  }
  RttMatrix matrix;
  matrix.hosts = square.hosts;
  matrix.filled = Fill(square);
  if (!square.error.empty()) return Failed(std::move(square.error));
  matrix.one_way_us.reserve(square.rtt_ms.size());
  for (std::size_t i = 0; i < square.rtt_ms.size(); ++i) {
    const double rtt_ms = square.rtt_ms[i];
    const bool default_diagonal = rtt_ms == 0;  // Fill leaves no other zeros
    const double us = default_diagonal ? static_cast<double>(kSameHostOneWay.us) : rtt_ms * 500;
    matrix.one_way_us.push_back(std::max(static_cast<std::uint32_t>(std::floor(us + 0.5)), 1U));
  }
  return matrix;
}

RttMatrix FromTable(const NumberTable& table, RttUnit unit) {
  if (!table.ok()) return Failed(table.error);
  return Finish(IsKing(table) ? FromKing(table, UnitMs(unit)) : FromRows(table, UnitMs(unit)));
}

}  // namespace

RttMatrix ReadRttMatrix(const std::string& path, RttUnit unit) {
  return FromTable(ReadNumbers(path), unit);
}

RttMatrix ParseRttMatrix(std::string_view text, const std::string& name, RttUnit unit) {
  return FromTable(ParseNumbers(text, name), unit);
}

RttMatrix MakeRttMatrix(std::span<const double> rtt_ms, std::uint32_t hosts,
                        const std::string& name) {
  if (hosts == 0 || rtt_ms.size() != static_cast<std::size_t>(hosts) * hosts) {
    return Failed(name + ":1: " + std::to_string(rtt_ms.size()) + " numbers for " +
                  std::to_string(hosts) + " hosts, expected a square matrix");
  }
  Square square{name, hosts, {rtt_ms.begin(), rtt_ms.end()}, {}, {}};
  for (std::uint32_t i = 0; i < hosts; ++i) square.lines.push_back(i + 1);
  for (std::size_t i = 0; i < rtt_ms.size(); ++i) {
    // Written so that a number that is none counts as negative.
    const double checked = rtt_ms[i] >= 0 ? rtt_ms[i] : -1;
    if (const auto problem = CheckRtt(checked)) {
      return Failed(name + ":" + std::to_string(i / hosts + 1) + ": " + *problem);
    }
  }
  return Finish(std::move(square));
}

}  // namespace tombolo::sim
