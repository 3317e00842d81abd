// Nodes of a memory network with all that they need, and what their applications have heard.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "node/host.h"
#include "tests/node/memory_network.h"

namespace tombolo::node {

struct HeardEvent {
  Time at;
  Event event;
  std::string payload;
};

class TestNode final : public HostListener {
 public:
  TestNode(MemoryNetwork& network, const HostOptions& options)
      : network_(network),
        clock(network),
        host(options, *this),
        transport(network, options.self.id,
                  options.self.addresses.empty() ? "hidden-" + options.self.id.ToHex() + ":1"
                                                 : options.self.addresses.front(),
                  host) {
    if (!options.self.addresses.empty()) {
      EXPECT_TRUE(transport.Listen(options.self.addresses.front()).ok());
    }
  }

  void Start() { host.Start(clock, transport); }
  void OnEvent(const Event& event, std::string payload) override {
    events.push_back({network_.now(), event, std::move(payload)});
  }
  void OnStopped() override { stopped = true; }
  void OnConnectionEnded(const Connection& connection) override {
    endings.push_back(connection.ending);
  }

  const NodeId& id() const { return host.core().id(); }
  bool joined() const { return host.core().state() == PeerState::kJoined; }
  std::optional<PeerRef> RefOf(const TestNode& other) const {
    return host.known().ids().Find(other.id());
  }
  bool IsLinkedTo(const TestNode& other) const {
    const auto peer = RefOf(other);
    return peer && host.links().IsLinked(*peer);
  }
  bool IsKeptWith(const TestNode& other) const {
    const auto peer = RefOf(other);
    return peer && host.links().IsKept(*peer);
  }
  std::uint64_t count(LinkCount which) const { return host.links().count(which); }

  template <class E>
  std::vector<std::pair<E, std::string>> Heard() const {
    std::vector<std::pair<E, std::string>> found;
    for (const HeardEvent& heard : events) {
      if (const E* event = std::get_if<E>(&heard.event)) found.emplace_back(*event, heard.payload);
    }
    return found;
  }

 private:
  MemoryNetwork& network_;

 public:
  MemoryClock clock;
  Host host;
  MemoryTransport transport;
  std::vector<HeardEvent> events;
  std::vector<std::string> endings;  // of connections, for the log
  bool stopped = false;
};

// Nodes at 10.0.0.1:1, 10.0.0.2:1 and so on, of the given configuration.
class TestNetwork {
 public:
  static std::string AddressOf(std::size_t index) {
    return "10.0.0." + std::to_string(index + 1) + ":1";
  }

  explicit TestNetwork(std::uint64_t seed = 1) : rng_(seed) { config.overlay = OverlayKind::kBoth; }

  HostOptions OptionsFor(std::size_t index) {
    HostOptions options;
    options.core = config;
    options.links = links;
    for (std::uint32_t& word : options.self.id.words) {
      word = static_cast<std::uint32_t>(rng_.Next() >> 32);
    }
    options.self.addresses = {AddressOf(index)};
    options.seed = rng_.Next();
    if (index > 0) options.bootstrap = {AddressOf(0)};
    return options;
  }

  TestNode& Add(const HostOptions& options) {
    nodes.push_back(std::make_unique<TestNode>(network, options));
    nodes.back()->Start();
    return *nodes.back();
  }
  TestNode& Add() { return Add(OptionsFor(nodes.size())); }

  // So many nodes that have joined.
  void Grow(std::size_t count) {
    while (nodes.size() < count) {
      Add();
      network.RunFor(Duration::Milliseconds(200));
    }
    const bool all = network.RunUntilTrue([&] { return AllJoined(); }, Duration::Seconds(60));
    ASSERT_TRUE(all);
    network.RunFor(Duration::Seconds(5));
  }
  bool AllJoined() const {
    for (const auto& node : nodes) {
      if (!node->joined()) return false;
    }
    return true;
  }

  TestNode& at(std::size_t index) { return *nodes[index]; }
  PeerRef Ref(std::size_t at_node, std::size_t of) { return *at(at_node).RefOf(at(of)); }

  MemoryNetwork network;
  Config config;
  LinkOptions links;
  std::vector<std::unique_ptr<TestNode>> nodes;

 private:
  Rng rng_;
};

}  // namespace tombolo::node
