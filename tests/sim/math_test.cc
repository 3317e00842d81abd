#include "sim/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace tombolo::sim {
namespace {

struct Point {
  double x;
  double expected;  // computed with 40 digits
};

double RelativeError(double value, double expected) {
  return std::abs(value - expected) / std::abs(expected);
}

TEST(Math, LogIsAccurate) {
  const std::vector<Point> points = {
      {1e-300, -690.77552789821370518}, {1e-09, -20.723265836946411094},
      {0.5, -0.69314718055994530942},   {0.7071, -0.34658318037194200028},
      {0.99, -0.010050335853501450155}, {1.0000001, 9.9999995058387045178e-8},
      {1.4143, 0.34663470904431701146}, {2, 0.69314718055994530942},
      {10, 2.302585092994045684},       {123456.789, 11.723646487185881016},
      {1e+300, 690.77552789821370526}};
  for (const auto& [x, expected] : points) {
    EXPECT_LT(RelativeError(Log(x), expected), 1e-15) << "x = " << x;
  }
  EXPECT_EQ(Log(1), 0);
  EXPECT_NEAR(Log(std::numeric_limits<double>::max()), 709.782712893384, 1e-12);
}

TEST(Math, ExpIsAccurate) {
  const std::vector<Point> points = {
      {-700, 9.8596765437597708567e-305}, {-20.5, 1.2501528663867426289e-9},
      {-1, 0.3678794411714423216},        {-1e-09, 0.9999999990000000005},
      {0.3465, 1.4141094938303624151},    {0.3466, 1.4142509118505286742},
      {1, 2.7182818284590452354},         {10.25, 28282.54192033497909},
      {88.8, 3.6757840844711624269e+38},  {700, 1.0142320547350045095e+304}};
  for (const auto& [x, expected] : points) {
    EXPECT_LT(RelativeError(Exp(x), expected), 1e-15) << "x = " << x;
  }
  EXPECT_EQ(Exp(0), 1);
  EXPECT_EQ(Exp(-709), 0);
  EXPECT_EQ(Exp(710), std::numeric_limits<double>::infinity());
}

TEST(Math, PowIsAccurate) {
  EXPECT_LT(RelativeError(Pow(2, 0.5), 1.4142135623730950488), 1e-14);
  EXPECT_LT(RelativeError(Pow(10, -3.5), 0.0003162277660168379332), 1e-14);
  EXPECT_LT(RelativeError(Pow(0.3, 2.94117647), 0.028981531908398930817), 1e-14);
  EXPECT_LT(RelativeError(Pow(1.5, 100), 406561177535215237.4), 1e-13);
  EXPECT_LT(RelativeError(Pow(7, 7), 823543.0), 1e-14);
  EXPECT_EQ(Pow(0, 2), 0);
  EXPECT_EQ(Pow(0, 0), 1);
}

TEST(Math, GammaIsAccurate) {
  const std::vector<Point> points = {{0.1, 9.5135076986687312858},
                                     {0.5, 1.7724538509055160273},
                                     {1, 1},
                                     {1.5, 0.88622692545275801365},
                                     {2.7, 1.5446858458505939836},
                                     {3.9411764705882355, 5.5753995092539650592},
                                     {5, 24},
                                     {12, 39916800},
                                     {20.5, 540624298233507504.47},
                                     {100, 9.3326215443944152682e+155},
                                     {170, 4.2690680090047052749e+304}};
  for (const auto& [x, expected] : points) {
    EXPECT_LT(RelativeError(Gamma(x), expected), 1e-12) << "x = " << x;
  }
}

// The bits themselves: what differs here differs between machines or compilers.
TEST(Math, GivesTheSameBitsEverywhere) {
  std::uint64_t sum = 0;
  for (int i = 1; i <= 10'000; ++i) {
    const double x = i * 0.00731;
    sum = sum * 31 + std::bit_cast<std::uint64_t>(Log(x));
    sum = sum * 31 + std::bit_cast<std::uint64_t>(Exp(x - 30));
    sum = sum * 31 + std::bit_cast<std::uint64_t>(Pow(x, 1.7));
    sum = sum * 31 + std::bit_cast<std::uint64_t>(Gamma(x));
  }
  EXPECT_EQ(sum, 17091073185178608790ULL);
}

}  // namespace
}  // namespace tombolo::sim
