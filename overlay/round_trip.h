// Round-trip estimation and the time-out that follows from it (RFC 6298, sections 2 and 3).
// Integers only; alpha = 1/8, beta = 1/4. Samples of retried transmissions must not be fed in
// (Karn's rule). Thread rule: pure functions.
#pragma once

#include <algorithm>

#include "overlay/config.h"
#include "overlay/time.h"

namespace tombolo {

// Before the first sample both are zero.
inline void SampleRoundTrip(Duration sample, Duration& srtt, Duration& rttvar) {
  sample = std::max(sample, Duration::Microseconds(1));
  if (srtt.us == 0) {
    srtt = sample;
    rttvar = sample / 2;
    return;
  }
  const Duration error = sample < srtt ? srtt - sample : sample - srtt;
  rttvar = (rttvar * 3 + error) / 4;
  srtt = (srtt * 7 + sample) / 8;
}

// SRTT + 4 RTTVAR, at least SRTT + min_rto so that a steady link does not time out by a hair.
inline Duration RetryTimeout(Duration srtt, Duration rttvar, const RelayConfig& config) {
  if (srtt.us == 0) return config.initial_rto;
  return std::min(srtt + std::max(rttvar * 4, config.min_rto), config.max_rto);
}

}  // namespace tombolo
