// Who gets a link and who does not: identities, forged certificates, network keys, lists.
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <memory>
#include <string>

#include "tests/node/raw_tls.h"
#include "tests/node/transport_net.h"

namespace tombolo::node {
namespace {

using boost::asio::ip::tcp;

class GrpcTrustTest : public testing::Test {
 protected:
  static std::uint16_t PortOf(const TransportNode& node) {
    const std::string address = node.transport.listening();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  // What a node answers to a bare TLS client.
  bool Accepts(TransportNode& node, const TlsEnd& end) {
    auto accepted = std::async(std::launch::async, NodeAccepts, PortOf(node), end);
    EXPECT_TRUE(net.Until([&] { return accepted.wait_for(0s) == std::future_status::ready; }));
    return accepted.get();
  }
  // How a dial to a listener with that certificate ends.
  CloseCause DialRogue(const TlsEnd& end, std::optional<NodeId> expected) {
    TransportNode a(net);
    const RogueListener rogue;
    auto served = std::async(std::launch::async, [&] { rogue.ServeOne(end); });
    a.Dial(rogue.address(), expected);
    EXPECT_TRUE(net.Until([&] { return !a.closed.empty(); }));
    EXPECT_TRUE(a.opened.empty());
    return a.closed.empty() ? CloseCause::kLocal : a.closed[0].cause;
  }
  // Dials from `a` to `b`; how it ended, nullopt if it came up.
  std::optional<ClosedRecord> DialNode(TransportNode& a, TransportNode& b,
                                       std::optional<NodeId> expected = std::nullopt) {
    EXPECT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
    a.Dial(b.transport.listening(), expected);
    EXPECT_TRUE(net.Until([&] { return !a.opened.empty() || !a.closed.empty(); }));
    if (a.closed.empty()) return std::nullopt;
    return a.closed[0];
  }

  TransportNet net;
};

GrpcTransportOptions WithKey(char byte) {
  GrpcTransportOptions options;
  options.network_key = NetworkKey::FromBytes(std::string(32, byte)).value();
  return options;
}

GrpcTransportOptions WithLists(std::vector<NodeId> allow, std::vector<NodeId> deny) {
  GrpcTransportOptions options;
  options.trust = std::make_shared<TrustList>(std::move(allow), std::move(deny));
  return options;
}

TEST_F(GrpcTrustTest, WrongExpectedIdIsFoundInTheHandshake) {
  TransportNode a(net);
  TransportNode b(net);
  const auto closed = DialNode(a, b, NewIdentity().id());
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->cause, CloseCause::kIdentity);
  EXPECT_NE(closed->detail.find(b.id.ToHex()), std::string::npos) << closed->detail;
  EXPECT_EQ(a.count(TransportCount::kRefusedIdentity), 1U);
  EXPECT_TRUE(b.opened.empty());
}

TEST_F(GrpcTrustTest, InsecureClaimOfAnotherIdIsFound) {
  GrpcTransportOptions options;
  options.insecure = true;
  TransportNode a(net, options);
  TransportNode b(net, options);
  const auto closed = DialNode(a, b, NewIdentity().id());
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->cause, CloseCause::kIdentity);
}

TEST_F(GrpcTrustTest, SecureAndInsecureNodesDoNotMix) {
  GrpcTransportOptions insecure;
  insecure.insecure = true;
  TransportNode open(net, insecure);
  TransportNode closed(net);
  EXPECT_TRUE(DialNode(open, closed));  // a plain-text client
  TransportNode dialler(net);
  TransportNode open_listener(net, insecure);
  EXPECT_TRUE(DialNode(dialler, open_listener));
  EXPECT_TRUE(closed.opened.empty() && open_listener.opened.empty());
}

TEST_F(GrpcTrustTest, PlainTextGarbageLeavesTheNodeAlone) {
  TransportNode b(net);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  tcp::socket socket(net.io());
  socket.connect({boost::asio::ip::address_v4::loopback(), PortOf(b)});
  boost::asio::write(socket, boost::asio::buffer("GET / HTTP/1.1\r\n\r\n", 18));
  socket.non_blocking(true);
  std::array<char, 64> bytes{};
  EXPECT_TRUE(net.Until([&] {  // hung up on
    boost::system::error_code error;
    socket.read_some(boost::asio::buffer(bytes), error);
    return error && error != boost::asio::error::would_block;
  }));
  TransportNode a(net);
  a.Dial(b.transport.listening(), b.id);
  EXPECT_TRUE(net.Until([&] { return !a.opened.empty(); }));
}

TEST_F(GrpcTrustTest, OnlyProperCertificatesPassTheListener) {
  TransportNode b(net);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  const Identity good = NewIdentity();
  const Identity victim = NewIdentity();
  const KeyPtr key = KeyOf(good);
  const KeyPtr theirs = KeyOf(victim);
  const KeyPtr ec = NewEcKey();
  EXPECT_TRUE(Accepts(b, {good.certificate_pem(), good.key_pem()}));
  EXPECT_EQ(b.count(TransportCount::kRefusedIdentity), 0U);
  // Another's name, another's key, another kind of key.
  EXPECT_FALSE(
      Accepts(b, {CertificateOf(key.get(), key.get(), victim.id().ToHex()), good.key_pem()}));
  EXPECT_EQ(b.count(TransportCount::kRefusedIdentity), 1U);
  EXPECT_FALSE(
      Accepts(b, {CertificateOf(key.get(), theirs.get(), good.id().ToHex()), good.key_pem()}));
  EXPECT_EQ(b.count(TransportCount::kRefusedIdentity), 2U);
  EXPECT_FALSE(
      Accepts(b, {CertificateOf(ec.get(), ec.get(), victim.id().ToHex()), PemOf(ec.get())}));
  EXPECT_EQ(b.count(TransportCount::kRefusedIdentity), 3U);
  // Another's certificate without the key to it, and none at all: TLS itself refuses.
  EXPECT_FALSE(Accepts(b, {victim.certificate_pem(), good.key_pem()}));
  EXPECT_FALSE(Accepts(b, {}));
  EXPECT_TRUE(b.opened.empty());
}

TEST_F(GrpcTrustTest, NothingBelowTls13) {
  TransportNode b(net);
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  const Identity good = NewIdentity();
  EXPECT_FALSE(Accepts(b, {good.certificate_pem(), good.key_pem(), TLS1_2_VERSION}));
  EXPECT_TRUE(Accepts(b, {good.certificate_pem(), good.key_pem(), TLS1_3_VERSION}));
  EXPECT_NE(DialRogue({good.certificate_pem(), good.key_pem(), TLS1_2_VERSION}, std::nullopt),
            CloseCause::kRemote);
}

TEST_F(GrpcTrustTest, OnlyProperCertificatesPassTheDialler) {
  const Identity good = NewIdentity();
  const Identity victim = NewIdentity();
  const KeyPtr key = KeyOf(good);
  const KeyPtr ec = NewEcKey();
  EXPECT_EQ(DialRogue({CertificateOf(key.get(), key.get(), victim.id().ToHex()), good.key_pem()},
                      victim.id()),
            CloseCause::kIdentity);
  EXPECT_EQ(DialRogue({CertificateOf(ec.get(), ec.get(), victim.id().ToHex()), PemOf(ec.get())},
                      std::nullopt),
            CloseCause::kIdentity);
  EXPECT_EQ(DialRogue({good.certificate_pem(), good.key_pem()}, victim.id()),
            CloseCause::kIdentity);
}

TEST_F(GrpcTrustTest, SameNetworkKeyLetsIn) {
  TransportNode a(net, WithKey('k'));
  TransportNode b(net, WithKey('k'));
  EXPECT_FALSE(DialNode(a, b));
  ASSERT_TRUE(net.Until([&] { return !b.opened.empty(); }));
  a.transport.Send(a.opened[0].first, PingFrame(7));
  b.transport.Send(b.opened[0].first, PingFrame(8));
  EXPECT_TRUE(net.Until([&] { return a.Pings().size() == 1 && b.Pings().size() == 1; }));
  EXPECT_TRUE(b.received.begin()->second[0].network_proof().empty()) << "the transport's own";
}

TEST_F(GrpcTrustTest, AnotherNetworkKeyKeepsOut) {
  TransportNode a(net, WithKey('k'));
  TransportNode b(net, WithKey('l'));
  const auto closed = DialNode(a, b);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->cause, CloseCause::kIdentity);
  EXPECT_EQ(a.count(TransportCount::kRefusedNetwork), 1U);
  EXPECT_TRUE(b.opened.empty());
}

TEST_F(GrpcTrustTest, NodeWithoutANetworkKeyIsKeptOut) {
  TransportNode a(net);
  TransportNode b(net, WithKey('k'));
  const auto closed = DialNode(a, b);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->cause, CloseCause::kIdentity);
  EXPECT_EQ(b.count(TransportCount::kRefusedNetwork), 1U);
  EXPECT_TRUE(b.opened.empty());
}

TEST_F(GrpcTrustTest, NodeWithANetworkKeyDoesNotJoinAnOpenNetwork) {
  TransportNode a(net, WithKey('k'));
  TransportNode b(net);
  const auto closed = DialNode(a, b);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->cause, CloseCause::kIdentity);
}

TEST_F(GrpcTrustTest, DeniedNodesAreKeptOutByEitherSide) {
  const Identity known = NewIdentity();
  TransportNode a(net, {}, known);
  TransportNode b(net, WithLists({}, {known.id()}));
  const auto closed = DialNode(a, b);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->cause, CloseCause::kIdentity);
  EXPECT_EQ(b.count(TransportCount::kRefusedList), 1U);
  EXPECT_TRUE(b.opened.empty());

  TransportNode c(net, WithLists({}, {known.id()}));
  TransportNode d(net, {}, known);
  const auto other_way = DialNode(c, d);
  ASSERT_TRUE(other_way);
  EXPECT_EQ(other_way->cause, CloseCause::kIdentity);
  EXPECT_EQ(c.count(TransportCount::kRefusedList), 1U);
}

TEST_F(GrpcTrustTest, AllowListAdmitsItsNodesOnly) {
  const Identity known = NewIdentity();
  TransportNode b(net, WithLists({known.id()}, {}));
  ASSERT_TRUE(b.transport.Listen("127.0.0.1:0").ok());
  TransportNode good(net, {}, known);
  TransportNode stranger(net);
  good.Dial(b.transport.listening());
  stranger.Dial(b.transport.listening());
  ASSERT_TRUE(net.Until([&] { return !good.opened.empty() && !stranger.closed.empty(); }));
  EXPECT_EQ(stranger.closed[0].cause, CloseCause::kIdentity);
  EXPECT_EQ(b.opened.size(), 1U);
}

}  // namespace
}  // namespace tombolo::node
