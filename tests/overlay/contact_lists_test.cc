#include "overlay/contact_lists.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/overlay/toy_peers.h"

namespace tombolo {
namespace {

std::vector<PeerRef> Refs(std::uint32_t first, std::size_t count) {
  std::vector<PeerRef> refs;
  for (std::uint32_t i = 0; i < count; ++i) refs.push_back(static_cast<PeerRef>(first + i));
  return refs;
}

std::vector<PeerRef> Held(const ContactLists& lists, ListHandle handle) {
  const auto list = lists.Get(handle);
  return {list.begin(), list.end()};
}

TEST(ContactLists, HoldsCopiesUntilTheyAreReleased) {
  ContactLists lists;
  std::vector<PeerRef> peers = Refs(10, 3);
  const ListHandle first = lists.Add(peers);
  const ListHandle second = lists.Add(Refs(20, 1));
  peers[0] = PeerRef::kNone;
  EXPECT_EQ(Held(lists, first), Refs(10, 3));
  EXPECT_EQ(Held(lists, second), Refs(20, 1));
  EXPECT_EQ(lists.in_use(), 2U);
  lists.Release(first);
  EXPECT_EQ(Held(lists, second), Refs(20, 1));
  lists.Release(second);
  EXPECT_EQ(lists.in_use(), 0U);
}

TEST(ContactLists, TheEmptyListTakesNoEntry) {
  ContactLists lists;
  EXPECT_EQ(lists.Add({}), ListHandle::kEmpty);
  EXPECT_TRUE(lists.Get(ListHandle::kEmpty).empty());
  lists.Release(ListHandle::kEmpty);
  EXPECT_EQ(lists.in_use(), 0U);
}

TEST(ContactLists, LongListsAreCut) {
  ContactLists lists;
  EXPECT_EQ(Held(lists, lists.Add(Refs(0, kMaxListed))), Refs(0, kMaxListed));
  EXPECT_EQ(Held(lists, lists.Add(Refs(0, kMaxListed + 5))), Refs(0, kMaxListed));
}

TEST(ContactLists, ReleasedEntriesAreUsedAgainBeforeThePoolGrows) {
  ContactLists lists;
  std::vector<ListHandle> handles;
  for (std::uint32_t i = 0; i < 4; ++i) handles.push_back(lists.Add(Refs(i, 1)));
  lists.Release(handles[1]);
  lists.Release(handles[3]);
  EXPECT_EQ(lists.Add(Refs(7, 2)), handles[3]);
  EXPECT_EQ(lists.Add(Refs(8, 2)), handles[1]);
  EXPECT_EQ(Held(lists, handles[3]), Refs(7, 2));
}

TEST(ContactLists, AreTheSameAfterSavingAndLoading) {
  ContactLists lists;
  const ListHandle kept = lists.Add(Refs(1, 5));
  lists.Release(lists.Add(Refs(9, 2)));
  const std::vector<std::uint8_t> bytes = Saved(lists);
  ContactLists loaded;
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(Held(loaded, kept), Refs(1, 5));
  EXPECT_EQ(loaded.in_use(), 1U);
  EXPECT_EQ(loaded.Add(Refs(2, 1)), lists.Add(Refs(2, 1)));
}

TEST(ContactListsDeathTest, ReleasingTwiceOrReadingAReleasedListIsAProgrammerError) {
  ContactLists lists;
  const ListHandle handle = lists.Add(Refs(1, 2));
  lists.Release(handle);
  EXPECT_DEATH(lists.Release(handle), "kReleased");
  EXPECT_DEATH(static_cast<void>(lists.Get(handle)), "kMaxListed");
}

}  // namespace
}  // namespace tombolo
