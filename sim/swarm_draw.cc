#include "sim/swarm_draw.h"

#include <algorithm>

namespace tombolo::sim {
namespace {

constexpr Duration kLongestPause = Duration::Seconds(10);
constexpr std::uint32_t kFounders = 5;  // the first client of those that found a room in a split

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

SwarmStep ClientStep(const Draw& draw, StepKind kind, std::uint32_t client, Time at) {
  SwarmStep step = draw.Step(kind);
  step.at = std::min(at, draw.plan.faults_end);
  step.other = client;
  return step;
}

// One room on several islands, or in several places at least: of clients that come and enter it
// while the network is cut.
void FoundOnBothSides(const Draw& draw, Time from, Time until) {
  const auto span = static_cast<std::uint64_t>((until - from).us + 1);
  for (std::uint32_t client = kFounders; client < kFounders + 3; ++client) {
    const Time at = from + Duration{static_cast<std::int64_t>(draw.rng.Below64(span))};
    draw.plan.steps.push_back(ClientStep(draw, StepKind::kAttach, client, at));
    SwarmStep enter = ClientStep(draw, StepKind::kEnter, client, at + Duration::Milliseconds(1));
    enter.who = 0;
    draw.plan.steps.push_back(enter);
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
  const bool founds = kind == StepKind::kSplit && draw.rng.Below(2) == 0;
  if (founds) FoundOnBothSides(draw, step.at, heal.at);
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

void AddPartitions(const Draw& draw) {
  FaultOptions& faults = draw.plan.world.faults;
  faults.partitions_per_s = RateOf(draw, Between(draw.rng, 1, 3));
  faults.partition = SecondsBetween(draw.rng, 5, 30);
  faults.asymmetric_share = draw.rng.Below(2) * 0.5;
}

void AddLinkFault(FaultClass fault, const Draw& draw) {
  Rng& rng = draw.rng;
  WorldOptions& world = draw.plan.world;
  FaultOptions& faults = world.faults;
  switch (fault) {
    case FaultClass::kPareto:
      // With a heavier tail some message would be under way for longer than the run.
      faults.delay_shape = Between(rng, 25, 60) / 10.0;
      if (faults.delay > 0) return;
      faults.delay = Share(rng, 1, 25);
      faults.delay_mean = Duration::Milliseconds(Between(rng, 50, 500));
      return;
    case FaultClass::kSqueeze:
      world.bandwidth.model = BandwidthModel::kFixed;
      world.bandwidth.up_bytes_per_s = Between(rng, 1, 10) * 1'000'000U;
      faults.squeeze_share = Share(rng, 16, 256);
      faults.squeeze_factor = Between(rng, 10, 1000);
      return;
    case FaultClass::kHalfOpen:
      faults.half_opens_per_s = RateOf(draw, Between(rng, 1, 20));
      return;
    case FaultClass::kReset:
      faults.resets_per_s = RateOf(draw, Between(rng, 1, 20));
      return;
    case FaultClass::kRebind:
      faults.rebinds_per_s = RateOf(draw, Between(rng, 1, 3 + world.peers / 8));
      return;
    case FaultClass::kNetworkCut:
      AddPartitions(draw);
      faults.network_share = 1;
      faults.networks = Pick<std::uint32_t, 3>(rng, {2, 4, 16});
      return;
    default:
      AddPartitions(draw);
      faults.partition_islands = Between(rng, 2, 4);
      faults.bridge_nodes = Between(rng, 1, 3);
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
  if (fault == FaultClass::kWave) {
    FaultOptions& faults = draw.plan.world.faults;
    faults.mass_joins_per_s = RateOf(draw, Between(draw.rng, 1, 4));
    faults.mass_leaves_per_s = RateOf(draw, Between(draw.rng, 1, 4));
    faults.mass_share = Share(draw.rng, 8, 48);
    faults.wave = SecondsBetween(draw.rng, 5, 40);
    return;
  }
  if (fault != FaultClass::kMassJoin) {
    const bool dies = fault == FaultClass::kMassLeave;
    SwarmStep step = draw.Step(dies ? StepKind::kCrashShare : StepKind::kLeaveShare);
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
    case FaultClass::kClockJump:
      faults.clock_jumps_per_s = RateOf(draw, Between(rng, 1, 3));
      faults.clock_jump = SecondsBetween(rng, 1, 20);
      return;
    case FaultClass::kSlowReaders:
      faults.slow_reader_share = Share(rng, 8, 64);
      faults.read_per_s = Between(rng, 10, 100);
      return;
    case FaultClass::kFalseDigest:
      faults.false_digest_share = Share(rng, 8, 64);
      return;
    case FaultClass::kSmallCaches:
      draw.plan.world.core.table.replacements = static_cast<int>(rng.Below(2));
      draw.plan.world.core.store.max_records = static_cast<int>(Between(rng, 2, 8));
      return;
    default:
      faults.flooder_share = Share(rng, 8, 64);
      faults.flood_per_s = Between(rng, 1, 20);
  }
}

}  // namespace

void AddClients(const Draw& draw) {
  Rng& rng = draw.rng;
  for (std::uint32_t client = Between(rng, 2, 4); client > 0; --client) {
    const SwarmStep come = ClientStep(draw, StepKind::kAttach, client, draw.When());
    draw.plan.steps.push_back(come);
    const Time soon = come.at + Duration::Milliseconds(Between(rng, 1, 3000));
    draw.plan.steps.push_back(ClientStep(draw, StepKind::kEnter, client, soon));
    if (rng.Below(4) == 0) {
      const Time twice = come.at + Duration::Milliseconds(rng.Below(300));
      draw.plan.steps.push_back(ClientStep(draw, StepKind::kAttach, client, twice));
    }
    for (std::uint32_t more = Between(rng, 1, 5); more > 0; --more) {
      const auto kind =
          Pick<StepKind, 5>(rng, {StepKind::kAttach, StepKind::kEnter, StepKind::kExit,
                                  StepKind::kResolve, StepKind::kResolve});
      draw.plan.steps.push_back(ClientStep(draw, kind, client, draw.When()));
    }
  }
}

void AddNews(const Draw& draw) {
  for (std::uint32_t count = Between(draw.rng, 1, 4); count > 0; --count) {
    SwarmStep step = draw.Step(StepKind::kBroadcast);
    const bool lasts = draw.rng.Below(2) == 0;
    step.span = lasts ? SecondsBetween(draw.rng, 200, 300) : SecondsBetween(draw.rng, 2, 60);
    draw.plan.steps.push_back(step);
  }
}

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
  } else if (fault >= FaultClass::kPareto && fault <= FaultClass::kBridgeNodes) {
    AddLinkFault(fault, draw);
  } else if (fault == FaultClass::kMassJoin || fault == FaultClass::kMassLeave ||
             fault == FaultClass::kWave || fault == FaultClass::kMassGoodbye) {
    AddMass(fault, draw);
  } else {
    AddPeerFault(fault, draw);
  }
}

}  // namespace tombolo::sim
