#include "overlay/seen_cache.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "overlay/rng.h"

namespace tombolo {
namespace {

constexpr std::size_t kSmallest = 8;

}  // namespace

SeenEntry* SeenCache::Find(std::uint64_t key, Time now) {
  if (count_ == 0) return nullptr;
  const std::uint32_t slot = index_[PositionOf(key)];
  if (slot == 0 || ring_[slot - 1].expires <= now) return nullptr;
  return &ring_[slot - 1];
}

SeenEntry& SeenCache::Insert(std::uint64_t key, const PartStep& step) {
  Expire(step.now);
  if (count_ >= static_cast<std::size_t>(step.config.relay.max_seen)) {
    ForgetOldest();
    step.out.Drop(DropReason::kOverload);
  }
  if (ring_.empty()) salt_ = step.rng.Next();
  if (count_ == ring_.size()) Resize(std::max(kSmallest, ring_.size() * 2));
  const auto slot = static_cast<std::uint32_t>((head_ + count_) & (ring_.size() - 1));
  ring_[slot] = SeenEntry{};
  ring_[slot].key = key;
  ring_[slot].expires = step.now + step.config.relay.seen_ttl;
  ++count_;
  Link(slot);
  return ring_[slot];
}

std::size_t SeenCache::Home(std::uint64_t key) const {
  return static_cast<std::size_t>(Mix64(key ^ salt_)) & (index_.size() - 1);
}

// Where the key is, or the empty position that ends the search for it.
std::size_t SeenCache::PositionOf(std::uint64_t key) const {
  std::size_t at = Home(key);
  while (index_[at] != 0 && ring_[index_[at] - 1].key != key) at = (at + 1) & (index_.size() - 1);
  return at;
}

void SeenCache::Link(std::uint32_t slot) {
  const std::size_t at = PositionOf(ring_[slot].key);
  assert(index_[at] == 0);
  index_[at] = slot + 1;
}

// Takes the entry out of the index and closes the gap: whatever could not be found past it moves
// back (Knuth, volume 3, section 6.4, algorithm R).
void SeenCache::ForgetOldest() {
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

void SeenCache::Expire(Time now) {
  while (count_ > 0 && ring_[head_].expires <= now) ForgetOldest();
  if (ring_.size() > kSmallest && count_ < ring_.size() / 8) Resize(ring_.size() / 4);
}

void SeenCache::Resize(std::size_t capacity) {
  const std::vector<SeenEntry> old = std::exchange(ring_, std::vector<SeenEntry>(capacity));
  for (std::uint32_t i = 0; i < count_; ++i) ring_[i] = old[(head_ + i) & (old.size() - 1)];
  index_.assign(capacity * 2, 0);
  head_ = 0;
  for (std::uint32_t i = 0; i < count_; ++i) Link(i);
}

// What the other functions rely on to stay inside the arrays and to end.
bool SeenCache::Consistent() const {
  if (ring_.empty()) return index_.empty() && head_ == 0 && count_ == 0;
  if (!std::has_single_bit(ring_.size()) || index_.size() != ring_.size() * 2) return false;
  if (head_ >= ring_.size() || count_ > ring_.size()) return false;
  const auto used =
      std::count_if(index_.begin(), index_.end(), [](std::uint32_t slot) { return slot != 0; });
  if (used != static_cast<std::ptrdiff_t>(count_)) return false;
  return std::all_of(index_.begin(), index_.end(),
                     [&](std::uint32_t slot) { return slot <= ring_.size(); });
}

}  // namespace tombolo
