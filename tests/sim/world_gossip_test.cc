#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/broadcast_run.h"
#include "sim/world.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions LinkedOptions(std::uint32_t peers, std::uint64_t seed = 1) {
  WorldOptions options = ToyOptions(peers, StartMode::kBuilt, seed);
  options.core.links = LinkConfig();
  return options;
}

std::uint64_t Pushes(const Metrics& metrics) {
  return metrics.messages[Message(GossipPush{}).index()];
}

TEST(WorldGossip, ABroadcastReachesEverybodyAndEnds) {
  World world(LinkedOptions(200));
  const OperationId id = world.StartBroadcast(PeerRef{3}, 100);
  const Operation& done = Finish(world, id);
  EXPECT_EQ(done.status, OperationStatus::kSucceeded);
  EXPECT_EQ(done.reached, 199U);
  EXPECT_GT(done.hops, 1);
  EXPECT_LT(done.latency(), Duration::Seconds(2));
  world.TakeOperation(id);
  EXPECT_EQ(world.metrics().broadcasts.reached, 199U);
  EXPECT_EQ(world.metrics().broadcasts.wanted, 199U);
  EXPECT_EQ(world.metrics().of(OperationKind::kBroadcast).succeeded, 1U);
}

TEST(WorldGossip, PayloadsReturnToZeroWhenAllHasExpired) {
  World world(LinkedOptions(60));
  BroadcastOptions options;
  options.ttl = Duration::Seconds(20);
  const OperationId id = world.StartBroadcast(PeerRef{0}, 100, options);
  Finish(world, id);
  world.TakeOperation(id);
  EXPECT_EQ(world.payloads_in_use(), 1U);
  world.RunFor(Duration::Seconds(30));
  EXPECT_EQ(world.payloads_in_use(), 0U);
}

TEST(WorldGossip, TheOriginLearnsHowManyItReached) {
  World world(LinkedOptions(150));
  BroadcastOptions options;
  options.acknowledge = true;
  const OperationId id = world.StartBroadcast(PeerRef{7}, 100, options);
  Finish(world, id);
  const Operation done = world.TakeOperation(id);
  EXPECT_EQ(done.status, OperationStatus::kSucceeded);
  EXPECT_EQ(done.acknowledged, 149U);
}

TEST(WorldGossip, ContentArrivesAtSubscribers) {
  World world(LinkedOptions(50));
  world.Subscribe(PeerRef{4}, 12);
  world.Subscribe(PeerRef{9}, 12);
  world.Subscribe(PeerRef{10}, 12);
  world.Unsubscribe(PeerRef{10}, 12);
  world.RecordEvents(1000);
  BroadcastOptions options;
  options.topic = 12;
  options.bytes = "news";
  options.deadline = Duration::Seconds(10);
  const OperationId id = world.StartBroadcast(PeerRef{0}, 0, options);
  Finish(world, id);
  int arrived = 0;
  for (const LoggedEvent& logged : world.events()) {
    const auto* news = std::get_if<BroadcastArrived>(&logged.event);
    if (news == nullptr) continue;
    ++arrived;
    EXPECT_TRUE(logged.peer == PeerRef{4} || logged.peer == PeerRef{9});
    EXPECT_EQ(world.bytes_of(news->payload), "news");
    EXPECT_EQ(news->origin, world.directory().id(PeerRef{0}));
  }
  EXPECT_EQ(arrived, 2);
  world.TakeOperation(id);
  world.ClearEvents();
}

TEST(WorldGossip, WithoutLinksItFails) {
  World world(ToyOptions(10));
  const OperationId id = world.StartBroadcast(PeerRef{0}, 100);
  const Operation& done = Finish(world, id);
  EXPECT_EQ(done.status, OperationStatus::kFailed);
  EXPECT_EQ(done.reason, FailReason::kNoLinks);
  world.TakeOperation(id);
  EXPECT_EQ(world.payloads_in_use(), 0U);
}

TEST(WorldGossip, TheDeathOfTheOriginVoidsTheOperation) {
  World world(LinkedOptions(50));
  const OperationId id = world.StartBroadcast(PeerRef{0}, 100);
  world.Crash(PeerRef{0});
  EXPECT_EQ(world.operation(id).status, OperationStatus::kVoid);
  world.TakeOperation(id);
  EXPECT_EQ(world.active_operations(), 0U);
}

TEST(WorldGossip, MissedBroadcastsArriveOnceAfterASplit) {
  World world(LinkedOptions(80));
  Finish(world, world.StartBroadcast(PeerRef{0}, 100));
  world.Partition(std::vector<double>{0.5, 0.5});
  world.RunFor(Duration::Seconds(30));  // links across the cut go down
  world.RecordEvents(100'000);
  BroadcastOptions options;
  options.ttl = Duration::Minutes(4);
  options.deadline = Duration::Minutes(5);
  std::vector<OperationId> missed;
  for (std::uint32_t i = 0; i < 12; ++i) {
    missed.push_back(world.StartBroadcast(PeerRef{i}, 100, options));
    world.RunFor(Duration::Seconds(2));
  }
  for (const OperationId id : missed) {
    EXPECT_EQ(world.operation(id).status, OperationStatus::kActive);
  }
  world.Heal();
  world.RunFor(Duration::Minutes(2));
  for (const OperationId id : missed) {
    EXPECT_EQ(world.operation(id).status, OperationStatus::kSucceeded);
    EXPECT_EQ(world.operation(id).reached, 79U);
  }
  EXPECT_EQ(world.metrics().broadcasts.repeated, 0U);
}

TEST(WorldGossip, AWorkloadBroadcastsFromAFewSenders) {
  World world(LinkedOptions(100));
  WorkloadOptions workload;
  workload.kind = OperationKind::kBroadcast;
  workload.rate_per_s = 2;
  workload.count = 20;
  workload.senders = 2;
  world.AddWorkload(workload);
  world.RunFor(Duration::Minutes(1));
  EXPECT_EQ(world.metrics().of(OperationKind::kBroadcast).succeeded, 20U);
  EXPECT_EQ(world.metrics().broadcasts.reached, 20U * 99U);
  EXPECT_EQ(world.active_operations(), 0U);
}

TEST(WorldGossip, ACopyFromAFileGoesOnAlike) {
  World world(LinkedOptions(80));
  world.StartBroadcast(PeerRef{0}, 100);
  world.RunFor(Duration::Milliseconds(120));
  const std::vector<std::uint8_t> bytes = Save(world);
  World copy(ToyOptions(1));
  Reader reader(bytes);
  reader(copy);
  ASSERT_TRUE(reader.ok()) << reader.error();
  world.RunFor(Duration::Minutes(1));
  copy.RunFor(Duration::Minutes(1));
  ExpectSameRun(world, copy);
}

TEST(BroadcastRun, TheTreeTakesOnePushPerPeerAndSurvivesMassDeath) {
  World world(LinkedOptions(500));
  BroadcastRunOptions options;
  options.measured = 5;
  const BroadcastFigures figures = MeasureBroadcasts(world, options, [] { return true; });
  EXPECT_EQ(figures.broadcasts, 5U);
  EXPECT_EQ(figures.stable.broadcasts.reached, 5U * 499U);
  EXPECT_LE(Pushes(figures.stable), 5U * 550U);
  EXPECT_EQ(figures.failed.broadcasts.reached, figures.survivors - 1);
  EXPECT_EQ(figures.failed.broadcasts.wanted, figures.survivors - 1);
  EXPECT_LE(figures.reached_after, world.options().core.gossip.heartbeat * 3);
  EXPECT_EQ(figures.failed.broadcasts.repeated, 0U);
}

}  // namespace
}  // namespace tombolo::sim
