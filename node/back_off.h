// How long to wait before a peer is dialled again after dials that failed: 250 ms, doubling up to
// 5 s, each drawn between half of it and all of it so that a network that comes back is not dialled
// by everybody at once.
//
// Bounded: kMaxRows peers; at the bound those whose time is over are forgotten, then the one whose
// time is over first. Thread rule: one caller at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::node {

inline constexpr Duration kFirstBackOff = Duration::Milliseconds(250);
inline constexpr Duration kMaxBackOff = Duration::Seconds(5);

// `failures` in a row, at least 1.
inline Duration DrawBackOff(std::uint32_t failures, Rng& rng) {
  const std::uint32_t doublings = std::min(failures - 1, 10U);
  const Duration full = std::min(kFirstBackOff * (std::int64_t{1} << doublings), kMaxBackOff);
  const auto half = static_cast<std::uint64_t>(full.us / 2);
  return full / 2 + Duration{static_cast<std::int64_t>(rng.Below64(half + 1))};
}

template <class Key>
class BackOffs {
 public:
  static constexpr std::size_t kMaxRows = 4096;

  void Failed(const Key& key, Time now, Rng& rng) {
    if (rows_.size() >= kMaxRows && !rows_.contains(key)) MakeRoom(now);
    Row& row = rows_[key];
    ++row.failures;
    row.until = now + DrawBackOff(row.failures, rng);
  }
  void Succeeded(const Key& key) { rows_.erase(key); }

  // Not before this time; in the past if nothing speaks against now.
  Time until(const Key& key) const {
    const auto row = rows_.find(key);
    return row == rows_.end() ? Time{} : row->second.until;
  }

  template <class Function>
  void ForEachKey(Function&& function) const {
    for (const auto& [key, row] : rows_) function(key);
  }

 private:
  struct Row {
    Time until;
    std::uint32_t failures = 0;
  };

  void MakeRoom(Time now) {
    std::erase_if(rows_, [&](const auto& row) { return row.second.until <= now; });
    if (rows_.size() < kMaxRows) return;
    rows_.erase(std::min_element(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
      return a.second.until < b.second.until;
    }));
  }

  std::map<Key, Row> rows_;
};

}  // namespace tombolo::node
