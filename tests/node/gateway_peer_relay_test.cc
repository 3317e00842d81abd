// The peer-relay gateway in virtual time: sessions, routing within a node and between nodes, moves
// and splits. Among originals: gateway_network_test.cc.
#include "node/gateway/peer_relay.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/node/gateway_net.h"

namespace tombolo::node {
namespace {

constexpr Duration kShort = Duration::Seconds(2);

TEST(PeerRelayGatewayTest, NodeGreetsWithItsId) {
  GatewayNet net(1);
  RelayClient a(net.NewId(), net.at(0));
  ASSERT_EQ(a.socket().heard.size(), 1U);
  EXPECT_EQ(ParsePeerRelayId(a.socket().heard[0]), net.at(0).id());
}

TEST(PeerRelayGatewayTest, PairOnOneNodeNeverLeavesIt) {
  GatewayNet net(2);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(0));
  a.Send(b.id(), "hello");
  EXPECT_EQ(b.Times(a.id(), "hello"), 1) << "within the call";
  PeerRelayFrame frame;
  ASSERT_EQ(ParsePeerRelayFrame(b.socket().heard.at(1), frame), PeerRelayFault::kNone);
  ASSERT_EQ(frame.hops, 2U);
  EXPECT_EQ(frame.path[1], net.at(0).id()) << "so that the original knows the way back";
  EXPECT_EQ(net.at(0).count("remote_sent"), 0U);
}

TEST(PeerRelayGatewayTest, ClientsOfAllNodesReachEachOther) {
  GatewayNet net(5);
  std::vector<std::unique_ptr<RelayClient>> clients;
  for (std::size_t i = 0; i < 10; ++i)
    clients.push_back(std::make_unique<RelayClient>(net.NewId(), net.at(i % 5)));
  net.RunFor(kShort);
  for (const auto& from : clients) {
    for (const auto& to : clients) {
      if (from != to) from->Send(to->id(), "x");
    }
  }
  net.RunFor(kShort);
  for (const auto& from : clients) {
    for (const auto& to : clients) {
      EXPECT_EQ(to->Times(from->id(), "x"), from != to ? 1 : 0);
    }
  }
}

TEST(PeerRelayGatewayTest, FramesToOneHomeShareBatches) {
  GatewayNet net(2);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(1));
  net.RunFor(kShort);
  a.Send(b.id(), "first");
  net.RunFor(kShort);
  for (int i = 0; i < 500; ++i) a.Send(b.id(), "x");
  net.RunFor(kShort);
  EXPECT_EQ(b.Times(a.id(), "x"), 500);
  const auto forwards = net.at(0).host.counters().sent;
  EXPECT_LT(forwards[Message(Forward{}).index()], 20U);
}

TEST(PeerRelayGatewayTest, UnknownTargetIsLookedForOncePerSecond) {
  GatewayNet net(3);
  RelayClient a(net.NewId(), net.at(0));
  const NodeId nobody = net.NewId();
  for (int i = 0; i < 10; ++i) {
    a.Send(nobody, "x");
    net.RunFor(Duration::Milliseconds(50));
  }
  net.RunFor(kShort);
  EXPECT_EQ(net.at(0).count("remote_unknown"), 10U);
  EXPECT_EQ(net.at(0).count("remote_sent"), 0U);
  EXPECT_FALSE(a.closed());
}

TEST(PeerRelayGatewayTest, MovedClientIsFoundAndToldOnce) {
  GatewayNet net(4);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(1));
  net.RunFor(kShort);
  a.Send(b.id(), "before");
  net.RunFor(kShort);
  ASSERT_EQ(b.Times(a.id(), "before"), 1);
  b.MoveTo(net.at(2));
  net.RunFor(Duration::Milliseconds(500));
  a.Send(b.id(), "after");  // node 0 still thinks that it is at node 1, which forwards
  net.RunFor(kShort);
  EXPECT_EQ(b.Times(a.id(), "after"), 1);
  EXPECT_EQ(net.at(1).count("remote_forwarded"), 1U);
  EXPECT_EQ(net.at(0).count("remote_gone"), 1U);
  a.Send(b.id(), "again");
  net.RunFor(kShort);
  EXPECT_EQ(b.Times(a.id(), "again"), 1);
  EXPECT_EQ(net.at(1).count("remote_forwarded"), 1U) << "directly this time";
}

TEST(PeerRelayGatewayTest, ForwardedFrameIsRoutedAnewIfTheNextHomeIsLost) {
  GatewayNet net(5);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(1));
  net.RunFor(kShort);
  a.Send(b.id(), "before");
  net.RunFor(kShort);
  b.MoveTo(net.at(2));
  net.RunFor(Duration::Milliseconds(500));
  net.network().islands[TestNetwork::AddressOf(2)] = 1;
  a.Send(b.id(), "after");  // to node 1, which forwards to node 2
  net.RunFor(Duration::Seconds(1));
  b.MoveTo(net.at(3));
  net.RunFor(Duration::Minutes(2));
  EXPECT_EQ(net.at(1).count("remote_forwarded"), 1U);
  EXPECT_EQ(net.at(1).count("remote_retried"), 1U);
  EXPECT_EQ(b.Times(a.id(), "after"), 1);
}

TEST(PeerRelayGatewayTest, ClientOfTwoNodesKeepsBothWays) {
  GatewayNet net(3);
  const NodeId id = net.NewId();
  RelayClient first(id, net.at(0));
  net.RunFor(kShort);
  RelayClient second(id, net.at(1));
  net.RunFor(kShort);
  EXPECT_EQ(net.at(0).count("moved_away"), 1U);
  EXPECT_EQ(first.socket().probes, 1) << "is it still there?";
  EXPECT_FALSE(first.closed());
  RelayClient a(net.NewId(), net.at(2));
  a.Send(id, "one");
  net.RunFor(kShort);
  EXPECT_EQ(first.Times(a.id(), "one"), 0);
  EXPECT_EQ(second.Times(a.id(), "one"), 1);
  second.HangUp();
  net.RunFor(Duration::Seconds(15));  // the first node takes the lease over
  a.Send(id, "two");
  net.RunFor(kShort);
  EXPECT_EQ(first.Times(a.id(), "two"), 1);
}

TEST(PeerRelayGatewayTest, MessageThroughTwoNodesArrivesOnce) {
  GatewayNet net(3);
  const NodeId id = net.NewId();
  RelayClient one(id, net.at(0));
  RelayClient two(id, net.at(1));
  RelayClient b(net.NewId(), net.at(2));
  net.RunFor(kShort);
  one.Send(b.id(), "x", "17");
  two.Send(b.id(), "x", "17");
  net.RunFor(kShort);
  EXPECT_EQ(b.Times(id, "x"), 1);
  EXPECT_EQ(net.at(2).count("repeated"), 1U);
}

TEST(PeerRelayGatewayTest, LaterConnectionHasTheIdAndTheEndOfTheEarlierOneIsHarmless) {
  GatewayNet net(1);
  RelayClient a(net.NewId(), net.at(0));
  const NodeId id = net.NewId();
  RelayClient first(id, net.at(0));
  RelayClient second(id, net.at(0));
  EXPECT_EQ(first.socket().code, CloseCode::kNormal);
  first.HangUp();
  a.Send(id, "x");
  EXPECT_EQ(second.Times(a.id(), "x"), 1);
  EXPECT_EQ(net.at(0).gateway.clients(), 2U);
}

TEST(PeerRelayGatewayTest, NobodySpeaksForOthers) {
  GatewayNet net(1);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(0));
  RelayClient c(net.NewId(), net.at(0));
  c.SayAs(a.id(), b.id(), "{\"type\":\"user\",\"data\":\"forged\"}", "1");
  c.SayAs(net.at(0).id(), b.id(), "{\"type\":\"user\",\"data\":\"forged\"}", "2");
  EXPECT_TRUE(b.Heard().empty());
  EXPECT_EQ(net.at(0).count("foreign"), 2U);
  EXPECT_FALSE(c.closed()) << "originals pass on what they get";
}

TEST(PeerRelayGatewayTest, RepeatedAndFarTravelledFramesAreDropped) {
  GatewayNet net(1);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(0));
  a.Send(b.id(), "x", "17");
  a.Send(b.id(), "x", "17");
  EXPECT_EQ(b.Times(a.id(), "x"), 1);
  EXPECT_EQ(net.at(0).count("repeated"), 1U);
  std::string path;
  for (std::size_t i = 0; i < kPeerRelayHops; ++i)
    path += (i > 0 ? ",\"" : "\"") + net.NewId().ToHex() + "\"";
  a.SayText("{\"to\":\"" + b.id().ToHex() + "\",\"from\":\"" + a.id().ToHex() + "\",\"path\":[" +
            path + "],\"nonce\":\"18\",\"data\":{\"type\":\"user\"}}");
  EXPECT_EQ(net.at(0).count("too_many_hops"), 1U);
  EXPECT_EQ(b.Heard().size(), 1U);
}

TEST(PeerRelayGatewayTest, GarbageClosesTheSessionWithAReason) {
  GatewayNet net(1);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nonsense", "no_json"},
      {"{}", "no_frame"},
      {"{\"to\":1,\"from\":1,\"path\":[],\"nonce\":\"1\",\"data\":{}}", "bad_id"}};
  for (const auto& [text, counter] : cases) {
    RelayClient bad(net.NewId(), net.at(0));
    bad.SayText(text);
    EXPECT_TRUE(bad.closed()) << text;
    EXPECT_EQ(net.at(0).count(counter), 1U) << counter;
  }
  RelayClient binary(net.NewId(), net.at(0));
  net.at(0).sockets.Say(binary.socket(), "\xff", MessageKind::kBinary);
  EXPECT_TRUE(binary.closed());
  MemorySocket& greeting = net.at(0).sockets.Open();
  net.at(0).sockets.Say(greeting, "5");
  EXPECT_EQ(greeting.code, CloseCode::kPolicy);
  EXPECT_EQ(net.at(0).count("bad_greeting"), 1U);
}

TEST(PeerRelayGatewayTest, WhoSaysNothingIsClosed) {
  GatewayNet net(1);
  MemorySocket& mute = net.at(0).sockets.Open();
  net.RunFor(Duration::Seconds(12));
  EXPECT_TRUE(mute.code.has_value());
  EXPECT_EQ(net.at(0).count("no_greeting"), 1U);
}

TEST(PeerRelayGatewayTest, SignalsGoToWhoHasShownWebRtc) {
  GatewayNet net(1);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(0));
  const std::string signal = "{\"type\":\"signal\",\"data\":{\"sdp\":\"x\"}}";
  a.SayData(b.id(), signal);
  EXPECT_TRUE(b.Heard().empty());
  EXPECT_EQ(net.at(0).count("no_wrtc"), 1U);
  b.SayData(a.id(), "{\"type\":\"handshake-answer\",\"data\":{\"ws\":null,\"wrtc\":true}}");
  a.SayData(b.id(), signal);
  EXPECT_EQ(b.Heard().size(), 1U);
  b.SayData(a.id(), signal);
  EXPECT_EQ(a.Heard().size(), 2U) << "who signals can";
}

TEST(PeerRelayGatewayTest, NodeNamesCandidatesAndItsUrl) {
  GatewayNet net(2);
  GatewayNode& node = net.at(0);
  RelayClient a(net.NewId(), node);
  RelayClient b(net.NewId(), node);
  RelayClient c(net.NewId(), node);
  const auto ask = [&](RelayClient& client) {
    client.SayData(node.id(), FindPeersData(client.id()));
    return client.Heard().back().second;
  };
  EXPECT_EQ(ask(a), FoundPeersData(std::vector{a.id(), b.id()})) << "or c";
  RelayClient far(net.NewId(), net.at(1));
  net.RunFor(kShort);
  far.SayData(node.id(), OfferData());  // the node is no client: it has no lease
  net.RunFor(kShort);
  EXPECT_TRUE(far.Heard().empty());
}

TEST(PeerRelayGatewayTest, NodeThatLeavesSendsItsClientsToGatewaysThatItKnows) {
  GatewayNet net(2);
  GatewayNode& other = net.at(1);
  RelayClient client(net.NewId(), net.at(0));
  RelayClient far(net.NewId(), other);
  net.RunFor(kShort);
  net.at(0).gateway.TellLeaving();
  EXPECT_TRUE(client.Heard().empty()) << "it has met no other gateway";
  far.Send(client.id(), "x");
  net.RunFor(kShort);
  net.at(0).gateway.TellLeaving();
  EXPECT_EQ(client.Heard().back().first, net.at(0).id());
  EXPECT_EQ(client.Heard().back().second, FoundPeersData(std::vector{other.id()}));
  client.SayData(other.id(), OfferData());  // as an original asks each candidate
  net.RunFor(kShort);
  EXPECT_EQ(client.Heard().back().first, other.id());
  EXPECT_EQ(client.Heard().back().second, AnswerData("ws://" + TestNetwork::AddressOf(1)));
}

TEST(PeerRelayGatewayTest, SlowReaderLosesMessagesAndNothingElse) {
  GatewayNet net(1);
  RelayClient a(net.NewId(), net.at(0));
  RelayClient b(net.NewId(), net.at(0));
  b.socket().full = true;
  a.Send(b.id(), "lost");
  EXPECT_EQ(net.at(0).count("queue_full"), 1U);
  b.socket().full = false;
  a.Send(b.id(), "arrives");
  EXPECT_EQ(b.Times(a.id(), "arrives"), 1);
}

TEST(PeerRelayGatewayTest, GarbageOfOtherNodesIsCounted) {
  GatewayNet net(2);
  RelayClient b(net.NewId(), net.at(1));
  net.RunFor(kShort);
  const std::string tag(PeerRelayRemote::kTag);
  for (const std::string& tail :
       {std::string("\xff\xff\xff\xff"), std::string("\0\0\0\1x", 5), std::string(3, '\0'),
        std::string("\0\0\0\x16", 4) + std::string(22, '\0'),
        std::string("\0\0\0\x2c", 4) + std::string(44, '\0')}) {
    Send send;
    send.target = net.at(1).id();
    send.deadline = Duration::Seconds(5);
    EXPECT_TRUE(net.at(0).application.Do(send, tag + tail).ok());
  }
  net.RunFor(kShort);
  EXPECT_EQ(net.at(1).count("remote_bad_item"), 5U);
  EXPECT_TRUE(b.Heard().empty());
}

TEST(PeerRelayGatewayTest, IslandsGoOnAndAllMeetAfterTheHeal) {
  GatewayNet net(6);
  std::vector<std::unique_ptr<RelayClient>> clients;
  for (std::size_t i = 0; i < 6; ++i)
    clients.push_back(std::make_unique<RelayClient>(net.NewId(), net.at(i)));
  net.RunFor(Duration::Seconds(5));
  for (std::size_t i = 3; i < 6; ++i) net.network().islands[TestNetwork::AddressOf(i)] = 1;
  net.RunFor(Duration::Seconds(60));
  const auto all_hear = [&](std::size_t begin, std::size_t end, const std::string& text) {
    for (int attempt = 0; attempt < 3; ++attempt) {
      for (std::size_t i = begin; i < end; ++i) {
        for (std::size_t k = begin; k < end; ++k) {
          if (i != k) clients[i]->Send(clients[k]->id(), text);
        }
      }
      net.RunFor(Duration::Seconds(7));
    }
    bool all = true;
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t k = begin; k < end; ++k)
        all = all && (i == k || clients[k]->Times(clients[i]->id(), text) > 0);
    }
    return all;
  };
  EXPECT_TRUE(all_hear(0, 3, "one island"));
  EXPECT_TRUE(all_hear(3, 6, "the other"));
  net.network().islands.clear();
  net.RunFor(Duration::Seconds(60));
  EXPECT_TRUE(all_hear(0, 6, "all"));
}

}  // namespace
}  // namespace tombolo::node
