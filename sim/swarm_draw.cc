#include "sim/swarm_draw.h"

#include <algorithm>

namespace tombolo::sim {
namespace {

constexpr Duration kLongestPause = Duration::Seconds(10);

// So many per second that about `count` of them happen.
double RateOf(const Draw& draw, std::uint32_t count) {
  return count / (draw.plan.faults_end - Time{}).seconds();
}

void AddMessageFault(FaultClass fault, const Draw& draw) {
  Rng& rng = draw.rng;
  WorldOptions& world = draw.plan.world;
  FaultOptions& faults = world.faults;
  switch (fault) {
    case FaultClass::kJitter:
      world.latency.jitter = Duration::Milliseconds(Between(rng, 1, 50));
      world.latency.jitter_fraction = Share(rng, 0, 255);
      return;
    case FaultClass::kDrop:
      faults.drop = Share(rng, 1, 51);
      return;
    case FaultClass::kDelay:
      faults.delay = Share(rng, 1, 25);
      faults.delay_mean = Duration::Milliseconds(Between(rng, 50, 2000));
      return;
    case FaultClass::kDuplicate:
      faults.duplicate = Share(rng, 1, 64);
      return;
    case FaultClass::kReorder:
      faults.reorder = Share(rng, 1, 64);
      return;
    default:
      faults.corrupt = Share(rng, 1, 25);
  }
}

// `kind` at some time, and its end within the faults.
void AddCut(StepKind kind, std::uint32_t parts, const Draw& draw) {
  SwarmStep step = draw.Step(kind);
  step.parts = parts;
  draw.plan.steps.push_back(step);
  SwarmStep heal = draw.Step(StepKind::kHeal);
  heal.at = std::max(heal.at, step.at);
  draw.plan.steps.push_back(heal);
}

void AddPathFault(FaultClass fault, const Draw& draw) {
  Rng& rng = draw.rng;
  FaultOptions& faults = draw.plan.world.faults;
  switch (fault) {
    case FaultClass::kHidden:
      draw.plan.world.nat_share = Share(rng, 8, 128);
      // Those who cannot be dialled store nothing: of a few closest peers, nobody might.
      draw.plan.world.core.table.k = std::max(draw.plan.world.core.table.k, 8);
      return;
    case FaultClass::kFlap:
      faults.flaps_per_s = RateOf(draw, Between(rng, 1, 20));
      return;
    case FaultClass::kClog:
      faults.clogs_per_s = RateOf(draw, Between(rng, 1, 40));
      faults.swizzles_per_s = RateOf(draw, rng.Below(3));
      return;
    case FaultClass::kOneWay:
      for (std::uint32_t cuts = Between(rng, 1, 5); cuts > 0; --cuts)
        AddCut(StepKind::kCut, 1, draw);
      return;
    case FaultClass::kIsolate:
      return AddCut(StepKind::kIsolate, 0, draw);
    case FaultClass::kSplit:
      return AddCut(StepKind::kSplit, 0, draw);
    case FaultClass::kHalfSplit:
      return AddCut(StepKind::kSplit, 1, draw);
    default:
      StartAsStrangers(draw);
  }
}

void AddRestarts(FaultClass fault, const Draw& draw) {
  FaultOptions& faults = draw.plan.world.faults;
  faults.crashes_per_s = RateOf(draw, Between(draw.rng, 1, 6));
  faults.down = kLongestDown;
  if (fault == FaultClass::kForget) faults.forget_share = 0.5;
  if (fault == FaultClass::kRollback) faults.rollback_share = 0.5;
}

void AddMass(FaultClass fault, const Draw& draw) {
  if (fault == FaultClass::kMassLeave) {
    SwarmStep step = draw.Step(StepKind::kCrashShare);
    step.parts = Between(draw.rng, 16, 128);
    draw.plan.steps.push_back(step);
    return;
  }
  const std::uint32_t count = Between(draw.rng, 2, 1 + draw.plan.world.peers / 2);
  draw.plan.steps.insert(draw.plan.steps.end(), count, draw.Step(StepKind::kJoin));
}

void AddPeerFault(FaultClass fault, const Draw& draw) {
  Rng& rng = draw.rng;
  FaultOptions& faults = draw.plan.world.faults;
  const std::uint32_t some = Between(rng, 1, 3 + draw.plan.world.peers / 8);
  switch (fault) {
    case FaultClass::kCrash:
      return draw.Add(StepKind::kCrash, some);
    case FaultClass::kLeave:
      return draw.Add(StepKind::kLeave, some);
    case FaultClass::kJoin:
      return draw.Add(StepKind::kJoin, some);
    case FaultClass::kPause:
      faults.pauses_per_s = RateOf(draw, some);
      faults.pause = kLongestPause;
      return;
    case FaultClass::kSkew:
      faults.skew_share = Share(rng, 16, 256);
      return;
    case FaultClass::kLiars:
      faults.liar_share = Share(rng, 8, 64);
      faults.lie_share = Share(rng, 16, 256);
      return;
    case FaultClass::kDroppers:
      faults.dropper_share = Share(rng, 8, 64);
      return;
    case FaultClass::kLoopy:
      if (!draw.plan.world.core.has_ring()) return;
      draw.plan.world.start = StartMode::kBuilt;
      draw.plan.world.ring_turns = 2;
      return;
    default:
      faults.flooder_share = Share(rng, 8, 64);
      faults.flood_per_s = Between(rng, 1, 20);
  }
}

}  // namespace

void StartAsStrangers(const Draw& draw) {
  WorldOptions& world = draw.plan.world;
  if (world.peers < 6 || !world.core.heals()) return;
  world.start = StartMode::kBuilt;
  const std::uint32_t first = Between(draw.rng, 2, world.peers / 2);
  world.islands = {first, world.peers - first};
  if (world.islands[1] < 4 || draw.rng.Below(2) == 0) return;
  const std::uint32_t second = Between(draw.rng, 2, world.islands[1] - 2);
  world.islands = {first, second, world.peers - first - second};
}

void AddFault(FaultClass fault, const Draw& draw) {
  if (fault <= FaultClass::kCorrupt) {
    AddMessageFault(fault, draw);
  } else if (fault <= FaultClass::kStrangers) {
    AddPathFault(fault, draw);
  } else if (fault >= FaultClass::kRestart && fault <= FaultClass::kRollback) {
    AddRestarts(fault, draw);
  } else if (fault == FaultClass::kMassJoin || fault == FaultClass::kMassLeave) {
    AddMass(fault, draw);
  } else {
    AddPeerFault(fault, draw);
  }
}

}  // namespace tombolo::sim
