#include <gtest/gtest.h>

#include <cstdint>

#include "sim/checkers_attach.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorkloadOptions Load(std::uint32_t clients, std::uint32_t rooms, double rate_per_s) {
  WorkloadOptions load;
  load.kind = OperationKind::kAttach;
  load.clients = clients;
  load.rooms = rooms;
  load.rate_per_s = rate_per_s;
  return load;
}

void ExpectAllFound(World& world, std::uint32_t resolves) {
  const ResolveCheck check = CheckResolves(world, resolves);
  EXPECT_GE(check.resolves, resolves / 4);
  EXPECT_EQ(check.right, check.resolves)
      << "first: client " << (check.first_client ? check.first_client->ToHex() : "");
}

void ExpectViewsRight(const World& world) {
  const RoomCheck check = CheckRooms(world);
  EXPECT_GT(check.views, 0U);
  EXPECT_EQ(check.wrong, 0U) << "first: room "
                             << (check.first_room ? check.first_room->ToHex() : "");
}

TEST(Attach, IdleClientsAreFoundAndRoomsAgree) {
  World world(ToyOptions(100));
  WorkloadOptions load = Load(200, 10, 1);
  load.count = 1;
  world.AddWorkload(load);
  world.RunFor(Duration::Seconds(60));
  EXPECT_EQ(world.metrics().of(OperationKind::kAttach).succeeded, 200U);
  ExpectAllFound(world, 200);
  ExpectViewsRight(world);
  EXPECT_EQ(CheckRooms(world).rooms, 10U);
}

TEST(Attach, WhoComesAgainMeanwhileIsNoOverload) {
  World world(ToyOptions(100));
  const NodeId client = world.RandomId();
  const OperationId first = world.StartAttach(PeerRef{3}, client);
  const OperationId second = world.StartAttach(PeerRef{3}, client);
  const Operation ended = Finish(world, first);
  EXPECT_EQ(ended.status, OperationStatus::kFailed);
  EXPECT_EQ(ended.reason, FailReason::kRefused);
  EXPECT_EQ(Finish(world, second).status, OperationStatus::kSucceeded);
}

TEST(Attach, MovedClientsAreFoundAtOnce) {
  World world(ToyOptions(100));
  for (int i = 0; i < 30; ++i) {
    const NodeId client = world.RandomId();
    PeerRef old_home = PeerRef::kNone;
    for (int move = 0; move < 3; ++move) {
      const PeerRef home = world.RandomLivePeer();
      const OperationId attach = world.StartAttach(home, client);
      ASSERT_EQ(Finish(world, attach).status, OperationStatus::kSucceeded);
      world.TakeOperation(attach);
      // The old home itself hears of it one delay later.
      PeerRef source = world.RandomLivePeer();
      while (source == old_home && old_home != home) source = world.RandomLivePeer();
      old_home = home;
      const OperationId resolve = world.StartResolve(source, client);
      EXPECT_EQ(Finish(world, resolve).target, home);
      world.TakeOperation(resolve);
    }
    world.Detach(client);
  }
}

TEST(Attach, ChurnAndLossLoseNobodyForLong) {
  WorldOptions options = ToyOptions(200);
  options.churn.model = ChurnModel::kExponential;
  options.churn.mean = Duration::Minutes(10);
  options.loss = 0.05;
  World world(options);
  world.AddWorkload(Load(200, 20, 5));
  world.RunFor(Duration::Minutes(10));
  const ResolveCheck check = CheckResolves(world, 500);
  EXPECT_GE(check.right, check.resolves * 97 / 100);
}

TEST(Attach, EachIslandServesItsOwnAndBothAfterTheHeal) {
  WorldOptions options = ToyOptions(100);
  options.core.overlay = OverlayKind::kBoth;
  World world(options);
  WorkloadOptions load = Load(200, 10, 1);
  load.count = 1;
  world.AddWorkload(load);
  world.RunFor(Duration::Seconds(30));
  const double halves[] = {0.5, 0.5};
  world.Partition(halves);
  world.RunFor(Duration::Minutes(2));
  ExpectAllFound(world, 200);
  ExpectViewsRight(world);
  world.Heal();
  world.RunFor(Duration::Minutes(2));
  ExpectAllFound(world, 200);
  ExpectViewsRight(world);
}

TEST(Attach, ClientsOfADeadHomeComeAgainElsewhere) {
  World world(ToyOptions(50));
  WorkloadOptions load = Load(100, 5, 1);
  load.count = 1;
  world.AddWorkload(load);
  world.RunFor(Duration::Seconds(30));
  world.CrashShare(0.4);
  world.RunFor(Duration::Minutes(2));
  for (const auto& [id, client] : world.clients()) EXPECT_TRUE(world.is_up(client.home));
  ExpectAllFound(world, 200);
  ExpectViewsRight(world);
}

TEST(Attach, AnAttachingThatIsLostToANewerLeaseEnds) {
  World world(ToyOptions(20));
  const NodeId client = world.RandomId();
  const OperationId newer = world.StartAttach(PeerRef{1}, client, 9);
  EXPECT_EQ(Finish(world, newer).status, OperationStatus::kSucceeded);
  const OperationId older = world.StartAttach(PeerRef{2}, client, 5);
  EXPECT_EQ(Finish(world, older).status, OperationStatus::kFailed);
  EXPECT_EQ(world.clients().at(client).home, PeerRef::kNone) << "it looks for a home again";
}

// A world in which peer 1 is cut off and still takes itself for the home of a client, with a room,
// that is attached to peer 2 now.
World WithAFormerHome(const NodeId& client, const NodeId& room) {
  WorldOptions options = ToyOptions(20);
  options.core.overlay = OverlayKind::kBoth;
  World world(options);
  world.StartAttach(PeerRef{1}, client);
  world.EnterRoom(client, room);
  world.RunFor(Duration::Seconds(5));
  EXPECT_EQ(CheckHomes(world).wrong + CheckRooms(world).misplaced, 0U);
  world.Isolate(PeerRef{1});
  world.StartAttach(PeerRef{2}, client);
  world.RunFor(Duration::Seconds(5));
  return world;
}

TEST(Attach, AFormerHomeAndItsRoomsAreFoundOut) {
  const NodeId client = NodeId{{1, 2, 3, 4, 5}};
  World world = WithAFormerHome(client, NodeId{{6, 7, 8, 9, 10}});
  const HomeCheck homes = CheckHomes(world);
  EXPECT_EQ(homes.clients, 1U);
  EXPECT_EQ(homes.wrong, 1U);
  EXPECT_EQ(homes.first_home, PeerRef{1});
  EXPECT_EQ(homes.first_client, client);
  EXPECT_EQ(CheckRooms(world).wrong, 0U) << "of its own island each view is right";
  EXPECT_EQ(CheckRooms(world).misplaced, 1U);
  world.Heal();
  world.RunFor(Duration::Minutes(3));
  EXPECT_EQ(CheckHomes(world).wrong, 0U);
  EXPECT_EQ(CheckRooms(world).misplaced, 0U);
}

TEST(Attach, AClientThatComesBackIsInTheRoomsItSays) {
  const NodeId client = NodeId{{1, 2, 3, 4, 5}};
  const NodeId room = NodeId{{6, 7, 8, 9, 10}};
  World world = WithAFormerHome(client, room);
  world.ExitRoom(client, room);
  world.StartAttach(PeerRef{1}, client);
  EXPECT_EQ(CheckRooms(world).misplaced, 0U) << "peer 1 had not heard that it has left";
}

TEST(Attach, RunsAreEqualAndSurviveSaving) {
  World world(ToyOptions(60));
  world.AddWorkload(Load(60, 5, 20));
  world.RunFor(Duration::Seconds(40));
  World copy = world;
  const auto saved = Save(world);
  Reader reader(saved);
  World restored(ToyOptions(1));
  reader(restored);
  ASSERT_TRUE(reader.ok()) << reader.error();
  for (World* each : {&world, &copy, &restored}) each->RunFor(Duration::Seconds(40));
  ExpectSameRun(world, copy);
  ExpectSameRun(world, restored);
}

TEST(Attach, OptionsAreChecked) {
  WorkloadOptions load = Load(0, 0, 1);
  EXPECT_TRUE(load.Validate());
  load = Load(1, 0, 1);
  load.move_share = 1.5;
  EXPECT_TRUE(load.Validate());
  load.move_share = 0.5;
  EXPECT_FALSE(load.Validate());
}

}  // namespace
}  // namespace tombolo::sim
