#include "overlay/island_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/overlay/island_parts.h"

namespace tombolo {
namespace {

using Verdict = IslandDigest::Verdict;

class IslandDigestTest : public testing::Test, public IslandParts {
 protected:
  IslandDigestTest() : IslandParts(200) {}

  struct Message {
    std::vector<PeerRef> sketch;
    SketchAges ages;
  };

  Message Say(IslandDigest& digest, PeerRef self = PeerRef{0}) {
    Message message{};
    const ListHandle list = digest.Write({}, message.ages, StepOf(self));
    message.sketch.assign(lists.Get(list).begin(), lists.Get(list).end());
    lists.Release(list);
    return message;
  }

  // The twin: sorts all.
  std::vector<PeerRef> Smallest(std::vector<PeerRef> peers) const {
    std::sort(peers.begin(), peers.end(), [&](PeerRef a, PeerRef b) {
      return IslandDigest::Hash(ids.id(a)) < IslandDigest::Hash(ids.id(b));
    });
    peers.resize(std::min(peers.size(), kSketchSize));
    return peers;
  }

  IslandDigest Settled(std::uint32_t first, std::uint32_t end) {
    IslandDigest digest;
    digest.Settle(Range(first, end), StepOf(PeerRef{first}));
    return digest;
  }
};

TEST_F(IslandDigestTest, HoldsTheSmallestHashes) {
  IslandDigest digest = Settled(0, 200);
  const std::vector<PeerRef> expected = Smallest(Range(0, 200));
  EXPECT_EQ(Say(digest).sketch, expected);
  EXPECT_EQ(IslandDigest::Choose(Range(0, 200), ids), expected);
  EXPECT_EQ(digest.label(ids.id(PeerRef{0}), ids), IslandDigest::Hash(ids.id(expected[0])));
}

TEST_F(IslandDigestTest, TheLostFollowTheSketchAndAreToldFromIt) {
  IslandDigest digest = Settled(0, 200);
  SketchAges ages{};
  const ListHandle list = digest.Write(Range(100, 120), ages, step());
  const auto listed = lists.Get(list);
  ASSERT_EQ(listed.size(), kSketchSize);
  const std::size_t members = IslandDigest::SketchPart(listed, ages);
  EXPECT_EQ(members, kSketchSize - IslandDigest::kLostMax);
  const std::vector<PeerRef> smallest = Smallest(Range(0, 200));
  EXPECT_TRUE(
      std::equal(listed.begin(), listed.begin() + std::ptrdiff_t(members), smallest.begin()));
  EXPECT_EQ(listed[members], PeerRef{100});
  EXPECT_EQ(listed.back(), PeerRef{107});
  EXPECT_EQ(ages.back(), IslandDigest::kLostAge);
  lists.Release(list);
}

// However long ago somebody was heard of: that is another age.
TEST_F(IslandDigestTest, NobodyOfTheSketchLooksLost) {
  config.heal.sketch_ttl = Duration::Hours(100);
  IslandDigest digest = Settled(0, 10);
  now = now + Duration::Hours(90);
  const Message message = Say(digest);
  EXPECT_EQ(IslandDigest::SketchPart(message.sketch, message.ages), message.sketch.size());
}

TEST_F(IslandDigestTest, SmallIslandsFitAndIncludeOurselves) {
  IslandDigest digest;
  digest.Settle({}, step());
  EXPECT_EQ(Say(digest).sketch, Range(0, 1));
}

TEST_F(IslandDigestTest, NewcomersSayNothing) {
  IslandDigest newcomer;
  IslandDigest settled = Settled(0, 100);
  EXPECT_TRUE(Say(newcomer).sketch.empty());
  EXPECT_EQ(newcomer.Compare(Say(settled).sketch, step()), Verdict::kUnknown);
  EXPECT_EQ(settled.Compare({}, step()), Verdict::kUnknown);
  const Message heard = Say(settled);
  newcomer.Learn({}, {}, StepOf(PeerRef{150}));
  EXPECT_FALSE(newcomer.settled());
  newcomer.Learn(heard.sketch, heard.ages, StepOf(PeerRef{150}));
  EXPECT_TRUE(newcomer.settled());
  EXPECT_EQ(newcomer.Compare(heard.sketch, StepOf(PeerRef{150})), Verdict::kSame);
}

TEST_F(IslandDigestTest, IslandsDifferUntilTheyLearnOfEachOther) {
  IslandDigest a = Settled(0, 100);
  IslandDigest b = Settled(100, 200);
  const Message from_b = Say(b, PeerRef{100});
  EXPECT_EQ(a.Compare(from_b.sketch, step()), Verdict::kOther);
  EXPECT_NE(a.label(ids.id(PeerRef{0}), ids), b.label(ids.id(PeerRef{0}), ids));
  a.Learn(from_b.sketch, from_b.ages, step());
  EXPECT_EQ(a.Compare(from_b.sketch, step()), Verdict::kSame);
  EXPECT_EQ(Say(a).sketch, Smallest(Range(0, 200)));
}

TEST_F(IslandDigestTest, WhoIsNotHeardOfLeaves) {
  IslandDigest digest = Settled(0, 100);
  now = now + config.heal.sketch_ttl + Duration::Seconds(1);
  EXPECT_EQ(Say(digest).sketch, Range(0, 1));  // we are still here
}

TEST_F(IslandDigestTest, TheOwnersPresenceKeepsItIn) {
  IslandDigest digest = Settled(0, 100);
  const PeerRef first = Smallest(Range(0, 100))[0];
  now = now + config.heal.sketch_ttl / 2;
  IslandDigest owner = Settled(0, 100);
  Message heard = Say(owner, first);
  heard.sketch = {first};
  digest.Learn(heard.sketch, heard.ages, step());
  now = now + config.heal.sketch_ttl / 2 + Duration::Seconds(1);
  const std::vector<PeerRef> left = Say(digest).sketch;
  EXPECT_EQ(std::count(left.begin(), left.end(), first), 1);
  EXPECT_LE(left.size(), 2U);
}

// Two peers that only ever tell each other of a third one do not keep it alive.
TEST_F(IslandDigestTest, HearsayGrowsOld) {
  IslandDigest a = Settled(0, 20);
  IslandDigest b = Settled(0, 20);
  const Time end = now + config.heal.sketch_ttl + Duration::Seconds(1);
  while (now < end) {
    const Message said = Say(a);
    b.Learn(said.sketch, said.ages, StepOf(PeerRef{1}));
    const Message answer = Say(b, PeerRef{1});
    a.Learn(answer.sketch, answer.ages, step());
    now = now + Duration::Seconds(30);
  }
  EXPECT_EQ(Say(a).sketch, Smallest(Range(0, 2)));
}

TEST_F(IslandDigestTest, AListBeyondTheSizeOfASketchIsCut) {
  IslandDigest digest = Settled(0, 1);
  digest.Learn(Range(1, 60), {}, step());
  EXPECT_EQ(Say(digest).sketch, Smallest(Range(0, 17)));
}

}  // namespace
}  // namespace tombolo
