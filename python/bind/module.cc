// The extension module tombolo._core: thin, untyped where Python is better at it; tombolo/*.py is
// the API.
#include <pybind11/pybind11.h>

#include "python/bind/bind.h"

PYBIND11_MODULE(_core, module) {
  namespace python = tombolo::python;
  module.doc() = "The compiled core of tombolo. Use the classes of the package instead.";
  python::WorldClass world(module, "World", "A simulated world; see tombolo.World.");
  python::BindWorld(world);
  python::BindMembership(world);
  python::BindOperations(world);
  python::BindMetrics(world);
  python::BindEvents(world);
  python::BindFaults(world);
  python::BindChecks(world);
  python::BindBatch(module);
}
