// Rows found by a 64-bit key in O(1), forgotten in the order in which they came.
//
// A Row has `std::uint64_t key` and `Time expires`; rows must be inserted in the order of their
// expiry. Bounded by the caller: it forgets the oldest before it inserts one too many. Memory
// follows use, both ways. Positions in the index are salted, so that keys chosen by strangers
// cannot be made to collide.
//
// Thread rule: one caller at a time. Pointers are valid until the next Insert.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo {

template <class Row>
class KeyedFifo {
 public:
  // nullptr if unknown or expired.
  Row* Find(std::uint64_t key, Time now) {
    return const_cast<Row*>(std::as_const(*this).Find(key, now));
  }

  const Row* Find(std::uint64_t key, Time now) const {
    if (count_ == 0) return nullptr;
    const std::uint32_t slot = index_[PositionOf(key)];
    if (slot == 0 || ring_[slot - 1].expires <= now) return nullptr;
    return &ring_[slot - 1];
  }

  // Requires that Find does not find the key, and that expired rows were forgotten.
  Row& Insert(const Row& row, Rng& rng) {
    if (ring_.empty()) salt_ = rng.Next();
    if (count_ == ring_.size()) Resize(std::max(kSmallest, ring_.size() * 2));
    const auto slot = static_cast<std::uint32_t>((head_ + count_) & (ring_.size() - 1));
    ring_[slot] = row;
    ++count_;
    Link(slot);
    return ring_[slot];
  }

  // Takes the row out of the index and closes the gap: whatever could not be found past it moves
  // back (Knuth, volume 3, section 6.4, algorithm R). Requires size() > 0.
  void ForgetOldest() {
    const std::size_t mask = index_.size() - 1;
    std::size_t gap = PositionOf(ring_[head_].key);
    for (std::size_t at = (gap + 1) & mask; index_[at] != 0; at = (at + 1) & mask) {
      const std::size_t home = Home(ring_[index_[at] - 1].key);
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      index_[gap] = index_[at];
      gap = at;
    }
    index_[gap] = 0;
    head_ = static_cast<std::uint32_t>((head_ + 1) & (ring_.size() - 1));
    --count_;
  }

  void ForgetExpired(Time now) {
    while (count_ > 0 && ring_[head_].expires <= now) ForgetOldest();
    if (ring_.size() > kSmallest && count_ < ring_.size() / 8) Resize(ring_.size() / 4);
  }

  std::size_t size() const { return count_; }
  std::size_t capacity() const { return ring_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(ring_, index_, head_, count_, salt_);
    if constexpr (Archive::kReading) {
      if (!Consistent()) archive.Fail("a memory of keys is damaged");
    }
  }

 private:
  static constexpr std::size_t kSmallest = 8;

  std::size_t Home(std::uint64_t key) const {
    return static_cast<std::size_t>(Mix64(key ^ salt_)) & (index_.size() - 1);
  }

  // Where the key is, or the empty position that ends the search for it.
  std::size_t PositionOf(std::uint64_t key) const {
    std::size_t at = Home(key);
    while (index_[at] != 0 && ring_[index_[at] - 1].key != key) at = (at + 1) & (index_.size() - 1);
    return at;
  }

  void Link(std::uint32_t slot) {
    const std::size_t at = PositionOf(ring_[slot].key);
    assert(index_[at] == 0);
    index_[at] = slot + 1;
  }

  void Resize(std::size_t capacity) {
    const std::vector<Row> old = std::exchange(ring_, std::vector<Row>(capacity));
    for (std::uint32_t i = 0; i < count_; ++i) ring_[i] = old[(head_ + i) & (old.size() - 1)];
    index_.assign(capacity * 2, 0);
    head_ = 0;
    for (std::uint32_t i = 0; i < count_; ++i) Link(i);
  }

  // What the other functions rely on to stay inside the arrays and to end.
  bool Consistent() const {
    if (ring_.empty()) return index_.empty() && head_ == 0 && count_ == 0;
    if (!std::has_single_bit(ring_.size()) || index_.size() != ring_.size() * 2) return false;
    if (head_ >= ring_.size() || count_ > ring_.size()) return false;
    const auto used =
        std::count_if(index_.begin(), index_.end(), [](std::uint32_t slot) { return slot != 0; });
    if (used != static_cast<std::ptrdiff_t>(count_)) return false;
    return std::all_of(index_.begin(), index_.end(),
                       [&](std::uint32_t slot) { return slot <= ring_.size(); });
  }

  std::vector<Row> ring_;             // power of two; oldest at head_
  std::vector<std::uint32_t> index_;  // twice as long: slot + 1, 0 = empty; linear probing
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
  std::uint64_t salt_ = 0;
};

}  // namespace tombolo
