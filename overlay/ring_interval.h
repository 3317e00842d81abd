// Intervals of the ring (Stoica et al., "Chord", SIGCOMM 2001, section 4.2), clockwise and
// half-open wherever the paper says (from, to]. Comparisons alone: nothing is added, so nothing
// wraps, and an interval from an id to the next one holds just that.
//
// Thread rule: pure functions.
#pragma once

#include <bit>
#include <cstdint>

#include "overlay/node_id.h"

namespace tombolo {

// True if `id` is in (from, to]; (a, a] is the whole ring.
inline bool InHalfOpen(const NodeId& from, const NodeId& id, const NodeId& to) {
  return from < to ? from < id && id <= to : from < id || id <= to;
}

// True if `id` is in (from, to); (a, a) is everything but a.
inline bool InOpen(const NodeId& from, const NodeId& id, const NodeId& to) {
  return from < to ? from < id && id < to : from < id || id < to;
}

// `id` + 2^exponent, mod 2^160. Requires 0 <= exponent < kIdBits.
constexpr NodeId PlusPowerOfTwo(const NodeId& id, int exponent) {
  NodeId sum = id;
  std::size_t word = 4 - static_cast<std::size_t>(exponent) / 32;
  std::uint32_t carry = std::uint32_t{1} << (exponent % 32);
  for (;; --word) {
    sum.words[word] += carry;
    if (sum.words[word] >= carry || word == 0) return sum;
    carry = 1;
  }
}

// The exponent of the highest power of two that is not above the clockwise distance; -1 between
// equal ids.
constexpr int DistanceExponent(const NodeId& from, const NodeId& to) {
  const NodeId distance = ClockwiseDistance(from, to);
  for (std::size_t i = 0; i < 5; ++i) {
    if (distance.words[i] != 0) {
      return static_cast<int>(4 - i) * 32 + 31 - std::countl_zero(distance.words[i]);
    }
  }
  return -1;
}

// `id` with all but its first `bits` bits zero: an id of a ring of that width.
constexpr NodeId Truncated(const NodeId& id, int bits) {
  NodeId truncated = id;
  for (int i = 0; i < 5; ++i) {
    const int kept = bits - 32 * i;
    std::uint32_t& word = truncated.words[static_cast<std::size_t>(i)];
    if (kept <= 0) word = 0;
    if (kept > 0 && kept < 32) word &= ~(~std::uint32_t{0} >> kept);
  }
  return truncated;
}

}  // namespace tombolo
