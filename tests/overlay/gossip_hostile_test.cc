// Acknowledgements, floods and frames that no honest peer would send.
#include <gtest/gtest.h>

#include "overlay/gossip.h"
#include "tests/overlay/gossip_net.h"

namespace tombolo {
namespace {

constexpr std::uint64_t Percent(std::uint64_t percent) { return (percent << 32) / 100; }

tombolo::Broadcast Acknowledged(GossipNet& net, std::uint32_t request) {
  tombolo::Broadcast command = net.Command(request);
  command.acknowledge = true;
  return command;
}

GossipPush ForgedPush(GossipNet& net, std::uint64_t number) {
  GossipPush push{};
  push.origin.words[0] = 0xabcdef;
  push.sequence = number;
  push.payload = net.NewPayload();
  push.ttl_ms = 60'000;
  push.hops = 1;
  push.max_hops = 64;
  return push;
}

// ---- Acknowledgements.

TEST(GossipCount, TellsHowManyWereReached) {
  GossipNet net(80);
  net.LinkAtRandom(4);
  for (std::uint32_t request = 1; request <= 3; ++request) {
    net.Broadcast(request, Acknowledged(net, request));
    net.RunFor(Duration::Seconds(20));
    const auto done = net.EventsOf<BroadcastDone>(request);
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].request, request);
    EXPECT_EQ(done[0].delivered, 79U);
    EXPECT_TRUE(done[0].complete);
  }
  net.RunDry();
}

TEST(GossipCount, IsALowerBoundUnderLoss) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    GossipNet net(60, seed);
    net.LinkAtRandom(4);
    net.loss = Percent(20);
    net.duplicate = Percent(20);
    net.Broadcast(0, Acknowledged(net, 1));
    net.RunFor(Duration::Seconds(40));
    const auto done = net.EventsOf<BroadcastDone>(0);
    ASSERT_EQ(done.size(), 1U);
    EXPECT_LE(done[0].delivered, 59U);
    EXPECT_GE(done[0].delivered, 10U);
  }
}

TEST(GossipCount, CountsSubscribersOfATopicOnly) {
  GossipNet net(40);
  net.LinkAtRandom(3);
  for (std::size_t i = 0; i < 40; i += 4) net.toys[i].gossip.Subscribe(9, net.Part(i));
  tombolo::Broadcast command = Acknowledged(net, 1);
  command.topic = 9;
  net.Broadcast(1, command);
  net.RunFor(Duration::Seconds(20));
  ASSERT_EQ(net.EventsOf<BroadcastDone>(1).size(), 1U);
  EXPECT_EQ(net.EventsOf<BroadcastDone>(1)[0].delivered, 10U);
}

TEST(GossipCount, TheDeadDoNotHoldItUpBeyondTheDeadline) {
  GossipNet net(40);
  net.LinkAtRandom(5);
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  for (std::size_t i = 1; i < 40; i += 4) net.toys[i].up = false;
  net.Broadcast(0, Acknowledged(net, 1));
  net.RunFor(Duration::Seconds(29));
  EXPECT_TRUE(net.EventsOf<BroadcastDone>(0).empty()) << "the dead have not answered";
  net.RunFor(Duration::Seconds(2));
  const auto done = net.EventsOf<BroadcastDone>(0);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].complete);
  EXPECT_GE(done[0].delivered, 20U);
  EXPECT_LE(done[0].delivered, 29U);
}

struct Failure {
  std::string name;
  bool linked;
  FailReason reason;
};

TEST(GossipCount, FailsWithAReason) {
  for (const Failure& c : {Failure{"alone", false, FailReason::kNoLinks},
                           Failure{"nobody answers", true, FailReason::kDeadline}}) {
    GossipNet net(2);
    if (c.linked) net.Link(0, 1);
    net.toys[1].up = false;
    net.Broadcast(0, Acknowledged(net, 3));
    net.RunFor(Duration::Seconds(31));
    ASSERT_EQ(net.EventsOf<Failed>(0).size(), 1U) << c.name;
    EXPECT_EQ(net.EventsOf<Failed>(0)[0].reason, c.reason) << c.name;
  }
}

TEST(GossipCount, TooManyAtOnceFail) {
  GossipNet net(2);
  net.Link(0, 1);
  net.config.gossip.max_counts = 2;
  for (std::uint32_t i = 0; i < 3; ++i) net.Broadcast(0, Acknowledged(net, i));
  ASSERT_EQ(net.EventsOf<Failed>(0).size(), 1U);
  EXPECT_EQ(net.EventsOf<Failed>(0)[0].reason, FailReason::kOverload);
  net.RunFor(Duration::Seconds(20));
  EXPECT_EQ(net.EventsOf<BroadcastDone>(0).size(), 2U);
  net.RunDry();
}

TEST(GossipCount, ForgedTotalsOfStrangersAreDropped) {
  GossipNet net(3);
  net.Link(0, 1);
  net.Link(0, 2);
  net.Broadcast(0, Acknowledged(net, 1));
  const std::uint64_t key = net.toys[0].gossip.kept()[0].key;
  net.Inject(1, 0, GossipCount{key + 1, 1000});
  EXPECT_EQ(net.dropped(DropReason::kUnknownRpc), 1U);
  net.Inject(1, 0, GossipCount{key, 0xffffffffU});  // a lie, but no overflow
  net.Inject(2, 0, GossipCount{key, 0xffffffffU});
  net.RunFor(Duration::Seconds(20));
  ASSERT_EQ(net.EventsOf<BroadcastDone>(0).size(), 1U);
  EXPECT_EQ(net.EventsOf<BroadcastDone>(0)[0].delivered, 1U << 30);
}

// ---- Frames that cannot be.

TEST(GossipHostile, ImpossibleBroadcastsAreDropped) {
  struct Case {
    std::string name;
    void (*spoil)(GossipNet&, GossipPush&);
    DropReason reason;
  };
  const Case cases[] = {
      {"ours", [](GossipNet& net, GossipPush& push) { push.origin = net.toys[0].id; },
       DropReason::kSelf},
      {"no time", [](GossipNet&, GossipPush& push) { push.ttl_ms = 0; },
       DropReason::kGossipExpired},
      {"no hops", [](GossipNet&, GossipPush& push) { push.hops = 0; }, DropReason::kGossipExpired},
      {"too far", [](GossipNet&, GossipPush& push) { push.hops = 65; }, DropReason::kGossipExpired},
      {"too large", [](GossipNet&, GossipPush& push) { push.payload.bytes = 1 << 20; },
       DropReason::kRecordRejected},
  };
  for (const Case& c : cases) {
    GossipNet net(3);
    net.Link(0, 1);
    net.Link(0, 2);
    GossipPush push = ForgedPush(net, 1);
    c.spoil(net, push);
    net.Inject(1, 0, push);
    EXPECT_EQ(net.dropped(c.reason), 1U) << c.name;
    EXPECT_TRUE(net.toys[0].arrived.empty()) << c.name;
    EXPECT_EQ(net.shares_of(push.payload), 0) << c.name;
    EXPECT_EQ(net.Count<GossipPush>(), 0U) << c.name;
  }
}

TEST(GossipHostile, ALifeWithoutEndIsCut) {
  GossipNet net(2);
  net.Link(0, 1);
  GossipPush push = ForgedPush(net, 1);
  push.ttl_ms = 0xffffffffU;
  net.Inject(1, 0, push);
  EXPECT_EQ(net.toys[0].gossip.kept()[0].expires, net.now + net.config.gossip.max_ttl);
  net.RunDry();
}

TEST(GossipHostile, PeersWithoutALinkAreNotHeard) {
  GossipNet net(3);
  net.Link(0, 1);
  const GossipPush push = ForgedPush(net, 1);
  net.Inject(2, 0, push);
  net.Inject(2, 0, GossipHave{{1}, {1}, 1});
  net.Inject(2, 0, GossipGraft{{1}, 1});
  net.Inject(2, 0, GossipPrune{1});
  EXPECT_EQ(net.dropped(DropReason::kNotLinked), 4U);
  EXPECT_EQ(net.toys[0].gossip.missing(), 0U);
  EXPECT_EQ(net.shares_of(push.payload), 0);
}

TEST(GossipHostile, CountsBeyondTheMessageAreRefused) {
  GossipNet net(2);
  net.Link(0, 1);
  GossipHave have{};
  have.count = 200;
  GossipGraft graft{};
  graft.count = 200;
  net.Inject(1, 0, have);
  net.Inject(1, 0, graft);
  EXPECT_EQ(net.dropped(DropReason::kGossipRate), 2U);
  EXPECT_EQ(net.toys[0].gossip.missing(), 0U);
}

TEST(GossipHostile, GraftsOfTheUnknownAreCounted) {
  GossipNet net(2);
  net.Link(0, 1);
  net.Inject(1, 0, GossipGraft{{1, 2, 3}, 3});
  EXPECT_EQ(net.dropped(DropReason::kUnknownRpc), 3U);
  EXPECT_EQ(net.Count<GossipPush>(), 0U);
}

// ---- Floods.

TEST(GossipHostile, AnnouncementsOfNothingTakeBoundedMemoryAndEnd) {
  GossipNet net(4);
  net.Link(0, 1);
  net.Link(0, 2);
  net.Link(0, 3);
  std::uint64_t key = 1;
  for (int i = 0; i < 1000; ++i) {
    GossipHave have{};
    have.count = kMaxAnnounced;
    for (std::uint64_t& k : have.keys) k = key++;
    net.Inject(1, 0, have);
    EXPECT_LE(net.toys[0].gossip.missing(), 512U);
  }
  EXPECT_EQ(net.dropped(DropReason::kGossipRate), 1000U - 128U);
  // Others are heard all the same.
  net.Broadcast(2);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.toys[0].arrived.size(), 1U);
  EXPECT_EQ(net.toys[3].arrived.size(), 1U);
  net.RunFor(Duration::Seconds(20));
  EXPECT_EQ(net.toys[0].gossip.missing(), 0U);
}

TEST(GossipHostile, BroadcastsOfOneOriginAreSlowedDown) {
  GossipNet net(3);
  net.Link(0, 1);
  net.Link(0, 2);
  for (std::uint64_t i = 0; i < 200; ++i) net.Inject(1, 0, ForgedPush(net, i));
  EXPECT_EQ(net.toys[0].arrived.size(), 64U);
  EXPECT_EQ(net.dropped(DropReason::kGossipRate), 136U);
  EXPECT_EQ(net.Count<GossipPush>(), 64U) << "nor are they passed on";
}

TEST(GossipHostile, BroadcastsOfManyOriginsOverOneLinkAreSlowedDown) {
  GossipNet net(3);
  net.Link(0, 1);
  net.Link(0, 2);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    GossipPush push = ForgedPush(net, i);
    push.origin.words[1] = static_cast<std::uint32_t>(i);
    net.Inject(1, 0, push);
  }
  EXPECT_EQ(net.toys[0].arrived.size(), 256U);
  net.Broadcast(2);
  net.RunFor(Duration::Seconds(1));
  EXPECT_EQ(net.toys[0].arrived.size(), 257U) << "over another link there is room";
}

TEST(GossipHostile, GraftsAreRateLimited) {
  GossipNet net(2);
  net.Link(0, 1);
  net.Broadcast(0);
  const std::uint64_t key = net.toys[0].gossip.kept()[0].key;
  net.log.clear();
  for (int i = 0; i < 10'000; ++i) net.Inject(1, 0, GossipGraft{{key}, 1});
  EXPECT_EQ(net.Count<GossipPush>(), 512U);
}

TEST(GossipHostile, OurOwnBeyondTheRateFailAtOnce) {
  GossipNet net(2);
  net.Link(0, 1);
  for (std::uint32_t i = 0; i < 70; ++i) net.Broadcast(0, net.Command(i));
  EXPECT_EQ(net.EventsOf<Failed>(0).size(), 6U);
  EXPECT_EQ(net.EventsOf<Failed>(0)[0].reason, FailReason::kOverload);
  tombolo::Broadcast large = net.Command(99);
  large.payload.bytes = 1 << 20;
  net.Broadcast(0, large);
  EXPECT_EQ(net.EventsOf<Failed>(0).back().reason, FailReason::kRefused);
  net.RunDry();
}

TEST(GossipHostile, PrunesOfEverybodyDelayButDoNotSilence) {
  GossipNet net(20);
  net.LinkAtRandom(3);
  for (std::size_t i = 0; i < 20; ++i) {
    const std::set<std::size_t> links = net.toys[i].links;
    for (const std::size_t other : links) net.Inject(other, i, GossipPrune{});
  }
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(10));
  EXPECT_EQ(net.Having(1), 19U);
}

// A third of the peers pushes and announces rubbish all the time.
TEST(GossipHostile, HonestBroadcastsPassAThirdOfFlooders) {
  GossipNet net(60);
  net.LinkAtRandom(6);
  std::uint64_t number = 1'000'000;
  for (int round = 0; round < 10; ++round) {
    net.Broadcast(0);
    for (std::size_t i = 2; i < 60; i += 3) {
      const std::set<std::size_t> links = net.toys[i].links;
      for (const std::size_t other : links) {
        GossipHave have{};
        have.count = kMaxAnnounced;
        for (std::uint64_t& key : have.keys) key = number++;
        net.Inject(i, other, have);
        net.Inject(i, other, GossipPrune{});
        net.Inject(i, other, GossipGraft{{1}, 1});
      }
    }
    net.RunFor(Duration::Seconds(1));
  }
  net.RunFor(Duration::Seconds(30));
  std::size_t missed = 0;
  for (std::size_t i = 1; i < 60; ++i) missed += i % 3 == 2 ? 0 : 10 - net.toys[i].arrived.size();
  EXPECT_EQ(missed, 0U);
}

}  // namespace
}  // namespace tombolo
