// Transports over loopback in one thread: each node records its events, and the tests run the
// io_context until something holds or ten seconds have passed.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/grpc_transport.h"

namespace tombolo::node {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

inline Identity NewIdentity() { return Identity::Generate().value(); }

class TransportNet {
 public:
  // Runs everything until `holds()`; false after ten seconds.
  template <class Holds>
  bool Until(Holds holds) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!holds()) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      io_.restart();
      io_.run_one_for(10ms);
    }
    return true;
  }
  boost::asio::io_context& io() { return io_; }

 private:
  boost::asio::io_context io_;
};

struct ClosedRecord {
  ConnectionId connection;
  CloseCause cause;
  std::string detail;
};

// A transport and what it has told.
class TransportNode final : public TransportEvents {
 public:
  explicit TransportNode(TransportNet& net, GrpcTransportOptions options = {},
                         Identity identity = NewIdentity())
      : id(identity.id()), transport(net.io().get_executor(), identity, options, *this) {}

  void Opened(ConnectionId connection, const RemoteNode& remote) override {
    EXPECT_FALSE(in_call) << "an event within the call that caused it";
    opened.emplace_back(connection, remote);
  }
  void Received(ConnectionId connection, std::unique_ptr<Frame> frame) override {
    received[connection].push_back(std::move(*frame));
    if (echo) transport.Send(connection, received[connection].back());
  }
  void Drained(ConnectionId) override { ++drained; }
  void Closed(ConnectionId connection, CloseCause cause, const std::string& detail) override {
    EXPECT_FALSE(in_call) << "an event within the call that caused it";
    closed.push_back({connection, cause, detail});
  }

  ConnectionId Dial(const std::string& address, std::optional<NodeId> expected = std::nullopt) {
    in_call = true;
    const ConnectionId connection = transport.Dial(address, expected);
    in_call = false;
    return connection;
  }
  // All messages received on all connections, in order per connection.
  std::vector<std::uint32_t> Pings() const {
    std::vector<std::uint32_t> rpcs;
    for (const auto& [connection, frames] : received) {
      for (const Frame& frame : frames) {
        for (const auto& message : frame.messages()) rpcs.push_back(message.ping().rpc());
      }
    }
    return rpcs;
  }
  std::uint64_t count(TransportCount kind) const { return transport.counts()[kind]; }

  NodeId id;
  bool echo = false;
  bool in_call = false;
  std::vector<std::pair<ConnectionId, RemoteNode>> opened;
  std::map<ConnectionId, std::vector<Frame>> received;
  std::vector<ClosedRecord> closed;
  int drained = 0;
  GrpcTransport transport;
};

inline Frame PingFrame(std::uint32_t rpc) {
  Frame frame;
  frame.add_messages()->mutable_ping()->set_rpc(rpc);
  return frame;
}

// A frame of at least `bytes` bytes.
inline Frame LongFrame(std::size_t bytes) {
  Frame frame;
  frame.mutable_goodbye()->set_detail(std::string(bytes, 'x'));
  return frame;
}

}  // namespace tombolo::node
