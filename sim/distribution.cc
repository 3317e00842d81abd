#include "sim/distribution.h"

#include <cassert>
#include <cmath>

#include "sim/math.h"

namespace tombolo::sim {

double Exponential(Rng& rng, double mean) { return -mean * Log(Uniform01(rng)); }

double Weibull(Rng& rng, double shape, double scale) {
  return scale * Pow(-Log(Uniform01(rng)), 1 / shape);
}

double Pareto(Rng& rng, double shape, double scale) {
  return scale * Exp(-Log(Uniform01(rng)) / shape);
}

double Normal(Rng& rng) {
  while (true) {
    const double u = 2 * Uniform01(rng) - 1;
    const double v = 2 * Uniform01(rng) - 1;
    const double square = u * u + v * v;
    if (square > 0 && square < 1) return u * std::sqrt(-2 * Log(square) / square);
  }
}

double Lognormal(Rng& rng, double median, double sigma) {
  return median * Exp(sigma * Normal(rng));
}

double GammaDistributed(Rng& rng, double shape, double scale) {
  assert(shape >= 1);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = Normal(rng);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (Log(Uniform01(rng)) < 0.5 * x * x + d - d * v + d * Log(v)) return scale * d * v;
  }
}

}  // namespace tombolo::sim
