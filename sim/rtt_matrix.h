// Measured round-trip times between hosts, kept as one-way delays in microseconds (half of them).
//
// File formats, told apart by their shape (tabs, commas or spaces; see sim/number_table.h):
//   full matrix   one row per host; the diagonal is the delay between two peers of one host, 0 =
//   default King rows     `i,j rtt` or `i,j,rtt`, hosts from 1; optional lines `node ...`. A pair
//   that is given in
//                 one direction counts for both. Rows are King rows if the file has `node` lines or
//                 if all have three fields of which the first two are whole numbers from 1.
// 0, or no row, off the diagonal means not measured. The other direction stands in, else the median
// of the host's measured delays; `filled` counts both. A host without any measurement is an error.
//
// Errors: the text in `error`, "FILE:LINE: what, what is allowed". Thread rule: plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/time.h"

namespace tombolo::sim {

enum class RttUnit : std::uint8_t { kMilliseconds, kSeconds, kMicroseconds };

struct RttMatrix {
  std::uint32_t hosts = 0;
  std::vector<std::uint32_t> one_way_us;  // row-major, hosts x hosts, at least 1 each
  std::uint64_t filled = 0;               // ordered pairs that were not measured
  std::string error;                      // empty if all is well

  bool ok() const { return error.empty(); }
  Duration OneWay(std::uint32_t from, std::uint32_t to) const {
    return {one_way_us[static_cast<std::size_t>(from) * hosts + to]};
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(hosts, one_way_us, filled);
  }
};

inline constexpr std::uint32_t kMaxHosts = 5000;
inline constexpr double kMaxRttMs = 1e6;  // a thousand seconds: longer is a wrong unit

// Between two peers of one host, unless the diagonal says otherwise: a local network (chosen, not
// measured; data centres stay below, campus networks around it).
inline constexpr Duration kSameHostOneWay = Duration::Microseconds(500);

RttMatrix ReadRttMatrix(const std::string& path, RttUnit unit = RttUnit::kMilliseconds);
RttMatrix ParseRttMatrix(std::string_view text, const std::string& name,
                         RttUnit unit = RttUnit::kMilliseconds);

// From numbers in memory, row-major; the row number stands for the line in errors.
RttMatrix MakeRttMatrix(std::span<const double> rtt_ms, std::uint32_t hosts,
                        const std::string& name);

}  // namespace tombolo::sim
