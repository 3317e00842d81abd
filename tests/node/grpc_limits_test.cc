// What a node puts up with: numbers of connections, silence before and after the handshake.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <string>
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

TEST(GrpcLimitsTest, ConnectionsThatSayNothingGiveTheirPlacesBack) {
  TransportNet net;
  GrpcTransportOptions options;
  options.handshake_timeout = 200ms;
  options.accept = {.total = 4, .per_address = 4, .per_prefix = 4};
  TransportNode b(net, options);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  const auto port = static_cast<std::uint16_t>(
      std::stoi(b.transport.listening().substr(b.transport.listening().rfind(':') + 1)));
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 4; ++i) {
    idle.emplace_back(net.io());
    idle.back().connect({boost::asio::ip::address_v4::loopback(), port});
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
}

}  // namespace
}  // namespace tombolo::node
