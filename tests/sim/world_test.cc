#include "sim/world.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

// A world with something of everything going on.
World BusyWorld(std::uint64_t seed, StartMode start = StartMode::kBuilt) {
  WorldOptions options = ToyOptions(150, start, seed);
  options.loss = 0.02;
  options.latency.model = LatencyModel::kLognormal;
  options.churn.model = ChurnModel::kExponential;
  options.churn.mean = Duration::Minutes(20);
  options.churn.graceful_share = 0.5;
  options.core.table.refresh_interval = Duration::Minutes(5);
  World world(options);
  for (const OperationKind kind :
       {OperationKind::kLookup, OperationKind::kPut, OperationKind::kGet}) {
    WorkloadOptions workload;
    workload.kind = kind;
    workload.rate_per_s = 5;
    workload.keys = 20;
    workload.ttl = Duration::Minutes(3);
    world.AddWorkload(workload);
  }
  return world;
}

TEST(World, EqualOptionsGiveEqualRunsAndAnotherSeedAnother) {
  for (const StartMode start : {StartMode::kBuilt, StartMode::kJoin}) {
    World first = BusyWorld(1, start);
    World same = BusyWorld(1, start);
    World other = BusyWorld(2, start);
    for (World* world : {&first, &same, &other}) world->RunFor(Duration::Minutes(10));
    EXPECT_GT(first.metrics().total_messages(), 10'000U);
    EXPECT_GT(first.metrics().crashes, 0U);
    EXPECT_GT(first.metrics().leaves, 0U);
    ExpectSameRun(first, same);
    EXPECT_NE(first.trace_hash(), other.trace_hash());
  }
}

TEST(World, SlicesOfAnySizeMakeTheSameRun) {
  World whole = BusyWorld(3);
  World sliced = BusyWorld(3);
  const Time end = Time{} + Duration::Minutes(2);
  whole.RunUntil(end);
  int slices = 0;
  while (!sliced.RunSlice(end, 97)) ++slices;
  EXPECT_GT(slices, 10);
  ExpectSameRun(sliced, whole);
}

TEST(World, ACopyRunsOnIndependentlyAndIdentically) {
  World world = BusyWorld(4);
  world.RunFor(Duration::Minutes(3));
  World fork = world;
  World unused = world;
  unused.CrashShare(0.5);
  unused.RunFor(Duration::Minutes(3));
  world.RunFor(Duration::Minutes(3));
  fork.RunFor(Duration::Minutes(3));
  ExpectSameRun(fork, world);
  EXPECT_NE(unused.trace_hash(), world.trace_hash());
}

TEST(World, RunsOnIdenticallyAfterSavingAndLoading) {
  World world = BusyWorld(5, StartMode::kJoin);
  world.RunFor(Duration::Seconds(61));
  ASSERT_GT(world.in_flight(), 0U);
  const std::vector<std::uint8_t> bytes = Save(world);
  World loaded(ToyOptions(1));
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end()) << reader.error();
  ExpectSameRun(loaded, world);
  world.RunFor(Duration::Minutes(4));
  loaded.RunFor(Duration::Minutes(4));
  ExpectSameRun(loaded, world);
}

TEST(World, ATruncatedFileIsRefused) {
  World world(ToyOptions(20));
  world.StartLookup(PeerRef{0}, {});
  const std::vector<std::uint8_t> bytes = Save(world);
  for (std::size_t size = 0; size < bytes.size(); size += 101) {
    World loaded(ToyOptions(1));
    const std::vector<std::uint8_t> cut(bytes.begin(),
                                        bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Reader reader(cut);
    reader(loaded);
    EXPECT_FALSE(reader.ok()) << size;
  }
}

TEST(World, RunningToATimeSetsTheClockEvenIfNothingHappens) {
  World world(ToyOptions(2));
  world.RunUntil(Time{} + Duration::Minutes(3));
  EXPECT_EQ(world.now(), Time{} + Duration::Minutes(3));
  world.RunUntil(Time{});  // never back
  EXPECT_EQ(world.now(), Time{} + Duration::Minutes(3));
  EXPECT_EQ(world.metrics().events, 0U);
}

TEST(World, ListsAndPayloadsAreAllGivenBackWhenItIsQuiet) {
  World world = BusyWorld(6);
  world.RunFor(Duration::Minutes(5));
  EXPECT_GT(world.lists_in_use() + world.payloads_in_use(), 0U);

  WorldOptions options = ToyOptions(100);
  options.loss = 0.1;
  options.dead_share = 0.1;
  World quiet(options);
  for (const OperationKind kind :
       {OperationKind::kLookup, OperationKind::kPut, OperationKind::kGet}) {
    WorkloadOptions workload;
    workload.kind = kind;
    workload.rate_per_s = 20;
    workload.count = 300;
    workload.keys = 20;
    workload.ttl = Duration::Minutes(3);
    quiet.AddWorkload(workload);
  }
  quiet.RunFor(Duration::Minutes(30));
  EXPECT_EQ(quiet.metrics().of(OperationKind::kGet).started, 300U);
  EXPECT_EQ(quiet.active_operations(), 0U);
  EXPECT_EQ(quiet.in_flight(), 0U);
  EXPECT_EQ(quiet.lists_in_use(), 0U);
  EXPECT_EQ(quiet.payloads_in_use(), 0U);
}

}  // namespace
}  // namespace tombolo::sim
