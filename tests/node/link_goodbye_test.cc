// How a node parts with its links, and what it tells those that it leaves.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

TEST(Goodbyes, LinksEndOverAWhileWhenANodeLeaves) {
  TestNetwork net;
  net.links.close_spread = Duration::Seconds(2);
  net.Grow(10);
  TestNode& leaver = net.at(0);
  const std::size_t before = leaver.host.links().connection_count();
  ASSERT_GE(before, 5U);
  leaver.host.Stop();
  std::set<std::size_t> counts;
  const bool stopped = net.network.RunUntilTrue(
      [&] {
        counts.insert(leaver.host.links().connection_count());
        return leaver.stopped;
      },
      Duration::Seconds(5));
  EXPECT_TRUE(stopped);
  EXPECT_GE(counts.size(), before - 1) << "one after the other";
}

TEST(Goodbyes, NewcomersAreRefusedWhileItLeaves) {
  TestNetwork net;
  net.links.close_spread = Duration::Seconds(5);
  net.Grow(4);
  net.at(0).host.Stop();
  TestNode& late = net.Add();
  net.network.RunFor(Duration::Seconds(1));
  EXPECT_FALSE(net.at(0).stopped);
  EXPECT_FALSE(late.IsLinkedTo(net.at(0)));
}

// All that it knows is the one that leaves, and where that one has sent it.
TEST(Goodbyes, WhoIsLeftAloneFollowsTheAlternatives) {
  TestNetwork net;
  TestNode& first = net.Add();
  HostOptions founder = net.OptionsFor(1);
  founder.bootstrap.clear();
  TestNode& stranger = net.Add(founder);
  TestNode& lonely = net.Add(net.OptionsFor(2));
  const auto linked = [&] { return lonely.joined() && lonely.IsLinkedTo(first); };
  ASSERT_TRUE(net.network.RunUntilTrue(linked, Duration::Seconds(10)));
  net.network.RunFor(Duration::Seconds(5));
  ASSERT_FALSE(lonely.IsLinkedTo(stranger));
  Frame frame;
  frame.add_messages()->mutable_leave();
  frame.mutable_goodbye()->set_reason(link::v1::Goodbye::LEAVING);
  frame.mutable_goodbye()->add_alternatives("nonsense");
  frame.mutable_goodbye()->add_alternatives(TestNetwork::AddressOf(1));
  for (const ConnectionId id : first.transport.connections()) {
    first.transport.SendBytes(id, frame.SerializeAsString());
  }
  EXPECT_TRUE(
      net.network.RunUntilTrue([&] { return lonely.IsLinkedTo(stranger); }, Duration::Seconds(10)));
}

TEST(Goodbyes, AFullNodeNamesOthers) {
  TestNetwork net;
  net.Grow(4);
  net.at(0).host.SetLimits({.connections = 1,
                            .links = 64,
                            .queue_bytes = 1 << 20,
                            .records = 10,
                            .memory_bytes = 1 << 30});
  HostOptions options = net.OptionsFor(4);
  TestNode& late = net.Add(options);
  // It is told FULL at the only address that it knows, and of others.
  EXPECT_TRUE(net.network.RunUntilTrue(
      [&] { return late.joined() && late.host.links().kept_count() > 0; }, Duration::Seconds(30)));
  EXPECT_FALSE(late.IsKeptWith(net.at(0)));
}

}  // namespace
}  // namespace tombolo::node
