// Channels of whole hosts: over links, relayed by others, and from the one to the other.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/node/channel_net.h"
#include "tests/node/stranger.h"
#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMegabyte = 1024 * 1024;

// A channel between two hosts of the network, and its ends.
struct HostChannel {
  HostChannel(TestNetwork& net, std::size_t from, std::size_t to)
      : here(net.at(from).host.channels()), there(net.at(to).host.channels()) {
    EXPECT_TRUE(there.table
                    .Accept("s",
                            [this](ChannelNumber number, const NodeId& remote) {
                              origin = remote;
                              return there.Begin(number);
                            })
                    .ok());
    here.number = *here.table.Open(net.at(to).id(), "s", here);
  }
  ChannelEnd here;
  ChannelEnd there;
  NodeId origin;
};

// Cuts what the two say to each other directly.
void CutLink(TestNetwork& net, std::size_t a, std::size_t b) {
  net.at(a).transport.Stall(false);
  for (const auto& [id, connection] : net.at(a).host.links().connections()) {
    if (connection.remote == net.at(b).id()) {
      const ConnectionId ending = id;
      net.at(a).transport.Close(ending);
      return;
    }
  }
}

TEST(HostChannels, RunOverALink) {
  TestNetwork net;
  net.Grow(3);
  ASSERT_TRUE(net.at(1).IsLinkedTo(net.at(2)));
  HostChannel channel(net, 1, 2);
  channel.here.Send(Pattern(kMegabyte), true);
  channel.there.finishes_in_return = true;
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_TRUE(channel.there.got == Pattern(kMegabyte));
  EXPECT_TRUE(channel.here.closed && channel.there.closed);
  EXPECT_EQ(channel.origin, net.at(1).id());
}

TEST(HostChannels, RunRelayedWhereThereIsNoLink) {
  TestNetwork net;
  net.Grow(3);
  net.network.islands.clear();
  // The two cannot hear each other, and their link dies; node 0 hears both.
  net.network.cuts = {{TestNetwork::AddressOf(1), TestNetwork::AddressOf(2)}};
  net.network.RunFor(Duration::Seconds(30));
  ASSERT_FALSE(net.at(1).IsLinkedTo(net.at(2)));
  HostChannel channel(net, 1, 2);
  channel.here.Send(Pattern(kMegabyte, 2), true);
  channel.there.Send(Pattern(kMegabyte, 3), true);
  net.network.RunFor(Duration::Seconds(20));
  EXPECT_TRUE(channel.there.got == Pattern(kMegabyte, 2));
  EXPECT_TRUE(channel.here.got == Pattern(kMegabyte, 3));
  EXPECT_TRUE(channel.here.closed && channel.there.closed);
  for (const auto& node : net.nodes) EXPECT_EQ(node->host.payloads_in_use(), 0U);
}

TEST(HostChannels, GoOnWhenTheLinkIsLostAndWhenItIsBack) {
  TestNetwork net;
  net.Grow(3);
  HostChannel channel(net, 1, 2);
  channel.there.stalled = true;
  channel.here.Send(Pattern(40 * kMegabyte), true);
  net.network.RunFor(Duration::Seconds(1));
  channel.there.Read();
  net.network.RunFor(Duration::Milliseconds(300));
  ASSERT_LT(channel.there.got.size(), 40 * kMegabyte);
  net.network.cuts = {{TestNetwork::AddressOf(1), TestNetwork::AddressOf(2)}};
  net.network.RunFor(Duration::Seconds(12));  // until the keepalive has told them
  EXPECT_FALSE(net.at(1).IsLinkedTo(net.at(2)));
  EXPECT_FALSE(channel.here.over());
  net.network.RunFor(Duration::Seconds(1));
  net.network.cuts.clear();
  const auto ended = [&] { return channel.there.ended; };
  EXPECT_TRUE(net.network.RunUntilTrue(ended, Duration::Minutes(5)));
  EXPECT_TRUE(channel.there.got == Pattern(40 * kMegabyte));
  EXPECT_GT(net.at(1).host.channels().count(ChannelCount::kPathChanges), 0U);
}

TEST(HostChannels, ALinkThatIsClosedAndMadeAnewLosesNothing) {
  TestNetwork net;
  net.Grow(4);
  HostChannel channel(net, 1, 2);
  channel.here.Send(Pattern(20 * kMegabyte), true);
  for (int i = 0; i < 5; ++i) {
    net.network.RunFor(Duration::Milliseconds(60));
    CutLink(net, 1, 2);
    net.network.RunFor(Duration::Milliseconds(60));
    net.at(2).host.Execute(Connect{1, net.at(1).id()}).IgnoreError();
  }
  const auto ended = [&] { return channel.there.ended; };
  EXPECT_TRUE(net.network.RunUntilTrue(ended, Duration::Minutes(2)));
  EXPECT_TRUE(channel.there.got == Pattern(20 * kMegabyte));
}

TEST(HostChannels, EndWithinTheBoundWhenTheOtherNodeDies) {
  TestNetwork net;
  net.Grow(3);
  HostChannel channel(net, 1, 2);
  channel.here.Send("hello", false);
  net.network.RunFor(Duration::Seconds(1));
  ASSERT_EQ(channel.there.got, "hello");
  net.at(2).transport.Die();
  const auto over = [&] { return channel.here.over(); };
  EXPECT_TRUE(net.network.RunUntilTrue(over, ChannelOptions().silence + Duration::Seconds(1)));
  EXPECT_EQ(channel.here.reset, ResetReason::kTimeout);
}

TEST(HostChannels, EndAtOnceWhenTheOtherNodeLeaves) {
  TestNetwork net;
  net.Grow(3);
  HostChannel channel(net, 1, 2);
  net.network.RunFor(Duration::Seconds(1));
  net.at(2).host.Stop();
  net.network.RunFor(Duration::Milliseconds(100));
  EXPECT_EQ(channel.here.reset, ResetReason::kLeaving);
  EXPECT_EQ(channel.there.reset, ResetReason::kLeaving);
}

TEST(HostChannels, AWriterThatOutrunsItsLinkLeavesRoomForMessages) {
  TestNetwork net;
  net.Grow(3);
  HostChannel channel(net, 1, 2);
  channel.here.Send(Pattern(40 * kMegabyte), false);
  net.network.RunFor(Duration::Milliseconds(500));
  net.at(1).transport.Stall(true);
  net.network.RunFor(Duration::Seconds(2));
  const Connection* connection = net.at(1).host.links().Find(net.Ref(1, 2));
  ASSERT_NE(connection, nullptr);
  EXPECT_LE(connection->queued, kSendHighWater) << "the core does not take it for congested";
  net.at(1).transport.Stall(false);
  net.network.RunFor(Duration::Seconds(30));
  EXPECT_EQ(channel.there.got.size(), 40 * kMegabyte);
}

TEST(HostChannels, RelayedPayloadsOfNoKindAreCountedAndDropped) {
  TestNetwork net;
  net.Grow(2);
  Stranger stranger(net, "10.7.0.1:1");
  stranger.DialNode(0);
  stranger.Say(stranger.GoodHello());
  Frame keep;
  keep.set_keep(true);
  stranger.Say(keep);
  std::uint64_t number = 1000;
  for (const std::string& payload :
       {std::string(), std::string("x\x07"), std::string("no segment\x01", 11)}) {
    Frame frame;
    wire::Forward& forward = *frame.add_messages()->mutable_forward();
    forward.set_id(number += 16);
    PutId(stranger.id(), *forward.mutable_origin());
    PutId(net.at(0).id(), *forward.mutable_target());
    forward.set_payload(payload);
    forward.set_ttl(8);
    stranger.Say(frame);
  }
  EXPECT_EQ(net.at(0).host.counters().strange_payloads, 3U);
  EXPECT_TRUE(net.at(0).Heard<MessageArrived>().empty());
  EXPECT_EQ(net.at(0).host.payloads_in_use(), 0U);
}

}  // namespace
}  // namespace tombolo::node
