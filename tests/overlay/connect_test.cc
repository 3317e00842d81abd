#include "overlay/connect.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "tests/overlay/toy_net.h"

namespace tombolo {
namespace {

// 0 and 3 know each other only through 1 and 2.
class ConnectTest : public testing::Test {
 protected:
  ConnectTest() : net_(4) {
    net_.Link(0, 1);
    net_.Link(1, 2);
    net_.Link(2, 3);
    for (auto& toy : net_.toys) toy.events.clear();
  }

  void Hide(std::size_t peer) {
    PeerAttributes attributes;
    attributes.dialable = false;
    net_.directory.set_attributes(net_.toys[peer].ref, attributes);
  }

  const Link* LinkFrom(std::size_t a, std::size_t b) {
    return net_.toys[a].links.Find(net_.toys[b].ref, net_.Part(a));
  }

  void ExpectLinkedBy(std::size_t dialler) {
    net_.Run();
    const Link* near = LinkFrom(0, 3);
    ASSERT_NE(near, nullptr);
    ASSERT_NE(LinkFrom(3, 0), nullptr);
    EXPECT_TRUE(near->requested);
    EXPECT_EQ(near->outbound, dialler == 0);
    EXPECT_EQ(net_.Count<PeerUp>(0), 1U);
    EXPECT_EQ(net_.Count<Failed>(0), 0U);
    EXPECT_EQ(net_.toys[0].requests.size(), 0U);
  }

  ToyNet net_;
};

TEST_F(ConnectTest, TheAskingSideDialsAPeerThatCanBeDialled) {
  net_.Connect(0, 3, 7);
  ExpectLinkedBy(0);
  net_.ExpectQuiet();
}

TEST_F(ConnectTest, ThePeerDialsIfOnlyTheAskingSideCanBeDialled) {
  Hide(3);
  net_.Connect(0, 3, 7);
  ExpectLinkedBy(3);
}

TEST_F(ConnectTest, AHiddenPeerDialsOut) {
  Hide(0);
  net_.Connect(0, 3, 7);
  ExpectLinkedBy(0);
}

TEST_F(ConnectTest, TwoHiddenPeersCannot) {
  Hide(0);
  Hide(3);
  net_.Connect(0, 3, 7);
  net_.Run();
  EXPECT_EQ(net_.Failure(0, 7), FailReason::kUndialable);
  EXPECT_EQ(LinkFrom(0, 3), nullptr);
}

TEST_F(ConnectTest, FailedDialEndsTheRequest) {
  net_.no_dial.insert({0, 3});
  net_.Connect(0, 3, 7);
  net_.Run();
  EXPECT_EQ(net_.Failure(0, 7), FailReason::kUndialable);
}

TEST_F(ConnectTest, SilenceEndsAtTheDeadline) {
  Hide(3);
  net_.no_dial.insert({3, 0});
  net_.Connect(0, 3, 7);
  net_.Run();
  EXPECT_EQ(net_.Failure(0, 7), FailReason::kDeadline);
  EXPECT_EQ(net_.toys[0].events.back().first, Time{} + net_.config.relay.connect_timeout);
}

TEST_F(ConnectTest, UnreachablePeerIsTold) {
  net_.Unlink(2, 3);
  net_.config.relay.tries = 1;
  net_.Connect(0, 3, 7);
  net_.Run();
  EXPECT_EQ(net_.Failure(0, 7), FailReason::kUnreachable);
}

TEST_F(ConnectTest, LossIsRepaired) {
  net_.loss = (std::uint64_t{1} << 32) / 10;
  net_.Connect(0, 3, 7);
  ExpectLinkedBy(0);
}

TEST_F(ConnectTest, ALinkThatComesUpAnyhowEndsTheRequest) {
  net_.Connect(0, 3, 7);
  net_.Link(3, 0);
  ExpectLinkedBy(3);
}

TEST_F(ConnectTest, OneselfIsRefused) {
  net_.Connect(0, 0, 7);
  EXPECT_EQ(net_.Failure(0, 7), FailReason::kRefused);
}

TEST_F(ConnectTest, TooManyRequestsFailWithOverload) {
  for (std::uint32_t i = 0; i <= LinkRequests::kMaxRequests; ++i) net_.Connect(0, 3, i);
  EXPECT_EQ(net_.Failure(0, LinkRequests::kMaxRequests), FailReason::kOverload);
  EXPECT_EQ(net_.toys[0].requests.size(), LinkRequests::kMaxRequests);
}

TEST_F(ConnectTest, StopEndsAllRequests) {
  net_.Connect(0, 3, 7);
  net_.toys[0].requests.Stop(net_.Part(0));
  net_.Drain(0);
  EXPECT_EQ(net_.Failure(0, 7), FailReason::kLeft);
  EXPECT_EQ(net_.toys[0].requests.next_deadline(), kNever);
}

TEST_F(ConnectTest, ForgedAnswersChangeNothing) {
  net_.Connect(0, 3, 7);
  RelayNews news;
  news.kind = RelayNews::Kind::kRefused;
  news.request = 0;
  news.peer = net_.toys[2].id;  // another peer than the one asked
  EXPECT_EQ(net_.toys[0].requests.OnAnswer(news, net_.Part(0)), PeerRef::kNone);
  ExpectLinkedBy(0);
}

}  // namespace
}  // namespace tombolo
