#include "node/record_keeper.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/node/scratch_dir.h"

namespace tombolo::node {
namespace {

class RecordKeeperTest : public testing::Test {
 protected:
  RecordKeeper Make() {
    return RecordKeeper(
        io_.get_executor(), RecordFile::Open(path()).value(),
        [this](std::uint64_t number, bool kept) { told_.emplace_back(number, kept); });
  }
  bool UntilTold(std::uint64_t number) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (told_.empty() || told_.back().first < number) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }
  static DurableRecord Record(std::uint32_t number, std::string value = "value") {
    return {NodeId{{number, 2, 3, 4, 5}}, number, Duration::Hours(1), std::move(value)};
  }
  std::string path() const { return scratch_ / "records.db"; }

  ScratchDir scratch_;
  boost::asio::io_context io_;
  std::vector<std::pair<std::uint64_t, bool>> told_;
};

TEST_F(RecordKeeperTest, ToldNumbersAreDurableAndComeInOrder) {
  {
    RecordKeeper keeper = Make();
    for (std::uint32_t i = 1; i <= 100; ++i) EXPECT_EQ(keeper.Keep(Record(i)), i);
    ASSERT_TRUE(UntilTold(100));
    RecordFile second = RecordFile::Open(path()).value();  // as a process after kill -9 would
    EXPECT_EQ(second.Load(0)->size(), 100U);
  }
  std::uint64_t last = 0;
  for (const auto& [number, kept] : told_) {
    EXPECT_TRUE(kept);
    EXPECT_GT(number, std::exchange(last, number));
  }
  EXPECT_LT(told_.size(), 100U);  // they share transactions
}

TEST_F(RecordKeeperTest, RestoredRecordsHaveTheTimeThatIsLeft) {
  {
    RecordKeeper keeper = Make();
    keeper.Keep(Record(7));
    DurableRecord past = Record(8);
    past.ttl = Duration::Milliseconds(-1);
    keeper.Keep(past);
  }  // Stop writes what waits
  RecordFile file = RecordFile::Open(path()).value();
  const std::vector<DurableRecord> restored = RecordKeeper::Restore(file);
  ASSERT_EQ(restored.size(), 1U);
  EXPECT_EQ(restored[0].key, Record(7).key);
  EXPECT_EQ(restored[0].sequence, 7U);
  EXPECT_EQ(restored[0].value, "value");
  EXPECT_LE(restored[0].ttl, Duration::Hours(1));
  EXPECT_GT(restored[0].ttl, Duration::Minutes(59));
}

TEST_F(RecordKeeperTest, RetainDropsWhatIsNotListedAndNothingThatCameLater) {
  {
    RecordKeeper keeper = Make();
    keeper.Keep(Record(1));
    keeper.Keep(Record(2));
    ASSERT_TRUE(UntilTold(2));
    keeper.Retain({Record(2).key});
    keeper.Keep(Record(3));
  }
  RecordFile file = RecordFile::Open(path()).value();
  const std::vector<DurableRecord> left = RecordKeeper::Restore(file);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].sequence, 2U);
  EXPECT_EQ(left[1].sequence, 3U);
}

TEST_F(RecordKeeperTest, WhatTheQueueHasNoRoomForIsNotKeptAndSaidSo) {
  RecordKeeper keeper = Make();
  const std::string large(RecordKeeper::kMaxQueuedBytes + 1, 'x');
  EXPECT_EQ(keeper.Keep(Record(1, large)), 1U);
  ASSERT_TRUE(UntilTold(1));
  EXPECT_EQ(told_, (std::vector<std::pair<std::uint64_t, bool>>{{1, false}}));
  EXPECT_EQ(keeper.failures(), 1U);
  EXPECT_EQ(keeper.Keep(Record(2)), 2U);
  EXPECT_TRUE(UntilTold(2));
}

TEST_F(RecordKeeperTest, WhatIsRefusedIsToldAfterWhatWaits) {
  RecordKeeper keeper = Make();
  keeper.Keep(Record(1));
  keeper.Keep(Record(2, std::string(RecordKeeper::kMaxQueuedBytes + 1, 'x')));
  ASSERT_TRUE(UntilTold(2));
  EXPECT_EQ(told_, (std::vector<std::pair<std::uint64_t, bool>>{{1, true}, {2, false}}));
}

}  // namespace
}  // namespace tombolo::node
