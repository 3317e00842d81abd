#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "overlay/archive.h"
#include "overlay/peer.h"
#include "tests/overlay/toy_overlay.h"

namespace tombolo {
namespace {

constexpr Duration kSecond = Duration::Seconds(1);

// Whole peers, four holders for each lease.
class LeasesTest : public testing::Test {
 protected:
  LeasesTest() {
    net_.config.table.k = 8;
    net_.config.attach.replicas = 4;
    client_ = RandomId(rng_);
  }

  void Attach(PeerRef home, const NodeId& client, std::uint64_t sequence = 0,
              std::uint32_t request = 1) {
    net_.Execute(home, AttachClient{request, client, sequence});
    net_.RunFor(kSecond * 2);
  }
  // kNone if not found.
  PeerRef Resolve(PeerRef from, const NodeId& client) {
    net_.Execute(from, ResolveClient{++request_, client});
    net_.RunFor(kSecond * 10);
    for (const ClientResolved& resolved : net_.EventsOf<ClientResolved>(from)) {
      if (resolved.request != request_) continue;
      EXPECT_EQ(resolved.found, resolved.home != PeerRef::kNone);
      return resolved.home;
    }
    ADD_FAILURE() << "a resolve that did not end";
    return PeerRef::kNone;
  }
  void ExpectFoundFromEverywhere(const NodeId& client, PeerRef home) {
    for (std::uint32_t i = 0; i < net_.peers.size(); ++i) {
      if (net_.up[i]) {
        EXPECT_EQ(Resolve(PeerRef{i}, client), home) << "from peer " << i;
      }
    }
  }
  std::vector<PeerRef> HoldersOf(PeerRef home, const NodeId& client) {
    const auto holders =
        net_.at(home).parts()->attach->home.HoldersOf({LeaseKind::kClient, client});
    return {holders.begin(), holders.end()};
  }
  std::size_t CountAll() const {
    std::size_t updates = 0;
    for (const auto& sent : net_.log) updates += std::holds_alternative<LeaseUpdate>(sent.message);
    return updates;
  }
  // The same, of two homes: the one with the lower id first.
  std::pair<PeerRef, PeerRef> TwoHomes() const {
    const bool ordered = net_.ids.id(PeerRef{3}) < net_.ids.id(PeerRef{9});
    return ordered ? std::pair(PeerRef{3}, PeerRef{9}) : std::pair(PeerRef{9}, PeerRef{3});
  }

  ToyOverlay net_;
  Rng rng_{42};
  NodeId client_;
  std::uint32_t request_ = 1000;
};

TEST_F(LeasesTest, APeerThatHasNothingAttachedPaysNothing) {
  net_.Grow(3);
  EXPECT_EQ(net_.at(PeerRef{0}).parts(), nullptr);
  EXPECT_EQ(Resolve(PeerRef{0}, client_), PeerRef::kNone);
  EXPECT_EQ(net_.at(PeerRef{0}).parts(), nullptr) << "given up after use";
}

TEST_F(LeasesTest, AnAttachedClientIsFoundFromEveryPeer) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  const auto attached = net_.EventsOf<ClientAttached>(PeerRef{3});
  ASSERT_EQ(attached.size(), 1U);
  EXPECT_TRUE(attached[0].attached);
  EXPECT_EQ(attached[0].client, client_);
  EXPECT_EQ(attached[0].holders, 4);
  EXPECT_GT(attached[0].sequence, 0U);
  ExpectFoundFromEverywhere(client_, PeerRef{3});
  net_.RunFor(Duration::Minutes(3));
  ExpectFoundFromEverywhere(client_, PeerRef{3});
}

TEST_F(LeasesTest, TheHoldersAreTheClosestPeers) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  std::vector<PeerRef> truth = net_.Truth(client_, PeerRef::kNone);
  truth.resize(4);
  for (const PeerRef holder : HoldersOf(PeerRef{3}, client_))
    EXPECT_NE(std::find(truth.begin(), truth.end(), holder), truth.end());
}

TEST_F(LeasesTest, ALocalClientIsFoundWithoutMessages) {
  net_.Grow(12);
  Attach(PeerRef{3}, client_);
  net_.log.clear();
  net_.Execute(PeerRef{3}, ResolveClient{7, client_});
  const auto resolved = net_.EventsOf<ClientResolved>(PeerRef{3});
  ASSERT_EQ(resolved.size(), 1U);
  EXPECT_EQ(resolved[0].home, PeerRef{3});
  EXPECT_EQ(resolved[0].hops, 0);
  EXPECT_TRUE(net_.log.empty());
}

TEST_F(LeasesTest, AnUnknownClientIsNotFound) {
  net_.Grow(12);
  EXPECT_EQ(Resolve(PeerRef{5}, client_), PeerRef::kNone);
}

TEST_F(LeasesTest, AMovedClientIsFoundAtOnceAndItsOldHomeHearsOnce) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  Attach(PeerRef{9}, client_);
  ASSERT_EQ(net_.EventsOf<ClientAttached>(PeerRef{9}).size(), 1U);
  const auto lost = net_.EventsOf<LeaseLost>(PeerRef{3});
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].client, client_);
  EXPECT_EQ(lost[0].home, PeerRef{9});
  ExpectFoundFromEverywhere(client_, PeerRef{9});
  net_.RunFor(Duration::Minutes(2));
  EXPECT_EQ(net_.EventsOf<LeaseLost>(PeerRef{3}).size(), 1U);
  EXPECT_TRUE(net_.EventsOf<LeaseLost>(PeerRef{9}).empty());
}

TEST_F(LeasesTest, WhoHasJustComeIsNewerThanAnySequence) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_, 1'000'000'000'000'000ULL);
  Attach(PeerRef{9}, client_);
  const auto attached = net_.EventsOf<ClientAttached>(PeerRef{9});
  ASSERT_EQ(attached.size(), 1U);
  EXPECT_EQ(attached[0].sequence, 1'000'000'000'000'001ULL);
  ExpectFoundFromEverywhere(client_, PeerRef{9});
}

TEST_F(LeasesTest, TheSameClientOnTwoHomesIsAtThatOfTheHigherSequenceOrElseId) {
  net_.Grow(24);
  const auto [low, high] = TwoHomes();
  struct Case {
    const char* name;
    PeerRef first, second;
    std::uint64_t first_sequence, second_sequence;
    PeerRef winner;
  };
  const Case cases[] = {{"older comes later", low, high, 10, 5, low},
                        {"newer comes later", low, high, 5, 10, high},
                        {"equal, higher id comes later", low, high, 10, 10, high},
                        {"equal, higher id came first", high, low, 10, 10, high}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const NodeId client = RandomId(rng_);
    const PeerRef loser = c.winner == c.first ? c.second : c.first;
    net_.events.clear();
    Attach(c.first, client, c.first_sequence);
    Attach(c.second, client, c.second_sequence);
    ASSERT_EQ(net_.EventsOf<LeaseLost>(loser).size(), 1U);
    EXPECT_EQ(net_.EventsOf<LeaseLost>(loser)[0].home, c.winner);
    EXPECT_TRUE(net_.EventsOf<LeaseLost>(c.winner).empty());
    ExpectFoundFromEverywhere(client, c.winner);
  }
}

TEST_F(LeasesTest, AttachingAgainRaisesTheSequenceOnly) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_, 10);
  Attach(PeerRef{3}, client_, 20, 2);
  Attach(PeerRef{3}, client_, 15, 3);
  const auto attached = net_.EventsOf<ClientAttached>(PeerRef{3});
  ASSERT_EQ(attached.size(), 3U);
  EXPECT_EQ(attached[1].sequence, 20U);
  EXPECT_EQ(attached[2].sequence, 20U);
  EXPECT_EQ(attached[2].request, 3U);
  Attach(PeerRef{9}, client_, 19);
  EXPECT_EQ(net_.EventsOf<LeaseLost>(PeerRef{9}).size(), 1U);
}

TEST_F(LeasesTest, ADetachedClientIsNotFoundAndForgottenByAll) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  net_.Execute(PeerRef{3}, DetachClient{client_});
  net_.RunFor(kSecond * 2);
  EXPECT_EQ(Resolve(PeerRef{9}, client_), PeerRef::kNone);
  EXPECT_EQ(Resolve(PeerRef{3}, client_), PeerRef::kNone);
  for (const Peer& peer : net_.peers) EXPECT_EQ(peer.parts(), nullptr);
}

TEST_F(LeasesTest, TheLeasesOfADeadHomeExpire) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  net_.up[3] = false;
  net_.RunFor(Duration::Seconds(45));
  EXPECT_EQ(Resolve(PeerRef{9}, client_), PeerRef::kNone);
  for (std::uint32_t i = 0; i < 24; ++i) {
    if (!net_.up[i]) continue;
    EXPECT_EQ(net_.at(PeerRef{i}).parts(), nullptr) << "peer " << i;
  }
}

TEST_F(LeasesTest, AHomeThatLeavesEndsItsLeasesAtOnce) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  net_.Execute(PeerRef{3}, Depart{});
  net_.RunFor(kSecond * 2);
  EXPECT_EQ(Resolve(PeerRef{9}, client_), PeerRef::kNone);
  net_.Execute(PeerRef{3}, AttachClient{5, client_, 0});
  net_.Execute(PeerRef{3}, ResolveClient{6, client_});
  net_.Execute(PeerRef{3}, JoinRoom{7, client_, client_});
  EXPECT_FALSE(net_.EventsOf<ClientAttached>(PeerRef{3}).back().attached);
  EXPECT_FALSE(net_.EventsOf<ClientResolved>(PeerRef{3}).back().found);
  EXPECT_FALSE(net_.EventsOf<RoomJoined>(PeerRef{3}).back().joined);
}

TEST_F(LeasesTest, RenewalsGoStraightToTheHolders) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  const auto before = HoldersOf(PeerRef{3}, client_);
  net_.log.clear();
  net_.RunFor(Duration::Minutes(10));
  EXPECT_TRUE(net_.SentBy<FindNode>(PeerRef{3}).empty());
  const std::size_t updates = net_.SentBy<LeaseUpdate>(PeerRef{3}).size();
  EXPECT_GE(updates, 4U * 44);  // 600 s / 12 s = 50 rounds, give or take an eighth
  EXPECT_LE(updates, 4U * 57);
  EXPECT_EQ(HoldersOf(PeerRef{3}, client_), before);
}

TEST_F(LeasesTest, ClientsWithHoldersInCommonShareRenewals) {
  net_.Grow(5);
  for (int i = 0; i < 100; ++i) net_.Execute(PeerRef{3}, AttachClient{1, RandomId(rng_), 0});
  net_.RunFor(Duration::Seconds(30));
  EXPECT_EQ(net_.EventsOf<ClientAttached>(PeerRef{3}).size(), 100U);
  net_.log.clear();
  net_.RunFor(Duration::Minutes(2));
  // 10 rounds to four holders, as for a single client.
  EXPECT_LE(net_.SentBy<LeaseUpdate>(PeerRef{3}).size(), 4U * 12);
  EXPECT_EQ(net_.EventsOf<LeaseLost>(PeerRef{3}).size(), 0U);
}

TEST_F(LeasesTest, DeadHoldersAreReplacedBeforeTheClientIsLost) {
  net_.Grow(40);
  Attach(PeerRef{3}, client_);
  for (const PeerRef holder : HoldersOf(PeerRef{3}, client_)) net_.up[Index(holder)] = false;
  net_.RunFor(Duration::Seconds(20));
  EXPECT_GE(HoldersOf(PeerRef{3}, client_).size(), 3U);
  ExpectFoundFromEverywhere(client_, PeerRef{3});
}

TEST_F(LeasesTest, AHolderThatHasLostItsStateIsToldAgain) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  const PeerRef holder = HoldersOf(PeerRef{3}, client_)[0];
  const auto holds = [&] {
    const PeerParts* parts = net_.at(holder).parts();
    return parts != nullptr && parts->attach && parts->attach->held.size() == 1;
  };
  ASSERT_TRUE(holds());
  net_.at(holder) = Peer(holder, net_.ids.id(holder), 99);
  net_.Join(holder, {PeerRef{3}});
  net_.RunFor(Duration::Seconds(20));
  EXPECT_TRUE(holds());
}

TEST_F(LeasesTest, NewcomersCloserToTheClientTakeTheLeaseOver) {
  net_.Grow(12);
  Attach(PeerRef{3}, client_);
  for (int i = 0; i < 12; ++i) {
    const PeerRef peer = net_.AddPeer(RandomIdSharing(client_, 20, rng_));
    net_.Join(peer, {PeerRef{0}});
    net_.RunFor(kSecond * 2);
  }
  net_.RunFor(Duration::Minutes(2));
  for (const PeerRef holder : HoldersOf(PeerRef{3}, client_))
    EXPECT_GE(CommonPrefixLength(net_.ids.id(holder), client_), 20);
  ExpectFoundFromEverywhere(client_, PeerRef{3});
}

TEST_F(LeasesTest, AClientOfALonelyPeerIsPlacedOnceOthersCome) {
  net_.Grow(1);
  Attach(PeerRef{0}, client_);
  EXPECT_EQ(net_.EventsOf<ClientAttached>(PeerRef{0}).at(0).holders, 0);
  for (std::uint32_t i = 1; i < 12; ++i) {
    net_.AddPeer(RandomId(rng_));
    net_.Join(PeerRef{i}, {PeerRef{0}});
    net_.RunFor(kSecond * 2);
  }
  net_.RunFor(Duration::Minutes(1));
  EXPECT_GE(HoldersOf(PeerRef{0}, client_).size(), 3U);
  ExpectFoundFromEverywhere(client_, PeerRef{0});
}

TEST_F(LeasesTest, ClientsBeyondTheLimitAreRefused) {
  net_.config.attach.max_clients = 2;
  net_.Grow(12);
  for (int i = 0; i < 3; ++i) Attach(PeerRef{3}, RandomId(rng_));
  const auto attached = net_.EventsOf<ClientAttached>(PeerRef{3});
  ASSERT_EQ(attached.size(), 3U);
  EXPECT_TRUE(attached[1].attached);
  EXPECT_FALSE(attached[2].attached);
  EXPECT_EQ(net_.dropped(DropReason::kOverload), 1U);
}

TEST_F(LeasesTest, AHomeDoesWithTheHoldersThatHaveRoom) {
  net_.config.attach.max_held = 0;
  net_.Grow(12);
  Attach(PeerRef{3}, client_);
  const auto attached = net_.EventsOf<ClientAttached>(PeerRef{3});
  ASSERT_EQ(attached.size(), 1U);
  EXPECT_EQ(attached[0].holders, 0);
  EXPECT_GE(net_.dropped(DropReason::kOverload), 4U);
}

TEST_F(LeasesTest, ResolvesBeyondTheLimitEndAtOnce) {
  net_.Grow(12);
  for (std::uint32_t i = 0; i <= Resolves::kMaxResolves; ++i)
    net_.Execute(PeerRef{3}, ResolveClient{i, RandomId(rng_)});
  EXPECT_GE(net_.dropped(DropReason::kOverload), 1U);
  net_.RunFor(Duration::Minutes(1));
  EXPECT_EQ(net_.EventsOf<ClientResolved>(PeerRef{3}).size(), Resolves::kMaxResolves + 1);
}

TEST_F(LeasesTest, StrangersCannotTakeLeasesAway) {
  net_.Grow(24);
  Attach(PeerRef{3}, client_);
  const auto holders = HoldersOf(PeerRef{3}, client_);
  std::uint32_t stranger = 4;
  while (std::count(holders.begin(), holders.end(), PeerRef{stranger}) > 0) ++stranger;
  const std::uint32_t before = net_.dropped(DropReason::kUnknownRpc);
  net_.Deliver(PeerRef{stranger}, PeerRef{3}, LeaseMoved{client_, PeerRef{9}, ~0ULL});
  net_.Deliver(PeerRef{stranger}, PeerRef{3}, LeaseMoved{client_, PeerRef{9'999}, ~0ULL});
  net_.Deliver(holders[0], PeerRef{3}, LeaseMoved{client_, PeerRef{9}, 1});
  net_.Deliver(PeerRef{stranger}, PeerRef{3}, LeaseAck{1, true, 0, 0});
  net_.Deliver(holders[0], PeerRef{3}, LeaseAck{0, true, 3, 3});
  LeaseCrowded crowded{};
  crowded.keys[0] = client_;
  crowded.count = 255;
  net_.Deliver(PeerRef{stranger}, PeerRef{3}, crowded);
  EXPECT_EQ(net_.dropped(DropReason::kUnknownRpc), before + 8);
  EXPECT_TRUE(net_.EventsOf<LeaseLost>(PeerRef{3}).empty());
  EXPECT_EQ(HoldersOf(PeerRef{3}, client_), holders);
  net_.Deliver(PeerRef{stranger}, PeerRef{9}, LeaseFound{77, PeerRef{9'999}, 5});
  EXPECT_EQ(net_.dropped(DropReason::kUnknownRpc), before + 9);
}

TEST_F(LeasesTest, RefsDoNotMatter) {
  std::vector<std::string> traces[2];
  for (const bool reversed : {false, true}) {
    ToyOverlay net;
    net.config.table.k = 8;
    Rng rng(5);
    std::vector<NodeId> ids;
    for (int i = 0; i < 12; ++i) ids.push_back(RandomId(rng));
    for (std::size_t i = 0; i < ids.size(); ++i) net.AddPeer(ids[reversed ? 11 - i : i]);
    for (const NodeId& id : ids) {
      net.Join(net.RefOf(id),
               id == ids[0] ? std::vector<PeerRef>() : std::vector{net.RefOf(ids[0])});
      net.RunFor(kSecond * 2);
    }
    for (int i = 0; i < 6; ++i) {
      const PeerRef home = net.RefOf(ids[static_cast<std::size_t>(i * 2)]);
      net.Execute(home, AttachClient{1, RandomId(rng), 0});
      net.Execute(home, JoinRoom{1, ids[0], RandomId(rng)});
      net.RunFor(kSecond);
    }
    net.RunFor(Duration::Minutes(2));
    traces[reversed] = net.trace;
  }
  EXPECT_EQ(traces[0], traces[1]);
}

TEST_F(LeasesTest, APeerIsSavedAndRestoredWithItsLeases) {
  net_.Grow(12);
  Attach(PeerRef{3}, client_);
  net_.Execute(PeerRef{3}, JoinRoom{1, client_, client_});
  net_.Execute(PeerRef{4}, JoinRoom{1, client_, RandomId(rng_)});
  net_.RunFor(kSecond * 3);
  for (const Peer& peer : net_.peers) {
    const auto saved = Saved(peer);
    Reader reader(saved);
    Peer copy;
    reader(copy);
    ASSERT_TRUE(reader.ok()) << reader.error();
    EXPECT_EQ(Saved(copy), saved);
  }
}

}  // namespace
}  // namespace tombolo
