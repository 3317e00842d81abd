#include "node/rate_limit.h"

#include <gtest/gtest.h>

namespace tombolo::node {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

TEST(TokenBucket, HoldsAQuarterOfASecondsWorth) {
  TokenBucket bucket(1000);
  bucket.Take(250, kSecond);
  EXPECT_EQ(bucket.WaitUs(kSecond), 0);
  bucket.Take(1, kSecond);
  EXPECT_EQ(bucket.WaitUs(kSecond), 1000);  // one token is a millisecond
  EXPECT_EQ(bucket.WaitUs(kSecond + 999), 1);
  EXPECT_EQ(bucket.WaitUs(kSecond + 1000), 0);
}

TEST(TokenBucket, SilenceFillsItNoFurther) {
  TokenBucket bucket(1000);
  bucket.Take(250, kSecond);
  bucket.Take(251, 1'000'000 * kSecond);
  EXPECT_EQ(bucket.WaitUs(1'000'000 * kSecond), 1000);
}

TEST(TokenBucket, DebtIsPaidInFull) {
  TokenBucket bucket(1000);
  bucket.Take(10'250, 0);
  EXPECT_EQ(bucket.WaitUs(0), 10 * kSecond);
  EXPECT_EQ(bucket.WaitUs(9 * kSecond), kSecond);
  EXPECT_EQ(bucket.WaitUs(10 * kSecond), 0);
}

// However often it is asked, and however small the rate: no fraction of a token is lost.
TEST(TokenBucket, FractionsAddUp) {
  TokenBucket bucket(3);
  bucket.Take(3, 0);  // 2.25 in debt
  for (std::int64_t now = 0; now < 750'000; now += 7) EXPECT_GT(bucket.WaitUs(now), 0);
  EXPECT_EQ(bucket.WaitUs(750'000), 0);
}

TEST(TokenBucket, ATimeThatGoesBackGivesNothing) {
  TokenBucket bucket(1000);
  bucket.Take(251, kSecond);
  EXPECT_EQ(bucket.WaitUs(0), 1000);
  EXPECT_EQ(bucket.WaitUs(kSecond), 1000);
}

TEST(TokenBucket, TheLargestRateDoesNotOverflow) {
  TokenBucket bucket(std::int64_t{1} << 40);
  bucket.Take(std::int64_t{1} << 30, kSecond);
  EXPECT_EQ(bucket.WaitUs(3600 * kSecond), 0);
}

TEST(TokenBucket, NoRateIsNoLimit) {
  TokenBucket bucket(0);
  bucket.Take(std::int64_t{1} << 60, 0);
  EXPECT_EQ(bucket.WaitUs(0), 0);
}

TEST(TokenBucket, ANewRateTakesNoDebtAway) {
  TokenBucket bucket(1000);
  bucket.Take(1250, 0);
  bucket.SetRate(2000);
  EXPECT_EQ(bucket.WaitUs(0), kSecond / 2);
}

TEST(RateGate, TheScarcerOfBytesAndMessagesDecides) {
  RateGate gate({1000, 10});
  gate.Take(500, 1, 0);
  EXPECT_EQ(gate.WaitUs(0), 250'000);
  gate.Take(0, 9, 0);
  EXPECT_EQ(gate.WaitUs(0), 750'000);
}

}  // namespace
}  // namespace tombolo::node
