#include "python/bind/environment.h"

#include <pybind11/numpy.h>

#include <string>
#include <string_view>
#include <vector>

namespace tombolo::python {

namespace py = pybind11;

namespace {

template <class Visitor>
void VisitLatency(Visitor& visit, sim::LatencyOptions& latency) {
  visit("latency.model", latency.model,
        {"constant", "uniform", "lognormal", "coordinates", "matrix", "cloud"});
  visit("latency.one_way_ms", latency.one_way);
  visit("latency.shortest_ms", latency.shortest);
  visit("latency.longest_ms", latency.longest);
  visit("latency.median_ms", latency.median);
  visit("latency.sigma", latency.sigma);
  visit("latency.file", latency.file);
  visit("latency.unit", latency.unit, {"ms", "s", "us"});
  visit("latency.jitter_fraction", latency.jitter_fraction);
  visit("latency.jitter_ms", latency.jitter);
  visit("latency.asymmetry", latency.asymmetry);
  visit("latency.floor_ms", latency.floor);
}

template <class Visitor>
void VisitRest(Visitor& visit, sim::BandwidthOptions& bandwidth, sim::ChurnOptions& churn) {
  visit("bandwidth.model", bandwidth.model,
        {"none", "fixed", "dsl", "cable", "fibre", "cloud", "mixed"});
  visit("bandwidth.up_bytes_per_s", bandwidth.up_bytes_per_s);
  visit("bandwidth.queue_ms", bandwidth.queue);
  visit("bandwidth.dsl_share", bandwidth.dsl_share);
  visit("bandwidth.cable_share", bandwidth.cable_share);
  visit("bandwidth.fibre_share", bandwidth.fibre_share);
  visit("bandwidth.cloud_share", bandwidth.cloud_share);
  visit("churn.model", churn.model, {"none", "exponential", "weibull", "pareto", "lognormal"});
  visit("churn.mean_s", churn.mean);
  visit("churn.shape", churn.shape);
  visit("churn.sigma", churn.sigma);
  visit("churn.graceful_share", churn.graceful_share);
  visit("churn.join_per_s", churn.join_per_s);
  visit("churn.crash_per_s", churn.crash_per_s);
  visit("churn.leave_per_s", churn.leave_per_s);
}

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

void TakeTables(FieldWriter& visit, sim::LatencyOptions& latency) {
  py::object rtt_ms, points_ms;
  visit("latency.rtt_ms", rtt_ms);
  visit("latency.points_ms", points_ms);
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

// A published model; other keys of the section refine it.
void TakePreset(FieldWriter& visit, sim::ChurnOptions& churn) {
  std::string name;
  visit("churn.preset", name);
  if (name.empty()) return;
  const auto preset = sim::ChurnPreset(name);
  if (preset) {
    churn = *preset;
    return;
  }
  std::string allowed;
  for (const std::string_view known : sim::ChurnPresetNames()) {
    allowed += (allowed.empty() ? "" : ", ") + std::string(known);
  }
  throw py::value_error("churn.preset = '" + name + "': allowed are " + allowed);
}

}  // namespace

void VisitEnvironment(FieldWriter& visit, sim::WorldOptions& options) {
  VisitLatency(visit, options.latency);
  TakeTables(visit, options.latency);
  if (const auto error = options.latency.LoadFile()) throw py::value_error(*error);
  TakePreset(visit, options.churn);
  VisitRest(visit, options.bandwidth, options.churn);
}

void VisitEnvironment(FieldReader& visit, sim::WorldOptions& options) {
  VisitLatency(visit, options.latency);
  VisitRest(visit, options.bandwidth, options.churn);
}

}  // namespace tombolo::python
