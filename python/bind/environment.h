// Latencies that Python holds in memory instead of a file.
//
// Errors: TypeError and ValueError that name the key. Thread rule: with the GIL.
#pragma once

#include "python/bind/fields.h"
#include "sim/options.h"

namespace tombolo::python {

// latency.rtt_ms, a square matrix, and latency.points_ms, a row per point.
void TakeTables(FieldWriter& writer, sim::LatencyOptions& latency);

}  // namespace tombolo::python
