#include "python/bind/options.h"

#include <utility>

#include "python/bind/environment.h"
#include "python/bind/fields.h"
#include "sim/scenario_keys.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

std::string NameOf(const sim::Key& key) {
  const std::string name(key.name);
  return key.section.empty() ? name : std::string(key.section) + "." + name;
}

}  // namespace

sim::WorldOptions OptionsFromDict(const py::dict& values) {
  sim::Scenario scenario;
  sim::Target target{&scenario};
  FieldWriter writer(values);
  for (const sim::Key& key : sim::WorldKeys()) writer.Write(NameOf(key), key.field(target));
  sim::WorldOptions& options = scenario.world;
  TakeTables(writer, options.latency);
  if (const auto error = options.latency.LoadFile()) throw py::value_error(*error);
  writer.Finish(options.Validate());
  return std::move(options);
}

py::dict OptionsToDict(const sim::WorldOptions& options) {
  sim::Scenario scenario;
  scenario.world = options;
  sim::Target target{&scenario};
  py::dict values;
  for (const sim::Key& key : sim::WorldKeys()) Read(NameOf(key), key.field(target), values);
  return values;
}

sim::WorkloadOptions WorkloadFromDict(const py::dict& values, const Config& core) {
  sim::WorkloadOptions workload;
  sim::Target target{nullptr, &workload};
  FieldWriter writer(values);
  for (const sim::Key& key : sim::Keys()) {
    if (key.section == "workload") writer.Write(std::string(key.name), key.field(target));
  }
  writer.Finish(sim::CheckLoad(workload, core));
  return workload;
}

}  // namespace tombolo::python
