// Whole networks of hosts in one process.
#include "node/host.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kNodes = 24;

class HostNetwork : public testing::Test {
 protected:
  void SetUp() override { net.Grow(kNodes); }

  // Every node sends to every other one. The number of those that were delivered.
  std::size_t SendAll(Duration limit) {
    for (auto& node : net.nodes) node->events.clear();
    std::uint32_t request = 1;
    for (auto& from : net.nodes) {
      for (auto& to : net.nodes) {
        if (from == to) continue;
        const Send send{request++, to->id(), {}, limit};
        EXPECT_TRUE(from->host.Execute(send, "to " + to->id().ToHex()).ok());
      }
    }
    net.network.RunFor(limit + Duration::Seconds(1));
    std::size_t delivered = 0;
    for (auto& node : net.nodes) {
      delivered += node->Heard<Delivered>().size();
      for (const auto& [arrived, bytes] : node->Heard<MessageArrived>()) {
        EXPECT_EQ(bytes, "to " + node->id().ToHex());
      }
    }
    return delivered;
  }

  void ExpectNothingLeaks() {
    for (auto& node : net.nodes) node->host.Stop();
    net.network.RunFor(Duration::Seconds(30));
    for (auto& node : net.nodes) {
      EXPECT_TRUE(node->stopped);
      EXPECT_EQ(node->host.lists_in_use(), 0U);
      EXPECT_EQ(node->host.payloads_in_use(), 0U);
      EXPECT_EQ(node->host.links().connection_count(), 0U);
    }
  }

  TestNetwork net;
};

TEST_F(HostNetwork, JoinsAndSendsBetweenAllPairs) {
  EXPECT_EQ(SendAll(Duration::Seconds(5)), kNodes * (kNodes - 1));
  ExpectNothingLeaks();
}

TEST_F(HostNetwork, BroadcastsReachEverybodyOnce) {
  Broadcast broadcast{1, 0, {}, Duration::Seconds(30)};
  broadcast.acknowledge = true;
  ASSERT_TRUE(net.at(3).host.Execute(broadcast, "to all").ok());
  net.network.RunFor(Duration::Seconds(10));
  for (std::size_t i = 0; i < kNodes; ++i) {
    const auto arrived = net.at(i).Heard<BroadcastArrived>();
    ASSERT_EQ(arrived.size(), i == 3 ? 0U : 1U) << i;
    for (const auto& [event, bytes] : arrived) EXPECT_EQ(bytes, "to all");
  }
  const auto done = net.at(3).Heard<BroadcastDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].first.delivered, kNodes - 1);
}

TEST_F(HostNetwork, LooksUpPutsAndGets) {
  const NodeId key{{1, 2, 3, 4, 5}};
  ASSERT_TRUE(net.at(1).host.Execute(Lookup{1, key}).ok());
  const Put put{2, key, {}, 1, Duration::Hours(1)};
  ASSERT_TRUE(net.at(1).host.Execute(put, "a value").ok());
  net.network.RunFor(Duration::Seconds(3));
  ASSERT_EQ(net.at(1).Heard<LookupDone>().size(), 1U);
  ASSERT_EQ(net.at(1).Heard<PutDone>().size(), 1U);
  EXPECT_GE(net.at(1).Heard<PutDone>()[0].first.stored, 20U);
  ASSERT_TRUE(net.at(20).host.Execute(Get{3, key}).ok());
  ASSERT_TRUE(net.at(20).host.Execute(Get{4, NodeId{{9, 9, 9, 9, 9}}}).ok());
  net.network.RunFor(Duration::Seconds(3));
  const auto got = net.at(20).Heard<GetDone>();
  ASSERT_EQ(got.size(), 2U);
  for (const auto& [done, bytes] : got) {
    EXPECT_EQ(done.found, done.request == 3);
    EXPECT_EQ(bytes, done.request == 3 ? "a value" : "");
  }
  ExpectNothingLeaks();
}

TEST_F(HostNetwork, PairsHaveOneConnection) {
  for (auto& a : net.nodes) {
    std::size_t ready = 0;
    for (auto& b : net.nodes) {
      if (a == b || !a->IsLinkedTo(*b)) continue;
      ++ready;
      EXPECT_TRUE(b->IsLinkedTo(*a));
      EXPECT_EQ(a->IsKeptWith(*b), b->IsKeptWith(*a));
    }
    EXPECT_EQ(a->host.links().connection_count(), ready);
  }
}

TEST_F(HostNetwork, APartitionOfTenSecondsHeals) {
  for (std::size_t i = 0; i < kNodes; ++i) {
    net.network.islands[TestNetwork::AddressOf(i)] = static_cast<int>(i % 2);
  }
  net.network.RunFor(Duration::Seconds(10));
  net.network.islands.clear();
  net.network.RunFor(Duration::Seconds(15));
  EXPECT_EQ(SendAll(Duration::Seconds(10)), kNodes * (kNodes - 1));
  ExpectNothingLeaks();
}

TEST_F(HostNetwork, ALongPartitionHealsToo) {
  for (std::size_t i = 0; i < kNodes; ++i) {
    net.network.islands[TestNetwork::AddressOf(i)] = static_cast<int>(i % 2);
  }
  net.network.RunFor(Duration::Seconds(60));
  for (std::size_t i = 0; i + 1 < kNodes; ++i) EXPECT_FALSE(net.at(i).IsLinkedTo(net.at(i + 1)));
  net.network.islands.clear();
  net.network.RunFor(Duration::Seconds(15));
  EXPECT_EQ(SendAll(Duration::Seconds(10)), kNodes * (kNodes - 1));
}

TEST_F(HostNetwork, WhenAThirdDiesTheRestGoesOn) {
  for (std::size_t i = 0; i < kNodes / 3; ++i) net.nodes.pop_back();
  net.network.RunFor(Duration::Seconds(10));
  const std::size_t left = net.nodes.size();
  EXPECT_EQ(SendAll(Duration::Seconds(10)), left * (left - 1));
}

TEST_F(HostNetwork, RunsAreEqual) {
  TestNetwork again;
  again.Grow(kNodes);
  for (std::size_t i = 0; i < kNodes; ++i) {
    EXPECT_EQ(again.at(i).host.counters().sent, net.at(i).host.counters().sent);
    EXPECT_EQ(again.at(i).host.links().counters(), net.at(i).host.links().counters());
  }
}

// ---- Joining.

TEST(HostJoin, WaitsForABootstrapNodeThatComesLater) {
  TestNetwork net;
  const HostOptions first = net.OptionsFor(0);
  TestNode& second = net.Add(net.OptionsFor(1));
  net.network.RunFor(Duration::Seconds(20));
  EXPECT_EQ(second.Heard<Joined>().size(), 1U);  // it has founded an overlay of its own
  TestNode& found = net.Add(first);
  net.network.RunFor(Duration::Seconds(8));
  EXPECT_TRUE(second.IsKeptWith(found));
  EXPECT_EQ(second.host.core().table().live_count(), 1U);
}

TEST(HostJoin, WhoWaitsForABootstrapNodeStillLetsOthersIn) {
  TestNetwork net;
  HostOptions waiting = net.OptionsFor(0);
  waiting.bootstrap = {TestNetwork::AddressOf(2)};
  net.network.islands[TestNetwork::AddressOf(2)] = 1;
  net.Add(waiting);
  net.Add(net.OptionsFor(1));
  net.network.RunFor(Duration::Seconds(1));
  for (const auto& node : net.nodes) {
    EXPECT_TRUE(node->joined());
    EXPECT_EQ(node->host.core().table().live_count(), 1U);
  }
}

TEST(HostJoin, GoesOnWithRememberedPeersWhenAllBootstrapNodesAreDead) {
  TestNetwork net;
  net.Grow(4);
  HostOptions options = net.OptionsFor(4);
  options.bootstrap = {"10.9.9.9:1", "10.9.9.8:1"};
  options.remembered = net.at(2).host.Remember(3);
  ASSERT_EQ(options.remembered.size(), 3U);
  TestNode& late = net.Add(options);
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_EQ(late.host.core().table().live_count(), 4U);
}

TEST(HostJoin, ItsOwnAddressAmongTheBootstrapNodesDoesNoHarm) {
  TestNetwork net;
  HostOptions options = net.OptionsFor(0);
  options.bootstrap = options.self.addresses;
  TestNode& node = net.Add(options);
  net.network.RunFor(Duration::Seconds(30));
  EXPECT_TRUE(node.joined());
  EXPECT_EQ(node.count(LinkCount::kRefusedSelf), 2U);  // both ends of one connection
  EXPECT_EQ(node.host.links().connection_count(), 0U);
}

TEST(HostJoin, ANodeThatLostEverybodyComesBack) {
  TestNetwork net;
  net.Grow(3);
  net.network.islands[TestNetwork::AddressOf(2)] = 1;
  net.network.RunFor(Duration::Minutes(3));
  EXPECT_EQ(net.at(2).host.links().kept_count(), 0U);
  net.network.islands.clear();
  net.network.RunFor(Duration::Seconds(15));
  EXPECT_TRUE(net.at(2).IsKeptWith(net.at(0)));
  EXPECT_TRUE(net.at(2).IsKeptWith(net.at(1)));
}

TEST(HostJoin, WhoCannotBeDialledTakesPartOverLinksThatItOpens) {
  TestNetwork net;
  net.Grow(4);
  HostOptions options = net.OptionsFor(4);
  options.self.addresses.clear();
  TestNode& hidden = net.Add(options);
  net.network.RunFor(Duration::Seconds(10));
  EXPECT_TRUE(hidden.joined());
  ASSERT_TRUE(net.at(1).host.Execute(Send{1, hidden.id(), {}, Duration::Seconds(5)}, "hi").ok());
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_EQ(hidden.Heard<MessageArrived>().size(), 1U);
  EXPECT_EQ(hidden.count(LinkCount::kAccepted), 0U);
}

// ---- Orders.

TEST(Host, AnswersToEventsMayBeGivenFromWithinThem) {
  struct Echo final : HostListener {
    void OnEvent(const Event& event, std::string payload) override {
      if (const auto* arrived = std::get_if<MessageArrived>(&event)) {
        const Send back{9, arrived->origin, {}, Duration::Seconds(5)};
        EXPECT_TRUE(host->Execute(back, payload + "!").ok());
      }
    }
    void OnStopped() override {}
    Host* host = nullptr;
  };
  TestNetwork net;
  net.Grow(2);
  Echo echo;
  HostOptions options = net.OptionsFor(2);
  MemoryClock clock(net.network);
  Host host(options, echo);
  echo.host = &host;
  MemoryTransport transport(net.network, options.self.id, TestNetwork::AddressOf(2), host);
  ASSERT_TRUE(transport.Listen(TestNetwork::AddressOf(2)).ok());
  host.Start(clock, transport);
  net.network.RunFor(Duration::Seconds(5));
  ASSERT_TRUE(
      net.at(1).host.Execute(Send{1, host.core().id(), {}, Duration::Seconds(5)}, "hi").ok());
  net.network.RunFor(Duration::Seconds(5));
  const auto echoed = net.at(1).Heard<MessageArrived>();
  ASSERT_EQ(echoed.size(), 1U);
  EXPECT_EQ(echoed[0].second, "hi!");
}

TEST(Host, TransportsMayReportFromWithinACall) {
  TestNetwork net;
  net.network.eager = true;
  HostOptions options = net.OptionsFor(0);
  options.bootstrap = {"10.9.9.9:1"};
  net.Add(options);
  net.Grow(8);
  for (int i = 0; i < 3; ++i) net.nodes.pop_back();
  net.network.RunFor(Duration::Seconds(30));
  ASSERT_TRUE(net.at(1).host.Execute(Send{1, net.at(4).id(), {}, Duration::Seconds(5)}, "x").ok());
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_EQ(net.at(4).Heard<MessageArrived>().size(), 1U);
}

TEST(Host, RefusesWhatIsNotForApplications) {
  TestNetwork net;
  TestNode& node = net.Add();
  EXPECT_FALSE(node.host.Execute(Join{}).ok());
  EXPECT_FALSE(node.host.Execute(Depart{}).ok());
  const std::string large(Codec::kMaxPayloadBytes + 1, 'x');
  EXPECT_FALSE(node.host.Execute(Send{1, NodeId{}, {}, Duration::Seconds(1)}, large).ok());
  node.host.Stop();
  EXPECT_FALSE(node.host.Execute(Get{1, NodeId{}}).ok());
  EXPECT_TRUE(node.stopped);
}

TEST(Host, ARecorderSeesWhatTheCoreHears) {
  struct Recorder final : InputRecorder {
    void Record(Time, const CoreInput& input) override { ++counts[input.index()]; }
    std::array<int, std::variant_size_v<CoreInput>> counts{};
  };
  TestNetwork net;
  Recorder recorder;
  net.Add();
  net.at(0).host.set_recorder(&recorder);
  net.Grow(3);
  net.network.RunFor(Duration::Minutes(1));
  EXPECT_GT(recorder.counts[CoreInput(MessageInput{}).index()], 0);
  EXPECT_EQ(recorder.counts[CoreInput(LinkUpInput{}).index()], 2);
  EXPECT_GT(recorder.counts[CoreInput(TickInput{}).index()], 0);
  std::uint64_t received = 0;
  for (const std::uint64_t count : net.at(0).host.counters().received) received += count;
  EXPECT_EQ(received, static_cast<std::uint64_t>(recorder.counts[0]));
}

// A busy node that meets many more peers than it may remember.
TEST(Host, ForgetsPeersThatNobodyHolds) {
  TestNetwork net;
  net.Grow(3);
  HostOptions options = net.OptionsFor(3);
  options.max_peers = 64;
  TestNode& node = net.Add(options);
  net.network.RunFor(Duration::Seconds(2));
  Rng rng(7);
  for (int round = 0; round < 60; ++round) {
    wire::Message message;
    wire::RoomHomes& homes = *message.mutable_room_homes();
    homes.set_room(std::string(kIdBytes, 'r'));
    for (int i = 0; i < 10; ++i) {
      std::string id(kIdBytes, '\0');
      for (char& byte : id) byte = static_cast<char>(rng.Next());
      homes.add_contacts()->set_id(id);
    }
    Frame frame;
    *frame.add_messages() = message;
    for (const ConnectionId id : net.at(0).transport.connections()) {
      net.at(0).transport.SendBytes(id, frame.SerializeAsString());
    }
    net.network.RunFor(Duration::Seconds(30));
  }
  EXPECT_LE(node.host.known().size(), 64U);
  EXPECT_GT(node.host.known().counters().reused, 100U);
  EXPECT_GT(node.host.counters().sweeps, 1U);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(node.IsKeptWith(net.at(static_cast<std::size_t>(i))));
  ASSERT_TRUE(node.host.Execute(Send{1, net.at(2).id(), {}, Duration::Seconds(5)}, "x").ok());
  net.network.RunFor(Duration::Seconds(5));
  EXPECT_EQ(node.Heard<Delivered>().size(), 1U);
}

}  // namespace
}  // namespace tombolo::node
