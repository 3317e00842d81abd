#include "overlay/remembered.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/overlay/island_parts.h"

namespace tombolo {
namespace {

using Row = RememberedPeer;

class RememberedTest : public testing::Test, public IslandParts {
 protected:
  RememberedTest() : IslandParts(2000) { remembered.Start(1); }

  std::vector<PeerRef> KeptFor(Row::Reason reason) const {
    std::vector<PeerRef> peers;
    for (const Row& row : remembered.rows()) {
      if ((row.reasons & reason) != 0) peers.push_back(row.peer);
    }
    return peers;
  }
  bool Keeps(PeerRef peer) const {
    return std::any_of(remembered.rows().begin(), remembered.rows().end(),
                       [&](const Row& row) { return row.peer == peer && row.kept(); });
  }
  PeerRef Target(Remembered::Order order = Remembered::Order::kLostLast) {
    const auto nobody = [](PeerRef) { return false; };
    return remembered.NextTarget(order, nobody, step());
  }
  void Survey(const std::vector<PeerRef>& contacts) { remembered.Survey(contacts, false, step()); }
  void Wait(Duration span) { now = now + span; }

  Remembered remembered;
};

TEST_F(RememberedTest, NobodyIsKeptBeforeTenMinutes) {
  Survey(Range(1, 500));
  EXPECT_EQ(KeptFor(Row::kCandidate).size(), Remembered::kPrefixes);
  Wait(config.heal.remember_after - Duration::Seconds(1));
  Survey(Range(1, 500));
  EXPECT_EQ(Target(), PeerRef::kNone);
  Wait(Duration::Seconds(1));
  Survey(Range(1, 500));
  EXPECT_EQ(KeptFor(Row::kReservoir).size(), Remembered::kPrefixes);
  EXPECT_TRUE(KeptFor(Row::kCandidate).empty());
}

TEST_F(RememberedTest, WhoIsGoneBeforeThatIsForgotten) {
  Survey(Range(1, 500));
  Wait(config.heal.remember_after);
  Survey({});
  EXPECT_TRUE(remembered.rows().empty());
}

TEST_F(RememberedTest, OneOfEachPrefix) {
  remembered.Survey(Range(1, 2000), true, step());
  std::map<std::uint32_t, int> prefixes;
  for (const PeerRef peer : KeptFor(Row::kReservoir)) ++prefixes[ids.id(peer).words[0] >> 27];
  EXPECT_EQ(prefixes.size(), Remembered::kPrefixes);
  for (const auto& [prefix, count] : prefixes) EXPECT_EQ(count, 1) << prefix;
}

// Whatever the order in which peers are seen, and however often, each of a prefix is as likely.
TEST_F(RememberedTest, TheChoiceIsUniform) {
  constexpr std::uint32_t kPeers = 200;  // 6 per prefix
  constexpr std::uint32_t kSecrets = 3000;
  std::vector<std::uint32_t> chosen(kPeers, 0);
  for (std::uint32_t secret = 0; secret < kSecrets; ++secret) {
    remembered = Remembered();
    remembered.Start(Mix64(secret));
    remembered.Survey(Range(0, kPeers / 2), true, step());
    Wait(config.heal.remember_after);
    remembered.Survey(Range(0, kPeers), true, step());
    remembered.Survey(Range(kPeers - 10, kPeers), true, step());  // the latest
    for (const PeerRef peer : KeptFor(Row::kReservoir)) ++chosen[Index(peer)];
  }
  std::map<std::uint32_t, std::uint32_t> members;
  for (std::uint32_t i = 0; i < kPeers; ++i) ++members[ids.id(PeerRef{i}).words[0] >> 27];
  double chi_square = 0;
  for (std::uint32_t i = 0; i < kPeers; ++i) {
    const double expected = 1.0 * kSecrets / members[ids.id(PeerRef{i}).words[0] >> 27];
    chi_square += (chosen[i] - expected) * (chosen[i] - expected) / expected;
  }
  // 200 - 32 = 168 degrees of freedom: 99.9 % of uniform choices stay below 230.
  EXPECT_LT(chi_square, 230);
}

TEST_F(RememberedTest, ALaterPeerReplacesOnlyByItsHash) {
  remembered.Survey(Range(1, 1000), true, step());
  const std::vector<PeerRef> before = KeptFor(Row::kReservoir);
  // All of them are lost; those who come later replace about half, not all.
  Wait(config.heal.remember_after);
  Survey(Range(1000, 2000));
  Wait(config.heal.remember_after);
  Survey(Range(1000, 2000));
  const auto stayed = std::count_if(before.begin(), before.end(), [&](PeerRef peer) {
    const std::vector<PeerRef> kept = KeptFor(Row::kReservoir);
    return std::find(kept.begin(), kept.end(), peer) != kept.end();
  });
  EXPECT_GE(stayed, 8);
  EXPECT_LE(stayed, 24);
}

TEST_F(RememberedTest, TheLongestLivedStayWhenOthersTakeTheirPlaces) {
  const std::vector<PeerRef> old = Range(1, 60);
  remembered.Survey(old, true, step());
  for (int i = 0; i < 6; ++i) {
    Wait(config.heal.remember_after);
    Survey(old);
  }
  for (std::uint32_t first = 60; first < 1900; first += 100) {
    Wait(config.heal.remember_after);
    remembered.Survey(Range(first, first + 100), true, step());
  }
  const std::vector<PeerRef> long_lived = KeptFor(Row::kLongLived);
  EXPECT_EQ(long_lived.size(), Remembered::kLongLived);
  for (const PeerRef peer : long_lived) EXPECT_LT(Index(peer), 60U);
}

TEST_F(RememberedTest, TheLastLostRingNeighboursAreKept) {
  for (std::uint32_t i = 1; i <= 20; ++i) {
    remembered.Lost(PeerRef{i}, true, step());
    Wait(Duration::Seconds(1));
  }
  EXPECT_EQ(KeptFor(Row::kRing), Range(5, 21));
  EXPECT_FALSE(Keeps(PeerRef{4}));
}

TEST_F(RememberedTest, ALostStrangerIsNotKept) {
  remembered.Lost(PeerRef{1}, false, step());
  EXPECT_TRUE(remembered.rows().empty());
}

TEST_F(RememberedTest, ARingNeighbourThatIsBackNeedsNoMemory) {
  remembered.Lost(PeerRef{1}, true, step());
  Wait(Duration::Minutes(1));
  Survey({PeerRef{1}});
  EXPECT_TRUE(KeptFor(Row::kRing).empty());
}

TEST_F(RememberedTest, AfterAWeekAllButRendezvousAreForgotten) {
  remembered.AddRendezvous(PeerRef{1}, step());
  remembered.Lost(PeerRef{2}, true, step());
  remembered.Survey(Range(100, 200), true, step());
  Wait(config.heal.remember_for);
  Survey({});
  EXPECT_GT(remembered.rows().size(), 30U);
  Wait(Duration::Seconds(1));
  Survey({});
  ASSERT_EQ(remembered.rows().size(), 1U);
  EXPECT_TRUE(Keeps(PeerRef{1}));
}

TEST_F(RememberedTest, RendezvousAreBoundedAndDrawnAtRandom) {
  EXPECT_EQ(remembered.RandomRendezvous(rng), PeerRef::kNone);
  for (std::uint32_t i = 1; i <= 12; ++i) remembered.AddRendezvous(PeerRef{i}, step());
  EXPECT_EQ(KeptFor(Row::kRendezvous), Range(1, 9));
  std::map<PeerRef, int> drawn;
  for (int i = 0; i < 800; ++i) ++drawn[remembered.RandomRendezvous(rng)];
  EXPECT_EQ(drawn.size(), Remembered::kRendezvous);
  for (const auto& [peer, count] : drawn) EXPECT_NEAR(count, 100, 40);
}

TEST_F(RememberedTest, BackOffDoublesUpToTenMinutes) {
  remembered.Lost(PeerRef{1}, true, step());
  const std::vector<std::int64_t> waits = {30, 60, 120, 240, 480, 600, 600};
  for (const std::int64_t seconds : waits) {
    ASSERT_EQ(Target(), PeerRef{1});
    remembered.NotAnswered(PeerRef{1}, step());
    Wait(Duration::Seconds(seconds - 1));
    EXPECT_EQ(Target(), PeerRef::kNone) << seconds;
    Wait(Duration::Seconds(1));
  }
  EXPECT_EQ(Target(), PeerRef{1});
}

TEST_F(RememberedTest, LossAfterALifeResetsTheBackOff) {
  remembered.Survey(Range(1, 40), true, step());
  const PeerRef peer = Target();
  for (int i = 0; i < 5; ++i) remembered.NotAnswered(peer, step());
  Wait(Duration::Seconds(1));
  remembered.Lost(peer, true, step());
  EXPECT_EQ(Target(), peer);
}

TEST_F(RememberedTest, WhoAnsweredIsLeftAloneForTenMinutes) {
  remembered.Lost(PeerRef{1}, true, step());
  remembered.Answered(PeerRef{1}, step());
  Wait(config.heal.probe_back_off_max - Duration::Seconds(1));
  EXPECT_EQ(Target(), PeerRef::kNone);
  Wait(Duration::Seconds(1));
  EXPECT_EQ(Target(), PeerRef{1});
}

TEST_F(RememberedTest, ThoseLostLastAreProbedFirst) {
  for (std::uint32_t i = 1; i <= 5; ++i) {
    remembered.Lost(PeerRef{i}, true, step());
    Wait(Duration::Seconds(1));
  }
  for (std::uint32_t i = 5; i >= 1; --i) {
    EXPECT_EQ(Target(), PeerRef{i});
    remembered.NotAnswered(PeerRef{i}, step());
  }
  EXPECT_EQ(Target(), PeerRef::kNone);
}

TEST_F(RememberedTest, NobodyWaitsForEverBehindOneThatAnswers) {
  const PeerRef waiting{1};
  const PeerRef answering{2};
  remembered.Lost(waiting, true, step());
  remembered.NotAnswered(waiting, step());
  remembered.Lost(answering, true, step());
  for (int i = 0; i < 10; ++i) {
    remembered.Answered(answering, step());
    Wait(config.heal.probe_back_off_max);
    EXPECT_EQ(Target(), answering);
    EXPECT_EQ(Target(Remembered::Order::kDueLongest), waiting);
  }
}

TEST_F(RememberedTest, ContactsAreNotProbed) {
  remembered.Survey(Range(1, 500), true, step());
  const auto all = [](PeerRef) { return true; };
  EXPECT_EQ(remembered.NextTarget(Remembered::Order::kLostLast, all, step()), PeerRef::kNone);
  EXPECT_FALSE(remembered.HasTarget(all));
  const PeerRef lost = remembered.rows()[7].peer;
  const auto but_one = [&](PeerRef peer) { return peer != lost; };
  EXPECT_EQ(remembered.NextTarget(Remembered::Order::kLostLast, but_one, step()), lost);
  EXPECT_TRUE(remembered.HasTarget(but_one));
}

TEST_F(RememberedTest, RowsAreBoundedWhateverHappens) {
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t first = rng.Below(1800);
    Survey(Range(first, first + 200));
    for (int i = 0; i < 20; ++i) remembered.Lost(PeerRef{rng.Below(2000)}, true, step());
    remembered.AddRendezvous(PeerRef{rng.Below(2000)}, step());
    Wait(Duration::Minutes(5));
    ASSERT_LE(remembered.rows().size(), Remembered::kMaxRows);
  }
}

TEST_F(RememberedTest, RowsComeBackFromADisk) {
  remembered.Survey(Range(1, 500), true, step());
  remembered.Lost(PeerRef{600}, true, step());
  Remembered restored;
  restored.Start(2);
  restored.Restore(remembered.rows());
  ASSERT_EQ(restored.rows().size(), remembered.rows().size());
  EXPECT_EQ(restored.rows().back().peer, PeerRef{600});
  EXPECT_EQ(Saved(remembered), Saved(Remembered(remembered)));
}

}  // namespace
}  // namespace tombolo
