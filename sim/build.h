// The exact pre-built start: every peer holds the tables and links that a long, quiet life would
// give it. Peers of different islands (islands.h) know nothing of each other.
#pragma once

#include <vector>

#include "overlay/directory.h"
#include "overlay/peer.h"
#include "sim/islands.h"
#include "sim/options.h"

namespace tombolo::sim {

// Fills every bucket with min(k, population) distinct random members of its subtree. Every bucket
// counts as just refreshed; the first refreshes fall due in the second refresh interval. Requires
// that the directory holds the peers in order of their ids.
void BuildTables(const WorldOptions& options, const Islands& islands, const Directory& ids,
                 std::vector<Peer>& peers);

// Links every peer to `links.per_bucket` random contacts of each non-empty bucket and to its
// `links.neighbours` nearest ids on each side, as both ends would have agreed.
void BuildLinks(const WorldOptions& options, const Islands& islands, std::vector<Peer>& peers,
                const Step& step);

// Gives every peer the sketch of its island (overlay/island_digest.h).
void BuildSketches(const Islands& islands, std::vector<Peer>& peers, const Step& step);

}  // namespace tombolo::sim
