#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sim/swarm.h"

namespace tombolo::sim {
namespace {

using Json = nlohmann::ordered_json;

// Plans that break their word: where messages are dropped they go on being dropped for long after
// calm has been promised, half of them. Nothing converges then, and nothing else is to blame.
SwarmPlan DropForEver(std::uint64_t seed, FaultSet off) {
  SwarmPlan plan = DrawPlan(seed, off);
  if (!plan.has(FaultClass::kDrop)) return plan;
  plan.world.faults.drop = .5;
  plan.world.faults.end = Duration::Hours(2);
  return plan;
}

// The first seed with drops and at least three more faults, none of which is the plan itself.
std::uint64_t SeedWithDrops() {
  for (std::uint64_t seed = 1;; ++seed) {
    const SwarmPlan plan = DrawPlan(seed);
    if (!plan.merge_alone && plan.world.core.has_table() && plan.has(FaultClass::kDrop) &&
        std::popcount(plan.faults) > 3 && plan.world.peers < 20)
      return seed;
  }
}

SwarmReport Judge(const SwarmOptions& options) {
  Progress progress(false, "swarm");
  return RunSwarm(options, progress, DropForEver);
}

SwarmOptions Only(std::uint64_t seed) {
  SwarmOptions options;
  options.first = seed;
  options.seeds = 1;
  return options;
}

// The classes that a command switches off.
FaultSet WithoutOf(const std::string& command) {
  const std::string flag = " --without ";
  const std::size_t place = command.find(flag);
  if (place == std::string::npos) return 0;
  std::istringstream names(command.substr(place + flag.size()));
  FaultSet faults = 0;
  for (std::string name; std::getline(names, name, ',');) {
    const auto found = std::find(kFaultClassNames.begin(), kFaultClassNames.end(), name);
    EXPECT_NE(found, kFaultClassNames.end()) << name;
    faults |= Bit(static_cast<FaultClass>(found - kFaultClassNames.begin()));
  }
  return faults;
}

TEST(SwarmReport, AFailedSeedNeedsOnlyTheFaultThatIsToBlame) {
  const std::uint64_t seed = SeedWithDrops();
  const SwarmReport report = Judge(Only(seed));
  ASSERT_EQ(report.failures.size(), 1U);
  const SwarmFailure& failure = report.failures[0];
  EXPECT_EQ(failure.seed, seed);
  EXPECT_EQ(failure.faults, DrawPlan(seed).faults);
  EXPECT_EQ(failure.needed, Bit(FaultClass::kDrop)) << FaultNames(failure.needed);
  EXPECT_EQ(WithoutOf(failure.command), failure.faults & ~failure.needed);
}

// What is told is what the command does: the same violation, at the same time, by the same story.
TEST(SwarmReport, TheCommandReplaysTheStory) {
  const SwarmReport report = Judge(Only(SeedWithDrops()));
  ASSERT_EQ(report.failures.size(), 1U);
  const SwarmFailure& told = report.failures[0];
  SwarmOptions options = Only(told.seed);
  options.without = WithoutOf(told.command);
  ASSERT_NE(options.without, 0U);
  const SwarmReport again = Judge(options);
  ASSERT_EQ(again.failures.size(), 1U);
  const SwarmFailure& replayed = again.failures[0];
  EXPECT_EQ(replayed.violation.invariant, told.violation.invariant);
  EXPECT_EQ(replayed.violation.peer, told.violation.peer);
  EXPECT_EQ(replayed.violation.at, told.violation.at);
  EXPECT_EQ(replayed.violation.detail, told.violation.detail);
  EXPECT_EQ(replayed.story, told.story);
  EXPECT_EQ(replayed.command, told.command) << "nothing more can be spared";
  // And it is the story of the plan that is left, by that plan's own words.
  const SwarmPlan left = DropForEver(told.seed, options.without);
  const SwarmOutcome outcome = RunPlan(left);
  ASSERT_TRUE(outcome.violation);
  EXPECT_EQ(outcome.violation->at, told.violation.at);
  EXPECT_EQ(TellPlan(left, *outcome.violation, 12), told.story);
  EXPECT_FALSE(told.story.empty());
}

TEST(SwarmReport, TheTextNamesInvariantPeerTimePlanAndCommand) {
  SwarmFailure failure;
  failure.seed = 17;
  failure.plan = "5 peers, kademlia, k = 8, built, faults: drop, crash";
  failure.faults = Bit(FaultClass::kDrop) | Bit(FaultClass::kCrash);
  failure.needed = Bit(FaultClass::kDrop);
  failure.violation = {"I6 routable", PeerRef{4}, Time{} + Duration::Milliseconds(61'205),
                       "a route to peer 2 ends at peer 3"};
  failure.command = SwarmCommand(17, Bit(FaultClass::kCrash) | Bit(FaultClass::kMassLeave));
  failure.story = {"100 ms  send peer 4", "61200 ms  peer 4 -> peer 3  forward"};
  EXPECT_EQ(SwarmFailureText(failure),
            "seed 17: I6 routable at peer 4, 61.205 s: a route to peer 2 ends at peer 3; replay: "
            "tombolo-sim swarm --seeds 1 --first 17 --without crash,mass_leave\n"
            "  5 peers, kademlia, k = 8, built, faults: drop, crash\n"
            "  needed of these: drop\n"
            "  100 ms  send peer 4\n"
            "  61200 ms  peer 4 -> peer 3  forward\n");
  failure.violation.peer = PeerRef::kNone;
  failure.violation.at = Time{} + Duration::Milliseconds(7);
  EXPECT_TRUE(
      SwarmFailureText(failure).starts_with("seed 17: I6 routable at the world, 0.007 s: "));
  EXPECT_EQ(SwarmCommand(3, 0), "tombolo-sim swarm --seeds 1 --first 3");
}

TEST(SwarmReport, InBriefNothingIsSparedAndNothingTold) {
  SwarmOptions options = Only(SeedWithDrops());
  options.brief = true;
  const SwarmReport report = Judge(options);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].needed, report.failures[0].faults);
  EXPECT_EQ(report.failures[0].command, SwarmCommand(options.first, 0));
  EXPECT_TRUE(report.failures[0].story.empty());
}

TEST(SwarmReport, TheSwarmEndsWithTheLastFailureItMayHave) {
  SwarmOptions options;
  options.seeds = 1000;
  options.failures_max = 2;
  options.brief = true;
  const std::uint64_t seed = SeedWithDrops();
  Progress progress(false, "swarm");
  const SwarmReport report = RunSwarm(options, progress, [&](std::uint64_t drawn, FaultSet off) {
    return drawn == 2 || drawn == 4 ? DropForEver(seed, off) : DrawPlan(drawn, off);
  });
  EXPECT_EQ(report.done, 4U);
  EXPECT_EQ(report.failures.size(), 2U);
  EXPECT_TRUE(
      SwarmText(report).starts_with(std::to_string(report.done) + " seeds from 1: 2 failed, "));
  const Json json = SwarmJson(report, {}, {});
  EXPECT_EQ(json["seeds_failed"], 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const SwarmFailure& failure = report.failures[i];
    EXPECT_EQ(json["failures"][i]["seed"], failure.seed);
    EXPECT_EQ(json["failures"][i]["invariant"], failure.violation.invariant);
    EXPECT_EQ(json["failures"][i]["command"], failure.command);
    EXPECT_EQ(json["failures"][i]["faults_needed"], FaultNames(failure.needed));
  }
}

TEST(SwarmReport, AClassThatIsWhatThePlanIsAboutIsNotSpared) {
  // A plan that only a merge can make right has its strangers whatever is switched off; saying that
  // it does not need them would send the reader astray.
  std::uint64_t seed = 1;
  const auto is_wanted = [](const SwarmPlan& plan) {
    return plan.merge_alone && plan.has(FaultClass::kDrop) && plan.world.peers < 24;
  };
  while (!is_wanted(DrawPlan(seed))) ++seed;
  const SwarmReport report = Judge(Only(seed));
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].needed, DrawPlan(seed).faults);
  EXPECT_EQ(report.failures[0].command, SwarmCommand(seed, 0));
  const SwarmPlan spared = DrawPlan(seed, kAllFaults);
  EXPECT_EQ(spared.faults, Bit(FaultClass::kStrangers));
  EXPECT_EQ(spared.world.faults.drop, 0);
}

TEST(SwarmReport, CtrlCEndsTheSearchForTheSmallestPlan) {
  const Interrupts interrupts;  // takes the signal in the end
  int draws = 0;
  const PlanSource draw = [&draws](std::uint64_t seed, FaultSet off) {
    if (++draws == 2) raise(SIGINT);
    return DropForEver(seed, off);
  };
  Progress progress(false, "swarm");
  SwarmOptions options = Only(SeedWithDrops());
  options.seeds = 2;
  const SwarmReport report = RunSwarm(options, progress, draw);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.done, 1U);
  EXPECT_EQ(draws, 2) << "the seed, and what it is without one class";
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(WithoutOf(report.failures[0].command),
            report.failures[0].faults & ~report.failures[0].needed);
}

TEST(SwarmReport, AnAssertionThatFailsNamesSeedAndCommand) {
  const auto fail = [] {
    SeedOnAbort note;
    note.Set(812, SwarmCommand(812, Bit(FaultClass::kCrash) | Bit(FaultClass::kJoin)));
    std::abort();
  };
  EXPECT_EXIT(fail(), testing::ExitedWithCode(1),
              "an assertion failed at seed 812; replay: tombolo-sim swarm --seeds 1 --first 812 "
              "--without crash,join");
}

}  // namespace
}  // namespace tombolo::sim
