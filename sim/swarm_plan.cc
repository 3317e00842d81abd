#include "sim/swarm_plan.h"

#include <algorithm>
#include <array>

#include "overlay/rng.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kWorldStream = 0x737761726d;
constexpr std::uint64_t kWorkStream = kWorldStream + 1;
constexpr std::uint64_t kFaultStream = kWorldStream + 2;  // and those after it, one per class

constexpr double kPart = 1.0 / 256;

constexpr Duration kLongestPause = Duration::Seconds(10);
// Means of exponential times; none is longer than kTail of them but once in half a million.
constexpr Duration kLongestDown = Duration::Seconds(4);
constexpr std::int64_t kTail = 13;
// Classes that go on for a while when nothing new begins.
constexpr FaultSet kLingering = Bit(FaultClass::kRestart) | Bit(FaultClass::kForget) |
                                Bit(FaultClass::kRollback) | Bit(FaultClass::kPause) |
                                Bit(FaultClass::kClog) | Bit(FaultClass::kFlap) |
                                Bit(FaultClass::kDelay);

template <class T, std::size_t N>
T Pick(Rng& rng, const std::array<T, N>& values) {
  return values[rng.Below(static_cast<std::uint32_t>(N))];
}

std::uint32_t Between(Rng& rng, std::uint32_t low, std::uint32_t high) {
  return low + rng.Below(high - low + 1);
}

Duration SecondsBetween(Rng& rng, std::uint32_t low, std::uint32_t high) {
  return Duration::Milliseconds(Between(rng, low * 1000, high * 1000));
}

// Mostly small: small overlays are the corner cases, and quick.
std::uint32_t DrawSize(Rng& rng) {
  const std::uint32_t draw = rng.Below(10);
  if (draw < 5) return Between(rng, 3, 16);
  return draw < 9 ? Between(rng, 17, 48) : Between(rng, 49, 128);
}

LatencyOptions DrawLatency(Rng& rng) {
  LatencyOptions latency;
  latency.model = Pick<LatencyModel, 4>(rng, {LatencyModel::kConstant, LatencyModel::kUniform,
                                              LatencyModel::kLognormal, LatencyModel::kCloud});
  latency.one_way = Duration::Milliseconds(Between(rng, 1, 100));
  latency.median = Duration::Milliseconds(Between(rng, 10, 60));
  latency.asymmetry = rng.Below(64) * kPart;
  return latency;
}

// Intervals are those of a lively network, so that repair takes minutes of simulated time and not
// hours.
Config DrawConfig(Rng& rng) {
  Config core;
  core.overlay = Pick<OverlayKind, 2>(rng, {OverlayKind::kKademlia, OverlayKind::kBoth});
  // Where no ring helps, a subtree of as many peers as a bucket holds may be content with itself.
  core.table.k =
      core.has_ring() ? Pick<int, 5>(rng, {3, 4, 8, 16, 20}) : Pick<int, 3>(rng, {8, 16, 20});
  core.table.check_interval = SecondsBetween(rng, 1, 10);
  core.table.refresh_interval = SecondsBetween(rng, 20, 60);
  core.lookup.alpha = static_cast<int>(Between(rng, 1, 4));
  core.store.republish_interval = SecondsBetween(rng, 20, 60);
  core.store.cache_ttl = SecondsBetween(rng, 0, 30);
  core.links.max_links = static_cast<int>(Between(rng, 32, 128));
  core.links.reserved = core.links.max_links / 4;
  core.links.maintenance_interval = SecondsBetween(rng, 2, 10);
  core.links.hidden_refresh_interval = SecondsBetween(rng, 10, 40);
  core.links.dial_back_off = SecondsBetween(rng, 2, 20);
  core.ring.stabilise_interval = SecondsBetween(rng, 2, 10);
  core.gossip.compare_interval = SecondsBetween(rng, 2, 8);
  core.heal.remember_after = SecondsBetween(rng, 2, 10);
  core.heal.probe_interval = SecondsBetween(rng, 2, 8);
  core.heal.probe_back_off_max = SecondsBetween(rng, 10, 20);
  core.heal.exchange_interval = SecondsBetween(rng, 10, 30);
  return core;
}

WorldOptions DrawWorld(Rng& rng, std::uint64_t seed) {
  WorldOptions world;
  world.peers = DrawSize(rng);
  world.seed = seed;
  world.start = Pick<StartMode, 2>(rng, {StartMode::kBuilt, StartMode::kJoin});
  world.join_spacing = Duration::Milliseconds(Between(rng, 10, 300));
  world.core = DrawConfig(rng);
  world.latency = DrawLatency(rng);
  world.keepalive_timeout = SecondsBetween(rng, 3, 10);
  world.ephemeral_hold = SecondsBetween(rng, 5, 30);
  return world;
}

// What the drawing of one class needs.
struct Draw {
  Rng& rng;
  SwarmPlan& plan;

  // Any time before the last fault.
  Time When() const {
    return Time{} + Duration{static_cast<std::int64_t>(
                        rng.Below64(static_cast<std::uint64_t>(plan.faults_end.us)))};
  }
  SwarmStep Step(StepKind kind) const {
    SwarmStep step;
    step.at = When();
    step.kind = kind;
    step.who = rng.Below(1U << 16);
    step.other = rng.Below(1U << 16);
    return step;
  }
  void Add(StepKind kind, std::uint32_t count) const {
    for (std::uint32_t i = 0; i < count; ++i) plan.steps.push_back(Step(kind));
  }
};

double Share(Rng& rng, std::uint32_t low, std::uint32_t high) {
  return Between(rng, low, high) * kPart;
}

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

// Two or three islands, of at least two peers each.
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
    default:
      faults.flooder_share = Share(rng, 8, 64);
      faults.flood_per_s = Between(rng, 1, 20);
  }
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

void AddWork(const Draw& draw) {
  const std::uint32_t operations = Between(draw.rng, 10, 60);
  for (std::uint32_t i = 0; i < operations; ++i) {
    SwarmStep step =
        draw.Step(Pick<StepKind, 6>(draw.rng, {StepKind::kLookup, StepKind::kSend, StepKind::kSend,
                                               StepKind::kSend, StepKind::kPut, StepKind::kGet}));
    step.span = SecondsBetween(draw.rng, 2, 30);
    draw.plan.steps.push_back(step);
  }
}

}  // namespace

// A tenth of the seeds.
void MakeMergeAlone(SwarmPlan& plan, Rng& rng) {
  Config& core = plan.world.core;
  plan.merge_alone = true;
  plan.world.peers = std::max(plan.world.peers, 16U);
  core.overlay = OverlayKind::kBoth;
  core.table.k = std::max(core.table.k, 8);
  core.table.refresh_interval = Duration::Hours(2);
  core.ring.stabilise_interval = Duration::Hours(2);
  plan.world.latency.model = LatencyModel::kConstant;
  StartAsStrangers({rng, plan});
  plan.faults = Bit(FaultClass::kStrangers);
  // What one island has said before reaches the other one, too.
  SwarmStep said;
  said.kind = StepKind::kBroadcast;
  said.who = rng.Below(1U << 16);
  said.span = Duration::Minutes(4);
  plan.steps.push_back(said);
}

SwarmPlan DrawPlan(std::uint64_t seed, FaultSet off) {
  SwarmPlan plan;
  plan.seed = seed;
  Rng rng = Rng::Split(seed, kWorldStream);
  plan.world = DrawWorld(rng, seed);
  plan.faults_end = Time{} + Duration::Seconds(1);
  plan.calm_from = plan.faults_end;
  if (rng.Below(10) == 0) {
    MakeMergeAlone(plan, rng);
    return plan;
  }
  plan.faults_end = Time{} + SecondsBetween(rng, 10, 90);
  const Duration joins = plan.world.join_spacing * plan.world.peers;
  if (plan.world.start == StartMode::kJoin) plan.faults_end = plan.faults_end + joins;
  plan.world.faults.end = plan.faults_end - Time{};
  plan.calm_from = plan.faults_end;
  const std::uint32_t eagerness = Between(rng, 1, 8);  // of 20: how likely each class is
  Rng work = Rng::Split(seed, kWorkStream);
  AddWork({work, plan});
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    Rng stream = Rng::Split(seed, kFaultStream + i);
    const auto fault = static_cast<FaultClass>(i);
    if (stream.Below(20) >= eagerness || (off & Bit(fault)) != 0) continue;
    plan.faults |= Bit(fault);
    AddFault(fault, {stream, plan});
  }
  if ((plan.faults & kLingering) != 0) plan.calm_from = plan.faults_end + kLongestDown * kTail;
  std::stable_sort(plan.steps.begin(), plan.steps.end(),
                   [](const SwarmStep& a, const SwarmStep& b) { return a.at < b.at; });
  return plan;
}

std::string FaultNames(FaultSet faults) {
  std::string names;
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    if ((faults & Bit(static_cast<FaultClass>(i))) == 0) continue;
    names += (names.empty() ? "" : ", ") + std::string(kFaultClassNames[i]);
  }
  return names.empty() ? "none" : names;
}

std::string Describe(const SwarmPlan& plan) {
  const WorldOptions& world = plan.world;
  const bool both = world.core.overlay == OverlayKind::kBoth;
  return std::to_string(world.peers) + (both ? " peers, both" : " peers, kademlia") +
         ", k = " + std::to_string(world.core.table.k) +
         (world.start == StartMode::kBuilt ? ", built" : ", joined") +
         (plan.merge_alone ? ", merge alone" : "") + ", faults: " + FaultNames(plan.faults);
}

}  // namespace tombolo::sim
