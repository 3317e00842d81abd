// The part of the world options outside the peers: [latency], [bandwidth], [churn].
#pragma once

#include "python/bind/fields.h"
#include "sim/options.h"

namespace tombolo::python {

void VisitEnvironment(FieldWriter& visit, sim::WorldOptions& options);
void VisitEnvironment(FieldReader& visit, sim::WorldOptions& options);

}  // namespace tombolo::python
