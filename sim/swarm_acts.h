// Steps of a plan that World has no single call for.
//
// What they draw follows from the plan and the step alone. Thread rule: one caller at a time.
#pragma once

#include "sim/swarm_plan.h"
#include "sim/world.h"

namespace tombolo::sim {

// Two to four islands of random sizes.
void SplitIntoIslands(World& world, const SwarmPlan& plan, const SwarmStep& step);

// Deaths at once; two peers stay. Not World::CrashShare, whose draws depend on how many have gone
// before.
void CrashSome(World& world, const SwarmPlan& plan, const SwarmStep& step);

}  // namespace tombolo::sim
