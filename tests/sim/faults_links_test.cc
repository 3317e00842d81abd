// What injected faults do to links and to those at their ends: half-open links, resets, new
// addresses, slow readers; and to clocks and sketches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "sim/faults.h"
#include "tests/sim/toy_world.h"

namespace tombolo::sim {
namespace {

WorldOptions LinkedOptions(std::uint32_t peers) {
  WorldOptions options = ToyOptions(peers);
  options.core.links.max_links = 64;
  options.core.links.reserved = 8;
  return options;
}

std::uint64_t Number(const World& world, Injected kind) {
  return world.metrics().injected[static_cast<std::size_t>(kind)];
}

bool HasLink(const World& world, PeerRef from, PeerRef to) {
  const auto links = world.peer(from).links();
  return std::any_of(links.begin(), links.end(), [&](const Link& link) { return link.peer == to; });
}

// Links in which one end alone believes, by (that end, the other).
std::vector<std::pair<PeerRef, PeerRef>> OneSided(const World& world) {
  std::vector<std::pair<PeerRef, PeerRef>> found;
  for (const PeerRef peer : world.oracle().live()) {
    for (const Link& link : world.peer(peer).links()) {
      if (!HasLink(world, link.peer, peer)) found.emplace_back(peer, link.peer);
    }
  }
  return found;
}

void RunUntilInjected(World& world, Injected kind) {
  const std::uint64_t before = Number(world, kind);
  for (int ms = 0; ms < 60'000 && Number(world, kind) == before; ++ms)
    world.RunFor(Duration::Milliseconds(1));
  ASSERT_GT(Number(world, kind), before);
}

TEST(HalfOpenLinks, ByKeepaliveTheEndThatBelievesInItLearnsOfIt) {
  WorldOptions options = LinkedOptions(40);
  options.nat_share = 0.5;
  options.faults.half_opens_per_s = 1;
  World world(options);
  std::vector<std::pair<PeerRef, PeerRef>> found;
  for (int i = 0; i < 20 && found.empty(); ++i) {
    RunUntilInjected(world, Injected::kHalfOpens);
    found = OneSided(world);
    // Whoever cannot be dialled is not told by another link.
    std::erase_if(found, [&](const auto& ends) { return world.directory().dialable(ends.first); });
  }
  ASSERT_EQ(found.size(), 1U);
  const auto [holder, loser] = found.front();
  world.RunFor(options.keepalive_timeout - Duration::Milliseconds(10));
  EXPECT_TRUE(HasLink(world, holder, loser)) << "it has not noticed yet";
  world.RunFor(Duration::Milliseconds(20));
  EXPECT_FALSE(HasLink(world, holder, loser));
}

TEST(HalfOpenLinks, WhatComesOverANewOneEndsTheOldOne) {
  WorldOptions options = LinkedOptions(40);
  options.faults.half_opens_per_s = 1;
  World world(options);
  RunUntilInjected(world, Injected::kHalfOpens);
  const auto one_sided = OneSided(world);
  ASSERT_EQ(one_sided.size(), 1U);
  const auto [holder, loser] = one_sided.front();
  const NodeId known = world.directory().id(holder);
  Finish(world, world.StartConnect(loser, known));
  EXPECT_TRUE(HasLink(world, holder, loser));
  EXPECT_TRUE(HasLink(world, loser, holder));
  world.RunFor(options.keepalive_timeout);
  EXPECT_TRUE(HasLink(world, holder, loser)) << "the keepalives of the new one are answered";
}

TEST(ResetLinks, BothEndsLoseItAtOnce) {
  WorldOptions options = LinkedOptions(40);
  options.faults.resets_per_s = 1;
  World world(options);
  const auto count = [&] {
    std::size_t links = 0;
    for (const PeerRef peer : world.oracle().live()) links += world.peer(peer).links().size();
    return links;
  };
  const std::size_t before = count();
  RunUntilInjected(world, Injected::kResets);
  EXPECT_EQ(count(), before - 2);
  EXPECT_TRUE(OneSided(world).empty());
}

TEST(NewAddresses, APeerLosesAllItsLinksAndTheOthersDoNotKnow) {
  WorldOptions options = LinkedOptions(40);
  options.faults.rebinds_per_s = 1;
  World world(options);
  RunUntilInjected(world, Injected::kRebinds);
  const auto found = OneSided(world);
  ASSERT_GT(found.size(), 3U);
  EXPECT_EQ(found.size(), Number(world, Injected::kHalfOpens));
  const PeerRef moved = found.front().second;
  for (const auto& [holder, loser] : found) EXPECT_EQ(loser, moved);
  EXPECT_TRUE(world.peer(moved).links().empty());
  world.RunFor(Duration::Minutes(1));
  EXPECT_FALSE(world.peer(moved).links().empty()) << "it has opened new ones";
}

// Whatever is lost how often, in the end both ends of every link know of it.
TEST(LostLinks, BothEndsAgreeAfterwards) {
  WorldOptions options = LinkedOptions(60);
  options.faults.half_opens_per_s = 20;
  options.faults.resets_per_s = 20;
  options.faults.rebinds_per_s = 2;
  options.faults.crashes_per_s = 1;
  options.faults.pauses_per_s = 0.5;
  options.faults.pause = options.faults.down = Duration::Seconds(5);
  options.faults.end = Duration::Seconds(60);
  World world(options);
  WorkloadOptions load;
  load.kind = OperationKind::kSend;
  load.rate_per_s = 20;
  world.AddWorkload(load);
  world.RunFor(Duration::Minutes(2));
  EXPECT_GT(Number(world, Injected::kHalfOpens), 500U);
  EXPECT_GT(Number(world, Injected::kUnheard), 100U);
  EXPECT_TRUE(OneSided(world).empty());
}

TEST(LostLinks, ALongPauseCostsAPeerItsLinksAndAShortOneDoesNot) {
  World world(LinkedOptions(100));
  const PeerRef peer{9};
  const std::size_t links = world.peer(peer).links().size();
  ASSERT_GT(links, 3U);
  world.Pause(peer, Duration::Seconds(9));
  world.RunFor(Duration::Seconds(9));
  EXPECT_GE(world.peer(peer).links().size(), links / 2);
  world.Pause(peer, Duration::Seconds(30));
  const PeerRef other = world.peer(peer).links().front().peer;
  world.RunFor(Duration::Milliseconds(10'100));
  const auto back = world.peer(other).links();
  EXPECT_TRUE(
      std::none_of(back.begin(), back.end(), [&](const Link& link) { return link.peer == peer; }));
  EXPECT_FALSE(world.peer(peer).links().empty()) << "it has not noticed yet";
  world.RunFor(Duration::Minutes(2));
  EXPECT_FALSE(world.peer(peer).links().empty()) << "it has found back";
}

TEST(SlowReaders, TakeSoManyMessagesPerSecondAndTheRestWaits) {
  WorldOptions options = LinkedOptions(40);
  options.faults.slow_reader_share = 1;
  options.faults.read_per_s = 5;
  options.faults.flooder_share = 0.2;
  options.faults.flood_per_s = 200;
  options.faults.end = Duration::Seconds(20);
  World world(options);
  world.RunFor(Duration::Seconds(20));
  for (const std::uint32_t received : world.metrics().received) {
    EXPECT_GT(received, 90U);
    EXPECT_LE(received, 101U);
  }
  EXPECT_GT(Number(world, Injected::kUnread), 1000U);
  world.RunFor(Duration::Minutes(1));  // 256 of 5 per second
  const std::uint32_t most =
      *std::max_element(world.metrics().received.begin(), world.metrics().received.end());
  EXPECT_GT(most, 101U + 250U) << "those that waited are read";
}

TEST(ClockJumps, TimersThatTheyPassAreDue) {
  for (const bool leaps : {false, true}) {
    WorldOptions options = LinkedOptions(40);
    options.faults.clock_jumps_per_s = leaps ? 100 : 0;
    options.faults.clock_jump = Duration::Hours(1);
    options.faults.end = Duration::Seconds(10);
    World world(options);
    PutOptions put;
    put.ttl = Duration::Minutes(3);
    const NodeId key = world.RandomId();
    Finish(world, world.StartPut(world.RandomLivePeer(), key, "value", put));
    world.RunUntil(Time{} + Duration::Seconds(30));
    const OperationId get = world.StartGet(world.RandomLivePeer(), key);
    const bool found = Finish(world, get).status == OperationStatus::kSucceeded;
    EXPECT_EQ(found, !leaps) << "its time to live is over by then";
  }
}

// The answers to what they claim lead nowhere: an island is asked whether it knows the stranger.
TEST(FalseDigests, RaiseAlarmsAndNoMerge) {
  WorldOptions options = LinkedOptions(60);
  options.core.overlay = OverlayKind::kBoth;
  options.core.heal.exchange_interval = Duration::Seconds(20);
  options.faults.false_digest_share = 0.1;
  World world(options);
  world.RunFor(Duration::Minutes(10));
  const auto sent = [&](const Message& kind) { return world.metrics().messages[kind.index()]; };
  EXPECT_GT(Number(world, Injected::kFalseDigests), 50U);
  EXPECT_GT(sent(MergeConfirm{}), 10U);
  EXPECT_EQ(sent(MergeSync{}), 0U);
}

}  // namespace
}  // namespace tombolo::sim
