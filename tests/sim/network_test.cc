#include "sim/network.h"

#include <gtest/gtest.h>

namespace tombolo::sim {
namespace {

constexpr Duration kHold = Duration::Seconds(30);

NetworkOptions Options() {
  NetworkOptions options;
  options.latency.one_way = Duration::Milliseconds(40);
  options.ephemeral_hold = kHold;
  options.track_ephemeral = true;
  options.seed = 9;
  options.peers = 1000;
  return options;
}

TEST(Network, WithoutLossEveryMessageTakesTheDelayOfItsPair) {
  Network network(Options());
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(network.Carry(PeerRef{1}, PeerRef{2}, i, 100, Time{}), Duration::Milliseconds(40));
  }
  EXPECT_EQ(network.Delay(PeerRef{1}, PeerRef{2}), Duration::Milliseconds(40));
}

TEST(Network, NewsOfConnectionsKeepTheirOrderWhateverTheJitter) {
  NetworkOptions options = Options();
  options.latency.jitter = Duration::Milliseconds(20);
  Network network(options);
  EXPECT_GT(network.Carry(PeerRef{1}, PeerRef{2}, 0, 100, Time{}), Duration::Milliseconds(40));
  EXPECT_EQ(network.Delay(PeerRef{1}, PeerRef{2}), Duration::Milliseconds(40));
}

TEST(Network, LosesTheShareThatItIsTold) {
  for (const double share : {0.0, 0.02, 0.5, 1.0}) {
    NetworkOptions options = Options();
    options.loss = share;
    Network network(options);
    int lost = 0;
    for (std::uint32_t i = 0; i < 40'000; ++i) {
      lost +=
          network.Carry(PeerRef{i % 100}, PeerRef{200}, i, 100, Time{}) == Network::kLost ? 1 : 0;
    }
    EXPECT_NEAR(lost, share * 40'000, share == 0 || share == 1 ? 0 : 500);  // five sigma
  }
}

TEST(Network, ALossDependsOnSenderSequenceAndSeedAlone) {
  NetworkOptions options = Options();
  options.loss = 0.5;
  const auto Pattern = [](const NetworkOptions& from, PeerRef sender, PeerRef receiver, int start) {
    Network network(from);
    std::string pattern;
    for (std::uint32_t i = 0; i < 64; ++i) {
      const Time now{start};
      pattern += network.Carry(sender, receiver, i, 1, now) == Network::kLost ? 'x' : '.';
    }
    return pattern;
  };
  const std::string pattern = Pattern(options, PeerRef{1}, PeerRef{2}, 0);
  EXPECT_EQ(pattern, Pattern(options, PeerRef{1}, PeerRef{3}, 77));
  EXPECT_NE(pattern, Pattern(options, PeerRef{4}, PeerRef{2}, 0));
  ++options.seed;
  EXPECT_NE(pattern, Pattern(options, PeerRef{1}, PeerRef{2}, 0));
}

TEST(Network, DeadLinksAreDeadBothWaysAndAsManyAsToldTo) {
  NetworkOptions options = Options();
  options.dead_links = 0.05;
  const Network network(options);
  int dead = 0;
  for (std::uint32_t a = 0; a < 200; ++a) {
    for (std::uint32_t b = a + 1; b < 200; ++b) {
      const bool is_dead = network.IsDeadLink(PeerRef{a}, PeerRef{b});
      EXPECT_EQ(network.IsDeadLink(PeerRef{b}, PeerRef{a}), is_dead);
      dead += is_dead ? 1 : 0;
    }
  }
  EXPECT_NEAR(dead, 0.05 * 19'900, 150);
  EXPECT_FALSE(Network(Options()).IsDeadLink(PeerRef{0}, PeerRef{1}));
}

TEST(Network, ALinkDialledForOneExchangeIsKeptForAWhileBothWays) {
  Network network(Options());
  const Time start = Time{} + Duration::Minutes(1);
  EXPECT_FALSE(network.HasEphemeral(PeerRef{1}, PeerRef{2}, start));
  EXPECT_TRUE(network.UseEphemeral(PeerRef{1}, PeerRef{2}, start));
  EXPECT_TRUE(network.HasEphemeral(PeerRef{2}, PeerRef{1}, start + kHold));
  EXPECT_FALSE(network.HasEphemeral(PeerRef{2}, PeerRef{1}, start + kHold + Duration{1}));
  EXPECT_FALSE(network.HasEphemeral(PeerRef{1}, PeerRef{3}, start));
  EXPECT_FALSE(network.UseEphemeral(PeerRef{2}, PeerRef{1}, start + kHold));  // and is kept longer
  EXPECT_TRUE(network.HasEphemeral(PeerRef{1}, PeerRef{2}, start + kHold * 2));
}

TEST(Network, WithoutTrackingEveryExchangeIsADial) {
  NetworkOptions options = Options();
  options.track_ephemeral = false;
  Network network(options);
  EXPECT_FALSE(network.tracks_ephemeral());
  EXPECT_TRUE(network.UseEphemeral(PeerRef{1}, PeerRef{2}, Time{}));
  EXPECT_TRUE(network.UseEphemeral(PeerRef{1}, PeerRef{2}, Time{}));
  EXPECT_FALSE(network.HasEphemeral(PeerRef{1}, PeerRef{2}, Time{}));
}

TEST(Network, AFullUplinkDelaysAndThenLoses) {
  NetworkOptions options = Options();
  options.bandwidth.model = BandwidthModel::kFixed;
  options.bandwidth.up_bytes_per_s = 1'000'000;
  options.bandwidth.queue = Duration::Milliseconds(2);
  Network network(options);
  const Duration delay = Duration::Milliseconds(40);
  const Duration sending = Duration::Milliseconds(1);  // 1,000 bytes at 1 MB/s
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(network.Carry(PeerRef{1}, PeerRef{2}, i, 1000, Time{}), delay + sending * (i + 1));
  }
  EXPECT_EQ(network.Carry(PeerRef{1}, PeerRef{2}, 3, 1000, Time{}), Network::kLost);
  EXPECT_NE(network.Carry(PeerRef{3}, PeerRef{2}, 0, 1000, Time{}),
            Network::kLost);  // another uplink
  network.AddPeer();
  EXPECT_NE(network.Carry(PeerRef{1000}, PeerRef{2}, 0, 1000, Time{}), Network::kLost);
}

TEST(Network, SharesBecomePartsOfTheWholeRange) {
  EXPECT_EQ(ChanceParts(0), 0U);
  EXPECT_EQ(ChanceParts(0.5), std::uint64_t{1} << 31);
  EXPECT_EQ(ChanceParts(1), std::uint64_t{1} << 32);
}

}  // namespace
}  // namespace tombolo::sim
