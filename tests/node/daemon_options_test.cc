// The configuration as the options of the parts.
#include "node/daemon_options.h"

#include <gtest/gtest.h>

#include "tests/node/scratch_dir.h"

namespace tombolo::node {
namespace {

class DaemonOptions : public testing::Test {
 protected:
  HostOptions Make() {
    return MakeHostOptions(config, "1.2.3", NodeId{{1, 2, 3, 4, 5}}, *data_, {});
  }
  NodeConfig config;

 private:
  const ScratchDir scratch_;
  const absl::StatusOr<DataDir> data_ = DataDir::Open(scratch_ / "data");
};

TEST_F(DaemonOptions, DefaultsAreAConfigurationOfTheCore) {
  const HostOptions options = Make();
  EXPECT_FALSE(options.core.Validate());
  EXPECT_EQ(options.core.overlay, OverlayKind::kBoth);
  EXPECT_EQ(options.self.agent, "tombolo 1.2.3");
  EXPECT_NE(options.seed, Make().seed);
}

// A process answers late where a simulated peer answers at once.
TEST_F(DaemonOptions, RelaysWaitLongerThanInTheSimulator) {
  EXPECT_GT(Make().core.relay.min_rto, Config().relay.min_rto);
  EXPECT_GE(Make().core.relay.min_rto, Duration::Milliseconds(200));
  EXPECT_LE(Make().core.relay.min_rto, Make().core.relay.max_rto);
}

TEST_F(DaemonOptions, LimitsAreThoseOfTheConfiguration) {
  config.links = 40;
  config.records = 7;
  config.queue_kib = 3;
  config.memory_mib = 5;
  config.channel_window_kib = 64;
  config.channel_memory_mib = 2;
  const HostOptions options = Make();
  EXPECT_EQ(options.core.links.max_links, 40);
  EXPECT_EQ(options.core.links.reserved, 10);
  EXPECT_EQ(options.core.store.max_records, 7);
  EXPECT_EQ(options.links.max_queue, 3U * 1024);
  EXPECT_EQ(options.memory_bytes, 5U << 20);
  EXPECT_EQ(options.channels.max_window, 64U * 1024);
  EXPECT_EQ(options.channels.max_memory, 2U << 20);
}

TEST_F(DaemonOptions, LinksArePartedWithOverPartOfTheDrain) {
  config.drain_timeout_s = 4;
  EXPECT_EQ(Make().links.close_spread, Duration::Seconds(1));
  config.drain_timeout_s = 100;
  EXPECT_EQ(Make().links.close_spread, Duration::Seconds(2));
}

}  // namespace
}  // namespace tombolo::node
