// Random numbers of the shapes that latencies and lifetimes have, drawn from the generator of the
// core.
//
// Those of <random> differ between standard libraries; these give the same bits everywhere
// (sim/math.h). Every function draws from `rng` and keeps nothing. Scales carry the unit of the
// result.
//
// Thread rule: pure functions of their arguments.
#pragma once

#include <cstdint>

#include "overlay/rng.h"

namespace tombolo::sim {

// The 53 leading bits of a random word as a number in (0, 1]: never 0, so that its logarithm
// exists.
constexpr double UnitOf(std::uint64_t word) {
  return static_cast<double>((word >> 11) + 1) * 0x1p-53;
}

// Uniform in (0, 1].
inline double Uniform01(Rng& rng) { return UnitOf(rng.Next()); }

// Mean `mean`. Requires mean > 0.
double Exponential(Rng& rng, double mean);

// P(X > x) = exp(-(x / scale)^shape). Requires shape > 0, scale > 0.
double Weibull(Rng& rng, double shape, double scale);

// P(X > x) = (scale / x)^shape for x >= scale, its least value. Requires shape > 0, scale > 0.
double Pareto(Rng& rng, double shape, double scale);

// Mean 0, standard deviation 1. Marsaglia's polar method, as it needs no sine.
double Normal(Rng& rng);

// Its logarithm is normal with mean log(median) and standard deviation sigma. Requires median > 0.
double Lognormal(Rng& rng, double median, double sigma);

// Density x^(shape - 1) exp(-x / scale). Requires shape >= 1, scale > 0. Marsaglia and Tsang, "A
// simple method for generating gamma variables", ACM TOMS 26(3), 2000.
double GammaDistributed(Rng& rng, double shape, double scale);

}  // namespace tombolo::sim
