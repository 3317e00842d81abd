// Routing over what peers know, without messages: what their tables and rings are worth.
//
// Thread rule: pure functions of their arguments. Errors: none; a route that ends early says
// so.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "overlay/directory.h"
#include "overlay/peer_ref.h"
#include "overlay/routing_table.h"
#include "sim/world.h"

namespace tombolo::sim {

// Hops from `source` to `target`, the last one counted: each peer hands on to the contact of
// its table that is closest to the target. nullopt if a peer on the way knows nobody closer
// than itself. `table_of(peer)` gives the table of a peer.
template <class TableOf>
std::optional<std::uint32_t> GreedyHops(const Directory& ids, const TableOf& table_of,
                                        PeerRef source, PeerRef target) {
  const NodeId& goal = ids.id(target);
  std::uint32_t hops = 0;
  for (PeerRef at = source; at != target; ++hops) {
    std::array<PeerRef, 1> next{};
    const RoutingTable& table = table_of(at);
    if (table.Closest(ids.id(at), goal, 1, ids, next) == 0) return std::nullopt;
    if (!IsCloser(ids.id(next[0]), ids.id(at), goal)) return std::nullopt;
    at = next[0];
  }
  return hops;
}

// The peers next to `peer` on its ring, as it believes, nearest first: of the ring where it
// keeps one, else those that relaying has picked up.
std::span<const PeerRef> SuccessorsOf(const Peer& peer);
std::span<const PeerRef> PredecessorsOf(const Peer& peer);

// How far a message from `source` would come.
struct Walk {
  bool arrived = false;
  std::uint32_t hops = 0;         // from peer to peer, the last one counted
  std::uint32_t ring_hops = 0;    // of these, by the ring because nobody XOR-closer was known
  std::uint32_t handed_back = 0;  // of these, back where it came from because nobody knew a way on
  std::uint32_t tries = 0;        // walks begun
  PeerRef end = PeerRef::kNone;   // where it arrived, or the first peer that had no way on
};

// Walks as a relay would: to the live contact or neighbour that is XOR-closest to the target,
// if it is closer than this peer; else to the one nearest to it on the ring, until somebody is
// XOR-closer than where that began; else back, to try the next best, at most
// config.relay.detours times. Nobody is visited twice but on the way back. A contact counts as
// live if it is up and the path to it is not cut; others would time out, and the next best be
// tried. A walk that fails is begun anew up to `tries` times in all, as the origin of a message
// does, and then leaves each peer another way than before where that leads closer. The figures are
// those of the last walk.
Walk WalkRoute(const World& world, PeerRef source, PeerRef target, int tries = 1);

}  // namespace tombolo::sim
