#include "sim/metrics.h"

#include <numeric>

namespace tombolo::sim {

std::uint64_t Metrics::total_messages() const {
  return std::accumulate(messages.begin(), messages.end(), std::uint64_t{0});
}

std::uint64_t Metrics::total_bytes() const {
  return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
}

}  // namespace tombolo::sim
