#include "overlay/island_probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/overlay/island_parts.h"

namespace tombolo {
namespace {

class IslandProbeTest : public testing::Test, public IslandParts {
 protected:
  IslandProbeTest() : IslandParts(20) {}

  // Times between probes of one prober that is asked whenever it is due.
  std::vector<Duration> Gaps(IslandProber& prober, std::uint32_t size, int count) {
    std::vector<Duration> gaps;
    while (std::ssize(gaps) < count) {
      const Time before = now;
      now = prober.next_deadline();
      prober.Probed(size, step());
      gaps.push_back(now - before);
    }
    return gaps;
  }
};

TEST_F(IslandProbeTest, IntervalFollowsBudgetAndSize) {
  struct {
    std::uint32_t size;
    bool boosted;
    Duration expected;
  } const cases[] = {
      {1, false, Duration::Seconds(30)},   {1, true, Duration::Seconds(3)},
      {15, false, Duration::Seconds(30)},  {15, true, Duration::Seconds(30)},
      {50, false, Duration::Seconds(100)}, {50, true, Duration::Seconds(100)},
      {300, false, Duration::Minutes(10)}, {1'000'000, true, Duration::Minutes(10)},
  };
  config.heal.probe_spread = Duration::Seconds(2);
  for (const auto& c : cases) {
    EXPECT_EQ(IslandProber::Interval(c.size, c.boosted, config.heal), c.expected) << c.size;
  }
}

TEST_F(IslandProbeTest, GapsScatterByHalfAroundTheInterval) {
  IslandProber prober;
  prober.StartProbing(1, step());
  EXPECT_LE(prober.next_deadline(), now + Duration::Seconds(30));
  now = prober.next_deadline();
  prober.Probed(1, step());
  const std::vector<Duration> gaps = Gaps(prober, 1, 1000);
  Duration sum;
  for (const Duration gap : gaps) sum = sum + gap;
  EXPECT_GE(*std::min_element(gaps.begin(), gaps.end()), Duration::Seconds(15));
  EXPECT_LE(*std::min_element(gaps.begin(), gaps.end()), Duration::Seconds(16));
  EXPECT_GE(*std::max_element(gaps.begin(), gaps.end()), Duration::Seconds(44));
  EXPECT_LE(*std::max_element(gaps.begin(), gaps.end()), Duration::Seconds(45));
  EXPECT_NEAR(sum.seconds() / 1000, 30, 1);
}

TEST_F(IslandProbeTest, TenTimesAsManyProbesForFiveMinutes) {
  config.heal.probe_spread = Duration::Seconds(2);
  IslandProber prober;
  prober.StartProbing(1, step());
  prober.Boost(step());
  prober.Adjust(1, step());
  EXPECT_LE(prober.next_deadline(), now + Duration::Seconds(3));
  const Time end = now + Duration::Minutes(5);
  int probes = 0;
  while (prober.next_deadline() < end) {
    now = prober.next_deadline();
    prober.Probed(1, step());
    ++probes;
  }
  EXPECT_NEAR(probes, 100, 10);
  now = prober.next_deadline();
  prober.Probed(1, step());
  EXPECT_GE(prober.next_deadline() - now, Duration::Seconds(15));  // the usual rate again
}

TEST_F(IslandProbeTest, ASmallerIslandShortensTheWaitInProportion) {
  IslandProber prober;
  prober.StartProbing(100, step());  // once in 350 s
  const Duration wait = prober.next_deadline() - now;
  prober.Adjust(200, step());
  EXPECT_EQ(prober.next_deadline() - now, wait);  // never longer
  prober.Adjust(50, step());
  EXPECT_EQ((prober.next_deadline() - now).us, wait.us / 2);
}

TEST_F(IslandProbeTest, StartsOnceAndStops) {
  IslandProber prober;
  EXPECT_EQ(prober.next_deadline(), kNever);
  prober.StartProbing(50, step());
  const Time due = prober.next_deadline();
  now = now + Duration::Milliseconds(1);
  prober.StartProbing(50, step());
  EXPECT_EQ(prober.next_deadline(), due);
  prober.StopProbing();
  EXPECT_EQ(prober.next_deadline(), kNever);
}

TEST_F(IslandProbeTest, AnswersMustFitTheQuestion) {
  IslandProber prober;
  const std::uint32_t rpc = prober.Ask(PeerRef{5}, step());
  EXPECT_FALSE(prober.Answered(PeerRef{6}, rpc));
  EXPECT_FALSE(prober.Answered(PeerRef{5}, rpc + 1));
  EXPECT_TRUE(prober.Answered(PeerRef{5}, rpc));
  EXPECT_FALSE(prober.Answered(PeerRef{5}, rpc));
}

TEST_F(IslandProbeTest, QuestionsAreBoundedAndExpire) {
  IslandProber prober;
  for (std::uint32_t i = 0; i < IslandProber::kMaxOpen; ++i) {
    ASSERT_TRUE(prober.CanAsk());
    prober.Ask(PeerRef{i}, step());
  }
  EXPECT_FALSE(prober.CanAsk());
  EXPECT_EQ(prober.next_deadline(), now + config.lookup.rpc_timeout);
  std::vector<PeerRef> silent;
  prober.Expire(step(), silent);
  EXPECT_TRUE(silent.empty());
  now = prober.next_deadline();
  prober.Expire(step(), silent);
  EXPECT_EQ(silent.size(), IslandProber::kMaxOpen);
  EXPECT_TRUE(prober.CanAsk());
}

TEST_F(IslandProbeTest, ExchangesScatterToo) {
  IslandProber prober;
  EXPECT_FALSE(prober.ClaimExchange(step()));
  prober.StartExchange(now);
  EXPECT_TRUE(prober.ClaimExchange(step()));
  EXPECT_GE(prober.next_deadline(), now + config.heal.exchange_interval / 2);
  EXPECT_LE(prober.next_deadline(), now + config.heal.exchange_interval / 2 * 3);
  EXPECT_FALSE(prober.ClaimExchange(step()));
}

}  // namespace
}  // namespace tombolo
