// Deadlines of many rows, earliest first. A deadline that was moved or given up stays behind as a
// stale entry until it comes to the top; `live(at, key)` of the caller tells them apart.
//
// Bounded: a heap that is mostly stale is rebuilt. Equal times come out by key. Thread rule: one
// caller at a time.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "overlay/time.h"

namespace tombolo {

class TimerHeap {
 public:
  void Push(Time at, std::uint32_t key) {
    entries_.push_back({at, key});
    std::push_heap(entries_.begin(), entries_.end(), std::greater<>());
  }

  // The earliest entry, live only after Prune.
  Time next() const { return entries_.empty() ? kNever : entries_.front().at; }

  struct Entry {
    Time at;
    std::uint32_t key;
    auto operator<=>(const Entry&) const = default;
  };

  // Takes the earliest entry. Requires next() != kNever.
  Entry Pop() {
    const Entry earliest = entries_.front();
    std::pop_heap(entries_.begin(), entries_.end(), std::greater<>());
    entries_.pop_back();
    return earliest;
  }

  // Makes next() exact again after deadlines were moved or given up; `rows` of them are in use.
  template <class Live>
  void Prune(std::size_t rows, const Live& live) {
    if (entries_.size() > 2 * rows + kSlack) {
      std::erase_if(entries_, [&](const Entry& entry) { return !live(entry.at, entry.key); });
      std::make_heap(entries_.begin(), entries_.end(), std::greater<>());
    }
    while (!entries_.empty() && !live(entries_.front().at, entries_.front().key)) Pop();
  }

  std::size_t size() const { return entries_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(entries_);
  }

 private:
  static constexpr std::size_t kSlack = 64;

  std::vector<Entry> entries_;
};

}  // namespace tombolo
