#include "python/bind/environment.h"

#include <pybind11/numpy.h>

#include <string>
#include <string_view>
#include <vector>

namespace tombolo::python {

namespace py = pybind11;

namespace {

// Numbers that Python holds: a square matrix, or a row per point.
using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;

Numbers Rows(const py::object& given, const char* name) {
  const Numbers numbers = Numbers::ensure(given);
  if (!numbers || numbers.ndim() != 2) {
    PyErr_Clear();
    throw py::type_error(std::string(name) + ": must be a two-dimensional array of numbers");
  }
  return numbers;
}

}  // namespace

void TakeTables(FieldWriter& writer, sim::LatencyOptions& latency) {
  const py::object rtt_ms = writer.Take("latency.rtt_ms");
  const py::object points_ms = writer.Take("latency.points_ms");
  if (rtt_ms) {
    const Numbers rows = Rows(rtt_ms, "latency.rtt_ms");
    if (rows.shape(0) != rows.shape(1) || rows.shape(0) > sim::kMaxHosts) {
      throw py::value_error("latency.rtt_ms: shape (" + std::to_string(rows.shape(0)) + ", " +
                            std::to_string(rows.shape(1)) + "), must be square with at most " +
                            std::to_string(sim::kMaxHosts) + " hosts");
    }
    latency.matrix =
        sim::MakeRttMatrix({rows.data(), static_cast<std::size_t>(rows.size())},
                           static_cast<std::uint32_t>(rows.shape(0)), "latency.rtt_ms");
    if (!latency.matrix.ok()) throw py::value_error(latency.matrix.error);
  }
  if (points_ms) {
    const Numbers rows = Rows(points_ms, "latency.points_ms");
    if (rows.shape(0) < 1 || rows.shape(1) < 2 || rows.shape(1) > sim::kMaxDimensions + 1) {
      throw py::value_error("latency.points_ms: must have a row per host of 1 to " +
                            std::to_string(sim::kMaxDimensions) +
                            " coordinates and an access delay");
    }
    latency.points.count = static_cast<std::uint32_t>(rows.shape(0));
    latency.points.dimensions = static_cast<std::uint32_t>(rows.shape(1) - 1);
    latency.points.values.assign(rows.data(), rows.data() + rows.size());
  }
}

}  // namespace tombolo::python
