// Conditions and invariants of a world.
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "python/bind/bind.h"
#include "sim/checkers.h"
#include "sim/conditions.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

// Whether the condition holds, and where the next look is to begin.
std::pair<bool, std::uint64_t> Holds(BoundWorld& bound, const std::string& name,
                                     std::uint64_t place) {
  const std::optional<sim::Condition> condition = sim::FindCondition(name);
  if (!condition) throw py::value_error("condition = '" + name + "': no such condition");
  Exclusive exclusive(bound);
  const py::gil_scoped_release release;
  sim::ConditionWatch watch(*condition, place);
  const bool holds = watch.Holds(exclusive.world());
  return {holds, watch.place()};
}

py::dict ToDict(const sim::World& world, const sim::Finding& finding) {
  py::dict row;
  row["invariant"] = std::string(sim::NameOf(finding.invariant));
  row["checked"] = finding.checked;
  row["broken"] = finding.broken;
  row["peer"] = finding.peer == PeerRef::kNone ? py::object(py::none())
                                               : py::object(py::int_(Index(finding.peer)));
  row["time_s"] = finding.at.seconds();
  row["detail"] = finding.detail;
  row["text"] = sim::Describe(world, finding);
  return row;
}

py::list Check(BoundWorld& bound, bool at_quiescence) {
  std::vector<sim::Finding> findings;
  {
    Exclusive exclusive(bound);
    const py::gil_scoped_release release;
    findings = sim::RunCheckers(exclusive.world(), at_quiescence);
  }
  py::list rows;
  for (const sim::Finding& finding : findings) rows.append(ToDict(bound.world(), finding));
  return rows;
}

}  // namespace

void BindChecks(WorldClass& world) {
  world.def("holds", &Holds, py::arg("condition"), py::arg("place"));
  world.def("check", &Check, py::arg("at_quiescence"));
  world.def_static("conditions", [] {
    return std::vector<std::string>(sim::kConditionNames.begin(), sim::kConditionNames.end());
  });
}

}  // namespace tombolo::python
