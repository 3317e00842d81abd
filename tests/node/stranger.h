// Somebody who speaks to a node frame by frame, as it pleases.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/hello.h"
#include "tests/node/test_node.h"

namespace tombolo::node {

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
  void Say(const Frame& frame) { SayBytes(frame.SerializeAsString()); }
  void SayBytes(const std::string& bytes) {
    if (!closed) transport.SendBytes(connection, bytes);
    net_.network.RunFor(Duration::Milliseconds(50));
  }
  // The reason of the goodbye that it was told; nullopt while it is welcome.
  std::optional<link::v1::Goodbye::Reason> SentAway() const {
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

}  // namespace tombolo::node
