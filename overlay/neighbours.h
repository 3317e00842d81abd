// The peers next to us on the ring: up to config.successors() and
// config.predecessors(), known to be alive.
//
// They are learned from whatever passes by, and from the upkeep of the ring where there is one. In
// a small overlay one peer can stand on both sides. Ordered by id, nearest first, never by PeerRef.
// Bounded: the farthest on a side gives way to a nearer one; nothing is remembered of those
// outside.
//
// Thread rule: one caller at a time. Errors: refs outside the directory are a programmer error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "overlay/peer_ref.h"
#include "overlay/short_vector.h"
#include "overlay/step.h"

namespace tombolo {

class Neighbours {
 public:
  // A live peer. True if it is new on either side. Ourselves are ignored.
  bool Learn(PeerRef peer, const PartStep& step);
  // The same for one side alone.
  bool LearnSuccessor(PeerRef peer, const PartStep& step);
  bool LearnPredecessor(PeerRef peer, const PartStep& step);

  // Replaces all. Requires the order of successors() and predecessors(), and no more than belong.
  void Assign(std::span<const PeerRef> successors, std::span<const PeerRef> predecessors) {
    refs_.Assign(successors);
    for (const PeerRef peer : predecessors) refs_.push_back(peer);
    successors_ = static_cast<std::uint16_t>(successors.size());
  }

  // True if it was a neighbour.
  bool Forget(PeerRef peer);

  bool Contains(PeerRef peer) const;

  // Clockwise, nearest first.
  std::span<const PeerRef> successors() const { return {refs_.data(), successors_}; }
  // Counter-clockwise, nearest first.
  std::span<const PeerRef> predecessors() const { return all().subspan(successors_); }
  // Both sides; a peer may appear twice.
  std::span<const PeerRef> all() const { return refs_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(refs_, successors_);
    if constexpr (Archive::kReading) {
      if (successors_ > refs_.size()) archive.Fail("more successors than neighbours");
    }
  }

 private:
  ShortVector<PeerRef, 2> refs_;  // successors, then predecessors
  std::uint16_t successors_ = 0;
};

}  // namespace tombolo
