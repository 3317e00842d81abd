// What the world remembers of injected faults that are under way. Plain values; see
// world_faults.cc and world_restart.cc.
#pragma once

#include <cstdint>

#include "overlay/peer.h"
#include "overlay/peer_ref.h"

namespace tombolo::sim {

// A pair of linked peers whose path comes and goes.
struct Flap {
  PeerRef a = PeerRef::kNone;
  PeerRef b = PeerRef::kNone;
  std::uint32_t cycles_left = 0;
  bool down = false;
};

// An injected crash whose peer comes back.
struct Return {
  enum How : std::uint8_t { kRemembers, kForgets, kRollsBack };

  PeerRef peer = PeerRef::kNone;
  How how = kRemembers;
  bool down = false;
  Peer state;  // of kRollsBack

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(peer, how, down, state);
  }
};

}  // namespace tombolo::sim
