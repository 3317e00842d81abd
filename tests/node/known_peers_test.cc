#include "node/known_peers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "node/ref_marks.h"
#include "overlay/peer.h"

namespace tombolo::node {
namespace {

NodeId Id(std::uint32_t number) { return NodeId{{number, 1, 2, 3, 4}}; }

std::vector<std::string> AddressesOf(const KnownPeers& peers, PeerRef peer) {
  std::vector<std::string> texts;
  for (const KnownPeers::Address& address : peers.addresses(peer)) texts.push_back(address.text);
  return texts;
}

std::optional<PeerRef> Name(KnownPeers& peers, std::uint32_t number,
                            std::vector<std::string_view> addresses = {}, Time now = {}) {
  return peers.Name(Id(number), addresses, KnownPeers::self(), now);
}

std::optional<PeerRef> Prove(KnownPeers& peers, std::uint32_t number,
                             std::vector<std::string_view> addresses = {}, Time now = {}) {
  return peers.Prove(Id(number), addresses, true, "10.0.0.1:5", now);
}

Time At(std::int64_t seconds) { return Time{Duration::Seconds(seconds).us}; }

using Strings = std::vector<std::string>;

TEST(Address, IsAHostAndAPort) {
  for (const char* good :
       {"a:1", "10.0.0.1:65535", "[::1]:7400", "[fe80::1]:1", "x-y.example:80"}) {
    EXPECT_TRUE(IsAddress(good)) << good;
  }
  for (const char* bad :
       {"", ":", "a", "a:", "a:0", "a:65536", "[]:1", "[x]:1", "a/b:1", "a:1:b"}) {
    EXPECT_FALSE(IsAddress(bad)) << bad;
  }
  EXPECT_FALSE(IsAddress(std::string(300, 'a') + ":1"));
}

TEST(Address, GroupsAreNetworks) {
  EXPECT_EQ(AddressGroup("10.1.2.3:1"), AddressGroup("10.1.9.9:2"));
  EXPECT_NE(AddressGroup("10.1.2.3:1"), AddressGroup("10.2.2.3:1"));
  EXPECT_EQ(AddressGroup("a.example:1"), AddressGroup("a.example:2"));
  EXPECT_NE(AddressGroup("a.example:1"), AddressGroup("b.example:1"));
}

TEST(KnownPeers, ALiarDisplacesNoProvenAddress) {
  KnownPeers peers(Id(0));
  const PeerRef peer = *Name(peers, 1, {"6.6.6.6:1"});
  EXPECT_TRUE(peers.ids().dialable(peer));
  EXPECT_EQ(Prove(peers, 1, {"10.0.0.1:7400"}), peer);
  EXPECT_EQ(Name(peers, 1, {"6.6.6.6:1"}), peer);
  EXPECT_EQ(AddressesOf(peers, peer), Strings{"10.0.0.1:7400"});
  EXPECT_TRUE(peers.ids().attributes(peer).proven);
}

TEST(KnownPeers, WhoSaysThatItCannotBeDialledIsBelieved) {
  KnownPeers peers(Id(0));
  const PeerRef peer = *Name(peers, 1, {"10.0.0.1:7400"});
  EXPECT_EQ(peers.Prove(Id(1), {}, false, "10.0.0.1:5", Time{}), peer);
  EXPECT_FALSE(peers.ids().dialable(peer));
  Name(peers, 1, {"10.0.0.1:7400"});
  EXPECT_FALSE(peers.ids().dialable(peer));
}

TEST(KnownPeers, NamedAddressesGiveWayOnceTheyHaveFailed) {
  KnownPeers peers(Id(0));
  const PeerRef peer = *Name(peers, 1, {"a:1", "b:1"});
  Name(peers, 1, {"c:1", "d:1", "e:1"});
  EXPECT_EQ(AddressesOf(peers, peer), (Strings{"a:1", "b:1", "c:1", "d:1"}));
  EXPECT_EQ(peers.counters().addresses_refused, 1U);
  peers.NotReached(peer, "b:1");
  Name(peers, 1, {"e:1"});
  EXPECT_EQ(AddressesOf(peers, peer), (Strings{"a:1", "e:1", "c:1", "d:1"}));
  peers.Reached(peer, "d:1");
  EXPECT_EQ(AddressesOf(peers, peer), (Strings{"d:1", "a:1", "e:1", "c:1"}));
}

TEST(KnownPeers, RefusesNamesBeforeProofs) {
  KnownPeers peers(Id(0), 16);
  std::uint32_t named = 0;
  while (Name(peers, named + 1)) ++named;
  EXPECT_EQ(named, 13U);
  EXPECT_TRUE(Prove(peers, 100));
  EXPECT_TRUE(Prove(peers, 101));
  EXPECT_FALSE(Prove(peers, 102));
  EXPECT_EQ(peers.counters().names_refused, 1U);
  EXPECT_EQ(peers.counters().proofs_refused, 1U);
  EXPECT_EQ(peers.size(), 16U);
}

TEST(KnownPeers, OnePeerCannotFillTheRoomOfAll) {
  KnownPeers peers(Id(0));
  const PeerRef liar = *Prove(peers, 1);
  const PeerRef other = *Prove(peers, 2);
  std::uint32_t named = 0;
  while (peers.Name(Id(1000 + named), {}, liar, At(1))) ++named;
  EXPECT_EQ(named, KnownPeers::kMaxNamed);
  EXPECT_FALSE(peers.HasRoom(1, liar, At(1)));
  EXPECT_TRUE(peers.Name(Id(1000), {}, liar, At(1)));  // it is known
  EXPECT_TRUE(peers.Name(Id(900'000), {}, other, At(1)));
  EXPECT_TRUE(peers.Name(Id(900'001), {}, liar, At(61)));
}

TEST(KnownPeers, UsesRefsAgainThatNobodyHoldsAfterAWhile) {
  KnownPeers peers(Id(0), 16);
  const Time start{Duration::Hours(1).us};
  for (std::uint32_t i = 1; i <= 13; ++i) Name(peers, i, {"a:1"}, start + Duration::Seconds(i));
  const Time sweep = start + Duration::Minutes(2);
  ASSERT_TRUE(peers.WantsSweep(sweep));
  std::vector<bool> held(peers.size(), true);
  held[3] = held[5] = held[7] = false;
  peers.Sweep(held, sweep);
  EXPECT_FALSE(Name(peers, 50, {}, sweep));
  EXPECT_FALSE(peers.HasRoom(1, KnownPeers::self(), sweep));
  EXPECT_EQ(Name(peers, 5, {}, sweep), PeerRef{5});  // named again: it is back
  const Time later = sweep + KnownPeers::kQuarantine;
  EXPECT_TRUE(peers.HasRoom(2, KnownPeers::self(), later));
  EXPECT_FALSE(peers.HasRoom(3, KnownPeers::self(), later));
  EXPECT_EQ(Name(peers, 50, {"b:1"}, later), PeerRef{3});
  EXPECT_EQ(peers.ids().id(PeerRef{3}), Id(50));
  EXPECT_EQ(AddressesOf(peers, PeerRef{3}), Strings{"b:1"});
  EXPECT_EQ(peers.ids().Find(Id(3)), std::nullopt);
  EXPECT_EQ(Name(peers, 51, {}, later), PeerRef{7});
  EXPECT_FALSE(Name(peers, 52, {}, later));
  EXPECT_EQ(peers.counters().reused, 2U);
}

TEST(KnownPeers, TheLatestAreProvenAndDialable) {
  KnownPeers peers(Id(0));
  Name(peers, 1, {"a:1"});
  Prove(peers, 2, {"b:1"}, Time{20});
  Prove(peers, 3, {"c:1"}, Time{30});
  Prove(peers, 4, {}, Time{40});
  EXPECT_EQ(peers.Latest(10), (std::vector<PeerRef>{PeerRef{3}, PeerRef{2}}));
  EXPECT_EQ(peers.Latest(1), (std::vector<PeerRef>{PeerRef{3}}));
}

TEST(RefMarks, FindWhatIsHeldInNestedState) {
  struct Plain {
    std::uint64_t number;
    PeerRef peer;
    PeerRef other;
  };
  RefMarks marks(10);
  const std::vector<Plain> rows = {{~std::uint64_t{0}, PeerRef{3}, PeerRef{1}}};
  const std::optional<std::pair<PeerRef, bool>> pair = {{PeerRef{5}, true}};
  marks(rows, pair, std::string("\6\0\0\0", 4), PeerRef::kNone);
  for (std::uint32_t i = 0; i < 10; ++i)
    EXPECT_EQ(marks.held()[i], i == 3 || i == 5 || i == 1) << i;
}

// Contacts and links of a live peer are found; whoever it has never heard of is not.
TEST(RefMarks, FindTheContactsOfAPeer) {
  KnownPeers peers(Id(0));
  for (std::uint32_t i = 1; i <= 2000; ++i) Name(peers, i * 2'000'003, {"a:1"});
  Config config;
  config.overlay = OverlayKind::kBoth;
  ContactLists lists;
  Outbox out;
  Peer peer(KnownPeers::self(), Id(0), 1);
  const Step step{Time{}, config, peers.ids(), lists, out};
  peer.Execute(Join{}, step);
  peer.LinkUp(PeerRef{1500}, {}, step);
  peer.Receive(PeerRef{1700}, Ping{1}, step);
  RefMarks marks(peers.size());
  marks(peer);
  EXPECT_TRUE(marks.held()[1500]);
  EXPECT_TRUE(marks.held()[1700]);
  const auto held = std::count(marks.held().begin(), marks.held().end(), true);
  EXPECT_LT(held, 50);
}

}  // namespace
}  // namespace tombolo::node
