#include "sim/swarm_plan.h"

#include <algorithm>
#include <array>

#include "overlay/rng.h"
#include "sim/swarm_draw.h"
#include "sim/swarm_liveness.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kWorldStream = 0x737761726d;
constexpr std::uint64_t kWorkStream = kWorldStream + 1;
constexpr std::uint64_t kFaultStream = kWorldStream + 2;  // and those after it, one per class
constexpr std::uint64_t kRingStream = 0x72696e67;
constexpr std::uint64_t kClientStream = 0x636c69656e74;
constexpr std::uint64_t kNewsStream = 0x6e657773;

// Of pairs with lognormal delays, sigma .6, one in 25 million is slower than so many medians.
// Lookups have to wait for a round trip of that: whoever always answers too late is dead to the
// asker, whatever the protocol, and the closest peer to a key is not found where it is one of
// these.
constexpr std::int64_t kSlowestPair = 25;
constexpr double kPart = 1.0 / 256;
constexpr Duration kNotAtAll = Duration::Hours(1);  // longer than any run

// Classes that go on for a while when nothing new begins.
constexpr FaultSet kLingering =
    Bit(FaultClass::kRestart) | Bit(FaultClass::kForget) | Bit(FaultClass::kRollback) |
    Bit(FaultClass::kPause) | Bit(FaultClass::kClog) | Bit(FaultClass::kFlap) |
    Bit(FaultClass::kDelay) | Bit(FaultClass::kPareto) | Bit(FaultClass::kSlowReaders);
// Classes that a ring on its own has to stand. It does not heal: what a cut has separated, or the
// death of a whole successor list, stays apart.
constexpr FaultSet kRingFaults =
    Bit(FaultClass::kJitter) | Bit(FaultClass::kDrop) | Bit(FaultClass::kDelay) |
    Bit(FaultClass::kDuplicate) | Bit(FaultClass::kReorder) | Bit(FaultClass::kCorrupt) |
    Bit(FaultClass::kCrash) | Bit(FaultClass::kPause) | Bit(FaultClass::kSkew) |
    Bit(FaultClass::kLeave) | Bit(FaultClass::kJoin) | Bit(FaultClass::kMassJoin) |
    Bit(FaultClass::kLoopy) | Bit(FaultClass::kPareto) | Bit(FaultClass::kSqueeze) |
    Bit(FaultClass::kClockJump);

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
  if (world.latency.model == LatencyModel::kLognormal) {
    world.core.lookup.rpc_timeout =
        std::max(world.core.lookup.rpc_timeout, world.latency.median * kSlowestPair * 2);
  }
  world.keepalive_timeout = SecondsBetween(rng, 3, 10);
  world.ephemeral_hold = SecondsBetween(rng, 5, 30);
  return world;
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

// A third of the seeds has clients, and another third, drawn by itself, broadcasts.
void AddService(SwarmPlan& plan) {
  Rng clients = Rng::Split(plan.seed, kClientStream);
  if (clients.Below(3) == 0) AddClients({clients, plan});
  Rng news = Rng::Split(plan.seed, kNewsStream);
  if (news.Below(3) == 0) AddNews({news, plan});
}

// Where lists are long enough to stand it: many join at once, through each other too, and while
// they do a quarter of the others die.
void JoinAmidDeaths(const Draw& draw) {
  if (draw.plan.world.core.ring.successors < 8 || draw.rng.Below(2) == 0) return;
  const std::uint32_t newcomers = 2 + draw.plan.world.peers / 2;
  const SwarmStep join = draw.Step(StepKind::kJoin);
  draw.plan.steps.insert(draw.plan.steps.end(), newcomers, join);
  SwarmStep deaths = draw.Step(StepKind::kCrashShare);
  deaths.at = join.at + Duration::Milliseconds(Between(draw.rng, 20, 400));
  deaths.parts = 64;
  draw.plan.steps.push_back(deaths);
}

// Nothing else can be asked of a ring on its own.
void LookUpOnly(SwarmPlan& plan) {
  for (SwarmStep& step : plan.steps) {
    if (step.kind > StepKind::kLookup) step.kind = StepKind::kLookup;
  }
}

// A tenth of the seeds. Half of them have to do without the refresh that ends a merge: the ring has
// to be right before. A third loses messages while it lasts.
void MakeMergeAlone(SwarmPlan& plan, Rng& rng, FaultSet off) {
  Config& core = plan.world.core;
  plan.merge_alone = true;
  // In small islands everybody hears of everybody anyhow.
  plan.world.peers = Between(rng, 16, 128);
  core.heal.offered = Pick<int, 4>(rng, {1, 2, 4, 8});
  core.overlay = OverlayKind::kBoth;
  core.table.k = std::max(core.table.k, 8);
  core.table.refresh_interval = kNotAtAll;
  core.ring.stabilise_interval = kNotAtAll;
  plan.world.latency.model = LatencyModel::kConstant;
  StartAsStrangers({rng, plan});
  plan.faults = Bit(FaultClass::kStrangers);
  // What one island has said before reaches the other one, too.
  SwarmStep said;
  said.kind = StepKind::kBroadcast;
  said.who = rng.Below(1U << 16);
  said.span = Duration::Minutes(4);
  plan.steps.push_back(said);
  if (rng.Below(2) == 0) plan.bridges = Between(rng, 2, 8);
  if (rng.Below(2) == 0) core.heal.refresh_after = kNotAtAll;
  if (rng.Below(3) > 0 || (off & Bit(FaultClass::kDrop)) != 0) return;
  plan.faults |= Bit(FaultClass::kDrop);
  core.heal.offered = 8;  // of fewer all may be taken for silent, and with them their subtree
  plan.world.faults.drop = Share(rng, 1, 51);
  plan.world.faults.end = (plan.calm_from + MergeBound(plan.world)) - Time{};
}

// An eighth of the other seeds: the ring is all there is, with lists that are short or long.
void MakeRingAlone(SwarmPlan& plan, Rng& rng) {
  Config& core = plan.world.core;
  core.overlay = OverlayKind::kChord;
  core.links.max_links = 0;
  core.links.reserved = 0;
  core.ring.successors = Pick<int, 5>(rng, {2, 3, 4, 8, 16});
  core.ring.predecessors = static_cast<int>(Between(rng, 1, 8));
  core.ring.check_interval = SecondsBetween(rng, 2, 10);
  core.ring.fix_interval = SecondsBetween(rng, 2, 10);
  core.ring.fingers_per_fix = static_cast<int>(Between(rng, 1, 8));
  core.ring.overhear = rng.Below(2) == 0;
}

}  // namespace

SwarmPlan DrawPlan(std::uint64_t seed, FaultSet off) {
  SwarmPlan plan;
  plan.seed = seed;
  Rng rng = Rng::Split(seed, kWorldStream);
  plan.world = DrawWorld(rng, seed);
  plan.faults_end = Time{} + Duration::Seconds(1);
  plan.calm_from = plan.faults_end;
  if (rng.Below(10) == 0) {
    MakeMergeAlone(plan, rng, off);
    return plan;
  }
  Rng ring = Rng::Split(seed, kRingStream);
  const bool ring_alone = ring.Below(8) == 0;
  if (ring_alone) {
    MakeRingAlone(plan, ring);
    off |= kAllFaults & ~kRingFaults;
  }
  plan.faults_end = Time{} + SecondsBetween(rng, 10, 90);
  const Duration joins = plan.world.join_spacing * plan.world.peers;
  if (plan.world.start == StartMode::kJoin) plan.faults_end = plan.faults_end + joins;
  plan.world.faults.end = plan.faults_end - Time{};
  plan.calm_from = plan.faults_end;
  const std::uint32_t eagerness = Between(rng, 1, 8);  // of 20: how likely each class is
  Rng work = Rng::Split(seed, kWorkStream);
  AddWork({work, plan});
  if (!ring_alone) AddService(plan);
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    Rng stream = Rng::Split(seed, kFaultStream + i);
    const auto fault = static_cast<FaultClass>(i);
    if (stream.Below(20) >= eagerness || (off & Bit(fault)) != 0) continue;
    plan.faults |= Bit(fault);
    AddFault(fault, {stream, plan});
  }
  if ((plan.faults & kLingering) != 0) plan.calm_from = plan.faults_end + kLongestDown * kTail;
  if (ring_alone) {
    JoinAmidDeaths({ring, plan});
    LookUpOnly(plan);
  }
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
  const std::string overlay = !world.core.has_table() ? "chord"
                              : world.core.has_ring() ? "both"
                                                      : "kademlia";
  const std::string width = world.core.has_table()
                                ? ", k = " + std::to_string(world.core.table.k)
                                : ", successors = " + std::to_string(world.core.successors());
  return std::to_string(world.peers) + " peers, " + overlay + width +
         (world.start == StartMode::kBuilt ? ", built" : ", joined") +
         (plan.merge_alone ? ", merge alone" : "") + ", faults: " + FaultNames(plan.faults);
}

}  // namespace tombolo::sim
