// Storage for things in flight, named by a number that is reused.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/prefetch.h"

namespace tombolo::sim {

// The slot freed last is given out first: its memory is still in the cache. References are valid
// until the next Add. Thread rule: one caller at a time.
template <class T>
class Slab {
 public:
  std::uint32_t Add(const T& value) {
    const std::uint32_t slot = Reserve();
    items_[slot] = value;
    return slot;
  }

  // A slot whose item is as it was left, for the caller to write to.
  std::uint32_t Reserve() {
    if (free_.empty()) {
      items_.emplace_back();
      return static_cast<std::uint32_t>(items_.size() - 1);
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void Free(std::uint32_t slot) { free_.push_back(slot); }

  // The number of an item of this slab.
  std::uint32_t IndexOf(const T& item) const {
    return static_cast<std::uint32_t>(&item - items_.data());
  }

  // Slots given out so far, free ones included.
  std::uint32_t size() const { return static_cast<std::uint32_t>(items_.size()); }

  T& operator[](std::uint32_t slot) { return items_[slot]; }
  const T& operator[](std::uint32_t slot) const { return items_[slot]; }

  void Prefetch(std::uint32_t slot) const { PrefetchLine(items_.data() + slot); }
  std::size_t in_use() const { return items_.size() - free_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(items_, free_);
  }

 private:
  std::vector<T> items_;
  std::vector<std::uint32_t> free_;
};

}  // namespace tombolo::sim
