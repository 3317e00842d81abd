#include "sim/partition.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

std::uint64_t PathOf(PeerRef from, PeerRef to) {
  return (static_cast<std::uint64_t>(Index(from)) << 32) | Index(to);
}

std::uint64_t PairOf(PeerRef a, PeerRef b) {
  return Index(a) < Index(b) ? PathOf(a, b) : PathOf(b, a);
}

}  // namespace

std::optional<std::string> CheckShares(std::span<const double> shares) {
  if (shares.size() < 2 || shares.size() > kMostIslands) {
    return "partition has " + std::to_string(shares.size()) + " shares: allowed are 2 to " +
           std::to_string(kMostIslands);
  }
  double sum = 0;
  for (const double share : shares) {
    if (!(share > 0 && share <= 1)) {
      return "partition has a share of " + NumberText(share) + ": allowed is above 0 to 1";
    }
    sum += share;
  }
  // A sum of 1 may miss it by a few roundings.
  if (sum <= 1 + 1e-9) return std::nullopt;
  return "partition has shares that sum up to " + NumberText(sum) + ": allowed is up to 1";
}

std::vector<std::uint32_t> IslandSizes(std::span<const double> shares, std::uint32_t peers) {
  assert(!CheckShares(shares));
  double total = 0;
  for (const double share : shares) total += share;
  std::vector<std::uint32_t> sizes;
  double sum = 0;
  std::uint32_t before = 0;
  for (const double share : shares) {
    sum += share;
    const bool last = sizes.size() + 1 == shares.size();
    const auto end = last ? peers : static_cast<std::uint32_t>(sum / total * peers + 0.5);
    sizes.push_back(end - before);
    before = end;
  }
  return sizes;
}

int Reachability::island_of(PeerRef peer) const {
  if (islands_.empty()) return 0;
  const std::uint16_t island = islands_[Index(peer)];
  if (island == kAlone) return kIsolated;
  return island == kAll ? kEverywhere : island;
}

bool Reachability::CanTalkNow(PeerRef from, PeerRef to) const {
  if (!cuts_.empty() && FindCut(from, to) != nullptr) return false;
  return IslandsLetPass(from, to) || HasBridge(from, to);
}

bool Reachability::IslandsLetPass(PeerRef from, PeerRef to) const {
  if (islands_.empty()) return true;
  const std::uint16_t here = islands_[Index(from)];
  const std::uint16_t there = islands_[Index(to)];
  if (here == kAlone || there == kAlone) return false;
  return here == there || here == kAll || there == kAll ||
         (crossing_ == Crossing::kUpward && here < there);
}

bool Reachability::HasBridge(PeerRef a, PeerRef b) const {
  return !bridges_.empty() && std::binary_search(bridges_.begin(), bridges_.end(), PairOf(a, b));
}

const Reachability::CutPath* Reachability::FindCut(PeerRef from, PeerRef to) const {
  const std::uint64_t path = PathOf(from, to);
  const auto at =
      std::lower_bound(cuts_.begin(), cuts_.end(), path,
                       [](const CutPath& cut, std::uint64_t p) { return cut.path < p; });
  return at == cuts_.end() || at->path != path ? nullptr : &*at;
}

bool Reachability::SilentSince(PeerRef a, PeerRef b, Time since) const {
  if (!active_) return false;
  for (const CutPath* cut : {FindCut(a, b), FindCut(b, a)}) {
    if (cut != nullptr && cut->since <= since) return true;
  }
  const bool whole = IslandsLetPass(a, b) && IslandsLetPass(b, a);
  return !whole && !HasBridge(a, b) && islands_since_ <= since;
}

void Reachability::Assign(std::vector<std::uint16_t> island_of_peer, Crossing crossing, Time now) {
  islands_ = std::move(island_of_peer);
  sizes_.clear();
  for (const std::uint16_t island : islands_) {
    assert(island < kMostIslands);
    if (island >= sizes_.size()) sizes_.resize(island + 1U);
    ++sizes_[island];
  }
  for (std::size_t i = 1; i < sizes_.size(); ++i) sizes_[i] += sizes_[i - 1];
  bridges_.clear();
  placed_ = static_cast<std::uint32_t>(islands_.size());
  crossing_ = crossing;
  islands_since_ = now;
  active_ = true;
}

void Reachability::Isolate(PeerRef peer, std::uint32_t peers, Time now) {
  if (islands_.empty()) Assign(std::vector<std::uint16_t>(peers, 0), Crossing::kNone, now);
  islands_[Index(peer)] = kAlone;
  std::erase_if(bridges_, [&](std::uint64_t pair) {
    return pair >> 32 == Index(peer) || (pair & 0xffffffffU) == Index(peer);
  });
}

void Reachability::Cut(PeerRef from, PeerRef to, Time now) {
  active_ = true;
  if (FindCut(from, to) != nullptr) return;
  const std::uint64_t path = PathOf(from, to);
  const auto at =
      std::lower_bound(cuts_.begin(), cuts_.end(), path,
                       [](const CutPath& cut, std::uint64_t p) { return cut.path < p; });
  cuts_.insert(at, {path, now});
}

void Reachability::Restore(PeerRef a, PeerRef b) {
  std::erase_if(cuts_, [&](const CutPath& cut) {
    return cut.path == PathOf(a, b) || cut.path == PathOf(b, a);
  });
  active_ = !islands_.empty() || !cuts_.empty();
}

void Reachability::Bridge(PeerRef a, PeerRef b) {
  Restore(a, b);
  if (HasBridge(a, b) || islands_.empty()) return;
  const std::uint64_t pair = PairOf(a, b);
  bridges_.insert(std::lower_bound(bridges_.begin(), bridges_.end(), pair), pair);
}

void Reachability::BridgeNode(PeerRef peer) {
  assert(!islands_.empty());
  islands_[Index(peer)] = kAll;
}

void Reachability::EndIslands() {
  std::vector<CutPath> cuts = std::move(cuts_);
  *this = Reachability();
  cuts_ = std::move(cuts);
  active_ = !cuts_.empty();
}

void Reachability::Heal() { *this = Reachability(); }

void Reachability::AddPeer(Rng& rng) {
  if (islands_.empty()) return;
  const std::uint32_t drawn = rng.Below(sizes_.back());
  const auto island = std::upper_bound(sizes_.begin(), sizes_.end(), drawn) - sizes_.begin();
  islands_.push_back(static_cast<std::uint16_t>(island));
}

void Reachability::Follow(PeerRef newcomer, PeerRef other) {
  if (islands_.empty() || Index(newcomer) < placed_) return;
  const std::uint16_t island = islands_[Index(other)];
  if (island != kAlone && island != kAll) islands_[Index(newcomer)] = island;
}

}  // namespace tombolo::sim
