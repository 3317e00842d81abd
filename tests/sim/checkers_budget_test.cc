#include "sim/checkers_budget.h"

#include <gtest/gtest.h>

#include "sim/checkers.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions Both(std::uint32_t peers) {
  WorldOptions options = ToyOptions(peers);
  options.core.overlay = OverlayKind::kBoth;
  options.core.links = LinkConfig();
  return options;
}

TEST(CheckMemory, ABuiltWorldIsWithinItsLimits) {
  const Finding finding = CheckMemory(World(Both(200)));
  EXPECT_GT(finding.checked, 200U * 10);
  EXPECT_TRUE(finding.ok()) << finding.detail;
}

TEST(CheckMessages, NamesTheBusiest) {
  World world(Both(50));
  for (int i = 0; i < 40; ++i) world.StartLookup(PeerRef{3}, world.RandomId());
  world.RunFor(Duration::Seconds(5));
  EXPECT_TRUE(CheckMessages(world, {1e6, 1'000'000}).ok());
  const Finding finding = CheckMessages(world, {1e6, world.metrics().received[3] - 1});
  EXPECT_EQ(finding.broken, 1U);
  EXPECT_EQ(finding.peer, PeerRef{3});
  const Finding average = CheckMessages(world, {1, 1'000'000});
  EXPECT_EQ(average.broken, 1U);
  EXPECT_NE(average.detail.find("messages per peer, allowed are 1"), std::string::npos);
}

TEST(CheckNoDeadTraffic, TheDeadAreForgottenInTime) {
  World world(Both(120));
  EXPECT_TRUE(CheckNoDeadTraffic(world).ok());
  world.Crash(PeerRef{20});
  const Finding finding = CheckNoDeadTraffic(world);
  EXPECT_GT(finding.broken, 20U);  // neighbours and links
  EXPECT_NE(finding.detail.find("peer 20, which is down"), std::string::npos) << finding.detail;
  world.RunFor(Duration::Minutes(10));
  EXPECT_TRUE(CheckNoDeadTraffic(world).ok()) << CheckNoDeadTraffic(world).detail;
}

TEST(CheckTermination, TrafficHasToReturnToTheBaseline) {
  World world(Both(60));
  world.RunFor(Duration::Minutes(2));
  TrafficMark mark = MarkTraffic(world);
  world.RunFor(Duration::Minutes(2));
  const double baseline = TrafficSince(world, mark);
  EXPECT_GT(baseline, 0);
  mark = MarkTraffic(world);
  world.RunFor(Duration::Minutes(2));
  EXPECT_TRUE(CheckTermination(world, baseline, mark).ok());
  mark = MarkTraffic(world);
  for (int i = 0; i < 200; ++i) world.StartLookup(world.RandomLivePeer(), world.RandomId());
  world.RunFor(Duration::Seconds(10));
  const Finding finding = CheckTermination(world, baseline, mark);
  EXPECT_FALSE(finding.ok());
  EXPECT_NE(finding.detail.find("messages a second"), std::string::npos);
}

TEST(RunCheckers, FindsABuiltWorldRightInEveryRespect) {
  const World world(Both(200));
  const std::vector<Finding> findings = RunCheckers(world, true);
  ASSERT_EQ(findings.size(), 10U);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(findings[i].invariant), i);
    EXPECT_TRUE(findings[i].ok()) << Describe(world, findings[i]);
    EXPECT_GT(findings[i].checked, 0U) << Describe(world, findings[i]);
  }
}

TEST(RunCheckers, AsksForLessWhileThingsChange) {
  World world(Both(200));
  world.CrashShare(0.4);
  for (const Finding& finding : RunCheckers(world, false))
    EXPECT_TRUE(finding.ok()) << Describe(world, finding);
  bool broken = false;
  for (const Finding& finding : RunCheckers(world, true)) broken = broken || !finding.ok();
  EXPECT_TRUE(broken);
}

TEST(Finding, IsOneReadableLine) {
  World world(Both(40));
  Finding finding = StartFinding(world, Invariant::kNoFalseEmpty);
  finding.checked = 811;
  EXPECT_EQ(Describe(world, finding), "I5 no false-empty bucket: 811 checked");
  finding.Report(PeerRef{17}, "bucket 7 holds no live contact");
  finding.Report(PeerRef{18}, "another");
  EXPECT_EQ(Describe(world, finding),
            "I5 no false-empty bucket: 2 of 811 broken at 0 s; first: peer 17 (" +
                world.directory().id(PeerRef{17}).ToHex().substr(0, 8) +
                "...): bucket 7 holds no live contact");
}

}  // namespace
}  // namespace tombolo::sim
