// Hosts under random faults: cuts, deaths and restarts, slow paths, spoiled bytes, strangers. When
// it is over, everybody reaches everybody, and nothing has leaked.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/node/stranger.h"

namespace tombolo::node {
namespace {

class Swarm {
 public:
  static constexpr std::size_t kNodes = 8;

  explicit Swarm(std::uint64_t seed) : rng_(Rng::Split(seed, 1)), net_(seed) {
    net_.network.eager = Odds(2);
    net_.network.delay = Duration::Milliseconds(1 + rng_.Below(80));
    if (Odds(2)) net_.links.max_ephemeral = 2 + rng_.Below(4);
    if (Odds(3)) net_.links.frame_bytes = 200;
    for (std::size_t i = 0; i < kNodes; ++i) {
      HostOptions options = net_.OptionsFor(i);
      options.bootstrap = {TestNetwork::AddressOf((i + 1) % kNodes),
                           TestNetwork::AddressOf((i + 3) % kNodes)};
      if (Odds(4)) options.max_peers = 64;
      options_.push_back(options);
      net_.Add(options);
    }
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Disturb();
      Ask();
      net_.network.RunFor(Duration::Milliseconds(rng_.Below(4000)));
    }
  }

  void Finish() {
    net_.network.islands.clear();
    net_.network.corrupt = nullptr;
    for (auto& node : net_.nodes) node->transport.Stall(false);
    net_.network.RunFor(Duration::Seconds(90));
    ExpectAllReachAll();
    for (auto& node : net_.nodes) node->host.Stop();
    net_.network.RunFor(Duration::Seconds(30));
    for (auto& node : net_.nodes) {
      EXPECT_TRUE(node->stopped);
      EXPECT_EQ(node->host.lists_in_use(), 0U);
      EXPECT_EQ(node->host.payloads_in_use(), 0U);
      EXPECT_EQ(node->host.links().connection_count(), 0U);
    }
  }

 private:
  bool Odds(std::uint32_t one_in) { return rng_.Below(one_in) == 0; }
  std::size_t AnyIndex() { return rng_.Below(kNodes); }

  void Disturb() {
    switch (rng_.Below(7)) {
      case 0:
        for (std::size_t i = 0; i < kNodes; ++i) {
          net_.network.islands[TestNetwork::AddressOf(i)] = static_cast<int>(rng_.Below(2));
        }
        return;
      case 1:
        return net_.network.islands.clear();
      case 2:
        return Restart(AnyIndex());
      case 3:
        net_.network.corrupt = [this](std::string& bytes) {
          if (!bytes.empty() && Odds(50)) bytes[rng_.Below(Size(bytes))] ^= 0x55;
        };
        return;
      case 4:
        net_.network.corrupt = nullptr;
        return;
      case 5:
        return net_.at(AnyIndex()).transport.Stall(Odds(2));
      default:
        return;
    }
  }
  static std::uint32_t Size(const std::string& bytes) {
    return static_cast<std::uint32_t>(bytes.size());
  }

  // A process dies and comes back with its key, and perhaps with what it wrote down.
  void Restart(std::size_t index) {
    HostOptions options = options_[index];
    options.seed = rng_.Next();
    if (Odds(2)) options.remembered = net_.at(index).host.Remember(8);
    net_.nodes[index].reset();
    if (Odds(2)) net_.network.RunFor(Duration::Seconds(rng_.Below(20)));
    net_.nodes[index] = std::make_unique<TestNode>(net_.network, options);
    net_.at(index).Start();
  }

  void Ask() {
    TestNode& node = net_.at(AnyIndex());
    const NodeId target = net_.at(AnyIndex()).id();
    const std::uint32_t request = ++requests_;
    const auto execute = [&](const Command& command, const std::string& payload) {
      EXPECT_TRUE(node.host.Execute(command, payload).ok());
    };
    switch (rng_.Below(8)) {
      case 0:
        return execute(Put{request, target, {}, request, Duration::Minutes(1)}, "value");
      case 1:
        return execute(Get{request, target}, "");
      case 2:
        return execute(Broadcast{request, 0, {}, Duration::Seconds(20)}, "all");
      case 3:
        return execute(Connect{request, target}, "");
      case 4:
        return execute(Disconnect{target}, "");
      case 5:
        return execute(AttachClient{request, NodeId{{request}}, 0}, "");
      default:
        return execute(Send{request, target, {}, Duration::Seconds(5)}, "message");
    }
  }

  void ExpectAllReachAll() {
    for (auto& node : net_.nodes) node->events.clear();
    for (auto& from : net_.nodes) {
      for (auto& to : net_.nodes) {
        if (from == to) continue;
        const Send send{++requests_, to->id(), {}, Duration::Seconds(10)};
        EXPECT_TRUE(from->host.Execute(send, "hello").ok());
      }
    }
    net_.network.RunFor(Duration::Seconds(12));
    for (auto& node : net_.nodes) EXPECT_EQ(node->Heard<Delivered>().size(), kNodes - 1);
  }

  Rng rng_;
  TestNetwork net_;
  std::vector<HostOptions> options_;
  std::uint32_t requests_ = 0;
};

// Seed 901: an island of newcomers knows of the rest only by bootstrap addresses that nobody
// answered when they came.
TEST(HostSwarm, BootstrapNodesThatWereNotReachedAreTriedAgain) {
  Swarm swarm(901);
  swarm.Run(60);
  swarm.Finish();
}

TEST(HostSwarm, EverybodyReachesEverybodyWhenTheFaultsAreOver) {
  for (std::uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Swarm swarm(seed);
    swarm.Run(60);
    swarm.Finish();
  }
}

}  // namespace
}  // namespace tombolo::node
