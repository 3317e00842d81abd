// Every class of injected faults has an effect that would be absent without it, stops at its end,
// and goes on identically in a copy and in a loaded world.
#include "sim/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/relay_id.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

PeerRef Ref(std::uint32_t index) { return static_cast<PeerRef>(index); }

WorldOptions LinkedOptions(std::uint32_t peers, std::uint64_t seed = 1) {
  WorldOptions options = ToyOptions(peers, StartMode::kBuilt, seed);
  options.core.links.max_links = 64;
  options.core.links.reserved = 8;
  return options;
}

void AddLoad(World& world, OperationKind kind, double rate_per_s = 20) {
  WorkloadOptions load;
  load.kind = kind;
  load.rate_per_s = rate_per_s;
  load.ttl = Duration::Minutes(3);
  load.keys = 20;
  world.AddWorkload(load);
}

std::uint64_t Number(const World& world, Injected kind) {
  return world.metrics().injected[static_cast<std::size_t>(kind)];
}

// ---- Every class in a world.

struct Class {
  std::string name;
  std::function<void(WorldOptions&)> set;
  std::vector<Injected> counted;
};

void PrintTo(const Class& c, std::ostream* out) { *out << c.name; }

std::vector<Class> Classes() {
  return {
      {"drop", [](WorldOptions& w) { w.faults.drop = 0.1; }, {Injected::kDropped}},
      {"delay", [](WorldOptions& w) { w.faults.delay = 0.1; }, {Injected::kDelayed}},
      {"duplicate", [](WorldOptions& w) { w.faults.duplicate = 0.1; }, {Injected::kDuplicated}},
      {"reorder", [](WorldOptions& w) { w.faults.reorder = 0.1; }, {Injected::kReordered}},
      {"corrupt", [](WorldOptions& w) { w.faults.corrupt = 0.1; }, {Injected::kCorrupted}},
      {"flap", [](WorldOptions& w) { w.faults.flaps_per_s = 2; }, {Injected::kFlaps}},
      {"clog",
       [](WorldOptions& w) { w.faults.clogs_per_s = 20; },
       {Injected::kClogs, Injected::kClogged}},
      {"swizzle",
       [](WorldOptions& w) { w.faults.swizzles_per_s = 1; },
       {Injected::kClogs, Injected::kClogged}},
      {"partition",
       [](WorldOptions& w) {
         w.faults.partitions_per_s = 0.2;
         w.faults.partition = Duration::Seconds(15);
         w.faults.partition_islands = 3;
         w.faults.asymmetric_share = 0.5;
         w.faults.isolate_share = 0.3;
         w.faults.bridge_nodes = 1;
       },
       {Injected::kPartitions}},
      {"crash", [](WorldOptions& w) { w.faults.crashes_per_s = 1; }, {Injected::kRestarts}},
      {"forget",
       [](WorldOptions& w) { w.faults.crashes_per_s = 1, w.faults.forget_share = 1; },
       {Injected::kForgetful}},
      {"rollback",
       [](WorldOptions& w) {
         w.faults.crashes_per_s = 1;
         w.faults.rollback_share = 1;
         w.faults.rollback_age = Duration::Seconds(10);
       },
       {Injected::kRollbacks}},
      {"pause", [](WorldOptions& w) { w.faults.pauses_per_s = 0.5; }, {Injected::kPauses}},
      {"mass_join",
       [](WorldOptions& w) { w.faults.mass_joins_per_s = 0.05; },
       {Injected::kMassJoins}},
      {"mass_leave",
       [](WorldOptions& w) { w.faults.mass_leaves_per_s = 0.05; },
       {Injected::kMassLeaves}},
      {"liar", [](WorldOptions& w) { w.faults.liar_share = 0.2; }, {Injected::kLies}},
      {"dropper", [](WorldOptions& w) { w.faults.dropper_share = 0.2; }, {Injected::kSwallowed}},
      {"flooder",
       [](WorldOptions& w) { w.faults.flooder_share = 0.05, w.faults.flood_per_s = 20; },
       {Injected::kFloods}},
      {"skew", [](WorldOptions& w) { w.faults.skew_share = 0.5, w.faults.skew_drift = 0.2; }, {}},
      {"squeeze",
       [](WorldOptions& w) {
         w.bandwidth.model = BandwidthModel::kDsl;
         w.faults.squeeze_share = 0.5;
         w.faults.squeeze_factor = 100;
       },
       {}},
  };
}

std::vector<Class> MoreClasses() {
  return {
      {"half_open",
       [](WorldOptions& w) { w.faults.half_opens_per_s = 10; },
       {Injected::kHalfOpens, Injected::kUnheard}},
      {"reset",
       [](WorldOptions& w) { w.faults.resets_per_s = 50; },
       {Injected::kResets, Injected::kUnheard}},
      {"rebind",
       [](WorldOptions& w) { w.faults.rebinds_per_s = 1; },
       {Injected::kRebinds, Injected::kHalfOpens}},
      {"slow_reader",
       [](WorldOptions& w) { w.faults.slow_reader_share = 0.2, w.faults.read_per_s = 2; },
       {Injected::kReadLate, Injected::kUnread}},
      {"network_cut",
       [](WorldOptions& w) {
         w.faults.partitions_per_s = 0.2;
         w.faults.partition = Duration::Seconds(15);
         w.faults.network_share = 1;
         w.faults.networks = 4;
       },
       {Injected::kPartitions, Injected::kNetworkCuts}},
      {"clock_jump",
       [](WorldOptions& w) { w.faults.clock_jumps_per_s = 1; },
       {Injected::kClockJumps}},
      {"wave",
       [](WorldOptions& w) {
         w.faults.mass_joins_per_s = w.faults.mass_leaves_per_s = 0.2;
         w.faults.wave = Duration::Seconds(20);
       },
       {Injected::kMassJoins, Injected::kMassLeaves}},
      {"false_digest",
       [](WorldOptions& w) {
         w.core.overlay = OverlayKind::kBoth;
         w.core.heal.exchange_interval = Duration::Seconds(20);
         w.faults.false_digest_share = 0.2;
       },
       {Injected::kFalseDigests}},
  };
}

World FaultyWorld(const Class& c, std::uint64_t seed = 1) {
  WorldOptions options = LinkedOptions(120, seed);
  options.faults.down = Duration::Seconds(5);
  options.faults.start = Duration::Seconds(5);
  options.faults.end = Duration::Seconds(65);
  c.set(options);
  World world(options);
  for (const OperationKind kind :
       {OperationKind::kLookup, OperationKind::kSend, OperationKind::kPut, OperationKind::kGet})
    AddLoad(world, kind);
  return world;
}

class EveryFault : public testing::TestWithParam<Class> {};

TEST_P(EveryFault, IsCountedAfterItsStartAndStopsAtItsEnd) {
  World world = FaultyWorld(GetParam());
  const auto total = [&] {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : world.metrics().injected) sum += count;
    return sum;
  };
  world.RunFor(Duration::Milliseconds(4'990));
  EXPECT_EQ(total(), 0U);
  world.RunFor(Duration::Seconds(60));
  for (const Injected kind : GetParam().counted) EXPECT_GT(Number(world, kind), 0U);
  if (GetParam().counted.empty()) {
    EXPECT_EQ(total(), 0U);
  }
  world.RunFor(Duration::Minutes(4));  // what has begun runs its course
  const std::uint64_t before = total();
  world.RunFor(Duration::Seconds(30));
  EXPECT_EQ(total(), before);
}

TEST_P(EveryFault, ChangesTheRun) {
  World faulty = FaultyWorld(GetParam());
  WorldOptions options = faulty.options();
  options.faults = {};
  World quiet(options);
  for (const OperationKind kind :
       {OperationKind::kLookup, OperationKind::kSend, OperationKind::kPut, OperationKind::kGet})
    AddLoad(quiet, kind);
  for (World* world : {&faulty, &quiet}) world->RunFor(Duration::Seconds(60));
  EXPECT_NE(faulty.trace_hash(), quiet.trace_hash());
}

TEST_P(EveryFault, CopiesAndLoadedWorldsGoOnIdentically) {
  World world = FaultyWorld(GetParam(), 9);
  world.RunFor(Duration::Seconds(30));
  World copy = world;
  const std::vector<std::uint8_t> bytes = Save(world);
  World loaded(ToyOptions(1));
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok()) << reader.error();
  for (World* w : {&world, &copy, &loaded}) w->RunFor(Duration::Seconds(50));
  ExpectSameRun(world, copy);
  ExpectSameRun(world, loaded);
}

// Lists and payloads are given up whatever happens to messages and peers.
TEST_P(EveryFault, LeaksNothing) {
  WorldOptions options = LinkedOptions(60, 4);
  options.faults.down = Duration::Seconds(5);
  options.faults.end = Duration::Seconds(60);
  GetParam().set(options);
  World world(options);
  for (const OperationKind kind :
       {OperationKind::kSend, OperationKind::kPut, OperationKind::kGet}) {
    WorkloadOptions load;
    load.kind = kind;
    load.rate_per_s = 20;
    load.duration = Duration::Seconds(60);
    load.ttl = Duration::Minutes(3);
    load.keys = 20;
    world.AddWorkload(load);
  }
  world.RunFor(Duration::Minutes(12));
  EXPECT_EQ(world.payloads_in_use(), 0U);
  EXPECT_LE(world.lists_in_use(), world.in_flight());
}

INSTANTIATE_TEST_SUITE_P(Faults, EveryFault, testing::ValuesIn(Classes()),
                         [](const auto& c) { return c.param.name; });
INSTANTIATE_TEST_SUITE_P(MoreFaults, EveryFault, testing::ValuesIn(MoreClasses()),
                         [](const auto& c) { return c.param.name; });

// ---- What single classes do.

TEST(Faults, OffTheyLeaveNoTrace) {
  WorldOptions options = LinkedOptions(100);
  World plain(options);
  options.faults.delay_mean = Duration::Seconds(3);  // of faults that do not happen
  options.faults.wave = Duration::Seconds(1);
  options.faults.clock_jump = Duration::Hours(1);
  options.faults.read_per_s = options.faults.networks = 1;
  options.faults.end = Duration::Seconds(1);
  World off(options);
  for (World* world : {&plain, &off}) {
    AddLoad(*world, OperationKind::kSend);
    world->RunFor(Duration::Seconds(60));
  }
  ExpectSameRun(plain, off);
}

TEST(Faults, ARestartedPeerGoesOnFromItsState) {
  World world(LinkedOptions(100));
  const PeerRef peer = Ref(17);
  const int levels = world.peer(peer).table().levels();
  world.Crash(peer, true);
  EXPECT_FALSE(world.is_up(peer));
  world.RunFor(Duration::Seconds(30));
  world.Restart(peer);
  EXPECT_TRUE(world.is_up(peer));
  EXPECT_EQ(world.peer(peer).state(), PeerState::kJoined);
  EXPECT_EQ(world.peer(peer).table().levels(), levels);
  EXPECT_TRUE(world.peer(peer).links().empty()) << "its connections are gone";
  EXPECT_EQ(world.live_count(), 100U);
  world.RunFor(Duration::Minutes(1));
  EXPECT_FALSE(world.peer(peer).links().empty());
  EXPECT_EQ(LookUpAtRandom(world, 30).closest, 30);
}

// Nobody tells a process that begins anew what has become of the connections it was opening.
TEST(Faults, ARestartedPeerOpensAnewWhatItWasOpening) {
  World world(LinkedOptions(100));
  const PeerRef peer = Ref(17);
  const auto is_dialing = [&] {
    return !world.peer(peer).parts()->relaying->links.dialing().empty();
  };
  const PeerRef other = world.peer(peer).links().front().peer;
  world.Disconnect(peer, world.directory().id(other));
  world.StartConnect(peer, world.directory().id(other));
  for (int ms = 0; ms < 2000 && !is_dialing(); ++ms) world.RunFor(Duration::Milliseconds(1));
  ASSERT_TRUE(is_dialing());
  world.Crash(peer, true);
  world.RunFor(Duration::Seconds(30));
  world.Restart(peer);
  EXPECT_FALSE(is_dialing());
}

// Crashes for one second each until `end`, all of them rollbacks to a state of `age`.
WorldOptions RollbackOptions(Duration age, Duration end) {
  WorldOptions options = LinkedOptions(30);
  options.faults.crashes_per_s = 1;
  options.faults.rollback_share = 1;
  options.faults.rollback_age = age;
  options.faults.down = Duration::Seconds(1);
  options.faults.end = end;
  return options;
}

// The crash that ends the life of which a copy was taken is part of the fault.
TEST(Faults, ARollbackCrashesNobodyAfterTheEndOfTheFaults) {
  World world(RollbackOptions(Duration::Minutes(10), Duration::Seconds(20)));
  world.RunFor(Duration::Seconds(21));
  const std::uint64_t crashes = world.metrics().crashes;
  EXPECT_GT(crashes, 5U);
  world.RunFor(Duration::Minutes(30));
  EXPECT_EQ(world.metrics().crashes, crashes);
  EXPECT_EQ(world.live_count(), 30U);
}

// Else it gives new messages the ids of those that its lost life has sent.
TEST(Faults, WhoComesBackWithAnOlderStateDrawsAnew) {
  World world(RollbackOptions(Duration::Seconds(5), Duration::Minutes(1)));
  AddLoad(world, OperationKind::kSend);
  world.message_log().SetLimit(1U << 20);
  world.RunFor(Duration::Minutes(2));
  ASSERT_GT(Number(world, Injected::kRollbacks), 20U);
  ASSERT_EQ(world.message_log().missed(), 0U);
  std::map<std::pair<NodeId, std::uint64_t>, NodeId> targets;  // by origin and message
  for (const LoggedMessage& logged : world.message_log().messages()) {
    const auto* forward = std::get_if<Forward>(&logged.message);
    if (forward == nullptr) continue;
    const auto key = std::pair(forward->origin, forward->id & ~kAttemptMask);
    EXPECT_EQ(targets.emplace(key, forward->target).first->second, forward->target);
  }
}

TEST(Faults, AForgetfulPeerJoinsAnewUnderItsId) {
  World world(LinkedOptions(100));
  const PeerRef peer = Ref(17);
  const NodeId id = world.directory().id(peer);
  for (const bool keep : {false, true}) {
    world.Crash(peer, keep);
    world.RunFor(Duration::Seconds(30));
    world.Restart(peer, true);
    EXPECT_EQ(world.peer(peer).state(), PeerState::kJoining);
    world.RunFor(Duration::Minutes(2));
    EXPECT_EQ(world.peer(peer).state(), PeerState::kJoined);
  }
  EXPECT_EQ(world.peer_count(), 100U);
  const OperationId found = world.StartLookup(Ref(80), id);
  EXPECT_EQ(Finish(world, found).closest.front(), peer);
}

TEST(Faults, WhatReachesAPausedPeerComesAtOnceWhenItGoesOn) {
  World world(ToyOptions(50));
  const PeerRef peer = Ref(9);
  world.Pause(peer, Duration::Seconds(5));
  const OperationId early = world.StartLookup(Ref(30), world.directory().id(peer));
  world.RunFor(Duration::Milliseconds(4'999));
  const std::uint32_t before = world.metrics().received[Index(peer)];
  EXPECT_EQ(before, 0U);
  world.RunFor(Duration::Milliseconds(2));
  EXPECT_GT(world.metrics().received[Index(peer)], 0U);
  Finish(world, early);
}

TEST(Faults, DroppersCostCopiesAndDisjointCopiesHelp) {
  WorldOptions options = LinkedOptions(400, 3);
  options.core.relay.tries = 1;
  options.faults.dropper_share = 0.3;
  std::array<double, 2> delivered{};
  for (const int copies : {1, 4}) {
    World world(options);
    WorkloadOptions load;
    load.kind = OperationKind::kSend;
    load.rate_per_s = 20;
    load.count = 400;
    load.copies = static_cast<std::uint8_t>(copies);
    load.deadline = Duration::Seconds(10);
    world.AddWorkload(load);
    world.RunFor(Duration::Minutes(2));
    const OperationMetrics& sends = world.metrics().of(OperationKind::kSend);
    delivered.at(copies == 1 ? 0 : 1) =
        static_cast<double>(sends.succeeded) / static_cast<double>(sends.started);
  }
  EXPECT_LT(delivered[0], 0.9);
  EXPECT_GT(delivered[1], delivered[0] + 0.05);
}

}  // namespace
}  // namespace tombolo::sim
