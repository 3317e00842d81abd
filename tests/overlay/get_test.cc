// The Get half of overlay/put_get.h; the rest is in put_get_test.cc.
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/overlay/put_get_fixture.h"

namespace tombolo::put_get_test {
namespace {

class GetTest : public PutGetTest {};

TEST_F(GetTest, AGetReturnsTheHighestSequenceAndCachesIt) {
  const std::uint32_t get = StartGet(3);
  const Record records[] = {MakeRecord(4), MakeRecord(9, kHour), MakeRecord(9), MakeRecord(2)};
  for (const Record& record : records) EXPECT_TRUE(part_.OnValue(get, record, host_.step()));
  EXPECT_EQ(host_.Shares(), 1) << "the losers are released";
  host_.Advance(Duration::Seconds(1));
  part_.OnLookupDone(get, {.closest = peers_, .cache_at = peers_[1], .hops = 2, .messages = 11},
                     host_.step());
  const auto sends = host_.TakeSends();
  ASSERT_EQ(sends.size(), 1U);
  EXPECT_EQ(sends[0].to, peers_[1]);
  const Store copy = std::get<Store>(sends[0].message);
  EXPECT_EQ(copy.record.payload, records[1].payload);
  EXPECT_EQ(copy.record.ttl, host_.config().store.cache_ttl);
  Ack(peers_[1], copy.rpc);
  EXPECT_EQ(host_.Drops(DropReason::kUnknownRpc), 0U);
  const auto done = host_.TakeEvents<GetDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].request, 3U);
  EXPECT_TRUE(done[0].found);
  EXPECT_EQ(done[0].record.payload, records[1].payload);
  EXPECT_EQ(done[0].record.sequence, 9U);
  EXPECT_EQ(done[0].record.ttl, kHour - Duration::Seconds(1));
  EXPECT_EQ(done[0].hops, 2);
  EXPECT_EQ(done[0].messages, 11);
  EXPECT_EQ(done[0].started, Time{});
  EXPECT_EQ(host_.Shares(), 0) << "the share has passed to the application";
  EXPECT_TRUE(part_.idle());
}

TEST_F(GetTest, ACopyOnThePathLivesNoLongerThanTheRecord) {
  const Duration left = Duration::Minutes(3);
  const std::uint32_t get = StartGet(1);
  part_.OnValue(get, MakeRecord(1, left), host_.step());
  part_.OnLookupDone(get, {.cache_at = peers_[0]}, host_.step());
  EXPECT_EQ(std::get<Store>(host_.TakeSends().at(0).message).record.ttl, left);
}

TEST_F(GetTest, NothingIsCachedWithoutAPlaceOrATimeToLive) {
  std::uint32_t get = StartGet(1);
  part_.OnValue(get, MakeRecord(1), host_.step());
  part_.OnLookupDone(get, {.closest = peers_}, host_.step());
  host_.config().store.cache_ttl = Duration{0};
  get = StartGet(2);
  part_.OnValue(get, MakeRecord(1), host_.step());
  part_.OnLookupDone(get, {.cache_at = peers_[0]}, host_.step());
  EXPECT_TRUE(host_.TakeSends().empty());
  EXPECT_EQ(host_.TakeEvents<GetDone>().size(), 2U);
}

TEST_F(GetTest, RecordsThatCannotBeAnAnswerAreRefused) {
  host_.config().store.max_value_bytes = 100;
  const std::uint32_t get = StartGet(1);
  const Record bad[] = {{TestId(kKey + 1), host_.NewPayload(), 9, kHour},
                        {TestId(kKey), host_.NewPayload(101), 9, kHour},
                        {TestId(kKey), host_.NewPayload(), 9, Duration{0}}};
  for (const Record& record : bad) EXPECT_FALSE(part_.OnValue(get, record, host_.step()));
  EXPECT_EQ(host_.Drops(DropReason::kRecordRejected), 3U);
  part_.OnLookupDone(get, {.closest = peers_, .hops = 1, .messages = 4}, host_.step());
  const auto done = host_.TakeEvents<GetDone>();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_FALSE(done[0].found);
  EXPECT_EQ(done[0].messages, 4);
  EXPECT_EQ(host_.Shares(), 0);
}

TEST_F(GetTest, ARecordThatExpiresDuringTheLookupIsNotFound) {
  const std::uint32_t get = StartGet(1);
  part_.OnValue(get, MakeRecord(1, Duration::Seconds(1)), host_.step());
  host_.Advance(Duration::Seconds(1));
  part_.OnLookupDone(get, {.cache_at = peers_[0]}, host_.step());
  EXPECT_FALSE(host_.TakeEvents<GetDone>().at(0).found);
  EXPECT_TRUE(host_.TakeSends().empty());
  EXPECT_EQ(host_.Shares(), 0);
}

}  // namespace
}  // namespace tombolo::put_get_test
