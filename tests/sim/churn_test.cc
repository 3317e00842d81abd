#include "sim/churn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace tombolo::sim {
namespace {

ChurnOptions Make(ChurnModel model, double shape, double sigma = 1) {
  ChurnOptions options;
  options.model = model;
  options.shape = shape;
  options.sigma = sigma;
  options.mean = Duration::Seconds(1000);
  return options;
}

struct Case {
  const char* name;
  ChurnOptions options;
  double second_moment;  // E[X^2] in units of the mean squared
};

// Light enough tails that averages of a few hundred thousand draws settle.
std::vector<Case> Cases() {
  const auto weibull = [](double k) {
    return std::tgamma(1 + 2 / k) / std::pow(std::tgamma(1 + 1 / k), 2);
  };
  return {
      {"exponential", Make(ChurnModel::kExponential, 1), 2},
      {"weibull .5", Make(ChurnModel::kWeibull, 0.5), weibull(0.5)},
      {"weibull 2", Make(ChurnModel::kWeibull, 2), weibull(2)},
      {"pareto 4.5", Make(ChurnModel::kPareto, 4.5), 3.5 * 3.5 / (4.5 * 2.5)},
      {"lognormal .8", Make(ChurnModel::kLognormal, 1, 0.8), std::exp(0.64)},
  };
}

double MeanOf(int draws, const std::function<Duration()>& draw) {
  double sum = 0;
  for (int i = 0; i < draws; ++i) sum += draw().seconds();
  return sum / draws;
}

TEST(Sessions, LifetimesHaveTheirMean) {
  for (const Case& c : Cases()) {
    const Sessions sessions(c.options);
    Rng rng(3);
    EXPECT_NEAR(MeanOf(400'000, [&] { return sessions.DrawLifetime(rng); }), 1000, 15) << c.name;
    EXPECT_EQ(sessions.mean(), Duration::Seconds(1000));
  }
}

// The inspection paradox: what is left on average is E[X^2] / (2 E[X]), not half the mean.
TEST(Sessions, ResidualsHaveTheMeanOfLengthBiasedSessions) {
  for (const Case& c : Cases()) {
    const Sessions sessions(c.options);
    Rng rng(4);
    const double expected = 1000 * c.second_moment / 2;
    EXPECT_NEAR(MeanOf(400'000, [&] { return sessions.DrawResidual(rng); }), expected,
                0.03 * expected)
        << c.name;
  }
}

// P(residual > x) = (1 / mean) * integral of P(X > t) from x on; for a Pareto that is exact, also
// where the second moment is infinite.
TEST(Sessions, ParetoResidualsHaveTheirTail) {
  const Sessions sessions(Make(ChurnModel::kPareto, 1.5));
  const double least = 1000 * 0.5 / 1.5;
  Rng rng(5);
  constexpr int kDraws = 200'000;
  int above = 0;
  for (int i = 0; i < kDraws; ++i)
    above += sessions.DrawResidual(rng).seconds() > 4 * least ? 1 : 0;
  // least^1.5 / (0.5 * x^0.5) / 1000 at x = 4 least.
  EXPECT_NEAR(above / static_cast<double>(kDraws), least / (0.5 * 2) / 1000, 0.006);
}

// Peers that begin with residual sessions, and newcomers at the rate 1 / mean each: the population
// stays. With fresh sessions instead it would sag or swell first.
TEST(Sessions, AStationaryStartKeepsThePopulation) {
  constexpr int kPeers = 20'000;
  for (const Case& c : Cases()) {
    const Sessions sessions(c.options);
    Rng rng(6);
    for (const double at_s : {100.0, 500.0, 2000.0}) {
      int alive = 0;
      for (int i = 0; i < kPeers; ++i) alive += sessions.DrawResidual(rng).seconds() > at_s ? 1 : 0;
      const int arrivals = static_cast<int>(kPeers * at_s / 1000);
      for (int i = 0; i < arrivals; ++i) {
        const double born_s = at_s * (i + 0.5) / arrivals;
        alive += born_s + sessions.DrawLifetime(rng).seconds() > at_s ? 1 : 0;
      }
      EXPECT_NEAR(alive, kPeers, 0.02 * kPeers) << c.name << " at " << at_s;
    }
  }
}

TEST(Sessions, GiveTheSameNumbersEverywhere) {
  std::vector<std::int64_t> drawn;
  for (const Case& c : Cases()) {
    const Sessions sessions(c.options);
    Rng rng(1);
    drawn.push_back(sessions.DrawLifetime(rng).us);
    drawn.push_back(sessions.DrawResidual(rng).us);
  }
  EXPECT_EQ(drawn,
            (std::vector<std::int64_t>{568169510, 1736274382, 161408296, 4525367625, 850538587,
                                       1107622252, 882448775, 584949781, 1023841535, 287586766}));
}

TEST(Sessions, AreAtLeastAMicrosecondAndAtMostACentury) {
  ChurnOptions options = Make(ChurnModel::kLognormal, 1, 4);
  options.mean = Duration::Milliseconds(1);
  Rng rng(1);
  const Sessions brief(options);
  for (int i = 0; i < 10'000; ++i) ASSERT_GE(brief.DrawLifetime(rng).us, 1);
  options.mean = Duration::Hours(24 * 365 * 10);
  const Sessions lasting(options);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_LE(lasting.DrawResidual(rng), Duration::Hours(24 * 365 * 100));
  }
}

TEST(ChurnPreset, KadHasItsPublishedMean) {
  const auto kad = ChurnPreset("kad");
  ASSERT_TRUE(kad.has_value());
  EXPECT_EQ(kad->mean, Duration::Seconds(10'000));
  EXPECT_EQ(kad->shape, 0.5);
  for (const std::string_view name : ChurnPresetNames()) {
    EXPECT_EQ(ChurnPreset(name)->Validate(), std::nullopt) << name;
  }
  EXPECT_EQ(ChurnPreset("kademlia"), std::nullopt);
}

TEST(ChurnPreset, IpfsHasItsPublishedQuantiles) {
  const Sessions sessions(*ChurnPreset("ipfs-2022"));
  Rng rng(1);
  constexpr int kDraws = 100'000;
  int short_ones = 0;
  int long_ones = 0;
  for (int i = 0; i < kDraws; ++i) {
    const Duration life = sessions.DrawLifetime(rng);
    short_ones += life < Duration::Hours(8) ? 1 : 0;
    long_ones += life > Duration::Hours(24) ? 1 : 0;
  }
  EXPECT_NEAR(short_ones / static_cast<double>(kDraws), 0.876, 0.005);
  EXPECT_NEAR(long_ones / static_cast<double>(kDraws), 0.025, 0.003);
}

struct BadCase {
  ChurnModel model;
  std::function<void(ChurnOptions&)> spoil;
  std::string error;
};

TEST(ChurnOptions, ValidateNamesKeyValueAndRange) {
  const std::vector<BadCase> cases = {
      {ChurnModel::kNone, [](ChurnOptions& o) { o.graceful_share = 2; },
       "churn.graceful_share = 2: allowed are 0 to 1"},
      {ChurnModel::kExponential, [](ChurnOptions& o) { o.mean = {}; },
       "churn.mean_s = 0: allowed are 0.001 to 315360000"},
      {ChurnModel::kWeibull, [](ChurnOptions& o) { o.shape = 0; },
       "churn.shape = 0: allowed are 0.1 to 20"},
      {ChurnModel::kPareto, [](ChurnOptions& o) { o.shape = 1; },
       "churn.shape = 1: allowed are 1.05 to 100"},
      {ChurnModel::kLognormal, [](ChurnOptions& o) { o.sigma = std::nan(""); },
       "churn.sigma = nan: allowed are 0 to 4"},
  };
  for (const BadCase& c : cases) {
    ChurnOptions options;
    options.model = c.model;
    c.spoil(options);
    EXPECT_EQ(options.Validate(), c.error);
  }
  EXPECT_EQ(ChurnOptions().Validate(), std::nullopt);
}

}  // namespace
}  // namespace tombolo::sim
