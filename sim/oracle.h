// What is true of a world, known without asking any peer: who is up and who is closest to what.
//
// The checkers and the success columns of reports compare the peers' own answers with it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "overlay/directory.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"

namespace tombolo::sim {

// Ids of the live peers in order. Changes are O(log n) to find and O(n) to move, cheap against the
// messages that a join or a death costs. Thread rule: one caller at a time.
class Oracle {
 public:
  // Takes over a whole population at once. Requires distinct ids.
  void Assign(std::vector<PeerRef> live, const Directory& ids);
  void Add(PeerRef peer, const Directory& ids);
  void Remove(PeerRef peer, const Directory& ids);

  // The `count` live peers that are XOR-closest to `target`, closest first; fewer if there are
  // fewer.
  std::vector<PeerRef> Closest(const NodeId& target, std::size_t count, const Directory& ids) const;
  // The closest one other than `except`; kNone in an empty world.
  PeerRef ClosestOne(const NodeId& target, PeerRef except, const Directory& ids) const;

  // The live peer whose id is `key` or the next one clockwise; kNone in an empty world.
  PeerRef Successor(const NodeId& key, const Directory& ids) const;

  // The live peers that share exactly `level` bits with `owner`: those that belong in its bucket.
  std::span<const PeerRef> Subtree(const NodeId& owner, int level, const Directory& ids) const;

  // The live peer with this id; kNone if there is none.
  PeerRef Find(const NodeId& id, const Directory& ids) const;

  std::span<const PeerRef> live() const { return live_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(live_);
  }

 private:
  std::size_t LowerBound(const NodeId& id, const Directory& ids) const;
  // The live peers whose first `bits` bits equal those of `id`.
  std::span<const PeerRef> WithPrefix(const NodeId& id, int bits, const Directory& ids) const;

  std::vector<PeerRef> live_;  // by id
};

}  // namespace tombolo::sim
