// What a node puts up with: numbers of connections, silence before and after the handshake.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/grpc_transport.h"
#include "tests/node/transport_net.h"

namespace tombolo::node {
namespace {

using boost::asio::ip::tcp;

TEST(GrpcLimitsTest, InsecureStaysOnLoopback) {
  TransportNet net;
  GrpcTransportOptions options;
  options.insecure = true;
  TransportNode a(net, options);
  EXPECT_FALSE(a.transport.Listen("0.0.0.0:0").ok());
  a.Dial("192.0.2.1:7400");
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty(); }));
  EXPECT_EQ(a.closed[0].cause, CloseCause::kDialFailed);
}

TEST(GrpcLimitsTest, FloodOfConnectionsIsRefusedBeyondTheLimits) {
  TransportNet net;
  GrpcTransportOptions options;
  options.accept = {.total = 10, .per_address = 5, .per_prefix = 8};
  TransportNode b(net, options);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  TransportNode a(net);
  for (int i = 0; i < 12; ++i) a.Dial(b.transport.listening(), b.id);
  ASSERT_TRUE(net.Until([&] { return a.opened.size() + a.closed.size() == 12; }));
  EXPECT_EQ(a.opened.size(), 5U);
  EXPECT_EQ(b.count(TransportCount::kRefusedAddress), 7U);
  // A place that becomes free is given away again.
  a.transport.Close(a.opened[0].first);
  ASSERT_TRUE(net.Until([&] { return b.closed.size() == 1; }));
  a.Dial(b.transport.listening(), b.id);
  EXPECT_TRUE(net.Until([&] { return a.opened.size() == 6; }));
}

std::uint16_t PortOf(const TransportNode& node) {
  const std::string listening = node.transport.listening();
  return static_cast<std::uint16_t>(std::stoi(listening.substr(listening.rfind(':') + 1)));
}

TEST(GrpcLimitsTest, OnePrefixGetsItsShareOnly) {
  TransportNet net;
  GrpcTransportOptions options;
  options.accept = {.total = 10, .per_address = 2, .per_prefix = 3};
  TransportNode b(net, options);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  std::vector<tcp::socket> callers;
  const auto call_from = [&](const std::string& address) {
    callers.emplace_back(net.io(), tcp::endpoint(boost::asio::ip::make_address(address), 0));
    callers.back().connect({boost::asio::ip::address_v4::loopback(), PortOf(b)});
  };
  for (const char* address : {"127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"})
    call_from(address);
  ASSERT_TRUE(net.Until([&] { return b.count(TransportCount::kRefusedPrefix) == 2; }));
  EXPECT_EQ(b.count(TransportCount::kAccepted), 3U);
  call_from("127.0.1.2");  // a neighbour prefix has its own
  ASSERT_TRUE(net.Until([&] { return b.count(TransportCount::kAccepted) == 4; }));
  EXPECT_EQ(b.count(TransportCount::kRefusedPrefix), 2U);
  EXPECT_EQ(b.count(TransportCount::kRefusedAddress) + b.count(TransportCount::kRefusedTotal), 0U);
}

TEST(GrpcLimitsTest, ConnectionsThatSayNothingGiveTheirPlacesBack) {
  TransportNet net;
  GrpcTransportOptions options;
  options.handshake_timeout = 200ms;
  options.accept = {.total = 4, .per_address = 4, .per_prefix = 4};
  TransportNode b(net, options);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 4; ++i) {
    idle.emplace_back(net.io());
    idle.back().connect({boost::asio::ip::address_v4::loopback(), PortOf(b)});
  }
  ASSERT_TRUE(net.Until([&] { return b.count(TransportCount::kAccepted) == 4; }));
  ASSERT_TRUE(net.Until([&] { return b.count(TransportCount::kHandshakeLost) == 4; }));
  // gRPC has hung up on them, too.
  for (tcp::socket& socket : idle) {
    socket.non_blocking(true);
    char byte = 0;
    EXPECT_TRUE(net.Until([&] {
      boost::system::error_code error;
      socket.read_some(boost::asio::buffer(&byte, 1), error);
      return error && error != boost::asio::error::would_block;
    }));
  }
  TransportNode a(net);
  a.Dial(b.transport.listening(), b.id);
  EXPECT_TRUE(net.Until([&] { return !a.opened.empty(); }));
}

TEST(GrpcLimitsTest, ConnectionWithoutAStreamIsHungUpOnAndCountsUntilThen) {
  TransportNet net;
  GrpcTransportOptions options;
  options.insecure = true;
  options.handshake_timeout = 100ms;
  TransportNode b(net, options);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateChannel(b.transport.listening(), grpc::InsecureChannelCredentials());
  channel->GetState(true);
  ASSERT_TRUE(net.Until([&] { return channel->GetState(false) == GRPC_CHANNEL_READY; }));
  bool uncounted = false;
  EXPECT_TRUE(net.Until([&] {
    const bool given_up = b.count(TransportCount::kHandshakeLost) > 0;
    const bool open = channel->GetState(false) == GRPC_CHANNEL_READY;
    uncounted = uncounted || (given_up && open);
    return !open;
  }));
  EXPECT_FALSE(uncounted);
}

TEST(GrpcLimitsTest, DiallerThatSendsNoFrameIsHungUpOn) {
  TransportNet net;
  GrpcTransportOptions options;
  options.handshake_timeout = 300ms;
  TransportNode b(net, options);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  TransportNode a(net);
  a.Dial(b.transport.listening(), b.id);
  ASSERT_TRUE(net.Until([&] { return !b.closed.empty() && !a.closed.empty(); }));
  EXPECT_EQ(b.closed[0].cause, CloseCause::kTimeout);
  EXPECT_EQ(b.count(TransportCount::kSilent), 1U);
}

// Passes bytes both ways until told to swallow them, as a cut path does.
class Proxy {
 public:
  Proxy(TransportNet& net, const std::string& target)
      : acceptor_(net.io(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        near_(net.io()),
        far_(net.io()) {
    const auto port = static_cast<std::uint16_t>(std::stoi(target.substr(target.rfind(':') + 1)));
    acceptor_.async_accept(near_, [this, port](const boost::system::error_code& error) {
      if (error) return;
      far_.connect({boost::asio::ip::address_v4::loopback(), port});
      Pump(near_, far_, from_near_);
      Pump(far_, near_, from_far_);
    });
  }
  std::string address() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  void Swallow() { swallow_ = true; }

 private:
  using Bytes = std::array<char, 4096>;
  void Pump(tcp::socket& from, tcp::socket& to, Bytes& bytes) {
    from.async_read_some(boost::asio::buffer(bytes),
                         [&](const boost::system::error_code& error, std::size_t size) {
                           if (error) return;
                           boost::system::error_code ignored;
                           if (!swallow_)
                             boost::asio::write(to, boost::asio::buffer(bytes, size), ignored);
                           Pump(from, to, bytes);
                         });
  }

  tcp::acceptor acceptor_;
  tcp::socket near_;
  tcp::socket far_;
  Bytes from_near_{};
  Bytes from_far_{};
  bool swallow_ = false;
};

TEST(GrpcLimitsTest, SilentPathIsNoticedByKeepaliveOnBothSides) {
  TransportNet net;
  GrpcTransportOptions options;
  options.keepalive_interval = 200ms;
  options.keepalive_timeout = 200ms;
  TransportNode a(net, options);
  TransportNode b(net, options);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  Proxy proxy(net, b.transport.listening());
  const ConnectionId connection = a.Dial(proxy.address(), b.id);
  ASSERT_TRUE(net.Until([&] { return !a.opened.empty() && !b.opened.empty(); }));
  // It stays up without traffic, though pings are frequent.
  a.transport.Send(connection, PingFrame(1));
  const auto idle = std::chrono::steady_clock::now() + 1500ms;
  ASSERT_TRUE(net.Until([&] { return std::chrono::steady_clock::now() > idle; }));
  ASSERT_TRUE(a.closed.empty() && b.closed.empty());
  proxy.Swallow();
  ASSERT_TRUE(net.Until([&] { return !a.closed.empty() && !b.closed.empty(); }));
  EXPECT_EQ(a.closed[0].cause, CloseCause::kTimeout) << a.closed[0].detail;
  EXPECT_EQ(b.closed[0].cause, CloseCause::kRemote);
  EXPECT_EQ(a.count(TransportCount::kKeepaliveLost), 1U);
  EXPECT_EQ(b.count(TransportCount::kKeepaliveLost), 0U) << "the dialling side counts";
}

// 1,500 messages in 15 frames, at 2,000 a second: the first quarter of a second's worth is free.
class RateLimitTest : public testing::Test {
 protected:
  static constexpr int kFrames = 15;
  static constexpr int kMessages = 100;  // each

  static GrpcTransportOptions Unmerged() {
    GrpcTransportOptions options;
    options.max_merge_bytes = 0;
    return options;
  }
  static void Flood(TransportNode& from, ConnectionId connection) {
    for (int i = 0; i < kFrames; ++i) {
      Frame frame;
      for (int k = 0; k < kMessages; ++k) frame.add_messages()->mutable_ping()->set_rpc(7);
      from.transport.Send(connection, std::move(frame));
    }
  }
  // Milliseconds until `listener` has got what `diallers` have sent, all at once.
  std::int64_t FloodBy(int diallers, TransportNode& listener) {
    EXPECT_TRUE(listener.transport.Listen("127.0.0.1:0").ok());
    std::vector<std::unique_ptr<TransportNode>> nodes;
    for (int i = 0; i < diallers; ++i) {
      nodes.push_back(std::make_unique<TransportNode>(net, Unmerged()));
      nodes.back()->Dial(listener.transport.listening(), listener.id);
      EXPECT_TRUE(net.Until([&] { return !nodes.back()->opened.empty(); }));
    }
    const auto start = std::chrono::steady_clock::now();
    for (auto& node : nodes) Flood(*node, node->opened[0].first);
    const auto all = static_cast<std::size_t>(diallers * kFrames * kMessages);
    EXPECT_TRUE(net.Until([&] { return listener.Pings().size() == all; }));
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 start)
        .count();
  }

  TransportNet net;
};

TEST_F(RateLimitTest, APeerBeyondItsRateIsReadMoreSlowlyAndLosesNothing) {
  GrpcTransportOptions options;
  options.inbox_bytes = 1024;  // what has been read already is delivered
  options.peer_rates.messages_per_s = 2000;
  TransportNode b(net, options);
  // The last frame is read once the one before it is paid for: 1,400 - 500 in debt.
  EXPECT_GE(FloodBy(1, b), 400);
  EXPECT_GT(b.count(TransportCount::kReadsPaused), 0U);
  EXPECT_TRUE(b.closed.empty());
}

TEST_F(RateLimitTest, BytesCountLikeMessages) {
  GrpcTransportOptions options;
  const auto frame = static_cast<std::int64_t>([] {
    Frame one;
    for (int k = 0; k < kMessages; ++k) one.add_messages()->mutable_ping()->set_rpc(7);
    return one.ByteSizeLong();
  }());
  options.inbox_bytes = 1024;  // what has been read already is delivered
  options.peer_rates.bytes_per_s = frame * 20;
  TransportNode b(net, options);
  EXPECT_GE(FloodBy(1, b), 400);
  EXPECT_GT(b.count(TransportCount::kReadsPaused), 0U);
}

TEST_F(RateLimitTest, AllPeersTogetherHaveARateToo) {
  GrpcTransportOptions options;
  options.inbox_bytes = 1024;  // what has been read already is delivered
  options.rates.messages_per_s = 6000;
  TransportNode b(net, options);
  EXPECT_GE(FloodBy(3, b), 300);  // 4,500 messages, 1,500 free, the last frames unpaid
  EXPECT_GT(b.count(TransportCount::kReadsPaused), 0U);
}

TEST_F(RateLimitTest, WhoKeepsToItIsNeverPaused) {
  GrpcTransportOptions options;
  options.peer_rates.messages_per_s = 100'000;
  TransportNode b(net, options);
  FloodBy(1, b);
  EXPECT_EQ(b.count(TransportCount::kReadsPaused), 0U);
}

TEST_F(RateLimitTest, NewLimitsHoldAtOnce) {
  GrpcTransportOptions options;
  options.inbox_bytes = 1024;
  TransportNode b(net, options);
  b.transport.SetLimits({}, {.bytes_per_s = 0, .messages_per_s = 2000}, {});
  EXPECT_GE(FloodBy(1, b), 400);
  b.transport.SetLimits({.total = 0, .per_address = 0, .per_prefix = 0}, {}, {});
  TransportNode late(net);
  late.Dial(b.transport.listening(), b.id);
  EXPECT_TRUE(net.Until([&] { return b.count(TransportCount::kRefusedTotal) == 1; }));
}

TEST_F(RateLimitTest, QueuedAndBufferedBytesAreCountedAndGivenBack) {
  TransportNode b(net);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  TransportNode a(net);
  a.Dial(b.transport.listening(), b.id);
  ASSERT_TRUE(net.Until([&] { return !a.opened.empty(); }));
  const ConnectionId connection = a.opened[0].first;
  // More than the windows and buffers on the way hold while the strand of B does not run, however
  // fast the threads of gRPC are meanwhile.
  constexpr std::size_t kLong = 64;
  for (std::size_t i = 0; i < kLong; ++i) a.transport.Send(connection, LongFrame(500'000));
  EXPECT_GT(a.transport.queued(connection), 0U);
  EXPECT_GT(a.transport.buffered(), 0U);
  ASSERT_TRUE(net.Until(
      [&] { return b.received.size() == 1 && b.received.begin()->second.size() == kLong; }));
  EXPECT_TRUE(net.Until([&] { return a.transport.queued(connection) == 0; }));
  a.transport.Close(connection);
  EXPECT_TRUE(net.Until([&] { return !a.closed.empty() && !b.closed.empty(); }));
  EXPECT_EQ(a.transport.buffered(), 0U);
  EXPECT_EQ(b.transport.buffered(), 0U);
}

}  // namespace
}  // namespace tombolo::node
