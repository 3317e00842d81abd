// The memory block of a routing table: copies, growth, moves, and its form in archives.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "overlay/contact_lists.h"
#include "overlay/routing_table.h"

namespace tombolo {
namespace {

constexpr std::size_t kContactSlack = 8;  // contacts of room added at a time

}  // namespace

RoutingTable::RoutingTable(const RoutingTable& other)
    : used_(other.used_),
      capacity_(other.capacity_),
      levels_(other.levels_),
      level_capacity_(other.level_capacity_) {
  if (other.block_ == nullptr) return;
  block_ = std::make_unique_for_overwrite<PeerRef[]>(block_words());
  std::memcpy(block_.get(), other.block_.get(), block_words() * sizeof(PeerRef));
}

RoutingTable& RoutingTable::operator=(const RoutingTable& other) {
  if (this != &other) *this = RoutingTable(other);
  return *this;
}

RoutingTable::RoutingTable(RoutingTable&& other) noexcept { *this = std::move(other); }

RoutingTable& RoutingTable::operator=(RoutingTable&& other) noexcept {
  block_ = std::move(other.block_);
  used_ = std::exchange(other.used_, std::uint16_t{0});
  capacity_ = std::exchange(other.capacity_, std::uint16_t{0});
  levels_ = std::exchange(other.levels_, std::uint8_t{0});
  level_capacity_ = std::exchange(other.level_capacity_, std::uint8_t{0});
  return *this;
}

void RoutingTable::Fill(int level, std::span<const PeerRef> contacts) {
  if (contacts.empty()) return;
  EnsureLevel(level);
  assert(level + 1 == levels_ && At(kSlots, level) == 0 && contacts.size() <= kMaxListed);
  if (static_cast<std::size_t>(used_) + contacts.size() > capacity_)
    Grow(used_ + contacts.size(), level_capacity_);
  std::copy(contacts.begin(), contacts.end(), block_.get() + used_);
  used_ = static_cast<std::uint16_t>(used_ + contacts.size());
  At(kSlots, level) = static_cast<std::uint8_t>(contacts.size());
}

void RoutingTable::Reserve(std::size_t contacts, int levels) {
  Grow(std::max<std::size_t>(contacts, capacity_),
       std::max<std::size_t>(static_cast<std::size_t>(levels), level_capacity_));
}

std::size_t RoutingTable::memory_bytes() const {
  return block_ == nullptr ? 0 : block_words() * sizeof(PeerRef);
}

// Moves to a larger block. Rows of unused levels are zero.
void RoutingTable::Grow(std::size_t capacity, std::size_t level_capacity) {
  auto block = std::make_unique_for_overwrite<PeerRef[]>(BlockWords(capacity, level_capacity));
  auto* new_rows = reinterpret_cast<std::uint8_t*>(block.get() + capacity);
  std::memset(new_rows, 0, level_capacity * kRows);
  if (block_ != nullptr) {
    std::copy_n(block_.get(), used_, block.get());
    for (std::size_t row = 0; row < kRows; ++row) {
      std::copy_n(rows() + row * level_capacity_, levels_, new_rows + row * level_capacity);
    }
  }
  block_ = std::move(block);
  capacity_ = static_cast<std::uint16_t>(capacity);
  level_capacity_ = static_cast<std::uint8_t>(level_capacity);
}

void RoutingTable::InsertAt(std::size_t position, PeerRef peer) {
  if (used_ == capacity_) Grow(capacity_ + kContactSlack, level_capacity_);
  std::copy_backward(block_.get() + position, block_.get() + used_, block_.get() + used_ + 1);
  block_[position] = peer;
  ++used_;
}

void RoutingTable::EraseAt(std::size_t position) {
  std::copy(block_.get() + position + 1, block_.get() + used_, block_.get() + position);
  --used_;
}

// Moves one contact; those between shift by one.
void RoutingTable::MoveWithin(std::size_t from, std::size_t to) {
  const PeerRef peer = block_[from];
  if (from < to) {
    std::copy(block_.get() + from + 1, block_.get() + to + 1, block_.get() + from);
  } else if (to < from) {
    std::copy_backward(block_.get() + to, block_.get() + from, block_.get() + from + 1);
  }
  block_[to] = peer;
}

void RoutingTable::Export(std::vector<std::uint32_t>& contacts,
                          std::vector<std::uint8_t>& counts) const {
  for (std::size_t i = 0; i < used_; ++i) contacts.push_back(Index(block_[i]));
  for (std::size_t row = 0; row < kRows; ++row) {
    for (int level = 0; level < levels_; ++level)
      counts.push_back(At(static_cast<Row>(row), level));
  }
}

bool RoutingTable::Import(const std::vector<std::uint32_t>& contacts,
                          const std::vector<std::uint8_t>& counts) {
  // What a damaged file could hold must not break the invariants of the regions.
  const std::size_t levels = counts.size() / kRows;
  std::size_t slots = 0;
  for (std::size_t level = 0; level < levels; ++level) {
    slots += counts[level];
    if (counts[kFailed * levels + level] + counts[kCached * levels + level] > counts[level])
      return false;
  }
  if (levels > kIdBits || counts.size() != levels * kRows || slots != contacts.size() ||
      slots > 0xffff)
    return false;
  RoutingTable fresh;
  if (levels > 0) {
    fresh.Grow(std::max<std::size_t>(contacts.size(), capacity_),
               std::max<std::size_t>(levels, level_capacity_));
    fresh.levels_ = static_cast<std::uint8_t>(levels);
    fresh.used_ = static_cast<std::uint16_t>(contacts.size());
    for (std::size_t i = 0; i < contacts.size(); ++i)
      fresh.block_[i] = static_cast<PeerRef>(contacts[i]);
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t level = 0; level < levels; ++level) {
        fresh.At(static_cast<Row>(row), static_cast<int>(level)) = counts[row * levels + level];
      }
    }
  }
  *this = std::move(fresh);
  return true;
}

}  // namespace tombolo
