#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "sim/swarm_ledger.h"
#include "sim/swarm_liveness.h"
#include "sim/swarm_plan.h"
#include "sim/swarm_run.h"
#include "sim/swarm_safety.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

constexpr PeerRef kAnn{0};
constexpr PeerRef kBob{1};
constexpr PeerRef kCat{2};

// A world that relays, at rest.
World QuietWorld() {
  WorldOptions options = ToyOptions(8);
  options.core.links.max_links = 32;
  World world(options);
  world.RecordEvents(1000);
  return world;
}

// What the ledger says of a send that it did not begin, with these bytes.
std::optional<Violation> Judge(SwarmLedger& ledger, World& world, PeerRef from, PeerRef to,
                               const std::string& bytes) {
  SendOptions options;
  options.bytes = bytes;
  world.StartSend(from, world.directory().id(to), 0, options);
  world.RunFor(Duration::Seconds(5));
  return ledger.Check(world);
}

TEST(SwarmLedger, AllIsWellWithASendThatArrivesOnce) {
  World world = QuietWorld();
  SwarmLedger ledger({});
  ledger.Send(world, kAnn, kBob, Duration::Seconds(10));
  world.RunFor(Duration::Seconds(5));
  EXPECT_FALSE(ledger.Check(world));
  EXPECT_EQ(ledger.results().succeeded, 1U);
  EXPECT_EQ(ledger.open(), 0U);
}

TEST(SwarmLedger, KnowsWhatArrivesAmiss) {
  const struct {
    PeerRef from, to;
    const char* bytes;
    const char* invariant;
  } cases[] = {
      {kAnn, kBob, "nobody sent this", "S1 content is what was sent"},
      {kAnn, kBob, "swarm 7", "S1 content is what was sent"},
      {kAnn, kCat, "swarm 0", "S2 no delivery to the wrong peer"},
      {kCat, kBob, "swarm 0", "S1 origin is authentic"},
      {kAnn, kBob, "swarm 0", "S3 at most once"},
  };
  for (const auto& wrong : cases) {
    World world = QuietWorld();
    SwarmLedger ledger({});
    ledger.Send(world, kAnn, kBob, Duration::Seconds(10));
    world.RunFor(Duration::Seconds(5));
    ASSERT_FALSE(ledger.Check(world));
    const auto found = Judge(ledger, world, wrong.from, wrong.to, wrong.bytes);
    ASSERT_TRUE(found) << wrong.bytes;
    EXPECT_EQ(found->invariant, wrong.invariant);
    EXPECT_EQ(found->peer, wrong.to);
  }
}

TEST(SwarmLedger, OnlyWhoHasForgottenSinceMayGetAMessageTwice) {
  enum class When { kBefore, kBetween, kAfter };  // the two arrivals
  const auto judge = [](PeerRef forgetful, When when) {
    World world = QuietWorld();
    world.message_log().SetLimit(100);
    SwarmLedger ledger({});
    if (when == When::kBefore) world.message_log().AddForgetting(world.now(), forgetful);
    ledger.Send(world, kAnn, kBob, Duration::Seconds(10));
    world.RunFor(Duration::Seconds(5));
    if (when == When::kBetween) world.message_log().AddForgetting(world.now(), forgetful);
    if (when == When::kAfter) {
      world.message_log().AddForgetting(world.now() + Duration::Seconds(5), forgetful);
    }
    return Judge(ledger, world, kAnn, kBob, "swarm 0").has_value();
  };
  EXPECT_FALSE(judge(kBob, When::kBetween));
  EXPECT_TRUE(judge(kCat, When::kBetween)) << "somebody else";
  EXPECT_TRUE(judge(kBob, When::kBefore));
  EXPECT_TRUE(judge(kBob, When::kAfter));
}

// A world in which Cat does not hear of a broadcast of Ann.
World WithoutNewsForCat(SwarmLedger& ledger) {
  World world = QuietWorld();
  world.message_log().SetLimit(1 << 16);
  world.Isolate(kCat);
  world.RunFor(Duration::Minutes(1));
  ledger.Broadcast(world, kAnn, Duration::Minutes(5));
  world.RunFor(Duration::Seconds(10));
  EXPECT_FALSE(ledger.Check(world));
  return world;
}

TEST(SwarmLedger, ABroadcastIsOwedForAsLongAsItLivesAndHasAHolder) {
  SwarmLedger ledger({});
  World world = WithoutNewsForCat(ledger);
  const Time now = world.now();
  const auto missing = ledger.CheckCaughtUp(world, now);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->invariant, "L6 broadcasts reach everybody");
  EXPECT_EQ(missing->peer, kCat);
  EXPECT_FALSE(ledger.CheckCaughtUp(world, now + Duration::Seconds(1))) << "not due yet";
  world.RunFor(Duration::Minutes(6));
  EXPECT_FALSE(ledger.CheckCaughtUp(world, world.now())) << "it has expired";
  EXPECT_TRUE(ledger.CheckCaughtUp(world, now)) << "it was due before";
}

TEST(SwarmLedger, WhatAllHoldersHaveForgottenIsNotOwed) {
  SwarmLedger ledger({});
  World world = WithoutNewsForCat(ledger);
  for (std::uint32_t peer = 1; peer < world.peer_count(); ++peer)
    world.message_log().AddForgetting(world.now(), PeerRef{peer});
  EXPECT_FALSE(ledger.Check(world));
  EXPECT_TRUE(ledger.CheckCaughtUp(world, world.now())) << "Ann still has it";
  world.message_log().AddForgetting(world.now(), kAnn);
  EXPECT_FALSE(ledger.Check(world));
  EXPECT_FALSE(ledger.CheckCaughtUp(world, world.now()));
}

TEST(SwarmLedger, AnOperationThatDoesNotEndIsAViolation) {
  World world = QuietWorld();
  SwarmLedger ledger({});
  for (const PeerRef peer : {kBob, kCat}) world.Isolate(peer);
  ledger.Send(world, kAnn, kBob, Duration::Seconds(2));
  // The clock of the world goes on while the peers stand still.
  world.Pause(kAnn, Duration::Minutes(1));
  world.RunFor(Duration::Seconds(30));
  const auto found = ledger.Check(world);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->invariant, "S6 every operation ends in time");
  EXPECT_EQ(found->peer, kAnn);
}

TEST(SwarmLedger, AtRestASendToNobodyIsToldToBeUnreachable) {
  World world = QuietWorld();
  SwarmLedger ledger({});
  ledger.ComeToRest(world.now());
  ledger.SendNowhere(world, kAnn, world.RandomId(), Duration::Minutes(2));
  world.RunFor(Duration::Minutes(3));
  EXPECT_FALSE(ledger.Check(world));
  // Nobody can find out in so short a time.
  ledger.SendNowhere(world, kAnn, world.RandomId(), Duration::Milliseconds(1));
  world.RunFor(Duration::Minutes(3));
  EXPECT_FALSE(ledger.Check(world)) << "it is tried again before it is a violation";
  const auto found = ledger.results().last_failure;
  ASSERT_TRUE(found);
  EXPECT_EQ(found->invariant, "L4 a send to nobody is told to be unreachable");
}

TEST(SwarmLedger, MissesABroadcastThatHasNotCome) {
  World world = QuietWorld();
  SwarmLedger ledger({});
  ledger.ComeToRest(world.now());
  ledger.Broadcast(world, kAnn, Duration::Minutes(1));
  const auto found = ledger.CheckBroadcasts(world);
  ASSERT_TRUE(found) << "it has just begun";
  EXPECT_EQ(found->invariant, "L6 broadcasts reach everybody");
  world.RunFor(Duration::Seconds(10));
  EXPECT_FALSE(ledger.Check(world));
  EXPECT_FALSE(ledger.CheckBroadcasts(world));
}

// A message of Ann to Bob, on its first hop.
Forward FirstHop(const World& world) {
  Forward forward{};
  forward.id = 1;
  forward.origin = world.directory().id(kAnn);
  forward.target = world.directory().id(kBob);
  forward.ttl = static_cast<std::uint8_t>(world.options().core.relay.ttl - 1);
  forward.hops = 1;
  return forward;
}

TEST(SwarmSafety, KnowsLoops) {
  World world = QuietWorld();
  world.message_log().SetLimit(100);
  const auto judge = [&](PeerRef from, PeerRef to, const Forward& forward, int times) {
    SafetyWatch watch;
    world.message_log().Clear();
    for (int i = 0; i < times; ++i) world.message_log().Add(world.now(), from, to, forward);
    return watch.CheckMessages(world).has_value();
  };
  const Forward good = FirstHop(world);
  EXPECT_FALSE(judge(kAnn, kBob, good, 1));
  EXPECT_TRUE(judge(kAnn, kBob, good, 100)) << "the same way again and again";
  EXPECT_TRUE(judge(kBob, kAnn, good, 1)) << "away from the target";
  Forward kept = good;
  ++kept.ttl;
  EXPECT_TRUE(judge(kAnn, kBob, kept, 1)) << "nothing taken from the ttl";
}

TEST(SwarmLiveness, ABuiltWorldIsRightAndOneWithoutHalfItsPeersIsNot) {
  World world(ToyOptions(200));
  EXPECT_FALSE(FirstWrong(world));
  EXPECT_EQ(KnowledgeIslands(world).size(), 1U);
  world.CrashShare(0.9);
  EXPECT_TRUE(FirstWrong(world));
}

TEST(SwarmLiveness, CountsIslandsOfKnowledge) {
  WorldOptions options = ToyOptions(20);
  options.islands = {5, 15};
  EXPECT_EQ(KnowledgeIslands(World(options)).size(), 2U);
}

WorldOptions Islands() {
  WorldOptions options = ToyOptions(20);
  options.core.overlay = OverlayKind::kBoth;
  options.islands = {5, 15};
  return options;
}

TEST(SwarmLiveness, IslandsAreIntroducedToSomebodyWhoCanBeDialled) {
  WorldOptions options = Islands();
  options.nat_share = 0.5;
  World world(options);
  ASSERT_FALSE(world.directory().dialable(PeerRef{0})) << "the first of the first island";
  EXPECT_TRUE(IntroduceIslands(world));
  world.RunFor(Duration::Minutes(1));
  EXPECT_EQ(KnowledgeIslands(world).size(), 1U);
  options.nat_share = 1;
  World hidden(options);
  EXPECT_FALSE(IntroduceIslands(hidden)) << "nobody can speak to anybody";
}

TEST(SwarmLiveness, WithoutHealingIslandsStayApart) {
  WorldOptions options = Islands();
  options.core.heal.enabled = false;
  World world(options);
  EXPECT_FALSE(IntroduceIslands(world));
}

TEST(SwarmLiveness, AMergeAndItsConfirmationsHaveBudgetsOfTheirOwn) {
  WorldOptions options = ToyOptions(100);
  options.core.overlay = OverlayKind::kBoth;
  options.islands = {40, 60};
  World world(options);
  ASSERT_TRUE(IntroduceIslands(world));
  world.RunFor(Duration::Minutes(1));
  EXPECT_FALSE(CheckMergeCost(world, 1));
  for (int i = 0; i < 100; ++i) {
    world.Introduce(PeerRef{0}, PeerRef{50});  // no neighbour
    world.RunFor(Duration::Seconds(1));
  }
  const auto wrong = CheckMergeCost(world, 1);
  ASSERT_TRUE(wrong) << "nobody has asked for so many";
  EXPECT_NE(wrong->detail.find("of confirming it"), std::string::npos) << wrong->detail;
}

TEST(SwarmPlan, EveryPlanIsAWorldThatCanBe) {
  FaultSet seen = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const SwarmPlan plan = DrawPlan(seed);
    EXPECT_EQ(plan.world.Validate(), std::nullopt) << seed;
    EXPECT_TRUE(std::is_sorted(plan.steps.begin(), plan.steps.end(),
                               [](const auto& a, const auto& b) { return a.at < b.at; }));
    seen |= plan.faults;
    const LatencyOptions& latency = plan.world.latency;
    const bool waits = plan.world.core.lookup.rpc_timeout >= latency.median * 50;
    EXPECT_TRUE(latency.model != LatencyModel::kLognormal || waits) << seed;
  }
  EXPECT_EQ(seen, kAllFaults) << FaultNames(kAllFaults & ~seen) << " never drawn";
}

TEST(SwarmPlan, StepsOfEveryKindAreDrawn) {
  std::array<int, kStepNames.size()> plans{};
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const SwarmPlan plan = DrawPlan(seed);
    std::array<bool, kStepNames.size()> drawn{};
    for (const SwarmStep& step : plan.steps) drawn[static_cast<std::size_t>(step.kind)] = true;
    for (std::size_t kind = 0; kind < plans.size(); ++kind) plans[kind] += drawn[kind] ? 1 : 0;
  }
  for (std::size_t kind = 0; kind < plans.size(); ++kind)
    EXPECT_GE(plans[kind], 10) << kStepNames[kind];
}

TEST(SwarmPlan, AClassSwitchedOffLeavesTheOthersAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const SwarmPlan whole = DrawPlan(seed);
    if (whole.merge_alone) continue;
    const SwarmPlan without = DrawPlan(seed, Bit(FaultClass::kCrash));
    EXPECT_EQ(without.faults, whole.faults & ~Bit(FaultClass::kCrash));
    std::vector<SwarmStep> expected = whole.steps;
    std::erase_if(expected, [](const SwarmStep& step) { return step.kind == StepKind::kCrash; });
    ASSERT_EQ(without.steps.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(without.steps[i].at, expected[i].at);
      EXPECT_EQ(without.steps[i].who, expected[i].who);
    }
  }
}

TEST(SwarmRun, SeedsPassAndRunTheSameWayTwice) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const SwarmPlan plan = DrawPlan(seed);
    const SwarmOutcome first = RunPlan(plan);
    EXPECT_FALSE(first.violation) << first.violation->invariant;
    EXPECT_EQ(first.trace_hash, RunPlan(plan).trace_hash);
    EXPECT_GT(first.operations, 0U);
  }
}

// On its own, in the first seed that draws it and is not empty, each changes the run; those that
// are counted are injected.
TEST(SwarmRun, ClassesAreInjected) {
  constexpr Injected kNotCounted = Injected::kCount;
  const std::vector<std::pair<FaultClass, Injected>> classes = {
      {FaultClass::kPareto, Injected::kDelayed},
      {FaultClass::kSqueeze, kNotCounted},
      {FaultClass::kHalfOpen, Injected::kHalfOpens},
      {FaultClass::kReset, Injected::kResets},
      {FaultClass::kRebind, Injected::kRebinds},
      {FaultClass::kNetworkCut, Injected::kNetworkCuts},
      {FaultClass::kBridgeNodes, Injected::kPartitions},
      {FaultClass::kClockJump, Injected::kClockJumps},
      {FaultClass::kSlowReaders, Injected::kReadLate},
      {FaultClass::kWave, Injected::kMassJoins},
      {FaultClass::kMassGoodbye, kNotCounted},
      {FaultClass::kFalseDigest, Injected::kFalseDigests},
      {FaultClass::kSmallCaches, kNotCounted}};
  for (const auto& [fault, counted] : classes) {
    bool injected = false;
    for (std::uint64_t seed = 1; seed <= 200 && !injected; ++seed) {
      const SwarmPlan plan = DrawPlan(seed, kAllFaults & ~Bit(fault));
      if (plan.faults != Bit(fault)) continue;
      const SwarmOutcome outcome = RunPlan(plan);
      EXPECT_FALSE(outcome.violation) << seed << ": " << outcome.violation->invariant;
      injected =
          outcome.trace_hash != RunPlan(DrawPlan(seed, kAllFaults)).trace_hash &&
          (counted == kNotCounted || outcome.injected[static_cast<std::size_t>(counted)] > 0);
    }
    EXPECT_TRUE(injected) << FaultNames(Bit(fault));
  }
}

// Each was a defect once, of the core or of the swarm itself; with the classes that there were
// then.
TEST(SwarmRun, SeedsOfDefectsThatWereFixedPass) {
  constexpr FaultSet kLaterClasses = kAllFaults & ~(Bit(FaultClass::kPareto) - 1);
  for (const std::uint64_t seed :
       {5U,     134U,   211U,   373U,   486U,   647U,   682U,   766U,   798U,
        834U,   968U,   1302U,  1417U,  1923U,  2229U,  2243U,  2311U,  2336U,
        2855U,  3142U,  5232U,  5568U,  8139U,  8172U,  10249U, 10980U, 13759U,
        14934U, 16537U, 16915U, 17006U, 17268U, 17612U, 17644U, 19971U}) {
    const SwarmOutcome outcome = RunPlan(DrawPlan(seed, kLaterClasses));
    EXPECT_FALSE(outcome.violation) << seed << ": " << outcome.violation->invariant;
  }
  for (const std::uint64_t seed : {1091U, 5463U, 8872U}) {  // with those that came later, too
    const SwarmOutcome outcome = RunPlan(DrawPlan(seed));
    EXPECT_FALSE(outcome.violation) << seed << ": " << outcome.violation->invariant;
  }
}

TEST(SwarmRun, TellsWhatWasDoneAndWhatTheOffenderSaid) {
  const SwarmPlan plan = DrawPlan(3);
  const std::vector<std::string> story =
      TellPlan(plan, {"an invariant", kAnn, Time{}, "a detail"}, 5);
  ASSERT_EQ(story.size(), 10U);
  EXPECT_NE(story.back().find("peer 0"), std::string::npos) << story.back();
}

}  // namespace
}  // namespace tombolo::sim
