// World options from and to Python, key by key: the names of scenario files, "section.key".
//
// Errors: TypeError for a value of the wrong type, ValueError for an unknown key or one out of
// range; both name the key and what is allowed. Thread rule: call with the GIL held.
#pragma once

#include <pybind11/pybind11.h>

#include "sim/options.h"
#include "sim/workload.h"

namespace tombolo::python {

// Keys that are missing keep their defaults.
sim::WorldOptions OptionsFromDict(const pybind11::dict& values);
pybind11::dict OptionsToDict(const sim::WorldOptions& options);

sim::WorkloadOptions WorkloadFromDict(const pybind11::dict& values, const Config& core);

}  // namespace tombolo::python
