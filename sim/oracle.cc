#include "sim/oracle.h"

#include <algorithm>
#include <cassert>

namespace tombolo::sim {
namespace {

// `id` with every bit from `bits` on set to zero or to one.
NodeId FillFrom(NodeId id, int bits, bool ones) {
  for (std::size_t i = 0; i < id.words.size(); ++i) {
    const int kept = std::clamp(bits - static_cast<int>(i) * 32, 0, 32);
    const std::uint32_t mask = kept == 32 ? 0U : ~std::uint32_t{0} >> kept;
    id.words[i] = ones ? id.words[i] | mask : id.words[i] & ~mask;
  }
  return id;
}

}  // namespace

void Oracle::Assign(std::vector<PeerRef> live, const Directory& ids) {
  live_ = std::move(live);
  std::sort(live_.begin(), live_.end(),
            [&](PeerRef a, PeerRef b) { return ids.id(a) < ids.id(b); });
}

void Oracle::Add(PeerRef peer, const Directory& ids) {
  live_.insert(live_.begin() + static_cast<std::ptrdiff_t>(LowerBound(ids.id(peer), ids)), peer);
}

void Oracle::Remove(PeerRef peer, const Directory& ids) {
  const std::size_t position = LowerBound(ids.id(peer), ids);
  if (position < live_.size() && live_[position] == peer) {
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(position));
  }
}

std::size_t Oracle::LowerBound(const NodeId& id, const Directory& ids) const {
  const auto position = std::lower_bound(live_.begin(), live_.end(), id,
                                         [&](PeerRef a, const NodeId& b) { return ids.id(a) < b; });
  return static_cast<std::size_t>(position - live_.begin());
}

std::span<const PeerRef> Oracle::WithPrefix(const NodeId& id, int bits,
                                            const Directory& ids) const {
  const std::size_t begin = LowerBound(FillFrom(id, bits, false), ids);
  const NodeId last = FillFrom(id, bits, true);
  const auto end =
      std::upper_bound(live_.begin() + static_cast<std::ptrdiff_t>(begin), live_.end(), last,
                       [&](const NodeId& a, PeerRef b) { return a < ids.id(b); });
  return {live_.begin() + static_cast<std::ptrdiff_t>(begin), end};
}

std::span<const PeerRef> Oracle::Subtree(const NodeId& owner, int level,
                                         const Directory& ids) const {
  return WithPrefix(owner.WithFlippedBit(level), level + 1, ids);
}

std::vector<PeerRef> Oracle::Closest(const NodeId& target, std::size_t count,
                                     const Directory& ids) const {
  // The smallest subtree around the target with enough members holds the closest ones: everything
  // outside of it differs from the target in an earlier bit.
  int low = 0;  // WithPrefix(low) has enough, or is everything
  int high = kIdBits;
  while (low < high) {
    const int bits = (low + high + 1) / 2;
    if (WithPrefix(target, bits, ids).size() >= count) {
      low = bits;
    } else {
      high = bits - 1;
    }
  }
  const std::span<const PeerRef> pool = WithPrefix(target, low, ids);
  std::vector<PeerRef> closest(pool.begin(), pool.end());
  const std::size_t kept = std::min(count, closest.size());
  std::partial_sort(closest.begin(), closest.begin() + static_cast<std::ptrdiff_t>(kept),
                    closest.end(),
                    [&](PeerRef a, PeerRef b) { return IsCloser(ids.id(a), ids.id(b), target); });
  closest.resize(kept);
  return closest;
}

PeerRef Oracle::ClosestOne(const NodeId& target, PeerRef except, const Directory& ids) const {
  if (live_.empty()) return PeerRef::kNone;
  // The closest id shares the longest prefix with the target, so it is a neighbour of the target's
  // position or of the subtree that the longest prefix spans.
  const std::size_t position = LowerBound(target, ids);
  int bits = 0;
  for (std::size_t i = position > 2 ? position - 2 : 0; i < std::min(position + 2, live_.size());
       ++i) {
    if (live_[i] != except) bits = std::max(bits, CommonPrefixLength(ids.id(live_[i]), target));
  }
  PeerRef best = PeerRef::kNone;
  for (const PeerRef peer : WithPrefix(target, bits, ids)) {
    if (peer == except) continue;
    if (best == PeerRef::kNone || IsCloser(ids.id(peer), ids.id(best), target)) best = peer;
  }
  return best;
}

PeerRef Oracle::Successor(const NodeId& key, const Directory& ids) const {
  if (live_.empty()) return PeerRef::kNone;
  const std::size_t position = LowerBound(key, ids);
  return live_[position < live_.size() ? position : 0];
}

PeerRef Oracle::Find(const NodeId& id, const Directory& ids) const {
  const std::size_t position = LowerBound(id, ids);
  return position < live_.size() && ids.id(live_[position]) == id ? live_[position]
                                                                  : PeerRef::kNone;
}

}  // namespace tombolo::sim
