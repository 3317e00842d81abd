#include "sim/swarm_acts.h"

#include <vector>

#include "overlay/rng.h"

namespace tombolo::sim {

void SplitIntoIslands(World& world, const SwarmPlan& plan, const SwarmStep& step) {
  Rng rng = Rng::Split(plan.seed, step.who);
  const std::uint32_t count = 2 + step.other % 3;
  const std::uint32_t small = 1 + rng.Below(16);  // weight of all but the first island
  std::vector<std::uint16_t> islands(world.peer_count());
  for (std::uint16_t& island : islands) {
    const std::uint32_t drawn = rng.Below(16 + small * (count - 1));
    island = static_cast<std::uint16_t>(drawn < 16 ? 0 : 1 + (drawn - 16) / small);
  }
  world.PartitionInto(islands, step.parts != 0 ? Crossing::kUpward : Crossing::kNone);
}

void CrashSome(World& world, const SwarmPlan& plan, const SwarmStep& step) {
  const std::vector<PeerRef> live(world.oracle().live().begin(), world.oracle().live().end());
  Rng rng = Rng::Split(plan.seed, step.who);
  for (const PeerRef peer : live) {
    if (world.live_count() > 2 && rng.Below(256) < step.parts) world.Crash(peer);
  }
}

}  // namespace tombolo::sim
