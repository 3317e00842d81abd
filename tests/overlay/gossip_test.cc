#include "overlay/gossip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "overlay/archive.h"
#include "tests/overlay/gossip_net.h"

namespace tombolo {
namespace {

constexpr std::uint64_t Percent(std::uint64_t percent) { return (percent << 32) / 100; }

TEST(Gossip, ReachesEverybodyOnceOnATree) {
  GossipNet net(100);
  net.LinkAtRandom(4);
  for (int i = 0; i < 20; ++i) {
    net.log.clear();
    net.Broadcast(static_cast<std::size_t>(i) % 3);
    net.RunFor(Duration::Seconds(5));
  }
  EXPECT_EQ(net.Count<GossipPush>(), 99U) << "the twentieth takes one push per peer";
  EXPECT_EQ(net.Count<GossipGraft>(), 0U);
  for (std::size_t i = 3; i < 100; ++i) EXPECT_EQ(net.toys[i].arrived.size(), 20U);
  net.RunDry();
}

TEST(Gossip, TheSenderIsNotToldOfItsOwn) {
  GossipNet net(3);
  net.LinkAtRandom(0);
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  EXPECT_TRUE(net.toys[0].arrived.empty());
  EXPECT_EQ(net.Having(1), 2U);
}

struct Weather {
  std::string name;
  std::uint64_t loss = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t jitter_us = 0;
};

class GossipWeather : public testing::TestWithParam<Weather> {};

TEST_P(GossipWeather, ReachesEverybodyOnce) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    GossipNet net(120, seed);
    net.LinkAtRandom(4);
    net.loss = GetParam().loss;
    net.duplicate = GetParam().duplicate;
    net.jitter_us = GetParam().jitter_us;
    for (std::size_t i = 0; i < 10; ++i) {
      net.Broadcast(7 * i % 5);
      net.RunFor(Duration::Milliseconds(300));
    }
    net.RunFor(Duration::Minutes(1));
    std::size_t missed = 0;
    for (std::size_t i = 5; i < 120; ++i) missed += 10 - net.toys[i].arrived.size();
    EXPECT_EQ(missed, 0U) << "seed " << seed;
    net.RunDry();
  }
}

INSTANTIATE_TEST_SUITE_P(All, GossipWeather,
                         testing::Values(Weather{"Loss", Percent(20), 0, 0},
                                         Weather{"Duplicates", 0, Percent(30), 0},
                                         Weather{"Reordering", 0, 0, 400'000},
                                         Weather{"Everything", Percent(20), Percent(20), 400'000}),
                         [](const auto& param) { return param.param.name; });

TEST(Gossip, WhoDuplicatesIsPrunedAtBothEnds) {
  GossipNet net(3);
  net.LinkAtRandom(0);  // a triangle
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.Count<GossipPrune>(), 2U) << "1 and 2 pushed to each other";
  net.log.clear();
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.Count<GossipPush>(), 2U);
  EXPECT_EQ(net.Count<GossipPrune>(), 0U);
}

TEST(Gossip, ARepeatedMessageOfTheTreeDoesNotPruneIt) {
  GossipNet net(2);
  net.Link(0, 1);
  net.duplicate = Percent(100);
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.Count<GossipPrune>(), 0U);
  EXPECT_EQ(net.dropped(DropReason::kDuplicateGossip), 1U);
}

TEST(Gossip, ABrokenTreeIsRepairedByGrafts) {
  GossipNet net(100);
  net.LinkAtRandom(6);
  for (int i = 0; i < 3; ++i) {
    net.Broadcast(0);
    net.RunFor(Duration::Seconds(5));
  }
  for (std::size_t i = 1; i < 100; i += 2) net.toys[i].up = false;  // nobody notices
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(3));
  EXPECT_EQ(net.Having(4), 49U);
  EXPECT_GT(net.Count<GossipGraft>(), 0U);
}

TEST(Gossip, ALinkThatSavesManyHopsReplacesTheOldOne) {
  GossipNet net(12);
  net.config.gossip.eager_links = 2;
  for (std::size_t i = 0; i + 1 < 12; ++i) net.Link(i, i + 1);
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.toys[11].arrived.back().hops, 11);
  net.Link(0, 11);  // lazy at 0 only if 0 had two already
  net.Link(1, 11);
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  EXPECT_LE(net.toys[11].arrived.back().hops, 2);
}

// ---- Limits of one broadcast.

TEST(Gossip, MaxHopsEndsTheSpreading) {
  GossipNet net(10);
  for (std::size_t i = 0; i + 1 < 10; ++i) net.Link(i, i + 1);
  tombolo::Broadcast command = net.Command();
  command.max_hops = 4;
  net.Broadcast(0, command);
  net.RunFor(Duration::Minutes(1));
  EXPECT_EQ(net.Having(1), 4U);
  net.RunDry();
}

TEST(Gossip, AnExpiredBroadcastIsNotCaughtUpWith) {
  GossipNet net(3);
  net.Link(0, 1);
  tombolo::Broadcast command = net.Command();
  command.ttl = Duration::Seconds(10);
  net.Broadcast(0, command);
  net.RunFor(Duration::Seconds(11));
  net.Link(1, 2);
  net.RunFor(Duration::Minutes(2));
  EXPECT_EQ(net.toys[1].arrived.size(), 1U);
  EXPECT_TRUE(net.toys[2].arrived.empty());
  EXPECT_EQ(net.shares_of(command.payload), 0);
}

TEST(Gossip, TopicsAreHandedToSubscribersOnly) {
  GossipNet net(30);
  net.LinkAtRandom(2);
  for (std::size_t i = 0; i < 30; i += 3) net.toys[i].gossip.Subscribe(77, net.Part(i));
  tombolo::Broadcast command = net.Command();
  command.topic = 77;
  net.Broadcast(1, command);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.Having(1), 10U);
  net.toys[3].gossip.Unsubscribe(77);
  command = net.Command();
  command.topic = 77;
  net.Broadcast(1, command);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.Having(2), 9U);
  net.RunDry();
}

// ---- Missed broadcasts.

TEST(Gossip, IslandsCatchUpOverOneBridgeExactlyOnce) {
  GossipNet net(60);
  for (std::size_t base : {std::size_t{0}, std::size_t{30}}) {
    for (std::size_t i = 0; i < 30; ++i) {
      net.Link(base + i, base + (i + 1) % 30);
      net.Link(base + i, base + (i + 7) % 30);
    }
  }
  for (int i = 0; i < 20; ++i) {
    net.Broadcast(0);
    net.Broadcast(59);
    net.RunFor(Duration::Seconds(1));
  }
  EXPECT_EQ(net.Having(20), 58U);
  net.Link(29, 30);
  net.RunFor(Duration::Seconds(10));
  EXPECT_EQ(net.Having(40), 58U);
  net.log.clear();
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.Having(41), 58U) << "the bridge has joined the trees";
  EXPECT_LE(net.Count<GossipPush>(), 66U);
  net.RunDry();
}

TEST(Gossip, ManyMissedBroadcastsOfOneOriginComeAtItsRate) {
  GossipNet net(3);
  net.Link(0, 1);
  net.config.gossip.origin_broadcasts = 20;
  for (int i = 0; i < 100; ++i) {
    net.Broadcast(0);
    net.RunFor(Duration::Milliseconds(100));
  }
  net.Link(1, 2);
  net.RunFor(Duration::Seconds(2));
  EXPECT_LE(net.toys[2].arrived.size(), 60U);
  net.RunFor(Duration::Seconds(20));
  EXPECT_EQ(net.toys[2].arrived.size(), 100U);
}

TEST(Gossip, AShortCutThatNoLinkNoticedIsHealedByComparing) {
  GossipNet net(40);
  net.LinkAtRandom(3);
  net.loss = Percent(100);
  net.Broadcast(0);
  net.RunFor(Duration::Seconds(5));
  net.loss = 0;
  EXPECT_EQ(net.Having(1), 0U);
  net.RunFor(Duration::Seconds(60));
  EXPECT_EQ(net.Having(1), 39U);
}

TEST(Gossip, CatchUpTellsOfEverythingThatIsKept) {
  GossipNet net(2);
  net.config.gossip.compare_interval = Duration::Hours(1);
  for (int i = 0; i < 50; ++i) net.Broadcast(0);
  net.loss = Percent(100);
  net.Link(0, 1);
  net.RunFor(Duration::Seconds(5));
  net.loss = 0;
  net.CatchUp(0, 1);
  net.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.toys[1].arrived.size(), 50U);
}

TEST(Gossip, TheWindowIsBoundedInNumberAndBytes) {
  GossipNet net(1);
  net.config.gossip.window_messages = 8;
  for (int i = 0; i < 20; ++i) net.Broadcast(0);
  EXPECT_EQ(net.toys[0].gossip.kept().size(), 8U);
  EXPECT_EQ(net.dropped(DropReason::kGossipForgotten), 12U);
  net.config.gossip.window_bytes = 300;
  net.Broadcast(0);
  EXPECT_EQ(net.toys[0].gossip.kept().size(), 3U);
  net.RunDry();
}

TEST(Gossip, TheMemoryOfKeysIsBounded) {
  GossipNet net(1);
  net.config.gossip.max_seen = 10;
  for (int i = 0; i < 25; ++i) net.Broadcast(0);
  EXPECT_EQ(net.toys[0].gossip.remembered(), 10U);
  EXPECT_EQ(net.dropped(DropReason::kOverload), 15U);
}

// ---- State.

TEST(Gossip, StopGivesUpEveryPayload) {
  GossipNet net(20);
  net.LinkAtRandom(2);
  tombolo::Broadcast command = net.Command(5);
  command.acknowledge = true;
  net.Broadcast(0, command);
  net.RunFor(Duration::Milliseconds(60));
  for (std::size_t i = 0; i < 20; ++i) {
    net.toys[i].gossip.Stop(net.Part(i));
    net.Drain(i);
    net.toys[i].up = false;
  }
  net.RunFor(Duration::Seconds(1));
  EXPECT_EQ(net.shares_of(command.payload), 0);
  ASSERT_EQ(net.EventsOf<Failed>(0).size(), 1U);
  EXPECT_EQ(net.EventsOf<Failed>(0)[0].reason, FailReason::kLeft);
}

TEST(Gossip, ACopyReadFromAFileGoesOnAlike) {
  GossipNet net(30);
  net.LinkAtRandom(3);
  net.loss = Percent(10);
  for (std::size_t i = 0; i < 5; ++i) {
    tombolo::Broadcast command = net.Command(static_cast<std::uint32_t>(i));
    command.acknowledge = true;
    net.Broadcast(i, command);
    net.RunFor(Duration::Milliseconds(130));
  }
  GossipNet twin = net;
  for (GossipNet::Toy& toy : twin.toys) {
    const std::vector<std::uint8_t> bytes = Saved(toy.gossip);
    Gossip read;
    Reader reader(bytes);
    reader(read);
    ASSERT_TRUE(reader.ok() && reader.at_end());
    toy.gossip = read;
  }
  net.RunFor(Duration::Minutes(1));
  twin.RunFor(Duration::Minutes(1));
  ASSERT_EQ(net.log.size(), twin.log.size());
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(net.toys[i].arrived.size(), twin.toys[i].arrived.size());
    EXPECT_EQ(net.toys[i].rng.state(), twin.toys[i].rng.state());
  }
}

TEST(Gossip, RefsDoNotMatter) {
  std::vector<std::size_t> order(60);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = (i * 23 + 5) % order.size();
  GossipNet plain(60, 3);
  GossipNet permuted(60, 3, order);
  for (GossipNet* net : {&plain, &permuted}) {
    net->LinkAtRandom(3);
    net->loss = Percent(10);
    for (std::size_t i = 0; i < 8; ++i) {
      net->Broadcast(i);
      net->RunFor(Duration::Milliseconds(200));
    }
    net->RunFor(Duration::Minutes(1));
  }
  ASSERT_EQ(plain.log.size(), permuted.log.size());
  for (std::size_t i = 0; i < plain.log.size(); ++i) {
    EXPECT_EQ(plain.log[i].from, permuted.log[i].from);
    EXPECT_EQ(plain.log[i].to, permuted.log[i].to);
    EXPECT_EQ(plain.log[i].message.index(), permuted.log[i].message.index());
  }
}

}  // namespace
}  // namespace tombolo
