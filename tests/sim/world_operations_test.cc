// What applications ask of a world, and the workloads that it puts on itself.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

constexpr NodeId kKey{{0xcafe0000, 1, 2, 3, 4}};

TEST(Operations, ALookupTellsWhatItFoundAndWhatItCost) {
  World world(ToyOptions(500));
  const OperationId id = world.StartLookup(PeerRef{17}, kKey);
  EXPECT_EQ(world.operation(id).status, OperationStatus::kActive);
  EXPECT_EQ(world.active_operations(), 1U);
  Finish(world, id);
  const Operation done = world.TakeOperation(id);
  EXPECT_EQ(done.status, OperationStatus::kSucceeded);
  EXPECT_TRUE(done.closest_ok);
  EXPECT_EQ(done.closest, Truth(world, kKey, PeerRef{17}));
  EXPECT_GE(done.hops, 1);
  EXPECT_EQ(done.latency().us % 100'000, 0);  // rounds of 100 ms
  EXPECT_GE(done.latency(), Duration::Milliseconds(100) * done.hops);
  const OperationMetrics& metrics = world.metrics().of(OperationKind::kLookup);
  EXPECT_EQ(metrics.started, 1U);
  EXPECT_EQ(metrics.succeeded, 1U);
  EXPECT_EQ(metrics.closest_ok, 1U);
  EXPECT_EQ(metrics.messages, done.messages);
  EXPECT_EQ(world.metrics().total_messages(), done.messages);
  EXPECT_EQ(world.active_operations(), 0U);
}

TEST(Operations, WhatItsSourceDoesNotLiveToSeeIsVoidHoweverItGoes) {
  const auto Ways = {+[](World& world) { world.Crash(PeerRef{17}); },
                     +[](World& world) { world.Leave(PeerRef{17}); },
                     +[](World& world) { world.CrashShare(1); }};
  for (const auto go : Ways) {
    World world(ToyOptions(50));
    const OperationId id = world.StartLookup(PeerRef{17}, kKey);
    go(world);
    EXPECT_EQ(world.TakeOperation(id).status, OperationStatus::kVoid);
    EXPECT_EQ(world.metrics().of(OperationKind::kLookup).voided, 1U);
    EXPECT_EQ(world.active_operations(), 0U);
  }
}

TEST(Operations, ALookupOfAnEmptyWorldFails) {
  World world(ToyOptions(1));
  const OperationId id = world.StartLookup(PeerRef{0}, kKey);
  EXPECT_EQ(world.operation(id).status, OperationStatus::kFailed);
  EXPECT_EQ(world.metrics().of(OperationKind::kLookup).failed, 1U);
}

TEST(Operations, AValueIsFoundUntilItExpires) {
  WorldOptions options = ToyOptions(200);
  options.core.table.refresh_interval = Duration::Hours(20);
  World world(options);
  const OperationId put = world.StartPut(PeerRef{3}, kKey, "hello", {Duration::Minutes(30), 0});
  EXPECT_EQ(Finish(world, put).status, OperationStatus::kSucceeded);
  EXPECT_EQ(world.TakeOperation(put).stored, 8);

  const OperationId get = world.StartGet(PeerRef{150}, kKey);
  EXPECT_EQ(Finish(world, get).status, OperationStatus::kSucceeded);
  EXPECT_EQ(world.value_of(world.operation(get)), "hello");
  world.TakeOperation(get);

  world.RunFor(Duration::Minutes(45));
  const OperationId late = world.StartGet(PeerRef{150}, kKey);
  EXPECT_EQ(Finish(world, late).status, OperationStatus::kFailed);
  EXPECT_EQ(world.value_of(world.operation(late)), "");
  world.TakeOperation(late);
  EXPECT_EQ(world.payloads_in_use(), 0U);
}

TEST(Operations, TheNewestValueWins) {
  World world(ToyOptions(200));
  for (const std::uint32_t i : {0U, 1U, 2U}) {
    const OperationId put = world.StartPut(PeerRef{10 + i}, kKey, "value " + std::to_string(i));
    Finish(world, put);
  }
  const OperationId get = world.StartGet(PeerRef{150}, kKey);
  Finish(world, get);
  EXPECT_EQ(world.value_of(world.operation(get)), "value 2");
}

TEST(Operations, PutsOfOneInstantKeepTheirOrderWhateverIsObserved) {
  World world(ToyOptions(200));
  world.StartPut(PeerRef{10}, kKey, "first");
  world.ResetMetrics();
  world.StartPut(PeerRef{10}, kKey, "second");
  world.RunFor(Duration::Seconds(10));
  const OperationId get = world.StartGet(PeerRef{150}, kKey);
  Finish(world, get);
  EXPECT_EQ(world.value_of(world.operation(get)), "second");
}

TEST(Operations, AreVoidWhenTheirSourceGoesDown) {
  World world(ToyOptions(100));
  const OperationId lookup = world.StartLookup(PeerRef{5}, kKey);
  const OperationId put = world.StartPut(PeerRef{6}, kKey, "x");
  world.Crash(PeerRef{5});
  world.Leave(PeerRef{6});
  EXPECT_EQ(world.operation(lookup).status, OperationStatus::kVoid);
  EXPECT_NE(world.operation(put).status, OperationStatus::kActive);
  EXPECT_EQ(world.active_operations(), 0U);
  EXPECT_EQ(world.metrics().of(OperationKind::kLookup).voided, 1U);
  EXPECT_EQ(world.metrics().of(OperationKind::kLookup).failed, 0U);
}

TEST(Operations, NumbersAreReusedOnceTheResultWasTaken) {
  World world(ToyOptions(50));
  std::vector<OperationId> numbers;
  for (int i = 0; i < 3; ++i) {
    numbers.push_back(world.StartLookup(PeerRef{1}, kKey));
    Finish(world, numbers.back());
    world.TakeOperation(numbers.back());
  }
  EXPECT_EQ(numbers[0] & 0xffffff, numbers[1] & 0xffffff);
  EXPECT_NE(numbers[0], numbers[1]);
}

TEST(Operations, WaitingStopsAtTheLimit) {
  World world(ToyOptions(100));
  const OperationId id = world.StartLookup(PeerRef{5}, kKey);
  const Time limit = world.now() + Duration::Milliseconds(60);
  EXPECT_FALSE(world.RunUntilEnded(id, limit));
  EXPECT_EQ(world.now(), limit);
  EXPECT_TRUE(world.RunUntilEnded(id, limit + Duration::Minutes(1)));
  EXPECT_LT(world.now(), limit + Duration::Minutes(1));  // no longer than needed
}

TEST(Operations, EventsAreRecordedUpToTheLimitAndTheRestIsCounted) {
  World world(ToyOptions(100));
  world.RecordEvents(2);
  for (std::uint32_t i = 0; i < 5; ++i) world.StartLookup(PeerRef{i}, kKey);
  world.RunFor(Duration::Minutes(1));
  ASSERT_EQ(world.events().size(), 2U);
  EXPECT_TRUE(std::holds_alternative<LookupDone>(world.events()[0].event));
  EXPECT_EQ(world.events_missed(), 3U);
  EXPECT_EQ(world.lists_in_use(), 2U);  // those of the recorded events
  world.ClearEvents();
  EXPECT_EQ(world.lists_in_use(), 0U);
  EXPECT_EQ(world.events_missed(), 0U);
}

TEST(Workloads, StartAndStopWhenTheyAreToldAndKeepTheirRate) {
  World world(ToyOptions(100));
  WorkloadOptions workload;
  workload.rate_per_s = 10;
  workload.spacing = Spacing::kFixed;
  workload.start = Duration::Seconds(10);
  workload.duration = Duration::Seconds(20);
  world.AddWorkload(workload);
  const auto Started = [&] { return world.metrics().of(OperationKind::kLookup).started; };
  world.RunUntil(Time{} + Duration::Milliseconds(9'999));
  EXPECT_EQ(Started(), 0U);
  world.RunUntil(Time{} + Duration::Milliseconds(19'950));
  EXPECT_EQ(Started(), 100U);
  world.RunUntil(Time{} + Duration::Minutes(5));
  EXPECT_EQ(Started(), 200U);  // both ends included
  EXPECT_EQ(world.metrics().of(OperationKind::kLookup).succeeded, 200U);
  EXPECT_EQ(world.active_operations(), 0U);
}

TEST(Workloads, StopAtTheirCount) {
  World world(ToyOptions(100));
  WorkloadOptions workload;
  workload.rate_per_s = 1000;
  workload.count = 77;
  world.AddWorkload(workload);
  world.RunFor(Duration::Minutes(1));
  EXPECT_EQ(world.metrics().of(OperationKind::kLookup).started, 77U);
}

TEST(Workloads, PoissonSpacingHasTheRateOnAverage) {
  World world(ToyOptions(100));
  WorkloadOptions workload;
  workload.rate_per_s = 20;
  workload.spacing = Spacing::kPoisson;
  world.AddWorkload(workload);
  world.RunFor(Duration::Seconds(200));
  EXPECT_NEAR(static_cast<double>(world.metrics().of(OperationKind::kLookup).started), 4000, 320);
}

TEST(Workloads, GetsFindWhatPutsHaveStored) {
  World world(ToyOptions(200));
  WorkloadOptions puts;
  puts.kind = OperationKind::kPut;
  puts.rate_per_s = 1;  // one at a time: of two puts of one key at once the older is refused
  puts.spacing = Spacing::kFixed;
  puts.count = 100;
  puts.keys = 20;
  world.AddWorkload(puts);
  world.RunFor(Duration::Minutes(2));
  WorkloadOptions gets = puts;
  gets.kind = OperationKind::kGet;
  world.AddWorkload(gets);
  world.RunFor(Duration::Minutes(2));
  EXPECT_EQ(world.metrics().of(OperationKind::kPut).succeeded, 100U);
  EXPECT_EQ(world.metrics().of(OperationKind::kGet).succeeded, 100U);
}

TEST(Metrics, ResettingClearsCountsAndKeepsTheRun) {
  World world(ToyOptions(100));
  World other = world;
  for (World* w : {&world, &other}) w->StartLookup(PeerRef{1}, kKey);
  world.RunFor(Duration::Milliseconds(150));
  other.RunFor(Duration::Milliseconds(150));
  world.ResetMetrics();
  EXPECT_EQ(world.metrics().total_messages(), 0U);
  EXPECT_EQ(world.metrics().total_bytes(), 0U);
  EXPECT_EQ(world.metrics().received.size(), 100U);
  for (World* w : {&world, &other}) w->RunFor(Duration::Seconds(5));
  EXPECT_GT(world.metrics().total_messages(), 0U);
  EXPECT_LT(world.metrics().total_messages(), other.metrics().total_messages());
  EXPECT_EQ(world.trace_hash(), other.trace_hash());
}

TEST(Metrics, CountEveryMessageByKindAndSize) {
  World world(ToyOptions(100));
  const OperationId id = world.StartLookup(PeerRef{1}, kKey);
  Finish(world, id);
  const Metrics& metrics = world.metrics();
  const std::uint64_t asked = metrics.messages[Message(FindNode{}).index()];
  const std::uint64_t answered = metrics.messages[Message(Nodes{}).index()];
  EXPECT_GT(asked, 0U);
  EXPECT_EQ(asked, answered);
  EXPECT_EQ(metrics.total_messages(), asked + answered);
  EXPECT_EQ(metrics.total_bytes(), asked * 32 + answered * (12 + 8 * 26));
  EXPECT_EQ(metrics.ephemeral_dials, asked);
  std::uint64_t received = 0;
  for (const std::uint32_t messages : metrics.received) received += messages;
  EXPECT_EQ(received, asked + answered);
}

}  // namespace
}  // namespace tombolo::sim
