#include "sim/distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace tombolo::sim {
namespace {

struct Case {
  const char* name;
  std::function<double(Rng&)> draw;
  double mean;
  double variance;
};

std::vector<Case> Cases() {
  const double weibull_variance = std::tgamma(2) - std::pow(std::tgamma(1.5), 2);
  return {
      {"uniform", [](Rng& rng) { return Uniform01(rng); }, 0.5, 1.0 / 12},
      {"exponential", [](Rng& rng) { return Exponential(rng, 3); }, 3, 9},
      {"weibull", [](Rng& rng) { return Weibull(rng, 2, 10); }, 10 * std::tgamma(1.5),
       100 * weibull_variance},
      {"pareto", [](Rng& rng) { return Pareto(rng, 5, 8); }, 10, 64 * 5.0 / (16 * 3)},
      {"normal", [](Rng& rng) { return Normal(rng); }, 0, 1},
      {"lognormal", [](Rng& rng) { return Lognormal(rng, 2, 0.5); }, 2 * std::exp(0.125),
       4 * (std::exp(0.25) - 1) * std::exp(0.25)},
      {"gamma 1", [](Rng& rng) { return GammaDistributed(rng, 1, 2); }, 2, 4},
      {"gamma 3.5", [](Rng& rng) { return GammaDistributed(rng, 3.5, 2); }, 7, 14},
  };
}

TEST(Distribution, MeanAndVarianceAreRight) {
  constexpr int kDraws = 200'000;
  for (const Case& c : Cases()) {
    Rng rng(5);
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = c.draw(rng);
      sum += x - c.mean;
      squares += (x - c.mean) * (x - c.mean);
    }
    const double deviation = std::sqrt(c.variance);
    EXPECT_NEAR(sum / kDraws, 0, 5 * deviation / std::sqrt(kDraws)) << c.name;
    EXPECT_NEAR(squares / kDraws, c.variance, 0.05 * c.variance) << c.name;
  }
}

struct TailCase {
  const char* name;
  std::function<double(Rng&)> draw;
  double x;
  double share_above;
};

TEST(Distribution, TailsAreRight) {
  const std::vector<TailCase> cases = {
      {"weibull", [](Rng& rng) { return Weibull(rng, 0.5, 10); }, 40, std::exp(-2)},
      {"pareto", [](Rng& rng) { return Pareto(rng, 1.5, 2); }, 8, 0.125},
      {"lognormal", [](Rng& rng) { return Lognormal(rng, 7, 2); }, 7, 0.5},
      {"normal", [](Rng& rng) { return Normal(rng); }, 1.959963985, 0.025},
      {"exponential", [](Rng& rng) { return Exponential(rng, 2); }, 6, std::exp(-3)},
  };
  constexpr int kDraws = 100'000;
  for (const TailCase& c : cases) {
    Rng rng(6);
    int above = 0;
    for (int i = 0; i < kDraws; ++i) above += c.draw(rng) > c.x ? 1 : 0;
    const double error = std::sqrt(c.share_above * (1 - c.share_above) / kDraws);
    EXPECT_NEAR(above / static_cast<double>(kDraws), c.share_above, 5 * error) << c.name;
  }
}

TEST(Distribution, UnitIsNeverZeroAndNeverAboveOne) {
  EXPECT_EQ(UnitOf(0), 0x1p-53);
  EXPECT_EQ(UnitOf(std::numeric_limits<std::uint64_t>::max()), 1.0);
}

TEST(Distribution, GivesTheSameNumbersEverywhere) {
  Rng rng(1);
  const std::vector<double> expected = {
      0.56656157517228101,  0.29332227216583817, 0.00086588799699632878, 1.5001438419062332,
      -0.32683852006837932, 2.8734801877202738,  1.3284863015843247};
  const std::vector<double> drawn = {
      Uniform01(rng), Exponential(rng, 1),  Weibull(rng, 0.5, 1),         Pareto(rng, 2, 1),
      Normal(rng),    Lognormal(rng, 1, 1), GammaDistributed(rng, 2.5, 1)};
  EXPECT_EQ(drawn, expected);
}

}  // namespace
}  // namespace tombolo::sim
