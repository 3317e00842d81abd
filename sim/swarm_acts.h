// Steps of a plan that World has no single call for.
//
// What they draw follows from the plan and the step alone. Thread rule: one caller at a time.
#pragma once

#include "overlay/node_id.h"
#include "sim/swarm_ledger.h"
#include "sim/swarm_plan.h"
#include "sim/world.h"

namespace tombolo::sim {

// Two to four islands of random sizes.
void SplitIntoIslands(World& world, const SwarmPlan& plan, const SwarmStep& step);

// Deaths or goodbyes at once; two peers stay. Not World::CrashShare, whose draws depend on how many
// have gone before.
void RemoveSome(World& world, const SwarmPlan& plan, const SwarmStep& step);

// A client enters or leaves one of two rooms, if it is attached.
void EnterOrExit(World& world, const SwarmPlan& plan, const SwarmStep& step, const NodeId& client);

// Clients whose home has died, or has lost them, are attached to other ones.
void FindHomes(World& world, SwarmLedger& ledger);

// Every client is looked for by sixteen peers, or by all where there are fewer.
void ResolveAll(World& world, SwarmLedger& ledger);

}  // namespace tombolo::sim
