#include "sim/swarm_acts.h"

#include <algorithm>
#include <vector>

#include "overlay/rng.h"
#include "sim/swarm_draw.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kRoomStream = 0x726f6f6d;
constexpr std::uint32_t kAskers = 16;

}  // namespace

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

void RemoveSome(World& world, const SwarmPlan& plan, const SwarmStep& step) {
  const std::vector<PeerRef> live(world.oracle().live().begin(), world.oracle().live().end());
  Rng rng = Rng::Split(plan.seed, step.who);
  for (const PeerRef peer : live) {
    if (world.live_count() <= 2 || rng.Below(256) >= step.parts) continue;
    if (step.kind == StepKind::kLeaveShare) {
      world.Leave(peer);
    } else {
      world.Crash(peer);
    }
  }
}

void EnterOrExit(World& world, const SwarmPlan& plan, const SwarmStep& step, const NodeId& client) {
  const auto known = world.clients().find(client);
  if (known == world.clients().end() || known->second.home == PeerRef::kNone) return;
  Rng rng = Rng::Split(plan.seed, kRoomStream + step.who % 2);
  const NodeId room = RandomKey(rng);
  if (step.kind == StepKind::kEnter) {
    world.EnterRoom(client, room);
  } else {
    world.ExitRoom(client, room);
  }
}

void FindHomes(World& world, SwarmLedger& ledger) {
  std::vector<NodeId> homeless;
  for (const auto& [client, attached] : world.clients()) {
    if (attached.home == PeerRef::kNone) homeless.push_back(client);
  }
  const std::vector<PeerRef> live(world.oracle().live().begin(), world.oracle().live().end());
  for (std::size_t i = 0; i < homeless.size() && !live.empty(); ++i)
    ledger.Attach(world, live[i % live.size()], homeless[i]);
}

void ResolveAll(World& world, SwarmLedger& ledger) {
  const std::vector<PeerRef> live(world.oracle().live().begin(), world.oracle().live().end());
  const std::size_t askers = std::min<std::size_t>(live.size(), kAskers);
  std::size_t first = 0;
  for (const auto& [client, attached] : world.clients()) {
    for (std::size_t i = 0; i < askers; ++i)
      ledger.Resolve(world, live[(first + i * live.size() / askers) % live.size()], client);
    first += 7;
  }
}

}  // namespace tombolo::sim
