// What can be reached: I6, I8 and I12.
//
// Thread rule: pure functions of a world; a tracker is a value that remembers pairs. Errors:
// none.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/finding.h"
#include "sim/world.h"

namespace tombolo::sim {

// I6: between any two members (all pairs of up to 2,000, else 10,000 sampled ones) a walk over
// live contacts (WalkRoute) arrives within log2 n + 3 hops.
Finding CheckRoutable(const World& world);

// I8: relays that follow their own rule (PickRoute) over the links they hold come strictly
// closer to the target with every hop that is no detour, and hand a message on no more often
// than its hop limit and its detours allow. 1,000 sampled pairs; nothing is checked without
// links.
Finding CheckNoLoops(const World& world);

// I12: sampled pairs that a walk joins stay joined while both ends live. A pair that a walk
// does not join at first counts from the moment when one does.
class DeliverabilityTracker {
 public:
  // Draws the pairs from the members of now, as many as `pairs` draws give: who cannot be dialled
  // is left out.
  DeliverabilityTracker(const World& world, std::uint32_t pairs);

  // Looks at all pairs; to be called again and again.
  void Look(const World& world);

  // Of all looks; `at` is when the first offender was found.
  const Finding& finding() const { return finding_; }

 private:
  struct Pair {
    PeerRef from;
    PeerRef to;
    bool joined = false;
  };

  std::vector<Pair> pairs_;
  Finding finding_;
};

}  // namespace tombolo::sim
