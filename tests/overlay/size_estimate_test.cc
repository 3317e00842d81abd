#include "overlay/size_estimate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/overlay/toy_peers.h"

namespace tombolo {
namespace {

constexpr std::size_t kNearest = 20;

// A world of random ids, of which only the first `live` count.
class Population {
 public:
  explicit Population(std::uint32_t peers) : rng_(7) {
    for (std::uint32_t i = 0; i < peers; ++i) ids_.push_back(RandomId(rng_));
  }

  std::uint32_t Sample(std::size_t live) {
    const NodeId key = RandomId(rng_);
    std::vector<NodeId> distances;
    for (std::size_t i = 0; i < live; ++i) distances.push_back(Distance(key, ids_[i]));
    std::nth_element(distances.begin(), distances.begin() + (kNearest - 1), distances.end());
    return SizeEstimate::FromFarthest(kNearest, distances[kNearest - 1]);
  }

 private:
  Rng rng_;
  std::vector<NodeId> ids_;
};

TEST(SizeEstimateTest, NobodyAndOneSpeakForThemselves) {
  EXPECT_EQ(SizeEstimate::FromFarthest(0, {}), 0U);
  EXPECT_EQ(SizeEstimate::FromFarthest(1, {}), 1U);
}

TEST(SizeEstimateTest, DistanceZeroIsAsManyAsCanBe) {
  EXPECT_EQ(SizeEstimate::FromFarthest(20, NodeId{}), 0xffffffffU);
}

TEST(SizeEstimateTest, PeersOverHalfOfTheSpaceSpeakForTwiceAsMany) {
  NodeId half;
  half.words[0] = 0x80000000U;
  EXPECT_EQ(SizeEstimate::FromFarthest(21, half), 39U);  // rounded down: the space is half-open
}

TEST(SizeEstimateTest, MeanComesNearTheTruth) {
  Population population(2000);
  SizeEstimate estimate;
  for (int i = 0; i < 32; ++i) estimate.Add(population.Sample(2000), kNearest, Time{});
  // The relative standard deviation of 32 samples is 4 %.
  EXPECT_NEAR(estimate.Mean(Time{}), 2000, 240);
}

TEST(SizeEstimateTest, SamplesGrowOld) {
  SizeEstimate estimate;
  estimate.Add(100, kNearest, Time{});
  EXPECT_EQ(estimate.Mean(Time{} + SizeEstimate::kMaxAge), 100U);
  EXPECT_EQ(estimate.Mean(Time{} + SizeEstimate::kMaxAge + Duration::Seconds(1)), 0U);
}

TEST(SizeEstimateTest, OnlyTheLastSamplesCount) {
  SizeEstimate estimate;
  for (std::size_t i = 0; i < SizeEstimate::kSamples; ++i) estimate.Add(100, kNearest, Time{});
  for (std::size_t i = 0; i < SizeEstimate::kSamples; ++i) estimate.Add(200, kNearest, Time{});
  EXPECT_EQ(estimate.Mean(Time{}), 200U);
}

TEST(SizeEstimateTest, HalfOfThePeersGoneIsNoticedOnce) {
  Population population(1000);
  SizeEstimate estimate;
  for (std::size_t i = 0; i < 24; ++i) estimate.Add(population.Sample(1000), kNearest, Time{});
  int noticed = 0;
  int first = 0;
  for (int i = 1; i <= 16; ++i) {
    if (!estimate.Add(population.Sample(500), kNearest, Time{})) continue;
    ++noticed;
    if (first == 0) first = i;
  }
  EXPECT_EQ(noticed, 1);
  EXPECT_LE(first, 12);
  EXPECT_NEAR(estimate.Mean(Time{}), 500, 120);
}

TEST(SizeEstimateTest, AQuietIslandRaisesNoAlarm) {
  Population population(500);
  SizeEstimate estimate;
  int alarms = 0;
  for (int i = 0; i < 2000; ++i) alarms += estimate.Add(population.Sample(500), kNearest, Time{});
  // Three standard deviations: 1.3 in 1,000 for one side of a normal distribution, and a sample
  // counts in kRecent tests.
  EXPECT_LE(alarms, 4);
}

TEST(SizeEstimateTest, FewSamplesRaiseNoAlarm) {
  SizeEstimate estimate;
  for (int i = 0; i < 8; ++i) EXPECT_FALSE(estimate.Add(1000, kNearest, Time{}));
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(estimate.Add(1, kNearest, Time{}));
  EXPECT_TRUE(estimate.Add(1, kNearest, Time{}));
}

TEST(SizeEstimateTest, SavedAndLoaded) {
  SizeEstimate estimate;
  estimate.Add(100, kNearest, Time{});
  const std::vector<std::uint8_t> bytes = Saved(estimate);
  SizeEstimate loaded;
  Reader reader(bytes);
  reader(loaded);
  EXPECT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(loaded.Mean(Time{}), 100U);
}

}  // namespace
}  // namespace tombolo
