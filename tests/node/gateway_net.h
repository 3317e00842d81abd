// Nodes with a peer-relay gateway in a memory network, and clients of theirs: WebSockets without
// sockets, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/application.h"
#include "node/gateway/peer_relay.h"
#include "node/gateway/websocket.h"
#include "tests/node/memory_network.h"
#include "tests/node/test_node.h"

namespace tombolo::node {

// The node's side of a connection; what it says arrives in `heard`.
class MemorySocket final : public WebSocket {
 public:
  bool Send(std::string_view message, MessageKind) override {
    if (code || full) return false;
    heard.emplace_back(message);
    return true;
  }
  void Close(CloseCode why, std::string_view) override {
    if (!code) code = why;
  }
  void Probe() override { ++probes; }

  std::vector<std::string> heard;
  std::optional<CloseCode> code;  // closed by the node
  bool full = false;              // takes nothing more
  int probes = 0;
};

class MemoryWebSockets final : public WebSockets {
 public:
  MemoryWebSockets(MemoryNetwork& network, WebSocketEvents& events)
      : network_(network), events_(events) {
    TickLater();
  }
  ~MemoryWebSockets() override { *alive_ = false; }

  void Dial(const std::string& url) override { dialed.push_back(url); }
  void EndTurnSoon() override {
    if (std::exchange(ending_, true)) return;
    network_.At(network_.now(), [this, alive = alive_] {
      if (!*alive) return;
      ending_ = false;
      events_.TurnEnded();
    });
  }
  Time now() const override { return network_.now(); }
  const Counts& counts() const override { return counts_; }

  // Somebody connects, or has answered a call.
  MemorySocket& Open(const std::string& url = "") {
    sockets_.push_back(std::make_unique<MemorySocket>());
    MemorySocket& socket = *sockets_.back();
    events_.Opened(socket, {url.empty() ? "/" : url, "", "10.9.9.9:1", !url.empty()});
    return socket;
  }
  void Say(MemorySocket& socket, const std::string& message,
           MessageKind kind = MessageKind::kText) {
    if (!socket.code) events_.Received(socket, message, kind);
  }
  void HangUp(MemorySocket& socket) { events_.Closed(socket); }
  void FailDial(const std::string& url) { events_.DialFailed(url); }

  std::vector<std::string> dialed;

 private:
  void TickLater() {
    network_.After(Duration::Seconds(1), [this, alive = alive_] {
      if (!*alive) return;
      events_.Ticked();
      TickLater();
    });
  }

  MemoryNetwork& network_;
  WebSocketEvents& events_;
  Counts counts_{};
  bool ending_ = false;
  std::vector<std::unique_ptr<MemorySocket>> sockets_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class GatewayNode {
 public:
  GatewayNode(MemoryNetwork& network, const HostOptions& options, PeerRelayOptions relay,
              std::uint64_t wall_start_us)
      : clock(network),
        host(options, application),
        transport(network, options.self.id, options.self.addresses.front(), host),
        gateway(application, std::move(relay),
                [&network, wall_start_us] {
                  return wall_start_us + static_cast<std::uint64_t>(network.now().us);
                }),
        sockets(network, gateway) {
    application.Use(host);
    EXPECT_TRUE(transport.Listen(options.self.addresses.front()).ok());
    host.Start(clock, transport);
    gateway.Start(sockets, "ws://" + options.self.addresses.front());
  }

  const NodeId& id() const { return host.core().id(); }
  std::uint64_t count(const std::string& name) const { return gateway.Counters().at(name); }

  Application application;
  MemoryClock clock;
  Host host;
  MemoryTransport transport;
  PeerRelayGateway gateway;
  MemoryWebSockets sockets;
};

// A client as the original behaves, as far as a test asks it to.
class RelayClient {
 public:
  RelayClient(const NodeId& id, GatewayNode& node, const std::string& url = "")
      : id_(id), node_(&node), socket_(&node.sockets.Open(url)) {
    SayText("\"" + id.ToHex() + "\"");
  }

  const NodeId& id() const { return id_; }
  MemorySocket& socket() { return *socket_; }
  bool closed() const { return socket_->code.has_value(); }

  void SayText(const std::string& text) { node_->sockets.Say(*socket_, text); }
  void SayData(const NodeId& to, const std::string& data, const std::string& nonce = "") {
    SayAs(id_, to, data, nonce.empty() ? std::to_string(++nonce_) : nonce);
  }
  void SayAs(const NodeId& from, const NodeId& to, const std::string& data,
             const std::string& nonce) {
    SayText("{\"to\":\"" + to.ToHex() + "\",\"from\":\"" + from.ToHex() + "\",\"path\":[\"" +
            id_.ToHex() + "\"],\"nonce\":\"" + nonce + "\",\"data\":" + data + "}");
  }
  void Send(const NodeId& to, const std::string& text, const std::string& nonce = "") {
    SayData(to, "{\"type\":\"user\",\"data\":\"" + text + "\"}", nonce);
  }
  void HangUp() { node_->sockets.HangUp(*socket_); }
  void MoveTo(GatewayNode& node) {
    HangUp();
    node_ = &node;
    socket_ = &node.sockets.Open();
    SayText("\"" + id_.ToHex() + "\"");
  }

  // (origin, data) of what it has heard after the greeting.
  std::vector<std::pair<NodeId, std::string>> Heard() const {
    std::vector<std::pair<NodeId, std::string>> all;
    for (std::size_t i = 1; i < socket_->heard.size(); ++i) {
      PeerRelayFrame frame;
      EXPECT_EQ(ParsePeerRelayFrame(socket_->heard[i], frame), PeerRelayFault::kNone);
      EXPECT_EQ(frame.to, id_);
      all.emplace_back(frame.from, std::string(frame.data));
    }
    return all;
  }
  // How often it has heard this text from that client.
  int Times(const NodeId& from, const std::string& text) const {
    int times = 0;
    for (const auto& [origin, data] : Heard()) {
      if (origin == from && data == "{\"type\":\"user\",\"data\":\"" + text + "\"}") ++times;
    }
    return times;
  }

 private:
  NodeId id_;
  GatewayNode* node_;
  MemorySocket* socket_;
  int nonce_ = 0;
};

class GatewayNet {
 public:
  explicit GatewayNet(std::size_t count, const PeerRelayOptions& relay = {}) : options_(7) {
    for (std::size_t i = 0; i < count; ++i) Add(relay);
    const bool joined = network().RunUntilTrue([&] { return AllJoined(); }, Duration::Seconds(60));
    EXPECT_TRUE(joined);
    RunFor(Duration::Seconds(5));
  }

  GatewayNode& Add(const PeerRelayOptions& relay = {}) {
    HostOptions options = options_.OptionsFor(nodes_.size());
    PeerRelayOptions own = relay;
    own.seed = nodes_.size() + 1;
    nodes_.push_back(std::make_unique<GatewayNode>(network(), options, own, 1'000'000'000'000));
    network().RunFor(Duration::Milliseconds(200));
    return *nodes_.back();
  }
  bool AllJoined() const {
    for (const auto& node : nodes_) {
      if (node->host.core().state() != PeerState::kJoined) return false;
    }
    return true;
  }
  MemoryNetwork& network() { return options_.network; }
  void RunFor(Duration span) { network().RunFor(span); }
  GatewayNode& at(std::size_t index) { return *nodes_[index]; }
  NodeId NewId() {
    NodeId id;
    for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng_.Next() >> 32);
    return id;
  }

 private:
  TestNetwork options_;  // its network, and what nodes are made with
  Rng rng_{99};
  std::vector<std::unique_ptr<GatewayNode>> nodes_;
};

}  // namespace tombolo::node
