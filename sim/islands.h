// The islands that a world is built of: disjoint sets of peers that know nobody outside their
// own.
//
// Who belongs where is drawn from the seed, so that ids say nothing about it. The builders
// build one island after the other, each as if there were no other.
//
// Thread rule: a plain value that never changes. Memory: 5 bytes per peer while it is in use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/peer_ref.h"
#include "sim/options.h"

namespace tombolo::sim {

class Islands {
 public:
  // Of the peers that the world starts with; one island of them all where `options.islands` is
  // empty. Requires options.Validate() to pass.
  explicit Islands(const WorldOptions& options);

  std::size_t count() const { return begin_.size() - 1; }

  // By number, which is the order of ids in a world that starts built.
  std::span<const PeerRef> members(std::size_t island) const {
    return std::span(members_).subspan(begin_[island], begin_[island + 1] - begin_[island]);
  }

  // Requires a peer that the world started with.
  std::size_t of(PeerRef peer) const { return of_[Index(peer)]; }

 private:
  std::vector<PeerRef> members_;      // island by island
  std::vector<std::uint32_t> begin_;  // of each island in members_, and the end
  std::vector<std::uint8_t> of_;
};

}  // namespace tombolo::sim
