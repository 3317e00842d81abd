// The order of queued entries that fall due at one time: by rank, then among those of one rank.
//
// A radix sort of the ranks from the lowest digit up, which compares nothing and so waits for no
// mispredicted branch. Few entries are sorted by insertion.
//
// Entry is trivially copyable and has `std::uint32_t rank() const` and a total operator< that,
// among entries of one time, orders by rank first. Thread rule: pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tombolo::sim {

inline constexpr std::size_t kFewEntries = 24;  // up to here insertion is the fastest

// Any times and ranks.
template <class Entry>
void SortFew(Entry* entries, std::size_t count) {
  for (std::size_t i = 1; i < count; ++i) {
    const Entry moving = entries[i];
    std::size_t to = i;
    for (; to > 0 && moving < entries[to - 1]; --to) entries[to] = entries[to - 1];
    entries[to] = moving;
  }
}

namespace rank_sort_internal {

inline constexpr int kDigitBits = 11;

// Copies the entries in order of `bits` bits of their ranks above `first`, from the bit `low` on;
// equal ones keep their order.
template <class Entry>
void DealOut(const Entry* from, Entry* to, std::size_t count, std::uint32_t first, int low,
             int bits) {
  std::array<std::uint32_t, (1U << kDigitBits)> place;  // of the next entry with this digit
  const std::uint32_t digits = 1U << bits;
  const auto digit = [&](const Entry& entry) {
    return ((entry.rank() - first) >> low) & (digits - 1);
  };
  std::fill_n(place.begin(), digits, 0U);
  for (std::size_t i = 0; i < count; ++i) ++place[digit(from[i])];
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < digits; ++i) sum += std::exchange(place[i], sum);
  for (std::size_t i = 0; i < count; ++i) to[place[digit(from[i])]++] = from[i];
}

// Sorts each run of entries that share a rank. Requires that ranks ascend.
template <class Entry>
void SortEqualRanks(Entry* entries, std::size_t count) {
  for (std::size_t i = 1; i < count; ++i) {
    if (entries[i].rank() != entries[i - 1].rank()) continue;
    const std::size_t start = i - 1;
    while (i < count && entries[i].rank() == entries[start].rank()) ++i;
    if (i - start <= kFewEntries) {
      SortFew(entries + start, i - start);
    } else {
      std::sort(entries + start, entries + i);
    }
  }
}

}  // namespace rank_sort_internal

// Requires entries of one time. `spare` is room to work in, kept by the caller from sort to sort.
template <class Entry>
void SortByRank(Entry* entries, std::size_t count, std::vector<Entry>& spare) {
  using rank_sort_internal::kDigitBits;
  if (count <= kFewEntries) return SortFew(entries, count);
  if (std::is_sorted(entries, entries + count)) return;
  std::uint32_t first = entries[0].rank();
  std::uint32_t last = first;
  for (std::size_t i = 1; i < count; ++i) {
    first = std::min(first, entries[i].rank());
    last = std::max(last, entries[i].rank());
  }
  const int width = static_cast<int>(std::bit_width(last - first));
  const int rounds = (width + kDigitBits - 1) / kDigitBits;
  spare.resize(std::max(spare.size(), count));
  Entry* from = entries;
  Entry* to = spare.data();
  for (int round = 0; round < rounds; ++round) {
    const int low = round * width / rounds;
    rank_sort_internal::DealOut(from, to, count, first, low, (round + 1) * width / rounds - low);
    std::swap(from, to);
  }
  if (from != entries) std::copy_n(from, count, entries);
  rank_sort_internal::SortEqualRanks(entries, count);
}

}  // namespace tombolo::sim
