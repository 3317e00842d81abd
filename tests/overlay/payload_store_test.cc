#include "overlay/payload_store.h"

#include <gtest/gtest.h>

#include "overlay/archive.h"

namespace tombolo {
namespace {

TEST(PayloadStore, KeepsBytesUntilTheLastShareIsGivenUp) {
  PayloadStore store;
  const Payload payload = store.Add(3, "abc");
  EXPECT_EQ(payload.bytes, 3U);
  store.Share(payload);
  store.Release(payload);
  EXPECT_EQ(store.bytes(payload), "abc");
  EXPECT_EQ(store.in_use(), 1U);
  store.Release(payload);
  EXPECT_EQ(store.in_use(), 0U);
}

TEST(PayloadStore, TheLastShareGivesItsBytesAwayAndOthersACopy) {
  PayloadStore store;
  const Payload payload = store.Add(3, "abc");
  store.Share(payload);
  EXPECT_EQ(store.Take(payload), "abc");
  EXPECT_EQ(store.bytes(payload), "abc");
  EXPECT_EQ(store.Take(payload), "abc");
  EXPECT_EQ(store.in_use(), 0U);
  EXPECT_EQ(store.Take({}), "");
}

TEST(PayloadStore, CountsTheBytesThatItHolds) {
  PayloadStore store;
  const Payload first = store.Add(3, "abc");
  const Payload second = store.Add(2, "de");
  store.Add(1'000'000);
  EXPECT_EQ(store.bytes_in_use(), 5U);
  store.Share(first);
  store.Take(first);
  EXPECT_EQ(store.bytes_in_use(), 5U);
  store.Take(first);
  EXPECT_EQ(store.bytes_in_use(), 2U);
  store.Release(second);
  EXPECT_EQ(store.bytes_in_use(), 0U);
}

TEST(PayloadStore, SizesNeedNoBytes) {
  PayloadStore store;
  const Payload payload = store.Add(1'000'000);
  EXPECT_EQ(payload.bytes, 1'000'000U);
  EXPECT_EQ(store.bytes(payload), "");
}

TEST(PayloadStore, TheEmptyPayloadIsIgnored) {
  PayloadStore store;
  store.Share(Payload{});
  store.Release(Payload{});
  EXPECT_EQ(store.in_use(), 0U);
}

TEST(PayloadStore, HandlesAreReused) {
  PayloadStore store;
  const Payload first = store.Add(1, "x");
  const Payload second = store.Add(1, "y");
  store.Release(first);
  EXPECT_EQ(store.Add(2, "zz").handle, first.handle);
  EXPECT_EQ(store.bytes(second), "y");
}

TEST(PayloadStore, IsTheSameAfterSavingAndLoading) {
  PayloadStore store;
  const Payload kept = store.Add(2, "ab");
  store.Share(kept);
  store.Release(store.Add(1, "x"));
  Writer writer;
  writer(store);
  const auto bytes = writer.Take();
  PayloadStore loaded;
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(loaded.bytes(kept), "ab");
  EXPECT_EQ(loaded.in_use(), 1U);
  loaded.Release(kept);
  EXPECT_EQ(loaded.bytes(kept), "ab");
  loaded.Release(kept);
  EXPECT_EQ(loaded.in_use(), 0U);
}

TEST(PayloadStoreDeathTest, GivingUpAShareTooManyIsAProgrammerError) {
  PayloadStore store;
  const Payload payload = store.Add(1);
  store.Release(payload);
  EXPECT_DEATH(store.Release(payload), "shares > 0");
  EXPECT_DEATH(store.Share(payload), "shares > 0");
}

}  // namespace
}  // namespace tombolo
