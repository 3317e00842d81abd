#include "overlay/routing_table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "overlay/contact_lists.h"
#include "overlay/prefetch.h"

namespace tombolo {
namespace {

constexpr std::size_t kNotFound = ~std::size_t{0};
constexpr std::size_t kLevelSlack = 4;
constexpr std::int64_t kStampsPerInterval = 16;

// A time in units of a fraction of `interval`, wrapped to a byte.
std::int64_t StampUnit(Duration interval) {
  return std::max<std::int64_t>(interval.us / kStampsPerInterval, 1);
}

std::uint8_t Stamp(Time now, Duration interval) {
  return static_cast<std::uint8_t>(now.us / StampUnit(interval));
}

bool Elapsed(std::uint8_t stamp, Time now, Duration interval) {
  return static_cast<std::uint8_t>(Stamp(now, interval) - stamp) >= kStampsPerInterval;
}

// Sum of the first `count` bytes, eight at a time. Reads up to seven bytes beyond them: the first
// row of a table is followed by others of at least that size.
std::size_t SumOf(const std::uint8_t* bytes, std::size_t count) {
  constexpr std::uint64_t kEven = 0x00ff00ff00ff00ffULL;
  std::uint64_t pairs = 0;  // four sums of 16 bits
  for (std::size_t i = 0; i < count; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + i, 8);
    if (count - i < 8) word &= (std::uint64_t{1} << (8 * (count - i))) - 1;
    pairs += (word & kEven) + ((word >> 8) & kEven);
  }
  return (pairs * 0x0001000100010001ULL) >> 48;
}

// Writes the out.size() of `peers` that are closest to `target` into `out`, in no particular order.
void SelectClosest(std::span<const PeerRef> peers, std::span<PeerRef> out, const NodeId& target,
                   const Directory& ids) {
  struct Key {
    std::uint64_t distance;
    PeerRef peer;
  };
  std::array<Key, kMaxListed> keys;
  const std::uint64_t prefix = target.prefix64();
  for (const PeerRef peer : peers) ids.Prefetch(peer);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    keys[i] = {ids.id(peers[i]).prefix64() ^ prefix, peers[i]};
  }
  const auto closer = [&](const Key& a, const Key& b) {
    if (a.distance != b.distance) return a.distance < b.distance;
    return IsCloser(ids.id(a.peer), ids.id(b.peer), target);
  };
  const auto begin = keys.begin();
  std::nth_element(begin, begin + static_cast<std::ptrdiff_t>(out.size()),
                   begin + static_cast<std::ptrdiff_t>(peers.size()), closer);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = keys[i].peer;
}

}  // namespace

RoutingTable::Region RoutingTable::RegionOf(int level) const {
  const std::uint8_t* slots = rows();
  const std::size_t begin = SumOf(slots, static_cast<std::size_t>(level));
  const std::uint8_t failed = At(kFailed, level);
  const std::uint8_t cached = At(kCached, level);
  return {begin, failed, static_cast<std::uint8_t>(slots[level] - failed - cached), cached};
}

// Compiles without a branch per contact: most senders are not in their bucket, which is then read
// whole.
std::size_t RoutingTable::FindIn(const Region& region, PeerRef peer) const {
  const std::size_t end = region.begin + region.failed + region.live + region.cached;
  std::size_t match = kNotFound;
  for (std::size_t i = region.begin; i < end; ++i) match = block_[i] == peer ? i : match;
  return match;
}

SeenResult RoutingTable::Seen(PeerRef peer, int level, const TableConfig& config,
                              const Directory& ids) {
  assert(level >= 0 && level < kIdBits);
  EnsureLevel(level);
  const Region region = RegionOf(level);
  const std::size_t position = FindIn(region, peer);
  if (position == kNotFound) return Newcomer(peer, level, config, ids);

  const std::size_t live_begin = region.begin + region.failed;
  const std::size_t cached_begin = live_begin + region.live;
  if (position >= cached_begin) {  // a replacement: now the newest one
    MoveWithin(position, cached_begin + region.cached - 1U);
    return SeenResult::kCached;
  }
  if (position < live_begin) --At(kFailed, level);  // it has come back
  MoveWithin(position, cached_begin - 1);
  return SeenResult::kKnown;
}

SeenResult RoutingTable::Newcomer(PeerRef peer, int level, const TableConfig& config,
                                  const Directory& ids) {
  const Region region = RegionOf(level);
  if (config.group_max > 0 && GroupIsFull(region, peer, config.group_max, ids))
    return SeenResult::kIgnored;
  const std::size_t live_begin = region.begin + region.failed;
  const std::size_t cached_begin = live_begin + region.live;
  if (region.failed + region.live < config.k) {
    InsertAt(cached_begin, peer);
    ++At(kSlots, level);
    return SeenResult::kInserted;
  }
  if (region.failed > 0 || config.policy == BucketPolicy::kReplaceOldest) {
    // Takes the place of the first contact of the region: the one that failed, or the oldest.
    if (region.failed > 0) --At(kFailed, level);
    MoveWithin(region.begin, cached_begin - 1);
    block_[cached_begin - 1] = peer;
    return SeenResult::kInserted;
  }
  if (config.replacements == 0) return SeenResult::kIgnored;
  const std::size_t end = cached_begin + region.cached;
  if (region.cached >= config.replacements) {
    MoveWithin(cached_begin, end - 1);
    block_[end - 1] = peer;
  } else {
    InsertAt(end, peer);
    ++At(kSlots, level);
    ++At(kCached, level);
  }
  return SeenResult::kCached;
}

bool RoutingTable::GroupIsFull(const Region& region, PeerRef peer, int group_max,
                               const Directory& ids) const {
  const std::uint32_t group = ids.attributes(peer).address_group;
  if (group == 0) return false;
  const auto begin = block_.get() + region.begin;
  return std::count_if(begin, begin + region.failed + region.live, [&](PeerRef contact) {
           return ids.attributes(contact).address_group == group;
         }) >= group_max;
}

void RoutingTable::Failed(PeerRef peer, int level) {
  if (level >= levels_) return;
  const Region region = RegionOf(level);
  const std::size_t position = FindIn(region, peer);
  if (position == kNotFound) return;
  const std::size_t live_begin = region.begin + region.failed;
  const bool is_live = position >= live_begin && position < live_begin + region.live;
  if (is_live && region.cached == 0) {  // nobody to replace it: a second chance
    MoveWithin(position, live_begin);
    ++At(kFailed, level);
  } else if (position >= live_begin || region.live > 0) {
    RemoveLiveOrFailed(region, position, level);
  }
}

void RoutingTable::Remove(PeerRef peer, int level) {
  if (level >= levels_) return;
  const Region region = RegionOf(level);
  const std::size_t position = FindIn(region, peer);
  if (position != kNotFound) RemoveLiveOrFailed(region, position, level);
}

// Removes any contact of the region. Where a live or failed one goes, the newest replacement
// becomes the most recently seen live contact: it was heard of later than any that could be waiting
// longer.
void RoutingTable::RemoveLiveOrFailed(const Region& region, std::size_t position, int level) {
  const std::size_t live_begin = region.begin + region.failed;
  const std::size_t cached_begin = live_begin + region.live;
  if (position >= cached_begin) {
    --At(kCached, level);
  } else {
    if (position < live_begin) --At(kFailed, level);
    if (region.cached > 0) {
      MoveWithin(cached_begin + region.cached - 1U, cached_begin);
      --At(kCached, level);
    }
  }
  EraseAt(position);
  --At(kSlots, level);
}

std::size_t RoutingTable::Closest(const NodeId& owner, const NodeId& target, std::size_t count,
                                  const Directory& ids, std::span<PeerRef> out) const {
  assert(out.size() >= count);
  if (count == 0) return 0;
  std::array<std::uint16_t, kIdBits + 1> begins;  // of each bucket
  begins[0] = 0;
  for (std::size_t i = 0; i < levels_; ++i)
    begins[i + 1] = static_cast<std::uint16_t>(begins[i] + rows()[i]);

  std::size_t found = 0;
  // Takes one bucket; true when `out` is full.
  const auto take = [&](int level) {
    const std::size_t failed = At(kFailed, level);
    const std::size_t size = At(kSlots, level) - failed - At(kCached, level);
    const PeerRef* bucket = block_.get() + begins[static_cast<std::size_t>(level)] + failed;
    if (found + size <= count) {
      std::copy_n(bucket, size, out.data() + found);
      found += size;
    } else {
      SelectClosest({bucket, size}, {out.data() + found, count - found}, target, ids);
      found = count;
    }
    return found == count;
  };
  // Members of bucket i differ from the owner first in bit i. Where the target differs there too,
  // the whole bucket is closer to it than all later buckets and the owner; where it does not,
  // farther. So the order of the buckets by distance is: differing bits from the top, then equal
  // bits from the bottom.
  const NodeId apart = Distance(owner, target);
  for (int level = CommonPrefixLength(owner, target); level < levels_; ++level) {
    if (apart.bit(level) && take(level)) return found;
  }
  for (int level = levels_ - 1; level >= 0; --level) {
    if (!apart.bit(level) && take(level)) return found;
  }
  return found;
}

std::span<const PeerRef> RoutingTable::live(int level) const {
  if (level >= levels_) return {};
  const Region region = RegionOf(level);
  return {block_.get() + region.begin + region.failed, region.live};
}

std::span<const PeerRef> RoutingTable::failed(int level) const {
  if (level >= levels_) return {};
  const Region region = RegionOf(level);
  return {block_.get() + region.begin, region.failed};
}

std::span<const PeerRef> RoutingTable::replacements(int level) const {
  if (level >= levels_) return {};
  const Region region = RegionOf(level);
  return {block_.get() + region.begin + region.failed + region.live, region.cached};
}

std::size_t RoutingTable::live_count() const {
  std::size_t count = used_;
  for (int level = 0; level < levels_; ++level) count -= At(kFailed, level) + At(kCached, level);
  return count;
}

int RoutingTable::CoveredFrom(int k) const {
  int covered = 0;
  for (int level = levels_ - 1; level >= 0; --level) {
    covered += static_cast<int>(live(level).size());
    if (covered >= k) return level;
  }
  return 0;
}

void RoutingTable::Touch(int level, Time now, Duration refresh_interval) {
  if (level < levels_) At(kTouched, level) = Stamp(now, refresh_interval);
}

bool RoutingTable::NeedsRefresh(int level, Time now, Duration refresh_interval) const {
  return level < levels_ && Elapsed(At(kTouched, level), now, refresh_interval);
}

Time RoutingTable::RefreshDue(Time now, Duration refresh_interval) const {
  const std::int64_t unit = StampUnit(refresh_interval);
  std::int64_t left = kStampsPerInterval;
  for (int level = 0; level < levels_; ++level) {
    const auto age = static_cast<std::uint8_t>(Stamp(now, refresh_interval) - At(kTouched, level));
    left = std::min(left, std::max<std::int64_t>(kStampsPerInterval - age, 0));
  }
  if (left == 0) return now;
  return Time{(now.us / unit + left) * unit};
}

bool RoutingTable::ClaimCheck(int level, Time now, Duration check_interval) {
  if (level >= levels_ || !Elapsed(At(kChecked, level), now, check_interval)) return false;
  At(kChecked, level) = Stamp(now, check_interval);
  return true;
}

void RoutingTable::PrefetchBucket(int level) const {
  if (level >= levels_) return;
  const Region region = RegionOf(level);
  PrefetchLine(block_.get() + region.begin);
  PrefetchLine(block_.get() + region.begin + 16);  // the bucket's next cache line
}

void RoutingTable::EnsureLevel(int level) {
  if (level < levels_) return;
  if (level >= level_capacity_) {
    const std::size_t wanted =
        std::min<std::size_t>(static_cast<std::size_t>(level) + 1 + kLevelSlack, kIdBits);
    Grow(capacity_, wanted);
  }
  levels_ = static_cast<std::uint8_t>(level + 1);
}

}  // namespace tombolo
