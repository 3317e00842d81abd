#include "sim/math.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace tombolo::sim {
namespace {

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // ln 2 to 33 bits: exact when times an exponent
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;  // the rest of ln 2
constexpr int kMantissaBits = 52;
constexpr std::int64_t kExponentBias = 1023;

// 2^exponent for the exponents of ordinary numbers.
double PowerOfTwo(std::int64_t exponent) {
  assert(exponent >= -1022 && exponent <= 1023);
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + kExponentBias)
                               << kMantissaBits);
}

// 1/3, 1/5, ... 1/21: atanh(s) = s + s * (z/3 + z^2/5 + ...) with z = s^2.
constexpr auto kLogTerms = [] {
  std::array<double, 10> terms{};
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = 1 / (2 * static_cast<double>(i) + 3);
  return terms;
}();

// 1/1!, 1/2!, ... 1/14!: e^r = 1 + r * (1 + r/2 + r^2/6 + ...). Factorials to 18! are exact.
constexpr auto kExpTerms = [] {
  std::array<double, 14> terms{};
  double factorial = 1;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    factorial *= static_cast<double>(i + 1);
    terms[i] = 1 / factorial;
  }
  return terms;
}();

// terms[0] + terms[1] x + terms[2] x^2 + ..., even and odd powers apart: two short chains of
// dependent operations run side by side.
template <std::size_t n>
double Polynomial(const std::array<double, n>& terms, double x) {
  static_assert(n % 2 == 0);
  const double square = x * x;
  double even = 0;
  double odd = 0;
  for (std::size_t i = n; i >= 2; i -= 2) {
    even = even * square + terms[i - 2];
    odd = odd * square + terms[i - 1];
  }
  return even + x * odd;
}

}  // namespace

double Log(double x) {
  assert(x > 0 && x <= std::numeric_limits<double>::max());
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <
  // 0.172.
  const auto bits = std::bit_cast<std::uint64_t>(x);
  std::int64_t exponent = static_cast<std::int64_t>(bits >> kMantissaBits) - kExponentBias;
  double mantissa = x * PowerOfTwo(exponent <= 1022 ? -exponent : -1022);
  if (exponent == 1023) mantissa *= 0.5;
  if (mantissa > 0x1.6a09e667f3bcdp+0) {
    mantissa *= 0.5;
    ++exponent;
  }
  const double f = mantissa - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  const double tail = z * Polynomial(kLogTerms, z);  // the next term is below 1e-17
  // log m = f - s * (f - 2 tail): the leading term f is exact, so that logs near 1 stay accurate.
  const double e = static_cast<double>(exponent);
  return e * kLn2High + (f - (s * (f - 2 * tail) - e * kLn2Low));
}

double Exp(double x) {
  if (x < -708) return 0;
  if (x > 709) return std::numeric_limits<double>::infinity();
  const double scaled = x * 0x1.71547652b82fep+0;  // 1 / ln 2
  const auto k = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
  const double n = static_cast<double>(k);
  const double r = (x - n * kLn2High) - n * kLn2Low;    // |r| <= 0.35
  const double sum = 1 + r * Polynomial(kExpTerms, r);  // the next term is below 4e-18
  return sum * PowerOfTwo(k / 2) * PowerOfTwo(k - k / 2);
}

double Pow(double x, double y) {
  assert(x >= 0);
  if (y == 0) return 1;
  if (x == 0) return 0;
  return Exp(y * Log(x));
}

double Gamma(double x) {
  assert(x > 0 && x <= 170);
  // Stirling's series (Abramowitz and Stegun 6.1.40) where it converges to 1e-16, from 12 up;
  // smaller arguments step there by gamma(x) = gamma(x + 1) / x.
  constexpr std::array<double, 7> kTerms = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
                                            1.0 / 1188, -691.0 / 360360, 1.0 / 156};
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  double product = 1;
  for (; x < 12; x += 1) product *= x;
  const double inverse = 1 / x;
  double series = 0;
  for (int i = 6; i >= 0; --i) {
    series = series * inverse * inverse + kTerms[static_cast<std::size_t>(i)];
  }
  return Exp((x - 0.5) * Log(x) - x + kHalfLogTwoPi + series * inverse) / product;
}

}  // namespace tombolo::sim
