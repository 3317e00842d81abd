// What nodes say first, and what becomes of those who say something else.
#include "node/hello.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/node/stranger.h"

namespace tombolo::node {
namespace {

using link::v1::Goodbye;

class Hellos : public testing::Test {
 protected:
  void SetUp() override {
    net.Grow(2);
    stranger = std::make_unique<Stranger>(net, "10.7.0.1:1");
    stranger->DialNode(0);
  }
  TestNode& node() { return net.at(0); }
  bool Welcome() const { return !stranger->SentAway(); }

  TestNetwork net;
  std::unique_ptr<Stranger> stranger;
};

TEST_F(Hellos, AGoodOneIsWelcome) {
  ASSERT_EQ(stranger->frames.size(), 1U);
  EXPECT_EQ(stranger->frames[0].hello().id().size(), kIdBytes);
  EXPECT_EQ(stranger->frames[0].hello().addresses(0), TestNetwork::AddressOf(0));
  Frame frame = stranger->GoodHello();
  frame.mutable_hello()->set_minor(3);
  frame.mutable_hello()->set_agent("other 1.2");
  frame.mutable_hello()->add_capabilities("channels");
  stranger->Say(frame);
  EXPECT_TRUE(Welcome());
  const auto peer = node().host.known().ids().Find(stranger->id());
  ASSERT_TRUE(peer);
  const Connection* connection = node().host.links().Find(*peer);
  ASSERT_NE(connection, nullptr);
  EXPECT_EQ(connection->says.minor, 3U);
  EXPECT_EQ(connection->says.agent, "other 1.2");
  EXPECT_EQ(connection->says.capabilities, std::vector<std::string>{"channels"});
}

TEST_F(Hellos, NothingIsHeardBeforeIt) {
  Frame early;
  early.add_messages()->mutable_ping()->set_rpc(1);
  stranger->Say(early);
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
  EXPECT_EQ(node().count(LinkCount::kRefusedHello), 1U);
  EXPECT_FALSE(node().host.known().ids().Find(stranger->id()));
}

TEST_F(Hellos, WhoSaysNothingIsSentAway) {
  net.network.RunFor(Duration::Seconds(6));
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
  net.network.RunFor(Duration::Seconds(3));
  EXPECT_EQ(stranger->closed, CloseCause::kRemote);
  EXPECT_EQ(node().count(LinkCount::kRefusedHello), 1U);
}

TEST_F(Hellos, AnotherMajorVersionIsSentAwayAnotherMinorIsNot) {
  Frame frame = stranger->GoodHello();
  frame.mutable_hello()->set_minor(99);
  stranger->Say(frame);
  EXPECT_TRUE(Welcome());
  Stranger other(net, "10.7.0.2:1");
  other.DialNode(0);
  frame = other.GoodHello();
  frame.mutable_hello()->set_major(2);
  other.Say(frame);
  EXPECT_EQ(other.SentAway(), Goodbye::PROTOCOL);
}

TEST_F(Hellos, AnIdThatWasNotProvenIsRefused) {
  Frame frame = stranger->GoodHello();
  PutId(net.at(1).id(), *frame.mutable_hello()->mutable_id());
  stranger->Say(frame);
  EXPECT_EQ(stranger->SentAway(), Goodbye::REFUSED);
  EXPECT_TRUE(node().IsLinkedTo(net.at(1)));
}

TEST_F(Hellos, OddContentsAreRefused) {
  const auto spoil = [](int way, link::v1::Hello& hello) {
    if (way == 0) hello.set_id("short");
    if (way == 1) hello.add_addresses("unix:/etc/passwd");
    if (way == 2) hello.set_agent(std::string(kMaxAgentBytes + 1, 'a'));
    if (way == 3) hello.add_capabilities(std::string(kMaxCapabilityBytes + 1, 'c'));
    while (way == 4 && hello.addresses_size() <= 4) hello.add_addresses("a:1");
    while (way == 5 && hello.capabilities_size() <= 32) hello.add_capabilities("c");
  };
  for (int way = 0; way < 6; ++way) {
    Stranger other(net, "10.7.1." + std::to_string(way) + ":1");
    other.DialNode(0);
    Frame frame = other.GoodHello();
    spoil(way, *frame.mutable_hello());
    other.Say(frame);
    EXPECT_EQ(other.SentAway(), Goodbye::PROTOCOL) << way;
    EXPECT_FALSE(node().host.known().ids().Find(other.id())) << way;
  }
}

TEST_F(Hellos, ASecondOneBreaksTheProtocol) {
  stranger->Say(stranger->GoodHello());
  stranger->Say(stranger->GoodHello());
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
  EXPECT_EQ(node().count(LinkCount::kBrokenProtocol), 1U);
}

TEST_F(Hellos, SoDoesAFrameOfTooManyMessages) {
  Frame frame = stranger->GoodHello();
  for (int i = 0; i <= kMaxFrameMessages; ++i) frame.add_messages()->mutable_ping();
  stranger->Say(frame);
  EXPECT_EQ(stranger->SentAway(), Goodbye::PROTOCOL);
}

TEST_F(Hellos, BadMessagesAreCountedAndTheRestIsHeard) {
  Frame frame = stranger->GoodHello();
  frame.add_messages();
  frame.add_messages()->mutable_find_node()->set_target("short");
  frame.add_messages()->mutable_ping()->set_rpc(17);
  stranger->Say(frame);
  ASSERT_EQ(stranger->frames.size(), 2U);
  ASSERT_EQ(stranger->frames[1].messages_size(), 1);
  EXPECT_EQ(stranger->frames[1].messages(0).pong().rpc(), 17U);
  const auto& errors = node().host.codec().counters().errors;
  EXPECT_EQ(errors[static_cast<std::size_t>(DecodeError::kUnknownKind)], 1U);
  EXPECT_EQ(errors[static_cast<std::size_t>(DecodeError::kBadId)], 1U);
}

TEST_F(Hellos, WhoPosesAsSomebodyElseIsNotDialled) {
  net.at(1).transport.poses_as = stranger->id();
  TestNode& late = net.Add();
  net.network.RunFor(Duration::Seconds(10));
  EXPECT_TRUE(late.joined());
  EXPECT_FALSE(late.IsLinkedTo(net.at(1)));
  EXPECT_GT(late.count(LinkCount::kIdentityFailed), 0U);
}

}  // namespace
}  // namespace tombolo::node
