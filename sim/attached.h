// A client that is attached to a peer of the world, as its own side sees it: what checkers compare
// the peers' belief with. Thread rule: a plain value.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo::sim {

struct AttachedClient {
  static constexpr std::uint32_t kByHand = 0xffffffffU;

  PeerRef home = PeerRef::kNone;   // kNone: looking for a new one
  std::uint32_t number = kByHand;  // among the clients of workloads, which look for new homes
  Duration reattach;               // how long that takes them
  std::vector<NodeId> rooms;       // ascending

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(home, number, reattach, rooms);
  }
};

}  // namespace tombolo::sim
