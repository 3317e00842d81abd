// Worlds that are nothing but a ring.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/ring_interval.h"
#include "sim/checkers_ring.h"
#include "sim/conditions.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions Chord(std::uint32_t peers, StartMode start = StartMode::kBuilt,
                   std::uint64_t seed = 1) {
  WorldOptions options = ToyOptions(peers, start, seed);
  options.core.overlay = OverlayKind::kChord;
  return options;
}

WorldOptions LinkedChord(std::uint32_t peers, StartMode start = StartMode::kBuilt,
                         std::uint64_t seed = 1) {
  WorldOptions options = Chord(peers, start, seed);
  options.core.links = LinkConfig();
  return options;
}

NodeId KeyIn(const World& world, const NodeId& key) {
  return Truncated(key, world.options().core.ring.bits);
}

// Of `count` lookups by random peers: how many name the successor of their key.
int RightAnswers(World& world, int count) {
  int right = 0;
  for (int i = 0; i < count; ++i) {
    const OperationId id = world.StartLookup(world.RandomLivePeer(), world.RandomId());
    Finish(world, id);
    const Operation done = world.TakeOperation(id);
    const PeerRef truth = world.oracle().Successor(KeyIn(world, done.key), world.directory());
    right += done.closest == std::vector<PeerRef>{truth} && done.closest_ok ? 1 : 0;
  }
  return right;
}

std::uint32_t Members(const World& world) {
  std::uint32_t members = 0;
  for (const PeerRef peer : world.oracle().live()) members += IsMember(world, peer) ? 1 : 0;
  return members;
}

struct Sent {
  int delivered = 0;
  int hops = 0;
  int hops_max = 0;
};

Sent SendAtRandom(World& world, int count) {
  Sent sent;
  for (int i = 0; i < count; ++i) {
    const PeerRef to = world.RandomLivePeer();
    PeerRef from = world.RandomLivePeer();
    while (from == to) from = world.RandomLivePeer();
    const OperationId id = world.StartSend(from, world.directory().id(to), 100);
    Finish(world, id);
    const Operation done = world.TakeOperation(id);
    if (done.status != OperationStatus::kSucceeded) continue;
    ++sent.delivered;
    sent.hops += done.hops;
    sent.hops_max = std::max<int>(sent.hops_max, done.hops);
  }
  return sent;
}

std::span<const PeerRef> Successors(const World& world, PeerRef peer) {
  return world.peer(peer).ring()->neighbours().successors();
}

TEST(ChordWorld, ABuiltRingIsRightFromTheStart) {
  for (const std::uint32_t peers : {1U, 2U, 5U, 17U, 300U}) {
    SCOPED_TRACE(peers);
    World world(Chord(peers));
    for (const Finding& finding : CheckRing(world)) EXPECT_TRUE(finding.ok());
    EXPECT_EQ(RightAnswers(world, 50), 50);
    world.RunFor(Duration::Minutes(5));
    for (const Finding& finding : CheckRing(world)) EXPECT_TRUE(finding.ok());
  }
}

TEST(ChordWorld, FingersOfABuiltRingAreTheSuccessorsOfTheirStarts) {
  for (const int bits : {160, 24}) {
    WorldOptions options = Chord(200);
    options.core.ring.bits = bits;
    const World world(options);
    for (std::uint32_t i = 0; i < world.peer_count(); ++i) {
      const auto peer = static_cast<PeerRef>(i);
      const NodeId& id = world.directory().id(peer);
      for (const Finger& finger : world.peer(peer).ring()->fingers().runs()) {
        if (finger.level == 0) continue;  // of the levels whose finger is the successor
        const NodeId start = PlusPowerOfTwo(id, kIdBits - bits + finger.level);
        const PeerRef truth = world.oracle().Successor(start, world.directory());
        EXPECT_EQ(finger.peer, truth == peer ? PeerRef::kNone : truth);
      }
    }
  }
}

TEST(ChordWorld, JoinsFormOneOrderedRingWhoseLookupsAreRight) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    World world(Chord(64, StartMode::kJoin, seed));
    world.RunFor(Duration::Minutes(1));
    EXPECT_EQ(Members(world), 64U);
    // All at once they know nobody but the founder, and come nearer some places per round.
    EXPECT_TRUE(RunUntil(world, Condition::kRingOk, Duration::Minutes(40)).reached);
    world.RunFor(Duration::Minutes(10));  // for lists and fingers
    for (const Finding& finding : CheckRing(world)) EXPECT_TRUE(finding.ok());
    EXPECT_EQ(RightAnswers(world, 100), 100);
  }
}

TEST(ChordWorld, AMemberThatLeavesHandsItsNeighboursToEachOther) {
  WorldOptions options = Chord(50);
  options.core.ring.stabilise_interval = Duration::Hours(1);  // nobody finds out by asking
  options.core.ring.check_interval = Duration::Hours(1);
  World world(options);
  // Those whom it knew: its predecessors. Refs are in the order of ids.
  const auto count = static_cast<std::uint32_t>(options.core.ring.predecessors);
  world.Leave(PeerRef{20});
  world.RunFor(Duration::Seconds(1));
  for (std::uint32_t i = 1; i <= count; ++i) {
    const auto before = Successors(world, PeerRef{20 - i});
    EXPECT_EQ(std::count(before.begin(), before.end(), PeerRef{20}), 0) << i;
  }
  EXPECT_EQ(Successors(world, PeerRef{19}).front(), PeerRef{21});
  EXPECT_EQ(world.peer(PeerRef{21}).ring()->neighbours().predecessors().front(), PeerRef{19});
  EXPECT_TRUE(Holds(world, Condition::kRingOk));
}

TEST(ChordWorld, TheRingClosesOverTheDead) {
  World world(Chord(300));
  world.CrashShare(0.3);
  EXPECT_TRUE(RunUntil(world, Condition::kRingOk, Duration::Minutes(5)).reached);
  world.RunFor(Duration::Minutes(15));
  EXPECT_EQ(RightAnswers(world, 200), 200);
}

// No detours: clockwise there is always a next hop, where by XOR some sends would be stuck.
TEST(ChordWorld, SendsGoRoundTheRing) {
  for (const int bits : {160, 24}) {
    SCOPED_TRACE(bits);
    WorldOptions options = LinkedChord(400);
    options.core.ring.bits = bits;
    options.core.relay.detours = 0;
    World world(options);
    world.RunFor(Duration::Seconds(30));  // links to the fingers come up
    const Sent sent = SendAtRandom(world, 300);
    EXPECT_EQ(sent.delivered, 300);
    // Half the levels of 400 peers, and the last hop.
    EXPECT_LT(sent.hops / 300.0, 6);
    EXPECT_LE(sent.hops_max, 12);
    EXPECT_EQ(world.metrics().forwards[static_cast<std::size_t>(ForwardKind::kUnreachable)], 0U);
  }
}

TEST(ChordWorld, SendsArriveAfterJoinsAndDeaths) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    World world(LinkedChord(100, StartMode::kJoin, seed));
    world.RunFor(Duration::Minutes(1));
    ASSERT_EQ(Members(world), 100U);
    ASSERT_TRUE(RunUntil(world, Condition::kRingOk, Duration::Minutes(60)).reached);
    world.RunFor(Duration::Minutes(10));
    EXPECT_EQ(SendAtRandom(world, 100).delivered, 100);
    world.CrashShare(0.2);
    world.RunFor(Duration::Minutes(5));
    EXPECT_EQ(SendAtRandom(world, 100).delivered, 100);
  }
}

TEST(ChordWorld, ASendToNobodyIsUnreachable) {
  World world(LinkedChord(100));
  world.RunFor(Duration::Seconds(30));
  for (int i = 0; i < 20; ++i) {
    const OperationId id = world.StartSend(world.RandomLivePeer(), world.RandomId(), 100);
    Finish(world, id);
    const Operation done = world.TakeOperation(id);
    EXPECT_EQ(done.status, OperationStatus::kFailed);
    EXPECT_EQ(done.reason, FailReason::kUnreachable);
  }
}

// Holders are found over the buckets, which a ring on its own does not have.
TEST(ChordWorld, RecordsAreRefusedAtOnce) {
  World world(LinkedChord(20));
  NodeId key;
  key.words[0] = 5;
  for (const OperationId id : {world.StartPut(PeerRef{3}, key, "value"),
                               world.StartGet(PeerRef{3}, key), world.StartGet(PeerRef{4}, key)}) {
    EXPECT_TRUE(world.RunUntilEnded(id, world.now())) << "at once";
    const Operation done = world.TakeOperation(id);
    EXPECT_EQ(done.status, OperationStatus::kFailed);
    EXPECT_EQ(done.reason, FailReason::kRefused);
    EXPECT_EQ(done.stored, 0);
  }
  EXPECT_EQ(world.payloads_in_use(), 0U);
}

// The ring alone leads on where no finger is linked.
TEST(ChordWorld, SuccessorsAloneDeliver) {
  WorldOptions options = LinkedChord(60);
  options.core.ring.fingers = false;
  options.core.relay.detours = 0;
  World world(options);
  world.RunFor(Duration::Seconds(30));
  EXPECT_EQ(SendAtRandom(world, 100).delivered, 100);
}

// SIGCOMM 2001 with one successor: right while nobody dies.
TEST(ChordWorld, TheProfileOf2001KeepsABuiltRingRight) {
  WorldOptions options = Chord(500);
  options.core.ring = RingConfig::Paper2001();
  options.core.ring.bits = 30;
  options.core.ring.lookup_keys = ProbeKeys::kUniform;
  World world(options);
  world.RunFor(Duration::Seconds(1000));
  EXPECT_TRUE(Holds(world, Condition::kRingOk));
  const OperationMetrics& lookups = world.metrics().of(OperationKind::kLookup);
  EXPECT_GT(lookups.succeeded, 45'000U);
  EXPECT_EQ(lookups.failed, 0U);
  EXPECT_EQ(lookups.closest_ok, lookups.succeeded);
  EXPECT_NEAR(lookups.hops.mean(), 4.35, 0.1);  // 1/2 log2 n - 0.15
}

}  // namespace
}  // namespace tombolo::sim
