// Logarithm, exponential and powers that give the same bits on every machine.
//
// Those of libm differ between libraries and versions, and a simulated delay that differs in one
// bit changes the order of events. These use the basic operations alone, which IEEE 754 fixes
// (compile with -ffp-contract=off, so that no compiler fuses them). Relative error: Log and Exp
// below 1e-15, Pow and Gamma below 1e-12 where the result is an ordinary number; not for subnormal
// arguments or results, which count as zero.
//
// Thread rule: pure functions.
#pragma once

namespace tombolo::sim {

// Natural logarithm. Requires x > 0 and finite.
double Log(double x);

// e^x. 0 below -708, infinity above 709.
double Exp(double x);

// x^y. Requires x >= 0; Pow(0, y) is 0 for y > 0 and 1 for y = 0.
double Pow(double x, double y);

// The gamma function, (x - 1)! for whole numbers. Requires 0 < x <= 170.
double Gamma(double x);

}  // namespace tombolo::sim
