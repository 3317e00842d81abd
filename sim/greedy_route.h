// Greedy routing over routing tables, without messages: what the tables alone are worth.
//
// Thread rule: a pure function of its arguments. Errors: none; a route that ends early is nullopt.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "overlay/directory.h"
#include "overlay/routing_table.h"

namespace tombolo::sim {

// Hops from `source` to `target`, the last one counted: each peer hands on to the contact of its
// table that is closest to the target. nullopt if a peer on the way knows nobody closer than
// itself. `table_of(peer)` gives the table of a peer.
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

}  // namespace tombolo::sim
