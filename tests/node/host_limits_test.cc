// What a host refuses when it has no room left.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "node/host.h"
#include "tests/node/channel_net.h"
#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

// Three nodes; the first one holds records of 60 KiB until it is over its budget of 256 KiB.
class MemoryBudget : public testing::Test {
 protected:
  static constexpr std::size_t kBudget = 256 * 1024;

  void SetUp() override {
    HostOptions first = net.OptionsFor(0);
    first.memory_bytes = kBudget;
    net.Add(first);
    net.Grow(3);
  }
  absl::Status PutAt(std::size_t node, std::uint32_t key) {
    Put put;
    put.request = key;
    put.key = NodeId{{key, 1, 2, 3, 4}};
    put.ttl = Duration::Hours(1);
    return net.at(node).host.Execute(put, std::string(60 * 1024, 'x'));
  }
  void FillUp() {
    for (std::uint32_t key = 1; key <= 5; ++key) {
      ASSERT_TRUE(PutAt(1, key).ok());
      net.network.RunFor(Duration::Seconds(3));
    }
    ASSERT_GT(host().memory_bytes(), kBudget);
  }
  Host& host() { return net.at(0).host; }

  TestNetwork net;
};

TEST_F(MemoryBudget, SendsAreRefusedWithTheReason) {
  FillUp();
  const Send send{1, net.at(2).id(), {}, Duration::Seconds(5)};
  const absl::Status refused = host().Execute(send, "a byte too many");
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(std::string(refused.message()).find("limits.memory_mib"), std::string::npos);
  EXPECT_EQ(host().counters().sends_refused_memory, 1U);
  // What carries no payload is still done.
  EXPECT_TRUE(host().Execute(Lookup{2, net.at(2).id()}).ok());
}

TEST_F(MemoryBudget, LargeMessagesOfOthersAreDroppedAndSmallOnesAreNot) {
  FillUp();
  const std::size_t before = host().memory_bytes();
  ASSERT_TRUE(PutAt(1, 9).ok());
  net.network.RunFor(Duration::Seconds(10));
  EXPECT_GT(host().counters().messages_refused_memory, 0U);
  EXPECT_LE(host().memory_bytes(), before);
  const Send send{3, net.at(0).id(), {}, Duration::Seconds(5)};
  ASSERT_TRUE(net.at(2).host.Execute(send, "small").ok());
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.at(0).Heard<MessageArrived>().size(), 1U);
}

TEST_F(MemoryBudget, NewcomersAreToldThatThereIsNoRoom) {
  FillUp();
  TestNode& late = net.Add();
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_GT(net.at(0).count(LinkCount::kRefusedMemory), 0U);
  EXPECT_FALSE(late.IsLinkedTo(net.at(0)));
}

TEST_F(MemoryBudget, ALargerOneHoldsAtOnce) {
  FillUp();
  HostLimits limits;
  limits.connections = 100;
  limits.links = 64;
  limits.queue_bytes = 1 << 20;
  limits.records = 100;
  limits.memory_bytes = std::size_t{1} << 30;
  host().SetLimits(limits);
  EXPECT_TRUE(host().Execute(Send{1, net.at(2).id(), {}, Duration::Seconds(5)}, "bytes").ok());
  EXPECT_EQ(host().config().links.max_links, 64);
}

// Nodes that hold two records of others each, and keep as many of their own alive.
class RecordLimit : public testing::Test {
 protected:
  void SetUp() override {
    net.config.store.max_records = 2;
    net.Grow(3);
  }
  absl::Status PutAt(std::size_t node, std::uint32_t key) {
    Put put;
    put.key = NodeId{{key, 1, 2, 3, 4}};
    put.sequence = ++sequence_;
    put.ttl = Duration::Minutes(10);
    const absl::Status done = net.at(node).host.Execute(put, "value");
    net.network.RunFor(Duration::Seconds(3));
    return done;
  }
  std::uint64_t Overloads(std::size_t node) {
    return net.at(node).host.counters().drops[static_cast<std::size_t>(DropReason::kOverload)];
  }

  TestNetwork net;

 private:
  std::uint64_t sequence_ = 0;
};

TEST_F(RecordLimit, OwnPutsBeyondItAreRefusedWithTheReasonUntilOneHasExpired) {
  ASSERT_TRUE(PutAt(1, 1).ok());
  ASSERT_TRUE(PutAt(1, 2).ok());
  const absl::Status refused = PutAt(1, 3);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(std::string(refused.message()).find("limits.records"), std::string::npos);
  EXPECT_EQ(net.at(1).host.counters().puts_refused, 1U);
  EXPECT_TRUE(PutAt(1, 2).ok()) << "a key that it keeps alive needs no room";
  net.network.RunFor(Duration::Minutes(11));
  EXPECT_TRUE(PutAt(1, 3).ok());
  EXPECT_EQ(net.at(1).Heard<PutDone>().back().first.stored, 3U);
}

TEST_F(RecordLimit, RecordsOfOthersBeyondItAreCounted) {
  for (std::uint32_t key = 1; key <= 2; ++key) {
    ASSERT_TRUE(PutAt(1, key).ok());
    ASSERT_TRUE(PutAt(2, 10 + key).ok());
  }
  const PeerParts* parts = net.at(0).host.core().parts();
  ASSERT_NE(parts, nullptr);
  EXPECT_EQ(parts->records->size(), 2U);
  EXPECT_EQ(Overloads(0), 2U);
}

// Channels may hold half of the budget, and what they may hold is taken.
TEST_F(MemoryBudget, ChannelsCountAndLeaveHalfOfItToOthers) {
  const std::size_t before = host().memory_bytes();
  std::vector<std::unique_ptr<ChannelEnd>> ends;
  const auto open = [&] {
    ends.push_back(std::make_unique<ChannelEnd>(host().channels()));
    return host().channels().Open(net.at(1).id(), "s", *ends.back()).status();
  };
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(host().memory_bytes(), before + 2 * kFirstWindow);
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(host().channels().memory(), kBudget / 2);
  EXPECT_EQ(open().code(), absl::StatusCode::kResourceExhausted);
  HostLimits larger{100, 64, 1 << 20, 100, 2 * kBudget};
  host().SetLimits(larger);
  EXPECT_TRUE(open().ok());
}

}  // namespace
}  // namespace tombolo::node
