// The part of the world options outside the peers: [latency], [bandwidth], [churn].
#pragma once

#include "python/bind/fields.h"
#include "sim/options.h"

namespace tombolo::python {

void VisitEnvironment(FieldWriter& visit, sim::WorldOptions& options);
void VisitEnvironment(FieldReader& visit, sim::WorldOptions& options);

// bind_faults.cc: [faults].
void VisitFaults(FieldWriter& visit, sim::FaultOptions& faults);
void VisitFaults(FieldReader& visit, sim::FaultOptions& faults);

}  // namespace tombolo::python
