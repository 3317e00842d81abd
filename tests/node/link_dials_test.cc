// Dials of the link table, over a transport that only takes notes.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "node/link_table.h"

namespace tombolo::node {
namespace {

using Strings = std::vector<std::string>;

class Notes final : public Transport {
 public:
  ConnectionId Dial(const std::string& address, std::optional<NodeId>) override {
    dialled.push_back(address);
    return ConnectionId{dialled.size()};
  }
  std::size_t Send(ConnectionId, Frame frame) override {
    sent.push_back(std::move(frame));
    return 0;
  }
  std::size_t queued(ConnectionId) const override { return 0; }
  std::size_t buffered() const override { return 0; }
  void Close(ConnectionId connection) override { closed.push_back(connection); }
  absl::Status Listen(const std::string&) override { return absl::OkStatus(); }
  std::string listening() const override { return {}; }
  void Stop() override {}

  Strings dialled;
  std::vector<Frame> sent;
  std::vector<ConnectionId> closed;
};

class Dials : public testing::Test, public LinkEvents {
 protected:
  Dials() { table.Start(transport); }

  void LinkIsUp(PeerRef, const LinkAttributes&) override { ++ups; }
  void LinkIsDown(PeerRef, LinkDownReason reason) override { downs.push_back(reason); }
  void PressureIs(PeerRef, LinkPressure) override {}
  void MessageCame(PeerRef, wire::Message&) override {}
  void SegmentCame(PeerRef, link::v1::Segment&) override {}
  void PathChanged(PeerRef, bool) override {}
  void AddressDone(const std::string&, PeerRef) override {}
  void ConnectionEnded(const Connection& connection) override {
    endings.push_back(connection.ending);
  }

  static LinkOptions Options() {
    LinkOptions options;
    options.max_dials = 3;
    return options;
  }
  static SelfDescription Self() {
    SelfDescription self;
    self.id = NodeId{{1}};
    return self;
  }
  NodeId IdOf(std::uint32_t number) const { return NodeId{{number, 7}}; }
  PeerRef Peer(std::uint32_t number, std::vector<std::string_view> addresses) {
    return *peers.Name(IdOf(number), addresses, KnownPeers::self(), Time{});
  }
  void Fail(std::uint64_t connection) {
    table.Closed(ConnectionId{connection}, CloseCause::kDialFailed, "", now);
  }
  void PassTime(Duration span) {
    now = now + span;
    table.Tick(now);
  }

  Time now{Duration::Hours(1).us};
  SelfDescription self = Self();
  KnownPeers peers{self.id};
  ContactLists lists;
  PayloadStore payloads;
  Codec codec{peers, lists, payloads};
  Notes transport;
  LinkTable table{Options(), self, peers, codec, *this, 1};
  int ups = 0;
  std::vector<LinkDownReason> downs;
  Strings endings;
};

TEST_F(Dials, TryTheAddressesInTurn) {
  const PeerRef peer = Peer(2, {"a:1", "b:1", "c:1"});
  peers.NotReached(peer, "a:1");
  table.Keep(peer, now);
  Fail(1);
  Fail(2);
  EXPECT_TRUE(downs.empty());
  Fail(3);
  EXPECT_EQ(transport.dialled, (Strings{"b:1", "c:1", "a:1"}));
  EXPECT_EQ(downs, std::vector<LinkDownReason>{LinkDownReason::kDialFailed});
  EXPECT_EQ(endings, (Strings{"not reached", "not reached", "not reached"}));
  EXPECT_EQ(table.connection_count(), 0U);
}

TEST_F(Dials, WhatDoesNotAnswerInTimeHasFailed) {
  table.Keep(Peer(2, {"a:1"}), now);
  EXPECT_EQ(table.next_deadline(), now + LinkOptions().dial_deadline);
  PassTime(LinkOptions().dial_deadline);
  EXPECT_EQ(transport.closed, std::vector<ConnectionId>{ConnectionId{1}});
  EXPECT_EQ(downs, std::vector<LinkDownReason>{LinkDownReason::kDialFailed});
  table.Closed(ConnectionId{1}, CloseCause::kLocal, "", now);
  EXPECT_EQ(endings, Strings{"no answer"});
  EXPECT_EQ(downs.size(), 1U);
}

TEST_F(Dials, KeepWaitsForTheEndOfTheBackOff) {
  const PeerRef peer = Peer(2, {"a:1"});
  table.Keep(peer, now);
  Fail(1);
  table.Keep(peer, now);
  EXPECT_EQ(transport.dialled.size(), 1U);
  EXPECT_LE(table.next_deadline(), now + kFirstBackOff);
  PassTime(kFirstBackOff);
  EXPECT_EQ(transport.dialled.size(), 2U);
}

TEST_F(Dials, MessagesWaitUpToABoundAndAreLostWithTheDial) {
  const PeerRef peer = Peer(2, {"a:1"});
  for (std::uint32_t i = 0; i < 100; ++i) table.Send(peer, Ping{i}, now);
  EXPECT_EQ(transport.dialled.size(), 1U);
  EXPECT_EQ(table.count(LinkCount::kDialOverload), 100 - LinkOptions().dial_messages);
  Fail(1);
  EXPECT_EQ(table.count(LinkCount::kDialLost), LinkOptions().dial_messages);
  table.Send(peer, Ping{1}, now);
  EXPECT_EQ(table.count(LinkCount::kBackingOff), 1U);
  EXPECT_EQ(transport.dialled.size(), 1U);
}

TEST_F(Dials, WhatWaitsIsBufferedUntilTheDialHasEnded) {
  const PeerRef lost = Peer(2, {"a:1"});
  table.Send(lost, Ping{1}, now);
  const std::size_t one = table.buffered();
  EXPECT_GT(one, 0U);
  table.Send(Peer(3, {"b:1"}), Ping{1}, now);
  EXPECT_EQ(table.buffered(), 2 * one);
  Fail(1);
  EXPECT_EQ(table.buffered(), one);
  table.Opened(ConnectionId{2}, {IdOf(3), true, "b:1"}, now);
  SelfDescription other;
  other.id = IdOf(3);
  Frame hello;
  WriteHello(other, 0, *hello.mutable_hello());
  table.Received(ConnectionId{2}, hello, now);
  EXPECT_EQ(table.buffered(), 0U) << "from now on the transport's";
}

TEST_F(Dials, MessagesThatHaveWaitedGoInTheFirstFrameAfterTheHello) {
  const PeerRef peer = Peer(2, {"a:1"});
  for (std::uint32_t i = 0; i < 3; ++i) table.Send(peer, Ping{i}, now);
  table.Opened(ConnectionId{1}, {IdOf(2), true, "a:1"}, now);
  table.Flush();
  ASSERT_EQ(transport.sent.size(), 1U);
  EXPECT_TRUE(transport.sent[0].has_hello());
  EXPECT_EQ(transport.sent[0].messages_size(), 0);
  SelfDescription other;
  other.id = IdOf(2);
  Frame answer;
  WriteHello(other, 0, *answer.mutable_hello());
  table.Received(ConnectionId{1}, answer, now);
  table.Flush();
  ASSERT_EQ(transport.sent.size(), 2U);
  EXPECT_EQ(transport.sent[1].messages_size(), 3);
  EXPECT_FALSE(transport.sent[1].keep());
  EXPECT_EQ(ups, 0);
  // The overlay wants the link now.
  table.Keep(peer, now);
  table.Flush();
  EXPECT_TRUE(transport.sent[2].keep());
  EXPECT_EQ(ups, 1);
}

TEST_F(Dials, OnlySoManyPeersAreDialledAtOnceForMessages) {
  for (std::uint32_t i = 2; i < 7; ++i) table.Send(Peer(i, {"a:1"}), Ping{i}, now);
  EXPECT_EQ(transport.dialled.size(), 3U);
  EXPECT_EQ(table.count(LinkCount::kDialOverload), 2U);
}

TEST_F(Dials, SomeMessagesDialNobody) {
  table.Send(Peer(2, {}), Ping{1}, now);
  EXPECT_EQ(table.count(LinkCount::kNotDialable), 1U);
  table.Send(Peer(3, {"a:1"}), HopAck{1, HopStatus::kAccepted}, now);
  table.Send(Peer(3, {"a:1"}), GossipPrune{1}, now);
  EXPECT_EQ(table.count(LinkCount::kNoLink), 2U);
  EXPECT_TRUE(transport.dialled.empty());
  table.Keep(Peer(2, {}), now);
  EXPECT_EQ(downs, std::vector<LinkDownReason>{LinkDownReason::kDialFailed});
}

}  // namespace
}  // namespace tombolo::node
