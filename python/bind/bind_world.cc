// Time, copies and files of a world.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/archive.h"
#include "python/bind/bind.h"
#include "python/bind/options.h"
#include "sim/archive_file.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

using Bytes = std::vector<std::uint8_t>;

std::unique_ptr<BoundWorld> Create(const py::dict& values, double series_interval_s) {
  const sim::WorldOptions options = OptionsFromDict(values);
  const Duration interval = SpanFromSeconds(series_interval_s, "series_s");
  if (interval <= Duration{0}) throw py::value_error("series_s: allowed is above 0 to 1e9 seconds");
  const py::gil_scoped_release release;
  return std::make_unique<BoundWorld>(options, interval);
}

std::unique_ptr<BoundWorld> Fork(BoundWorld& bound) {
  const Exclusive exclusive(bound);
  const py::gil_scoped_release release;
  return std::make_unique<BoundWorld>(bound);
}

bool RunSlice(BoundWorld& bound, std::int64_t end_us, std::uint64_t events_max) {
  const Exclusive exclusive(bound);
  const py::gil_scoped_release release;
  return bound.Advance(Time{end_us}, events_max);
}

Bytes ToBytes(BoundWorld& bound) {
  Writer writer;
  writer(bound);
  return writer.Take();
}

std::unique_ptr<BoundWorld> FromBytes(const Bytes& bytes, const std::string& name) {
  auto bound = std::make_unique<BoundWorld>();
  Reader reader(bytes);
  reader(*bound);
  if (!reader.ok())
    throw py::value_error(name + ": not a saved world (" + std::string(reader.error()) + ")");
  return bound;
}

void Save(BoundWorld& bound, const std::string& path) {
  const Exclusive exclusive(bound);
  std::optional<std::string> error;
  {
    const py::gil_scoped_release release;
    error = sim::SaveArchive(path, ToBytes(bound));
  }
  if (!error) return;
  PyErr_SetString(PyExc_OSError, error->c_str());
  throw py::error_already_set();
}

std::unique_ptr<BoundWorld> Load(const std::string& path) {
  const sim::LoadedArchive loaded = sim::LoadArchive(path);
  if (!loaded.ok()) throw py::value_error(loaded.error);
  return FromBytes(loaded.payload, path);
}

py::bytes GetState(BoundWorld& bound) {
  const Exclusive exclusive(bound);
  const Bytes bytes = ToBytes(bound);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unique_ptr<BoundWorld> SetState(const py::bytes& state) {
  const std::string_view bytes = state;
  return FromBytes(Bytes(bytes.begin(), bytes.end()), "pickle");
}

}  // namespace

void BindWorld(WorldClass& world) {
  world.def(py::init(&Create), py::arg("options"), py::arg("series_s"));
  world.def("fork", &Fork, "An independent copy.");
  world.def("run_slice", &RunSlice, py::arg("end_us"), py::arg("events_max"),
            "Runs up to `end_us`, at most `events_max` events. False if there is more to do.");
  world.def("save", &Save, py::arg("path"));
  world.def_static("load", &Load, py::arg("path"));
  world.def(py::pickle(&GetState, &SetState));
  world.def("options", [](BoundWorld& bound) { return OptionsToDict(bound.world().options()); });
  world.def(
      "add_workload",
      [](BoundWorld& bound, const py::dict& values) {
        bound.world().AddWorkload(WorkloadFromDict(values, bound.world().options().core));
      },
      py::arg("values"));
  world.def_property_readonly("now_us", [](BoundWorld& bound) { return bound.world().now().us; });
  world.def_property_readonly("trace_hash",
                              [](BoundWorld& bound) { return bound.world().trace_hash(); });
  world.def_property_readonly("in_flight",
                              [](BoundWorld& bound) { return bound.world().in_flight(); });
}

}  // namespace tombolo::python
