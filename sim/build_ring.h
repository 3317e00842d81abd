// The exact pre-built ring: every peer knows the neighbours and the fingers that a long, quiet life
// would give it.
#pragma once

#include <vector>

#include "overlay/peer.h"
#include "sim/islands.h"
#include "sim/options.h"

namespace tombolo::sim {

// Upkeep falls due at random within its first interval. Where the ring is all there is, this makes
// the peers members; else they must be built already. Requires a directory in the order of ids.
void BuildRings(const WorldOptions& options, const Islands& islands, std::vector<Peer>& peers,
                const Step& step);

}  // namespace tombolo::sim
