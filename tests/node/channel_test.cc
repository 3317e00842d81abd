// Channels between two tables: streams, losses, paths, readers that stall.
#include "node/channel_table.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/node/channel_net.h"

namespace tombolo::node {
namespace {

TEST(Channels, CarryBytesBothWaysAndCloseOnceBothEndsHave) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  here->Send("question", true);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_TRUE(here->accepted);
  EXPECT_EQ(there->got, "question");
  EXPECT_TRUE(there->ended);
  EXPECT_FALSE(there->over()) << "one half is open";
  there->Send("a longer answer", true);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(here->got, "a longer answer");
  EXPECT_TRUE(here->closed && there->closed);
  EXPECT_EQ(CountOf(net, 0, ChannelCount::kClosed), 1U);
  EXPECT_EQ(CountOf(net, 0, ChannelCount::kBytesAgain), 0U);
  ExpectNothingLeft(net);
}

TEST(Channels, TheFirstDataTravelsWithTheOpen) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  here->Send(Pattern(kFirstWindow), false);
  net.network.RunFor(net.delay);
  EXPECT_EQ(there->got, Pattern(kFirstWindow));
}

TEST(Channels, HalfCloseFromTheAcceptingEndLeavesTheOtherHalfOpen) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  net.network.RunFor(Duration::Seconds(1));
  there->Send("that is all", true);
  net.network.RunFor(Duration::Minutes(2));
  EXPECT_TRUE(here->ended);
  EXPECT_FALSE(here->over());
  here->Send(Pattern(kMegabyte), true);
  net.network.RunFor(Duration::Seconds(30));
  EXPECT_EQ(there->got, Pattern(kMegabyte));
  EXPECT_TRUE(here->closed && there->closed);
  ExpectNothingLeft(net);
}

TEST(Channels, WindowsGrowWithAStreamThatFlows) {
  ChannelNet net;
  const auto [here, there] = net.Open();
  here->Send(Pattern(16 * kMegabyte), true);
  there->finishes_in_return = true;
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(there->got.size(), 16 * kMegabyte) << "32 KiB per round trip of 20 ms were 1.6 MB";
  EXPECT_TRUE(there->got == Pattern(16 * kMegabyte));
  EXPECT_GE(CountOf(net, 1, ChannelCount::kGrown), 5U);
}

// ---- Loss, repetition, disorder.

struct Road {
  std::uint32_t lost;
  std::uint32_t repeated;
  Duration jitter;
};

void TransferBothWays(ChannelNet& net, std::size_t bytes, Duration limit) {
  const auto [here, there] = net.Open();
  here->Send(Pattern(bytes, 2), true);
  there->Send(Pattern(bytes, 3), true);
  const auto done = [&, a = here, b = there] { return a->over() && b->over(); };
  EXPECT_TRUE(net.network.RunUntilTrue(done, limit));
  EXPECT_TRUE(there->got == Pattern(bytes, 2)) << there->got.size();
  EXPECT_TRUE(here->got == Pattern(bytes, 3)) << here->got.size();
  EXPECT_TRUE(here->closed) << "reset: " << static_cast<int>(here->reset.value_or(ResetReason{}));
  EXPECT_TRUE(there->closed);
}

TEST(Channels, NothingIsLostOnBadRoads) {
  for (const Road& road :
       {Road{50, 0, {}}, Road{0, 500, {}}, Road{0, 0, Duration::Milliseconds(30)},
        Road{100, 100, Duration::Milliseconds(30)}, Road{300, 300, Duration::Milliseconds(5)}}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE("lost " + std::to_string(road.lost) + " repeated " +
                   std::to_string(road.repeated) + " jitter " + std::to_string(road.jitter.us) +
                   " seed " + std::to_string(seed));
      ChannelNet net(seed);
      net.is_linked = false;
      net.lost = road.lost;
      net.repeated = road.repeated;
      net.jitter = road.jitter;
      TransferBothWays(net, kMegabyte, Duration::Minutes(10));
      net.network.RunFor(Duration::Minutes(2));
      ExpectNothingLeft(net);
    }
  }
}

TEST(Channels, OneLossCostsNoTimeout) {
  ChannelNet net;
  net.is_linked = false;
  const auto [here, there] = net.Open();
  here->Send(Pattern(kMegabyte), false);
  const auto flows = [&, b = there] { return b->got.size() > kMegabyte / 2; };
  ASSERT_TRUE(net.network.RunUntilTrue(flows, Duration::Seconds(10)));
  int to_lose = 1;
  net.filter = [&](const NodeId&, Segment& segment) {
    return segment.data().empty() || to_lose-- <= 0;
  };
  const std::size_t more = 4 * kMegabyte;
  here->Send(Pattern(more, 5), false);
  const Time start = net.network.now();
  const auto all = [&, b = there] { return b->got.size() == kMegabyte + more; };
  ASSERT_TRUE(net.network.RunUntilTrue(all, Duration::Seconds(30)));
  EXPECT_LT(to_lose, 1);
  EXPECT_LT(net.network.now() - start, Duration::Milliseconds(900));
  EXPECT_LE(CountOf(net, 0, ChannelCount::kBytesAgain), 2 * kMaxFragment);
}

TEST(Channels, ARelayThatDropsWhatIsTooMuchIsSharedNotFlooded) {
  ChannelNet net;
  net.is_linked = false;
  // A queue that carries 10 MB/s and holds 200 KB.
  Time free;
  net.filter = [&](const NodeId&, Segment& segment) {
    const Time now = net.network.now();
    free = std::max(free, now);
    if (free - now > Duration::Milliseconds(20)) return false;
    free = free + Duration::Microseconds(static_cast<std::int64_t>(segment.data().size() / 10));
    return true;
  };
  const auto [here, there] = net.Open();
  here->Send(Pattern(20 * kMegabyte), true);
  const auto done = [b = there] { return b->ended; };
  ASSERT_TRUE(net.network.RunUntilTrue(done, Duration::Seconds(10)));
  EXPECT_LT(CountOf(net, 0, ChannelCount::kBytesAgain), 4 * kMegabyte);
}

// ---- The way changes.

TEST(Channels, APathThatComesAndGoesLosesNothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ChannelNet net(seed);
    net.lost = 20;
    net.jitter = Duration::Milliseconds(20);
    const auto [here, there] = net.Open();
    here->Send(Pattern(8 * kMegabyte, 2), true);
    there->Send(Pattern(8 * kMegabyte, 3), true);
    for (int change = 0; change < 10; ++change) {
      net.network.RunFor(Duration::Milliseconds(20 + net.rng.Below(150)));
      net.SetLinked(!net.is_linked);
    }
    const auto done = [a = here, b = there] { return a->over() && b->over(); };
    EXPECT_TRUE(net.network.RunUntilTrue(done, Duration::Minutes(5))) << seed;
    EXPECT_TRUE(there->got == Pattern(8 * kMegabyte, 2)) << seed;
    EXPECT_TRUE(here->got == Pattern(8 * kMegabyte, 3)) << seed;
    EXPECT_TRUE(here->closed && there->closed) << seed;
    EXPECT_GE(CountOf(net, 0, ChannelCount::kPathChanges), 3U);
  }
}

TEST(Channels, RelayedSegmentsGoOverTheLinkOnceThereIsOne) {
  ChannelNet net;
  net.is_linked = false;
  const auto [here, there] = net.Open();
  here->Send("one ", false);
  net.network.RunFor(Duration::Seconds(1));
  net.SetLinked(true);
  const std::uint64_t relayed = net.at(0).relayed;
  EXPECT_GT(relayed, 0U);
  here->Send("two", false);
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_EQ(there->got, "one two");
  EXPECT_EQ(net.at(0).relayed, relayed);
}

// ---- Backpressure.

TEST(Channels, AStalledReaderStopsTheWriterWithinTheWindows) {
  for (const bool linked : {true, false}) {
    ChannelNet net;
    net.is_linked = linked;
    const auto [here, there] = net.Open();
    there->stalled = true;
    here->Send(Pattern(64 * kMegabyte), true);
    net.network.RunFor(Duration::Minutes(10));
    EXPECT_EQ(here->sent, 2 * kFirstWindow) << "its own and the reader's";
    EXPECT_EQ(there->unread, kFirstWindow);
    EXPECT_FALSE(here->over()) << "waiting is no death";
    EXPECT_LT(net.carried_bytes, 4 * kFirstWindow);
    EXPECT_LT(CountOf(net, 0, ChannelCount::kSegmentsOut), 1000U) << "nor a reason for noise";
    there->finishes_in_return = true;
    there->Read();
    const auto done = [b = there] { return b->closed; };
    EXPECT_TRUE(net.network.RunUntilTrue(done, Duration::Minutes(1)));
    EXPECT_TRUE(there->got == Pattern(64 * kMegabyte));
    EXPECT_GT(here->writables, 10);
  }
}

void ExpectAStalledReaderToHoldItsWindow(std::size_t max_window) {
  ChannelNet net;
  net.options.max_window = max_window;
  const auto [here, there] = net.Open();
  here->Send(Pattern(64 * kMegabyte), false);
  const auto flows = [b = there] { return b->got.size() > 32 * kMegabyte; };
  ASSERT_TRUE(net.network.RunUntilTrue(flows, Duration::Seconds(30)));
  there->stalled = true;
  net.network.RunFor(Duration::Minutes(1));
  EXPECT_LE(there->unread, net.options.max_window);
  EXPECT_LE(here->sent - there->got.size(), net.options.max_window);
  EXPECT_LE(net.at(0).table.memory() + net.at(1).table.memory(),
            2 * (net.options.max_window + kFirstWindow));
}

TEST(Channels, AReaderThatStallsInTheMiddleHoldsNoMoreThanItsWindow) {
  ExpectAStalledReaderToHoldItsWindow(ChannelOptions().max_window);
  ExpectAStalledReaderToHoldItsWindow(100 * 1024);  // no power of two
}

TEST(Channels, AWindowThatOpensIsHeardOfThoughTheWordIsLost) {
  ChannelNet net;
  net.is_linked = false;
  const auto [here, there] = net.Open();
  there->stalled = true;
  here->Send(Pattern(kMegabyte), false);
  net.network.RunFor(Duration::Seconds(5));
  net.filter = [&](const NodeId& to, Segment&) { return to != net.at(0).id; };
  there->Read();
  net.network.RunFor(Duration::Milliseconds(100));
  net.filter = nullptr;
  net.network.RunFor(Duration::Seconds(8));
  EXPECT_EQ(there->got.size(), kMegabyte);
}

TEST(Channels, OnesThatShareAPathDoNotStarve) {
  ChannelNet net;
  std::vector<ChannelEnd*> readers;
  for (int i = 0; i < 8; ++i) {
    const auto [here, there] = net.Open();
    here->Send(Pattern(8 * kMegabyte), false);
    readers.push_back(there);
    net.network.RunFor(Duration::Milliseconds(15));  // the acceptor is that of the last
  }
  net.network.RunFor(Duration::Milliseconds(400));
  std::size_t least = 8 * kMegabyte;
  std::size_t most = 0;
  for (const ChannelEnd* reader : readers) {
    least = std::min(least, reader->got.size());
    most = std::max(most, reader->got.size());
  }
  EXPECT_GT(least, kMegabyte / 2);
  EXPECT_LT(most, 3 * least);
}

}  // namespace
}  // namespace tombolo::node
