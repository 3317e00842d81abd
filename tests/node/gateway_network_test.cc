// The peer-relay gateway among original peers, and its parts.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "node/gateway/peer_relay.h"
#include "tests/node/gateway_net.h"

namespace tombolo::node {
namespace {

constexpr Duration kShort = Duration::Seconds(2);

// ---- Among originals.

PeerRelayOptions Joining(const std::string& url) {
  PeerRelayOptions options;
  options.bootstrap = {url};
  return options;
}

TEST(PeerRelayNetworkTest, BootstrapIsCalledAgainUntilItAnswers) {
  const std::string url = "ws://original:8001";
  GatewayNet net(1, Joining(url));
  GatewayNode& node = net.at(0);
  EXPECT_EQ(node.sockets.dialed, std::vector<std::string>{url});
  node.sockets.FailDial(url);
  net.RunFor(Duration::Seconds(10));
  EXPECT_EQ(node.sockets.dialed.size(), 2U);
  RelayClient original(net.NewId(), node, url);
  EXPECT_EQ(original.Heard().back().second, FindPeersData(node.id()));
  net.RunFor(Duration::Seconds(60));
  EXPECT_EQ(node.sockets.dialed.size(), 2U);
  original.HangUp();
  net.RunFor(Duration::Seconds(10));
  EXPECT_EQ(node.sockets.dialed.size(), 3U);
}

TEST(PeerRelayNetworkTest, SecondConnectionWithAnOriginalEndsBothAndItIsCalledAgain) {
  const std::string url = "ws://original:8001";
  GatewayNet net(1, Joining(url));
  GatewayNode& node = net.at(0);
  const NodeId id = net.NewId();
  RelayClient came(id, node);
  RelayClient called(id, node, url);
  EXPECT_TRUE(came.closed());
  EXPECT_TRUE(called.closed());
  came.HangUp();
  called.HangUp();
  net.RunFor(Duration::Seconds(2));
  EXPECT_EQ(node.sockets.dialed.size(), 2U);
  EXPECT_EQ(node.gateway.clients(), 0U);
}

TEST(PeerRelayNetworkTest, CandidatesAreAskedAndOnlyTheirAnswersAreBelieved) {
  const std::string url = "ws://original:8001";
  GatewayNet net(1, Joining(url));
  GatewayNode& node = net.at(0);
  RelayClient original(net.NewId(), node, url);
  const NodeId candidate = net.NewId();
  original.SayAs(net.NewId(), node.id(),
                 "{\"type\":\"handshake-answer\",\"data\":{\"ws\":\"ws://trap:1\"}}", "1");
  original.SayData(node.id(), FoundPeersData(std::vector{candidate, node.id(), original.id()}));
  net.RunFor(kShort);
  PeerRelayFrame offer;
  ASSERT_EQ(ParsePeerRelayFrame(original.socket().heard.back(), offer), PeerRelayFault::kNone);
  EXPECT_EQ(offer.type, PeerRelayType::kOffer);
  EXPECT_EQ(offer.to, candidate);
  original.SayAs(candidate, node.id(),
                 "{\"type\":\"handshake-answer\",\"data\":{\"ws\":\"ws://other:8002\"}}", "2");
  EXPECT_EQ(node.sockets.dialed, (std::vector<std::string>{url, "ws://other:8002"}));
}

TEST(PeerRelayNetworkTest, FramesForUnknownIdsGoToTwoPeersThatHaveNotHadThem) {
  const std::string url = "ws://original:8001";
  GatewayNet net(1, Joining(url));
  GatewayNode& node = net.at(0);
  RelayClient bootstrap(net.NewId(), node, url);
  RelayClient client(net.NewId(), node);
  std::vector<std::unique_ptr<RelayClient>> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<RelayClient>(net.NewId(), node));
    // Passing on something shows that it relays.
    peers.back()->SayAs(net.NewId(), client.id(), "{\"type\":\"user\"}", "1");
  }
  EXPECT_EQ(client.Times(net.NewId(), ""), 0);
  const NodeId far = net.NewId();
  peers[0]->Send(far, "x");
  net.RunFor(kShort);
  int copies = 0;
  for (auto& peer : peers) {
    for (const std::string& text : peer->socket().heard) {
      PeerRelayFrame frame;
      const bool is_frame = ParsePeerRelayFrame(text, frame) == PeerRelayFault::kNone;
      copies += is_frame && frame.to == far ? 1 : 0;
    }
  }
  for (const std::string& text : bootstrap.socket().heard) {
    PeerRelayFrame frame;
    const bool is_frame = ParsePeerRelayFrame(text, frame) == PeerRelayFault::kNone;
    copies += is_frame && frame.to == far ? 1 : 0;
  }
  EXPECT_EQ(copies, 2);
  EXPECT_EQ(node.count("passed"), 2U);
}

// ---- Its parts.

TEST(PeerRelayCandidatesTest, PairsOneToOne) {
  PeerRelayCandidates candidates(1);
  std::vector<NodeId> ids;
  for (std::uint32_t i = 0; i < 101; ++i) {
    ids.push_back(NodeId{{i * 77777777U, i, 0, 0, 0}});
    candidates.Add(ids.back());
  }
  std::size_t alone = 0;
  for (const NodeId& id : ids) {
    const std::vector<NodeId> named = candidates.For(id);
    alone += named.empty() ? 1 : 0;
    for (const NodeId& other : named) EXPECT_EQ(candidates.For(other), std::vector<NodeId>{id});
  }
  EXPECT_EQ(alone, 1U);
  const NodeId left = ids[5];
  const NodeId partner = candidates.For(left).front();
  candidates.Remove(left);
  for (const NodeId& other : candidates.For(partner)) EXPECT_NE(other, left);
  EXPECT_TRUE(candidates.For(left).empty()) << "unknown";
}

TEST(PeerRelayCandidatesTest, AsManyAsTheOriginalIfWanted) {
  PeerRelayCandidates candidates(20);
  std::vector<NodeId> ids;
  for (std::uint32_t i = 0; i < 21; ++i) ids.push_back(NodeId{{i << 27, 0, 0, 0, 0}});
  for (const NodeId& id : ids) candidates.Add(id);
  EXPECT_EQ(candidates.For(ids[3]).size(), 20U);
  EXPECT_EQ(candidates.For(ids[3]).front(), ids[2]) << "closest first";
  PeerRelayCandidates none(0);
  none.Add(ids[0]);
  none.Add(ids[1]);
  EXPECT_TRUE(none.For(ids[0]).empty());
}

TEST(PeerRelaySeenTest, RemembersForAWhileAndIsBounded) {
  PeerRelaySeen seen(5);
  const NodeId id{{1, 2, 3, 4, 5}};
  Time now{0};
  EXPECT_NE(seen.KeyOf(id, "1", 1), seen.KeyOf(id, "1", 2));
  EXPECT_NE(seen.KeyOf(id, "1", 1), seen.KeyOf(id, "2", 1));
  EXPECT_NE(seen.KeyOf(id, "12345678", 1), seen.KeyOf(id, "123456789", 1));
  const std::uint64_t key = seen.KeyOf(id, "1", 1);
  EXPECT_TRUE(seen.Note(key, now));
  EXPECT_FALSE(seen.Note(key, now));
  now = now + PeerRelaySeen::kLife;
  EXPECT_FALSE(seen.Note(key, now));
  for (std::uint64_t i = 0; i < 3 * PeerRelaySeen::kMost; ++i)
    EXPECT_TRUE(seen.Note(Mix64(i + 100), now));
  EXPECT_TRUE(seen.Note(key, now)) << "pushed out by others";
  now = now + PeerRelaySeen::kLife * 3;
  EXPECT_TRUE(seen.Note(Mix64(1), now));
  now = now + PeerRelaySeen::kLife * 3;
  EXPECT_TRUE(seen.Note(Mix64(2), now));
  EXPECT_TRUE(seen.Note(key, now)) << "long ago";
}

}  // namespace
}  // namespace tombolo::node
