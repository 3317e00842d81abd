// A connection that ends in the moment in which it begins.
#include "node/gateway/websocket_connection.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <utility>

namespace tombolo::node {
namespace {

using Tcp = boost::asio::ip::tcp;

class Deaf final : public WebSocketEvents, public WebSocketOwner {
 public:
  void Opened(WebSocket&, const WebSocketRequest&) override {}
  void Received(WebSocket&, std::string_view, MessageKind) override {}
  void Closed(WebSocket&) override {}
  void DialFailed(const std::string&) override {}
  void Ticked() override {}
  void TurnEnded() override {}
  void FlushSoon(WebSocketConnection&) override {}
  void Ended(WebSocketConnection&) override {}
};

// The limits count whoever was let in, and want the same address back. A socket that was reset
// meanwhile knows none.
TEST(WebSocketConnection, IsOfWhoeverWasLetInAlsoAfterAReset) {
  boost::asio::io_context io;
  Tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  Tcp::socket client(io);
  client.connect(acceptor.local_endpoint());
  Tcp::socket socket = acceptor.accept();
  const Tcp::endpoint remote = socket.remote_endpoint();
  client.set_option(boost::asio::socket_base::linger(true, 0));
  client.close();  // which resets
  boost::system::error_code error;
  socket.wait(Tcp::socket::wait_read, error);
  socket.remote_endpoint(error);
  ASSERT_TRUE(error);

  Deaf deaf;
  const WebSocketOptions options;
  WebSocketShared shared{options, deaf, {}, {}, std::string(1024, '\0'), Rng(1), {}};
  const int native = socket.native_handle();
  const auto connection = std::make_shared<WebSocketConnection>(
      deaf, shared, std::move(socket), MakePlainStream(native), remote, std::nullopt);
  EXPECT_EQ(connection->remote(), remote.address());
}

}  // namespace
}  // namespace tombolo::node
