#include "sim/options.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "sim/workload.h"

namespace tombolo::sim {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Duration kTooLong = Duration::Hours(24 * 365) + Duration{1};

template <class Options>
struct Case {
  std::string key;
  void (*spoil)(Options&);
};

template <class Options>
void ExpectNamed(const std::vector<Case<Options>>& cases) {
  EXPECT_EQ(Options().Validate(), std::nullopt);
  for (const Case<Options>& c : cases) {
    Options options;
    c.spoil(options);
    const auto error = options.Validate();
    ASSERT_TRUE(error) << c.key;
    EXPECT_TRUE(error->starts_with(c.key + " = ")) << c.key << ": " << *error;
    EXPECT_NE(error->find("is out of range: allowed is "), std::string::npos) << *error;
  }
}

TEST(WorldOptions, EveryKeyOutOfRangeIsNamed) {
  using O = WorldOptions;
  ExpectNamed<O>({
      {"peers", [](O& o) { o.peers = 0; }},
      {"peers", [](O& o) { o.peers = kMaxPeers + 1; }},
      {"kademlia.k", [](O& o) { o.core.table.k = 65; }},
      {"loss", [](O& o) { o.loss = -0.01; }},
      {"loss", [](O& o) { o.loss = 1.01; }},
      {"loss", [](O& o) { o.loss = kNan; }},
      {"nat_share", [](O& o) { o.nat_share = 2; }},
      {"nat_share", [](O& o) { o.nat_share = kNan; }},
      {"dead_share", [](O& o) { o.dead_share = -1; }},
      {"dead_links", [](O& o) { o.dead_links = 1.5; }},
      {"join_spacing", [](O& o) { o.join_spacing = {-1}; }},
      {"join_spacing", [](O& o) { o.join_spacing = kTooLong; }},
      {"keepalive_timeout", [](O& o) { o.keepalive_timeout = {0}; }},
      {"keepalive_timeout", [](O& o) { o.keepalive_timeout = kTooLong; }},
      {"ephemeral_hold", [](O& o) { o.ephemeral_hold = {-1}; }},
      {"ephemeral_hold", [](O& o) { o.ephemeral_hold = kTooLong; }},
  });
}

TEST(WorldOptions, TheOptionsOfEveryPartAreChecked) {
  WorldOptions latency;
  latency.latency.one_way = {-1};
  EXPECT_TRUE(latency.Validate());
  WorldOptions bandwidth;
  bandwidth.bandwidth.model = BandwidthModel::kFixed;
  bandwidth.bandwidth.up_bytes_per_s = 0;
  EXPECT_TRUE(bandwidth.Validate());
  WorldOptions churn;
  churn.churn.graceful_share = 2;
  EXPECT_TRUE(churn.Validate());
}

TEST(WorldOptions, TheEndsOfTheRangesAreValid) {
  WorldOptions options;
  options.peers = kMaxPeers;
  options.loss = options.nat_share = options.dead_share = options.dead_links = 1;
  options.join_spacing = options.ephemeral_hold = {0};
  options.keepalive_timeout = {1};
  EXPECT_EQ(options.Validate(), std::nullopt);
}

TEST(WorkloadOptions, EveryKeyOutOfRangeIsNamed) {
  using O = WorkloadOptions;
  ExpectNamed<O>({
      {"rate_per_s", [](O& o) { o.rate_per_s = 0; }},
      {"rate_per_s", [](O& o) { o.rate_per_s = -1; }},
      {"rate_per_s", [](O& o) { o.rate_per_s = 1'000'001; }},
      {"rate_per_s", [](O& o) { o.rate_per_s = kNan; }},
      {"copies", [](O& o) { o.copies = 0; }},
      {"copies", [](O& o) { o.copies = 9; }},
      {"keys", [](O& o) { o.keys = 0; }},
      {"start_s", [](O& o) { o.start = {-1}; }},
      {"duration_s", [](O& o) { o.duration = {-1}; }},
      {"duration_s", [](O& o) { o.duration = kTooLong; }},
      {"ttl_s", [](O& o) { o.ttl = {0}; }},
      {"deadline_s", [](O& o) { o.deadline = {999}; }},
      {"deadline_s", [](O& o) { o.deadline = Duration::Hours(25); }},
  });
}

}  // namespace
}  // namespace tombolo::sim
