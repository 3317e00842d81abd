#include "sim/bandwidth.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "overlay/archive.h"

namespace tombolo::sim {
namespace {

BandwidthOptions Fixed(std::uint64_t bytes_per_s) {
  BandwidthOptions options;
  options.model = BandwidthModel::kFixed;
  options.up_bytes_per_s = bytes_per_s;
  return options;
}

TEST(Bandwidth, IsOffByDefault) {
  EXPECT_FALSE(Bandwidth().enabled());
  EXPECT_FALSE(Bandwidth(BandwidthOptions(), 1, 10).enabled());
}

TEST(Bandwidth, QueuesAndDropsWhatTheQueueCannotHold) {
  Bandwidth bandwidth(Fixed(100'000), 1, 2);  // 1,000 bytes take 10 ms, the queue holds 100 ms
  const Time now{5'000'000};
  for (int i = 1; i <= 11; ++i) {
    EXPECT_EQ(bandwidth.Enqueue(0, 1000, now), Duration::Milliseconds(10 * i)) << i;
  }
  EXPECT_EQ(bandwidth.Enqueue(0, 1000, now), std::nullopt);
  EXPECT_EQ(bandwidth.dropped(), 1U);
  EXPECT_EQ(bandwidth.Enqueue(1, 1000, now), Duration::Milliseconds(10));  // its own uplink
  const Time later = now + Duration::Milliseconds(10);
  EXPECT_EQ(bandwidth.Enqueue(0, 1000, later), Duration::Milliseconds(110));
  EXPECT_EQ(bandwidth.Enqueue(0, 1000, later + Duration::Seconds(1)), Duration::Milliseconds(10));
}

TEST(Bandwidth, RoundsUpSoThatNothingIsFree) {
  Bandwidth bandwidth(Fixed(3'000'000), 1, 1);
  EXPECT_EQ(bandwidth.Enqueue(0, 1, Time{}), Duration::Microseconds(1));
}

TEST(Bandwidth, NewPeersHaveAnUplink) {
  Bandwidth bandwidth(Fixed(1'000'000), 1, 0);
  bandwidth.AddPeer();
  EXPECT_EQ(bandwidth.Enqueue(0, 1000, Time{}), Duration::Milliseconds(1));
}

TEST(Bandwidth, PresetsHaveTheirRates) {
  BandwidthOptions options;
  const std::vector<std::pair<BandwidthModel, std::uint64_t>> rates = {
      {BandwidthModel::kDsl, 125'000},
      {BandwidthModel::kCable, 2'500'000},
      {BandwidthModel::kFibre, 62'500'000},
      {BandwidthModel::kCloud, 125'000'000}};
  for (const auto& [model, rate] : rates) {
    options.model = model;
    EXPECT_EQ(Bandwidth(options, 1, 1).UpBytesPerSecond(0), rate);
  }
}

TEST(Bandwidth, MixedDrawsTiersByTheirShares) {
  BandwidthOptions options;
  options.model = BandwidthModel::kMixed;
  options.dsl_share = 0.5;
  options.cable_share = 0;
  options.fibre_share = 0.25;
  options.cloud_share = 0.25;
  const Bandwidth bandwidth(options, 1, 0);
  std::array<int, 4> counts{};
  for (std::uint32_t peer = 0; peer < 10'000; ++peer) {
    const std::uint64_t rate = bandwidth.UpBytesPerSecond(peer);
    ++counts[rate == 125'000 ? 0 : rate == 2'500'000 ? 1 : rate == 62'500'000 ? 2 : 3];
  }
  EXPECT_NEAR(counts[0], 5000, 250);
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2], 2500, 220);
}

TEST(Bandwidth, SurvivesSaving) {
  Bandwidth bandwidth(Fixed(100'000), 1, 1);
  bandwidth.Enqueue(0, 1000, Time{});
  Writer writer;
  writer(bandwidth);
  const std::vector<std::uint8_t> bytes = writer.Take();
  Reader reader(bytes);
  Bandwidth loaded;
  reader(loaded);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(loaded.Enqueue(0, 1000, Time{}), Duration::Milliseconds(20));
}

struct BadCase {
  std::function<void(BandwidthOptions&)> spoil;
  std::string error;
};

TEST(BandwidthOptions, ValidateNamesKeyValueAndRange) {
  const std::vector<BadCase> cases = {
      {[](BandwidthOptions& o) { o.up_bytes_per_s = 0; },
       "bandwidth.up_bytes_per_s = 0: allowed are 1 to 125000000000"},
      {[](BandwidthOptions& o) { o.queue = Duration{-1000}; },
       "bandwidth.queue_ms = -1: allowed are 0 to 60000"},
      {[](BandwidthOptions& o) { o.cable_share = 1.5; },
       "bandwidth.cable_share = 1.5: allowed are 0 to 1"},
      {[](BandwidthOptions& o) { o.dsl_share = o.cable_share = o.fibre_share = o.cloud_share = 0; },
       "bandwidth.dsl_share = 0: one of the four shares must be above 0"},
  };
  for (const BadCase& c : cases) {
    BandwidthOptions options;
    c.spoil(options);
    EXPECT_EQ(options.Validate(), c.error);
  }
  EXPECT_EQ(BandwidthOptions().Validate(), std::nullopt);
}

}  // namespace
}  // namespace tombolo::sim
