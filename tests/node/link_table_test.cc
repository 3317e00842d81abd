// Links between two or three hosts: hellos, duplicates, bounds, ends. Hostile nodes speak bytes.
#include "node/link_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

using link::v1::Goodbye;

// Says to a node what it is told to, and hears what the node answers.
class Stranger final : public TransportEvents {
 public:
  Stranger(TestNetwork& net, const std::string& address)
      : options_(net.OptionsFor(90)),
        transport(net.network, options_.self.id, address, *this),
        net_(net) {}

  void Opened(ConnectionId id, const RemoteNode&) override { connection = id; }
  void Received(ConnectionId, std::unique_ptr<Frame> frame) override {
    frames.push_back(std::move(*frame));
  }
  void Drained(ConnectionId) override {}
  void Closed(ConnectionId, CloseCause cause, const std::string&) override { closed = cause; }

  void DialNode(std::size_t index) {
    transport.Dial(TestNetwork::AddressOf(index), std::nullopt);
    net_.network.RunFor(Duration::Milliseconds(50));
  }
  // Its hello, to be spoiled.
  Frame GoodHello() {
    Frame frame;
    SelfDescription self = options_.self;
    self.life = 7;
    WriteHello(self, 1, *frame.mutable_hello());
    return frame;
  }
  void Say(const Frame& frame) {
    transport.SendBytes(connection, frame.SerializeAsString());
    net_.network.RunFor(Duration::Milliseconds(50));
  }
  // The reason of the goodbye that it was told; nullopt while it is welcome.
  std::optional<Goodbye::Reason> SentAway() const {
    for (const Frame& frame : frames) {
      if (frame.has_goodbye()) return frame.goodbye().reason();
    }
    return std::nullopt;
  }
  const NodeId& id() const { return options_.self.id; }

 private:
  HostOptions options_;

 public:
  MemoryTransport transport;
  ConnectionId connection{};
  std::vector<Frame> frames;
  std::optional<CloseCause> closed;

 private:
  TestNetwork& net_;
};

class Hellos : public testing::Test {
 protected:
  void SetUp() override {
    net.Grow(2);
    stranger = std::make_unique<Stranger>(net, "10.7.0.1:1");
    stranger->DialNode(0);
  }
  TestNode& node() { return net.at(0); }
  bool Welcome() const { return !stranger->SentAway(); }

  TestNetwork net;
  std::unique_ptr<Stranger> stranger;
};

TEST_F(Hellos, AGoodOneIsWelcome) {
  ASSERT_EQ(stranger->frames.size(), 1U);
  EXPECT_EQ(stranger->frames[0].hello().id().size(), kIdBytes);
  EXPECT_EQ(stranger->frames[0].hello().addresses(0), TestNetwork::AddressOf(0));
  stranger->Say(stranger->GoodHello());
  EXPECT_TRUE(Welcome());
  EXPECT_TRUE(node().host.known().ids().Find(stranger->id()));
}

TEST_F(Hellos, NothingIsHeardBeforeIt) {
  Frame early;
  early.add_messages()->mutable_ping()->set_rpc(1);
  stranger->Say(early);
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
  EXPECT_EQ(node().count(LinkCount::kRefusedHello), 1U);
  EXPECT_FALSE(node().host.known().ids().Find(stranger->id()));
}

TEST_F(Hellos, WhoSaysNothingIsSentAway) {
  net.network.RunFor(Duration::Seconds(6));
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
  net.network.RunFor(Duration::Seconds(3));
  EXPECT_EQ(stranger->closed, CloseCause::kRemote);
  EXPECT_EQ(node().count(LinkCount::kRefusedHello), 1U);
}

TEST_F(Hellos, AnotherMajorVersionIsSentAwayAnotherMinorIsNot) {
  Frame frame = stranger->GoodHello();
  frame.mutable_hello()->set_minor(99);
  stranger->Say(frame);
  EXPECT_TRUE(Welcome());
  Stranger other(net, "10.7.0.2:1");
  other.DialNode(0);
  frame = other.GoodHello();
  frame.mutable_hello()->set_major(2);
  other.Say(frame);
  EXPECT_EQ(other.SentAway(), Goodbye::PROTOCOL);
}

TEST_F(Hellos, AnIdThatWasNotProvenIsRefused) {
  Frame frame = stranger->GoodHello();
  PutId(net.at(1).id(), *frame.mutable_hello()->mutable_id());
  stranger->Say(frame);
  EXPECT_EQ(stranger->SentAway(), Goodbye::REFUSED);
  EXPECT_TRUE(node().IsLinkedTo(net.at(1)));
}

TEST_F(Hellos, OddContentsAreRefused) {
  const auto spoil = [](int way, link::v1::Hello& hello) {
    if (way == 0) hello.set_id("short");
    if (way == 1) hello.add_addresses("unix:/etc/passwd");
    if (way == 2) hello.set_agent(std::string(kMaxAgentBytes + 1, 'a'));
    if (way == 3) hello.add_capabilities(std::string(kMaxCapabilityBytes + 1, 'c'));
    while (way == 4 && hello.addresses_size() <= 4) hello.add_addresses("a:1");
    while (way == 5 && hello.capabilities_size() <= 32) hello.add_capabilities("c");
  };
  for (int way = 0; way < 6; ++way) {
    Stranger other(net, "10.7.1." + std::to_string(way) + ":1");
    other.DialNode(0);
    Frame frame = other.GoodHello();
    spoil(way, *frame.mutable_hello());
    other.Say(frame);
    EXPECT_EQ(other.SentAway(), Goodbye::PROTOCOL) << way;
    EXPECT_FALSE(node().host.known().ids().Find(other.id())) << way;
  }
}

TEST_F(Hellos, ASecondOneBreaksTheProtocol) {
  stranger->Say(stranger->GoodHello());
  stranger->Say(stranger->GoodHello());
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
  EXPECT_EQ(node().count(LinkCount::kBrokenProtocol), 1U);
}

TEST_F(Hellos, SoDoesAFrameOfTooManyMessages) {
  Frame frame = stranger->GoodHello();
  for (int i = 0; i <= kMaxFrameMessages; ++i) frame.add_messages()->mutable_ping();
  stranger->Say(frame);
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
}

TEST_F(Hellos, BadMessagesAreCountedAndTheRestIsHeard) {
  Frame frame = stranger->GoodHello();
  frame.add_messages();
  frame.add_messages()->mutable_find_node()->set_target("short");
  frame.add_messages()->mutable_ping()->set_rpc(17);
  stranger->Say(frame);
  ASSERT_EQ(stranger->frames.size(), 2U);
  ASSERT_EQ(stranger->frames[1].messages_size(), 1);
  EXPECT_EQ(stranger->frames[1].messages(0).pong().rpc(), 17U);
  const auto& errors = node().host.codec().counters().errors;
  EXPECT_EQ(errors[static_cast<std::size_t>(DecodeError::kUnknownKind)], 1U);
  EXPECT_EQ(errors[static_cast<std::size_t>(DecodeError::kBadId)], 1U);
}

TEST_F(Hellos, WhoPosesAsSomebodyElseIsNotDialled) {
  net.at(1).transport.poses_as = stranger->id();
  TestNode& late = net.Add();
  net.network.RunFor(Duration::Seconds(10));
  EXPECT_TRUE(late.joined());
  EXPECT_FALSE(late.IsLinkedTo(net.at(1)));
  EXPECT_GT(late.count(LinkCount::kIdentityFailed), 0U);
}

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
