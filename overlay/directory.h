// What a host knows about the peers that its core may name: the meaning of a PeerRef.
//
// The simulator shares one directory among all peers of a world; a node keeps one of its own. The
// core only reads it. Thread rule: concurrent readers are fine while nobody adds.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/prefetch.h"
#include "overlay/rng.h"

namespace tombolo {

struct PeerAttributes {
  std::uint32_t address_group = 0;  // peers of one operator or network share a group; 0 = unknown
  bool dialable = true;             // false: reachable only over links that it opened itself
  bool proven = true;               // the host has seen proof that the id belongs to the peer
};

class Directory {
 public:
  // Adds a peer and returns its ref; refs are dense and start at 0.
  PeerRef Add(const NodeId& id, PeerAttributes attributes = {}) {
    ascending_ = ascending_ && (ids_.empty() || ids_.back() < id);
    ids_.push_back(id);
    attributes_.push_back(attributes);
    if (!ascending_) AddToIndex();
    return static_cast<PeerRef>(ids_.size() - 1);
  }

  // Gives a ref that nobody holds any longer a new meaning. Requires that no other ref means `id`.
  void Rename(PeerRef ref, const NodeId& id, PeerAttributes attributes) {
    assert(!Find(id));
    if (!ascending_) RemoveFromIndex(ref);
    ids_[Index(ref)] = id;
    attributes_[Index(ref)] = attributes;
    if (ascending_) {
      ascending_ = false;
      IndexAll();
    } else {
      index_[PositionOf(id)] = Index(ref) + 1;
    }
  }

  void Reserve(std::size_t peers) {
    ids_.reserve(peers);
    attributes_.reserve(peers);
  }

  // Requires a ref that this directory gave out, here and below.
  const NodeId& id(PeerRef ref) const {
    // In bytes: the number of ids would be a division.
    assert(std::size_t{Index(ref)} * sizeof(NodeId) < ids_.size() * sizeof(NodeId));
    return ids_[Index(ref)];
  }
  bool dialable(PeerRef ref) const { return attributes_[Index(ref)].dialable; }
  const PeerAttributes& attributes(PeerRef ref) const { return attributes_[Index(ref)]; }
  void set_attributes(PeerRef ref, PeerAttributes attributes) {
    attributes_[Index(ref)] = attributes;
  }

  // The peer with this id. While peers were added in ascending order of id a binary search; the
  // first one out of order builds an index of 8 to 16 bytes per peer. Of equal ids the first that
  // was added.
  std::optional<PeerRef> Find(const NodeId& id) const {
    if (!ascending_) {
      const std::uint32_t entry = index_[PositionOf(id)];
      return entry == 0 ? std::nullopt : std::optional(static_cast<PeerRef>(entry - 1));
    }
    const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
    if (at == ids_.end() || *at != id) return std::nullopt;
    return static_cast<PeerRef>(at - ids_.begin());
  }

  std::size_t size() const { return ids_.size(); }
  bool Contains(PeerRef ref) const { return Index(ref) < ids_.size(); }

  // A hint that `id(ref)` will be read soon: at a million peers that read is a cache miss.
  void Prefetch(PeerRef ref) const { PrefetchLine(ids_.data() + Index(ref)); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(ids_, attributes_);
    if constexpr (Archive::kReading) {
      if (attributes_.size() != ids_.size()) return archive.Fail("a directory of unequal columns");
      ascending_ =
          std::adjacent_find(ids_.begin(), ids_.end(), std::greater_equal<>()) == ids_.end();
      index_.clear();
      if (!ascending_) IndexAll();
    }
  }

 private:
  // Where the id is in the index, or the empty place that ends the search (linear probing).
  std::size_t PositionOf(const NodeId& id) const {
    const std::size_t mask = index_.size() - 1;
    std::size_t at = static_cast<std::size_t>(Mix64(id.prefix64())) & mask;
    while (index_[at] != 0 && ids_[index_[at] - 1] != id) at = (at + 1) & mask;
    return at;
  }

  // Enters the last peer, or all of them if the index has to grow.
  void AddToIndex() {
    if (index_.size() < 2 * ids_.size()) return IndexAll();
    Enter(ids_.size() - 1);
  }

  void IndexAll() {
    index_.assign(std::bit_ceil(2 * ids_.size()), 0);
    for (std::size_t i = 0; i < ids_.size(); ++i) Enter(i);
  }

  void Enter(std::size_t i) {
    std::uint32_t& entry = index_[PositionOf(ids_[i])];
    if (entry == 0) entry = static_cast<std::uint32_t>(i + 1);
  }

  // Later entries of the search that runs through the empty place move up (Knuth, "The Art of
  // Computer Programming", volume 3, algorithm 6.4R).
  void RemoveFromIndex(PeerRef ref) {
    const std::size_t mask = index_.size() - 1;
    std::size_t gap = PositionOf(ids_[Index(ref)]);
    if (index_[gap] != Index(ref) + 1) return;
    for (std::size_t at = (gap + 1) & mask; index_[at] != 0; at = (at + 1) & mask) {
      const std::uint64_t hash = Mix64(ids_[index_[at] - 1].prefix64());
      if (((at - hash) & mask) < ((at - gap) & mask)) continue;
      index_[gap] = index_[at];
      gap = at;
    }
    index_[gap] = 0;
  }

  std::vector<NodeId> ids_;
  std::vector<PeerAttributes> attributes_;
  std::vector<std::uint32_t> index_;  // ref + 1, 0 = empty; only if not ascending
  bool ascending_ = true;             // strictly, so that Find can search ids_ itself
};

}  // namespace tombolo
