// Whether others can dial a node: found out by being dialled, and by asking for it.
#include "node/reachability.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/node/test_node.h"

namespace tombolo::node {
namespace {

constexpr Time kStart{};
const std::vector<PeerRef> kLinked = {PeerRef{1}, PeerRef{2}, PeerRef{3}, PeerRef{4}};

TEST(Reachability, OneSuccessOrThreeFailuresDecide) {
  Reachability reach;
  reach.Begin(true, std::nullopt, kStart);
  EXPECT_EQ(reach.reach(), Reach::kUnknown);
  EXPECT_TRUE(reach.dialable());
  Time now = kStart;
  for (const PeerRef expected : {PeerRef{1}, PeerRef{2}, PeerRef{3}}) {
    EXPECT_EQ(reach.Choose(kLinked, now), expected);
    EXPECT_EQ(reach.Choose(kLinked, now), std::nullopt) << "one at a time";
    EXPECT_EQ(reach.NotReached(expected, now), expected == PeerRef{3});
    now = now + Reachability::kNext;
  }
  EXPECT_EQ(reach.reach(), Reach::kNo);
  EXPECT_FALSE(reach.dialable());
  EXPECT_TRUE(reach.Reached(now));
  EXPECT_EQ(reach.reach(), Reach::kYes);
  EXPECT_EQ(reach.next_deadline(), now + Reachability::kAgain);
}

TEST(Reachability, ALiarThatFailsAgainAndAgainCountsOnce) {
  Reachability reach;
  reach.Begin(true, std::nullopt, kStart);
  for (int i = 0; i < 10; ++i) reach.NotReached(PeerRef{1}, kStart);
  EXPECT_EQ(reach.reach(), Reach::kUnknown);
}

TEST(Reachability, TheOperatorHasTheLastWord) {
  Reachability reach;
  reach.Begin(true, true, kStart);
  for (const PeerRef peer : kLinked) EXPECT_FALSE(reach.NotReached(peer, kStart));
  EXPECT_EQ(reach.reach(), Reach::kYes);
  EXPECT_EQ(reach.next_deadline(), kNever);
  reach.Begin(true, false, kStart);
  EXPECT_FALSE(reach.Reached(kStart));
  EXPECT_EQ(reach.reach(), Reach::kNo);
  reach.Begin(false, true, kStart);  // without an address nobody can
  EXPECT_EQ(reach.reach(), Reach::kNo);
}

// A node that says where it can be dialled, but where nobody listens; it dials the others.
class DialBack : public testing::Test {
 protected:
  void SetUp() override { net.Grow(5); }
  TestNode& AddBehindNat(const std::string& address, bool listens) {
    HostOptions options = net.OptionsFor(net.nodes.size());
    options.self.addresses = {address};
    TestNode& node = net.Add(options);
    if (!listens) net.network.listening.erase(address);
    return node;
  }

  TestNetwork net;
};

TEST_F(DialBack, WhoCannotBeDialledLearnsItAndSaysSo) {
  TestNode& hidden = AddBehindNat("10.0.0.77:1", false);
  EXPECT_EQ(hidden.host.reach(), Reach::kUnknown);
  const bool found = net.network.RunUntilTrue([&] { return hidden.host.reach() == Reach::kNo; },
                                              Duration::Minutes(2));
  EXPECT_TRUE(found);
  EXPECT_FALSE(hidden.host.self().dialable);
}

TEST_F(DialBack, WhoCanBeDialledLearnsItFromWhoeverDials) {
  TestNode& open = AddBehindNat("10.0.0.78:1", true);
  const bool found = net.network.RunUntilTrue([&] { return open.host.reach() == Reach::kYes; },
                                              Duration::Minutes(2));
  EXPECT_TRUE(found);
}

// Nobody looks up a name for another: its owner says the numbers.
TEST_F(DialBack, ANameIsDialledBackByItsNumbers) {
  TestNode& hidden = AddBehindNat("10.0.0.77:1", false);
  hidden.host.SetReachability({"node.example:1"}, std::nullopt);
  net.network.RunFor(Duration::Minutes(2));
  EXPECT_EQ(hidden.host.reach(), Reach::kUnknown);
  hidden.host.SetDialBack("10.0.0.77:1");
  const bool found = net.network.RunUntilTrue([&] { return hidden.host.reach() == Reach::kNo; },
                                              Duration::Minutes(4));
  EXPECT_TRUE(found);
  // Other addresses, other numbers.
  hidden.host.SetReachability({"other.example:1"}, std::nullopt);
  net.network.RunFor(Duration::Minutes(2));
  EXPECT_EQ(hidden.host.reach(), Reach::kUnknown);
}

// The victim listens; the asker has the address of another host in mind.
class Amplifier : public testing::Test {
 protected:
  void SetUp() override {
    net.Grow(2);
    for (const ConnectionId id : net.at(1).transport.connections()) link = id;
  }
  void Ask(const std::string& address) {
    Frame frame;
    frame.mutable_dial_back()->set_address(address);
    net.at(1).transport.SendBytes(link, frame.SerializeAsString());
    net.network.RunFor(Duration::Seconds(1));
  }
  std::uint64_t Made() { return net.at(0).count(LinkCount::kDialBacks); }
  std::uint64_t Refused() { return net.at(0).count(LinkCount::kDialBacksRefused); }

  TestNetwork net;
  ConnectionId link{};
};

TEST_F(Amplifier, NobodyElsesHostIsDialled) {
  const std::uint64_t made = Made();
  const std::uint64_t refused = Refused();
  for (const char* address : {"10.0.0.200:1", "victim.example:80", "10.0.0.2:0", "nonsense", ""}) {
    Ask(address);
  }
  EXPECT_EQ(Made(), made);
  EXPECT_EQ(Refused(), refused + 5);
}

TEST_F(Amplifier, OneLinkMayAskOnceAMinute) {
  net.network.RunFor(Duration::Minutes(2));
  const std::uint64_t made = Made();
  for (int i = 0; i < 20; ++i) Ask("10.0.0.2:9");
  EXPECT_EQ(Made(), made + 1);
  net.network.RunFor(Duration::Minutes(1));
  Ask("10.0.0.2:9");
  EXPECT_EQ(Made(), made + 2);
}

TEST_F(Amplifier, AResultThatNobodyAskedForIsIgnored) {
  net.network.RunFor(Duration::Minutes(2));
  const Reach before = net.at(0).host.reach();
  for (int i = 0; i < 5; ++i) {
    Frame frame;
    frame.mutable_dial_back_result()->set_outcome(link::v1::DialBackResult::FAILED);
    net.at(1).transport.SendBytes(link, frame.SerializeAsString());
    net.network.RunFor(Duration::Seconds(1));
  }
  EXPECT_EQ(net.at(0).host.reach(), before);
}

}  // namespace
}  // namespace tombolo::node
