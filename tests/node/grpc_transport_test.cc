// Two transports over loopback: frames both ways, bounds, and every way to end.
#include "node/grpc_transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "tests/node/transport_net.h"

namespace tombolo::node {
namespace {

using boost::asio::ip::tcp;

class GrpcTransportTest : public testing::TestWithParam<bool> {
 protected:
  GrpcTransportOptions Options() const {
    GrpcTransportOptions options;
    options.insecure = GetParam();
    return options;
  }
  // Both ends of a new connection from `a` to `b`.
  void Connect(TransportNode& a, TransportNode& b) {
    if (b.transport.listening().empty()) {
      ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
    }
    out = a.Dial(b.transport.listening(), b.id);
    const std::size_t before = b.opened.size();
    ASSERT_TRUE(net.Until([&] { return !a.opened.empty() && b.opened.size() > before; }));
    in = b.opened.back().first;
  }

  TransportNet net;
  ConnectionId out{};  // at the dialling side
  ConnectionId in{};   // at the accepting side
};

INSTANTIATE_TEST_SUITE_P(Tls, GrpcTransportTest, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Insecure, GrpcTransportTest, testing::Values(true));

TEST_P(GrpcTransportTest, BothSidesLearnWhoTheOtherIs) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  Connect(a, b);
  EXPECT_EQ(a.opened[0].second.id, b.id);
  EXPECT_TRUE(a.opened[0].second.outbound);
  EXPECT_EQ(a.opened[0].second.address, b.transport.listening());
  EXPECT_EQ(b.opened[0].second.id, a.id);
  EXPECT_FALSE(b.opened[0].second.outbound);
  EXPECT_TRUE(b.opened[0].second.address.starts_with("127.0.0.1:"));
}

TEST_P(GrpcTransportTest, FramesArriveInOrderBothWays) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  Connect(a, b);
  std::vector<std::uint32_t> sent(2000);
  std::iota(sent.begin(), sent.end(), 1U);
  for (const std::uint32_t rpc : sent) {
    a.transport.Send(out, PingFrame(rpc));
    b.transport.Send(in, PingFrame(rpc));
  }
  EXPECT_TRUE(net.Until([&] { return a.Pings().size() >= 2000 && b.Pings().size() >= 2000; }));
  EXPECT_EQ(a.Pings(), sent);
  EXPECT_EQ(b.Pings(), sent);
  EXPECT_LT(a.count(TransportCount::kWrites), 2000U) << "waiting frames share writes";
}

TEST_P(GrpcTransportTest, HelloStaysFirstAndGoodbyeLastWhenFramesAreMerged) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  Connect(a, b);
  Frame hello = PingFrame(1);
  hello.mutable_hello()->set_agent("a");
  Frame goodbye = PingFrame(3);
  goodbye.mutable_goodbye()->set_detail("b");
  a.transport.Send(out, PingFrame(0));
  a.transport.Send(out, hello);
  a.transport.Send(out, PingFrame(2));
  a.transport.Send(out, goodbye);
  a.transport.Send(out, PingFrame(4));
  ASSERT_TRUE(net.Until([&] { return b.Pings().size() == 5; }));
  EXPECT_EQ(b.Pings(), (std::vector<std::uint32_t>{0, 1, 2, 3, 4}));
  for (const Frame& frame : b.received[in]) {
    if (frame.has_hello()) {
      EXPECT_EQ(frame.messages(0).ping().rpc(), 1U);
    }
    if (frame.has_goodbye()) {
      EXPECT_EQ(frame.messages(frame.messages_size() - 1).ping().rpc(), 3U);
    }
  }
}

TEST_P(GrpcTransportTest, WithoutMergingEachFrameIsAWrite) {
  GrpcTransportOptions options = Options();
  options.max_merge_bytes = 0;
  TransportNode a(net, options);
  TransportNode b(net, Options());
  Connect(a, b);
  for (std::uint32_t rpc = 0; rpc < 100; ++rpc) a.transport.Send(out, PingFrame(rpc));
  ASSERT_TRUE(net.Until([&] { return b.Pings().size() == 100; }));
  EXPECT_EQ(b.received[in].size(), 100U);
  EXPECT_EQ(a.count(TransportCount::kWrites), 100U);
}

TEST_P(GrpcTransportTest, WhatWasQueuedArrivesBeforeTheClose) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  Connect(a, b);
  for (std::uint32_t rpc = 0; rpc < 500; ++rpc) {
    a.transport.Send(out, PingFrame(rpc));
    b.transport.Send(in, PingFrame(rpc));
  }
  ASSERT_TRUE(net.Until([&] { return a.Pings().size() == 500; }));
  b.transport.Close(in);
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty() && !b.closed.empty(); }));
  EXPECT_EQ(a.closed[0].cause, CloseCause::kRemote);
  EXPECT_EQ(b.closed[0].cause, CloseCause::kLocal);
}

TEST_P(GrpcTransportTest, DiallingSideClosesAfterItsQueue) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  Connect(a, b);
  for (std::uint32_t rpc = 0; rpc < 500; ++rpc) a.transport.Send(out, PingFrame(rpc));
  a.transport.Close(out);
  EXPECT_EQ(a.transport.Send(out, PingFrame(0)), 0U) << "closed for the caller";
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty() && !b.closed.empty(); }));
  EXPECT_EQ(b.Pings().size(), 500U);
  EXPECT_EQ(a.closed[0].cause, CloseCause::kLocal);
  EXPECT_EQ(b.closed[0].cause, CloseCause::kRemote);
  EXPECT_EQ(a.closed.size(), 1U);
}

TEST_P(GrpcTransportTest, DialToAClosedPortFails) {
  TransportNode a(net, Options());
  const ConnectionId dial = a.Dial("127.0.0.1:1");
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty(); }));
  EXPECT_EQ(a.closed[0].connection, dial);
  EXPECT_EQ(a.closed[0].cause, CloseCause::kDialFailed);
  EXPECT_FALSE(a.closed[0].detail.empty());
}

TEST_P(GrpcTransportTest, FailedAddressDoesNotSpoilTheNextDial) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  const std::string address = b.transport.listening();
  b.transport.Stop();
  a.Dial(address);
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty(); }));
  TransportNode again(net, Options());
  ASSERT_TRUE(again.transport.Listen(address).ok());
  const auto before = std::chrono::steady_clock::now();
  a.Dial(address);
  ASSERT_TRUE(net.Until([&] { return !a.opened.empty(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 900ms) << "gRPC's back-off is 1 s";
}

TEST_P(GrpcTransportTest, BadAddressesFailInALaterTurn) {
  TransportNode a(net, Options());
  for (const char* bad : {"", "nonsense", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999"})
    a.Dial(bad);
  EXPECT_TRUE(a.closed.empty());
  ASSERT_TRUE(net.Until([&] { return a.closed.size() == 5; }));
  for (const ClosedRecord& closed : a.closed) EXPECT_EQ(closed.cause, CloseCause::kDialFailed);
}

TEST_P(GrpcTransportTest, SilentListenerIsGivenUp) {
  GrpcTransportOptions options = Options();
  options.dial_timeout = 300ms;
  TransportNode a(net, options);
  tcp::acceptor mute(net.io(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  a.Dial("127.0.0.1:" + std::to_string(mute.local_endpoint().port()));
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty(); }));
  EXPECT_EQ(a.closed[0].cause, CloseCause::kDialFailed);
}

TEST_P(GrpcTransportTest, DialCanBeTakenBack) {
  TransportNode a(net, Options());
  tcp::acceptor mute(net.io(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const ConnectionId dial = a.Dial("127.0.0.1:" + std::to_string(mute.local_endpoint().port()));
  a.transport.Close(dial);
  EXPECT_TRUE(a.closed.empty());
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty(); }));
  EXPECT_EQ(a.closed[0].cause, CloseCause::kLocal);
}

TEST_P(GrpcTransportTest, DiallerThatHasGoneBeforeItsTurnIsNotLetIn) {
  TransportNet slow_net;  // whose turns come late
  TransportNode slow(slow_net, Options());
  ASSERT_TRUE(slow.transport.Listen("127.0.0.1:0").ok());
  GrpcTransportOptions hasty = Options();
  hasty.dial_timeout = 300ms;
  TransportNode dialler(net, hasty);
  for (std::size_t round = 1; round <= 5; ++round) {
    dialler.Dial(slow.transport.listening());
    // Its call comes, and ends, while the strand does other things.
    ASSERT_TRUE(slow_net.Until([&] { return slow.count(TransportCount::kAccepted) == round; }));
    ASSERT_TRUE(net.Until([&] { return dialler.closed.size() == round; }));
  }
  TransportNode late(net, Options());
  late.Dial(slow.transport.listening());
  EXPECT_TRUE(net.Until([&] {
    slow_net.io().restart();
    slow_net.io().poll();
    return late.opened.size() == 1;
  }));
  EXPECT_TRUE(dialler.opened.empty());
  slow.transport.Stop();
}

TEST_P(GrpcTransportTest, FrameBeyondTheLimitEndsTheConnection) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  Connect(a, b);
  a.transport.Send(out, LongFrame((1 << 20) + 1));
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty() && !b.closed.empty(); }));
  EXPECT_EQ(b.closed[0].cause, CloseCause::kProtocol);
  EXPECT_EQ(b.count(TransportCount::kProtocolErrors), 1U);
  EXPECT_TRUE(b.received.empty());
}

TEST_P(GrpcTransportTest, FrameWithinTheLimitArrives) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  Connect(a, b);
  a.transport.Send(out, LongFrame((1 << 20) - 100));
  b.transport.Send(in, LongFrame((1 << 20) - 100));
  EXPECT_TRUE(net.Until([&] { return !a.received.empty() && !b.received.empty(); }));
}

TEST_P(GrpcTransportTest, CallerLearnsWhenTheQueueHasDrained) {
  GrpcTransportOptions options = Options();
  options.inbox_bytes = 100'000;  // or gRPC's threads may take as fast as this one gives
  TransportNode a(net, options);
  TransportNode b(net, options);
  Connect(a, b);
  std::size_t most = 0;
  for (int i = 0; i < 200; ++i) most = std::max(most, a.transport.Send(out, LongFrame(40'000)));
  EXPECT_GT(most, kSendHighWater);
  EXPECT_EQ(a.drained, 0) << "an event within a call";
  ASSERT_TRUE(net.Until([&] { return b.received[in].size() == 200; }));
  ASSERT_TRUE(net.Until([&] { return a.drained > 0; }));
}

TEST_P(GrpcTransportTest, BusyReaderHoldsTheSenderBack) {
  GrpcTransportOptions options = Options();
  options.inbox_bytes = 100'000;
  TransportNode a(net, options);
  TransportNode b(net, options);
  Connect(a, b);
  for (int i = 0; i < 200; ++i) a.transport.Send(out, LongFrame(40'000));
  // The strand does nothing, and gRPC's threads stop at the bound: the sender's queue stays.
  const auto until = std::chrono::steady_clock::now() + 300ms;
  std::uint64_t received = 0;
  while (std::chrono::steady_clock::now() < until)
    received = b.count(TransportCount::kFramesReceived);
  EXPECT_LE(received, 4U);
  ASSERT_TRUE(net.Until([&] { return b.received[in].size() == 200; }));
}

TEST_P(GrpcTransportTest, StopEndsEveryConnectionBeforeItReturns) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  for (int i = 0; i < 10; ++i) a.Dial(b.transport.listening(), b.id);
  ASSERT_TRUE(net.Until([&] { return a.opened.size() == 10 && b.opened.size() == 10; }));
  a.Dial(b.transport.listening(), b.id);  // still under way
  b.transport.Stop();
  EXPECT_EQ(b.closed.size(), b.opened.size());
  EXPECT_TRUE(b.transport.listening().empty());
  a.transport.Stop();
  EXPECT_EQ(a.closed.size(), 11U);
  EXPECT_FALSE(a.transport.Listen("127.0.0.1:0").ok());
}

TEST_P(GrpcTransportTest, StopReturnsWhileOthersAreStillComing) {
  TransportNode a(net, Options());
  for (int round = 0; round < 20; ++round) {
    TransportNode b(net, Options());
    ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
    for (int i = 0; i < 5; ++i) a.Dial(b.transport.listening());
    // The later the round, the further they have come.
    for (int turn = 0; turn < 2 * round; ++turn) {
      net.io().restart();
      net.io().run_one_for(1ms);
    }
    b.transport.Stop();
    EXPECT_EQ(b.closed.size(), b.opened.size());
  }
  EXPECT_TRUE(net.Until([&] { return a.closed.size() == 100; }));
}

TEST_P(GrpcTransportTest, StopWaitsOnlySoLongForAReaderThatStalls) {
  GrpcTransportOptions options = Options();
  options.close_timeout = 200ms;
  options.inbox_bytes = 1;
  TransportNode a(net, options);
  TransportNode b(net, options);
  Connect(a, b);
  for (int i = 0; i < 100; ++i) a.transport.Send(out, LongFrame(500'000));
  const auto before = std::chrono::steady_clock::now();
  a.transport.Stop();  // b's strand does not run meanwhile
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  EXPECT_EQ(a.closed.size(), 1U);
}

TEST_P(GrpcTransportTest, OtherSideSeesThatANodeIsGone) {
  TransportNode a(net, Options());
  auto b = std::make_unique<TransportNode>(net, Options());
  Connect(a, *b);
  b.reset();
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty(); }));
  EXPECT_EQ(a.closed[0].cause, CloseCause::kRemote);
}

TEST_P(GrpcTransportTest, PortInUseIsAClearError) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  ASSERT_TRUE(a.transport.Listen("127.0.0.1:0").ok());
  const absl::Status second = b.transport.Listen(a.transport.listening());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.message().find("Address already in use"), std::string::npos) << second;
  EXPECT_FALSE(b.transport.Listen("nonsense").ok());
  EXPECT_FALSE(b.transport.Listen("host.example:1").ok());
}

TEST_P(GrpcTransportTest, ManyEchoesThroughBothEnds) {
  TransportNode a(net, Options());
  TransportNode b(net, Options());
  b.echo = true;
  Connect(a, b);
  for (std::uint32_t rpc = 0; rpc < 300; ++rpc) a.transport.Send(out, PingFrame(rpc));
  ASSERT_TRUE(net.Until([&] { return a.Pings().size() == 300; }));
  EXPECT_TRUE(std::ranges::is_sorted(a.Pings()));
}

}  // namespace
}  // namespace tombolo::node
