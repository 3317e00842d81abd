// Rows under handles that others may name: found in O(1), and a handle that was given up is not
// mistaken for a later one of the same slot until its generation has come round.
//
// Bounded: at most kMaxSlots rows; the caller sets lower limits. Order of slots is order of use,
// never of refs. Thread rule: one caller at a time. Pointers are valid until the next Add.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tombolo {

// Handles take kHandleBits bits and are never 0.
template <class Row, int kHandleBits>
class SlotTable {
 public:
  static constexpr std::size_t kMaxSlots = 1U << 16;

  // Requires size() < kMaxSlots.
  std::uint32_t Add(const Row& row) {
    assert(size() < kMaxSlots);
    generation_ = (generation_ + 1) & kGenerations;
    if (generation_ == 0) generation_ = 1;
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot] = {(generation_ << kSlotBits) | slot, row};
    return slots_[slot].handle;
  }

  // nullptr if the handle is not in use.
  Row* Find(std::uint32_t handle) {
    const std::size_t slot = handle & (kMaxSlots - 1);
    if (handle == 0 || slot >= slots_.size() || slots_[slot].handle != handle) return nullptr;
    return &slots_[slot].row;
  }

  // Requires a handle in use.
  void Remove(std::uint32_t handle) {
    assert(Find(handle) != nullptr);
    const std::uint32_t slot = handle & (kMaxSlots - 1);
    slots_[slot] = {};
    free_.push_back(slot);
    if (free_.size() == slots_.size() && slots_.size() > kKept) Clear();
  }

  void Clear() {
    slots_ = {};
    free_ = {};
  }

  std::size_t size() const { return slots_.size() - free_.size(); }
  bool empty() const { return size() == 0; }

  // For walks over all rows: the handle in slot i < slots(), 0 if it is free.
  std::size_t slots() const { return slots_.size(); }
  std::uint32_t handle_at(std::size_t slot) const { return slots_[slot].handle; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(slots_, free_, generation_);
    if constexpr (Archive::kReading) {
      if (free_.size() > slots_.size()) return archive.Fail("more free slots than slots");
      for (const std::uint32_t slot : free_) {
        if (slot >= slots_.size()) return archive.Fail("a free slot that does not exist");
      }
    }
  }

 private:
  static constexpr int kSlotBits = 16;
  static constexpr std::uint32_t kGenerations = (1U << (kHandleBits - kSlotBits)) - 1;
  static constexpr std::size_t kKept = 4;  // slots whose memory stays when all are free

  struct Slot {
    std::uint32_t handle = 0;
    Row row{};
  };

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint32_t generation_ = 0;
};

}  // namespace tombolo
