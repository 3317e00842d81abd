#include "overlay/directory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/rng.h"

namespace tombolo {
namespace {

NodeId WithLowWord(std::uint32_t word) {
  NodeId id;
  id.words[4] = word;
  return id;
}

TEST(Directory, GivesDenseRefsFromZero) {
  Directory ids;
  EXPECT_EQ(ids.size(), 0U);
  EXPECT_EQ(Index(ids.Add(WithLowWord(7))), 0U);
  EXPECT_EQ(Index(ids.Add(WithLowWord(3))), 1U);
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_EQ(ids.id(PeerRef{0}), WithLowWord(7));
  EXPECT_EQ(ids.id(PeerRef{1}), WithLowWord(3));
}

TEST(Directory, KnowsOnlyItsOwnRefs) {
  Directory ids;
  const PeerRef only = ids.Add(WithLowWord(1));
  EXPECT_TRUE(ids.Contains(only));
  EXPECT_FALSE(ids.Contains(PeerRef{1}));
  EXPECT_FALSE(ids.Contains(PeerRef::kNone));
}

TEST(Directory, KeepsAndReplacesAttributes) {
  Directory ids;
  PeerAttributes attributes;
  attributes.dialable = false;
  const PeerRef ref = ids.Add(WithLowWord(1), attributes);
  EXPECT_FALSE(ids.dialable(ref));
  attributes.dialable = true;
  ids.set_attributes(ref, attributes);
  EXPECT_TRUE(ids.dialable(ref));
}

// Against a map: refs are renamed in any order, with ids whose searches meet.
TEST(Directory, FindsRenamedPeersAndNoFormerOnes) {
  Directory ids;
  std::map<NodeId, PeerRef> twin;
  Rng rng(1);
  for (std::uint32_t i = 0; i < 50; ++i) twin[WithLowWord(i)] = ids.Add(WithLowWord(i));
  for (int round = 0; round < 2000; ++round) {
    const PeerRef ref{rng.Below(50)};
    const NodeId next = WithLowWord(rng.Below(300));
    if (twin.contains(next)) continue;
    twin.erase(ids.id(ref));
    twin[next] = ref;
    ids.Rename(ref, next, {.dialable = false});
    EXPECT_FALSE(ids.dialable(ref));
    for (std::uint32_t low = 0; low < 300; ++low) {
      const auto known = twin.find(WithLowWord(low));
      const auto expected = known == twin.end() ? std::nullopt : std::optional(known->second);
      ASSERT_EQ(ids.Find(WithLowWord(low)), expected) << "round " << round;
    }
  }
}

// Also the proof that assertions are on in every build of ours, release included.
TEST(DirectoryDeathTest, AForeignRefIsAProgrammerError) {
  Directory ids;
  ids.Add(WithLowWord(1));
  EXPECT_DEATH(static_cast<void>(ids.id(PeerRef{1})), "sizeof\\(NodeId\\) <");
}

}  // namespace
}  // namespace tombolo
