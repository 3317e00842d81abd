// Links between two or three hosts: duplicates, ends, bounds, frames.
#include "node/link_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/node/stranger.h"

namespace tombolo::node {
namespace {

using link::v1::Goodbye;

// ---- Which connection stays.

TEST(LaterStays, IsFoundAlikeAtBothSides) {
  const NodeId small{{1}};
  const NodeId large{{2}};
  const auto end = [](const NodeId& remote, bool outbound, std::uint64_t dial) {
    Connection connection;
    connection.remote = remote;
    connection.outbound = outbound;
    connection.dial = dial;
    return connection;
  };
  // Two dials that have crossed: whatever came up first, that of the smaller id stays.
  const Connection by_small_here = end(large, true, 1), by_large_here = end(large, false, 1);
  const Connection by_small_there = end(small, false, 1), by_large_there = end(small, true, 1);
  EXPECT_TRUE(LaterStays(by_large_here, by_small_here, small, false));
  EXPECT_FALSE(LaterStays(by_small_here, by_large_here, small, false));
  EXPECT_TRUE(LaterStays(by_large_there, by_small_there, large, false));
  EXPECT_FALSE(LaterStays(by_small_there, by_large_there, large, false));
  // A link that has been up for long is not dialled again by somebody who has it.
  EXPECT_TRUE(LaterStays(by_small_here, by_large_here, small, true));
  // Two dials of one side: its later one.
  EXPECT_TRUE(LaterStays(end(large, true, 1), end(large, true, 2), small, false));
  EXPECT_FALSE(LaterStays(end(small, false, 2), end(small, false, 1), large, false));
  // A side that has started anew counts from the start.
  Connection reborn = end(small, false, 1);
  reborn.life = 5;
  EXPECT_TRUE(LaterStays(end(small, false, 9), reborn, large, false));
}

// Both dial at the same moment, with any offset between them.
TEST(Links, SimultaneousDialsEndInOneLink) {
  std::uint64_t duplicates = 0;
  for (int offset = 0; offset <= 60; offset += 3) {
    TestNetwork net(static_cast<std::uint64_t>(offset + 1));
    HostOptions a = net.OptionsFor(0);
    const HostOptions b = net.OptionsFor(1);
    a.bootstrap = {TestNetwork::AddressOf(1)};
    net.nodes.push_back(std::make_unique<TestNode>(net.network, a));
    net.nodes.push_back(std::make_unique<TestNode>(net.network, b));
    net.at(0).Start();
    net.network.RunFor(Duration::Milliseconds(offset));
    net.at(1).Start();
    net.network.RunFor(Duration::Seconds(10));
    EXPECT_TRUE(net.at(0).IsKeptWith(net.at(1))) << offset;
    EXPECT_TRUE(net.at(1).IsKeptWith(net.at(0))) << offset;
    EXPECT_EQ(net.at(0).host.links().connection_count(), 1U) << offset;
    EXPECT_EQ(net.at(1).host.links().connection_count(), 1U) << offset;
    EXPECT_TRUE(net.at(0).Heard<PeerLost>().empty()) << offset;
    EXPECT_TRUE(net.at(1).Heard<PeerLost>().empty()) << offset;
    duplicates += net.at(0).count(LinkCount::kDuplicates);
  }
  EXPECT_GT(duplicates, 0U);
}

TEST(Links, ARestartedNodeIsBackAtOnce) {
  TestNetwork net;
  net.Grow(3);
  HostOptions again = net.OptionsFor(2);
  again.self.id = net.at(2).id();
  // The others do not notice that it died: the path is cut as it does.
  net.network.islands[TestNetwork::AddressOf(2)] = 1;
  net.nodes.pop_back();
  net.network.islands.clear();
  TestNode& reborn = net.Add(again);
  net.network.RunFor(Duration::Seconds(3));
  EXPECT_TRUE(reborn.IsKeptWith(net.at(0)));
  EXPECT_TRUE(net.at(0).IsKeptWith(reborn));
  EXPECT_EQ(net.at(0).host.links().connection_count(), 2U);
}

// ---- Ends.

TEST(Links, ACutLinkGoesDownAtBothEndsWhenTheKeepaliveIsOver) {
  TestNetwork net;
  net.Grow(2);
  net.network.islands[TestNetwork::AddressOf(1)] = 1;
  net.network.RunFor(Duration::Seconds(4));
  EXPECT_TRUE(net.at(0).IsKeptWith(net.at(1)));
  net.network.RunFor(Duration::Seconds(12));
  for (int i = 0; i < 2; ++i) {
    const auto lost = net.at(static_cast<std::size_t>(i)).Heard<PeerLost>();
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_EQ(lost[0].first.reason, LinkDownReason::kTimeout);
    EXPECT_EQ(net.at(static_cast<std::size_t>(i)).endings[0], "silent");
  }
}

TEST(Links, WhoIsHungUpOnHearsOfItAndOfWhatWasSaidBefore) {
  TestNetwork net;
  net.Grow(2);
  const Send send{1, net.at(1).id(), {}, Duration::Seconds(5)};
  ASSERT_TRUE(net.at(0).host.Execute(send, "last words").ok());
  ASSERT_TRUE(net.at(0).host.Execute(Disconnect{net.at(1).id()}).ok());
  net.network.RunFor(Duration::Milliseconds(100));
  EXPECT_EQ(net.at(1).Heard<MessageArrived>().size(), 1U);
  ASSERT_EQ(net.at(1).Heard<PeerLost>().size(), 1U);
  EXPECT_EQ(net.at(1).Heard<PeerLost>()[0].first.reason, LinkDownReason::kClosed);
  ASSERT_EQ(net.at(0).Heard<PeerLost>().size(), 1U);
  EXPECT_EQ(net.at(0).Heard<PeerLost>()[0].first.reason, LinkDownReason::kHungUp);
  EXPECT_EQ(net.at(0).endings[0], "we said REQUESTED");
  EXPECT_EQ(net.at(1).endings[0], "they said REQUESTED");
}

TEST(Links, EphemeralOnesAreDialledForAMessageAndClosedWhenUnused) {
  TestNetwork net;
  net.config.links.max_links = net.config.links.reserved = 0;  // the overlay keeps none
  net.config.heal.enabled = false;
  net.Grow(3);
  net.network.RunFor(Duration::Minutes(3));
  const std::uint64_t dials = net.at(1).count(LinkCount::kDials);
  EXPECT_GT(dials, 0U);
  EXPECT_EQ(net.at(1).host.links().kept_count(), 0U);
  EXPECT_GT(net.at(0).count(LinkCount::kIdleClosed) + net.at(1).count(LinkCount::kIdleClosed) +
                net.at(2).count(LinkCount::kIdleClosed),
            0U);
  ASSERT_TRUE(net.at(1).host.Execute(Lookup{1, net.at(2).id()}).ok());
  net.network.RunFor(Duration::Seconds(3));
  ASSERT_EQ(net.at(1).Heard<LookupDone>().size(), 1U);
  EXPECT_EQ(net.at(1).Heard<LookupDone>()[0].first.dead, 0U);
}

// ---- Bounds.

TEST(Links, OnlySoManyConnectionsAreAccepted) {
  TestNetwork net;
  net.links.max_connections = 4;
  net.Grow(2);
  std::vector<std::unique_ptr<Stranger>> strangers;
  for (int i = 0; i < 5; ++i) {
    const std::string address = "10.7.2." + std::to_string(i) + ":1";
    strangers.push_back(std::make_unique<Stranger>(net, address));
    strangers.back()->DialNode(0);
    strangers.back()->Say(strangers.back()->GoodHello());
  }
  EXPECT_LE(net.at(0).host.links().connection_count(), 6U);  // some are on their way out
  EXPECT_EQ(net.at(0).count(LinkCount::kRefusedFull), 2U);
  EXPECT_EQ(strangers[4]->SentAway(), Goodbye::FULL);
  // A node that is turned away so takes it for a dial that came to nothing.
  HostOptions options = net.OptionsFor(2);
  options.bootstrap = {TestNetwork::AddressOf(0)};
  TestNode& late = net.Add(options);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(late.count(LinkCount::kGreeted), 0U);
  EXPECT_GT(late.count(LinkCount::kDialsFailed), 0U);
  net.nodes.pop_back();
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.at(0).host.links().connection_count(), 4U);
}

TEST(Links, WhoDoesNotReadIsRoutedAroundThenNotWrittenTo) {
  TestNetwork net;
  net.links.max_queue = 2 * kSendHighWater;
  net.Grow(2);
  net.at(0).transport.Stall(true);
  const std::string large(64 * 1024, 'x');
  for (std::uint32_t i = 0; i < 100; ++i) {
    const Send send{i, net.at(1).id(), {}, Duration::Seconds(20), 1, false};
    ASSERT_TRUE(net.at(0).host.Execute(send, large).ok());
    net.network.RunFor(Duration::Milliseconds(1));
  }
  const auto links = net.at(0).host.core().links();
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].pressure, LinkPressure::kHigh);
  EXPECT_GT(net.at(0).count(LinkCount::kQueueFull), 50U);
  EXPECT_LT(net.at(0).host.links().Find(net.Ref(0, 1))->queued, 4 * kSendHighWater);
  net.at(0).transport.Stall(false);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(net.at(0).host.core().links()[0].pressure, LinkPressure::kNone);
  EXPECT_GT(net.at(1).Heard<MessageArrived>().size(), 20U);
}

TEST(Links, AQueueTooSmallForWaterMarksIsUsedAgainOnceItIsEmpty) {
  TestNetwork net;
  net.links.max_queue = kSendHighWater / 16;
  net.Grow(2);
  const auto say = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const Send send{i, net.at(1).id(), {}, Duration::Seconds(20), 1, false};
      ASSERT_TRUE(net.at(0).host.Execute(send, std::string(60 * 1024, 'x')).ok());
      net.network.RunFor(Duration::Milliseconds(1));
    }
  };
  net.at(0).transport.Stall(true);
  say(10);
  EXPECT_GT(net.at(0).count(LinkCount::kQueueFull), 0U);
  net.at(0).transport.Stall(false);
  net.network.RunFor(Duration::Seconds(1));
  const std::size_t before = net.at(1).Heard<MessageArrived>().size();
  say(1);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_GT(net.at(1).Heard<MessageArrived>().size(), before);
}

TEST(Links, ADeadPeerIsLeftAloneForAWhile) {
  TestNetwork net;
  net.config.links.max_links = net.config.links.reserved = 0;
  net.config.heal.enabled = false;
  net.Grow(2);
  net.nodes.pop_back();
  net.network.RunFor(Duration::Seconds(1));
  TestNode& node = net.at(0);
  for (std::uint32_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(node.host.Execute(Lookup{i, NodeId{{i, 1}}}).ok());
    net.network.RunFor(Duration::Milliseconds(50));
  }
  EXPECT_LT(node.count(LinkCount::kDialsFailed), 20U);
}

TEST(Links, MessagesOfOneTurnShareAFrame) {
  TestNetwork net;
  net.Grow(2);
  const std::uint64_t frames = net.at(0).count(LinkCount::kFrames);
  const std::uint64_t messages = net.at(0).count(LinkCount::kMessages);
  for (std::uint32_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(
        net.at(0).host.Execute(Send{i, net.at(1).id(), {}, Duration::Seconds(5)}, "x").ok());
  }
  net.network.RunFor(Duration::Milliseconds(15));
  EXPECT_EQ(net.at(0).count(LinkCount::kFrames), frames + 1);
  EXPECT_EQ(net.at(0).count(LinkCount::kMessages), messages + 50);
  EXPECT_EQ(net.at(1).Heard<MessageArrived>().size(), 50U);
}

TEST(Links, AFrameIsCutWhenItIsLarge) {
  TestNetwork net;
  net.links.frame_bytes = 1000;
  net.Grow(2);
  const std::uint64_t frames = net.at(0).count(LinkCount::kFrames);
  const std::string payload(100, 'x');
  for (std::uint32_t i = 0; i < 50; ++i) {
    const Send send{i, net.at(1).id(), {}, Duration::Seconds(5)};
    ASSERT_TRUE(net.at(0).host.Execute(send, payload).ok());
  }
  net.network.RunFor(Duration::Milliseconds(15));
  EXPECT_GE(net.at(0).count(LinkCount::kFrames), frames + 8);
  EXPECT_EQ(net.at(1).Heard<MessageArrived>().size(), 50U);
}

TEST(BackOffs, GrowToFiveSecondsAndEndWithSuccess) {
  BackOffs<int> back_offs;
  Rng rng(1);
  Duration last{0};
  for (int i = 0; i < 20; ++i) {
    const Time now{Duration::Seconds(100 * (i + 1)).us};
    back_offs.Failed(1, now, rng);
    last = back_offs.until(1) - now;
    EXPECT_GE(last, kFirstBackOff / 2);
    EXPECT_LE(last, kMaxBackOff);
  }
  EXPECT_GE(last, kMaxBackOff / 2);
  back_offs.Succeeded(1);
  EXPECT_EQ(back_offs.until(1), Time{});
  for (int i = 0; i < 6000; ++i) back_offs.Failed(i, Time{i}, rng);
  int rows = 0;
  back_offs.ForEachKey([&](int) { ++rows; });
  EXPECT_LE(rows, static_cast<int>(BackOffs<int>::kMaxRows));
}

}  // namespace
}  // namespace tombolo::node
