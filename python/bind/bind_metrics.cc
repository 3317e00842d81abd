// Counters, histograms and time series of a world, copied out as numbers and arrays.
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "overlay/drop_reason.h"
#include "overlay/message.h"
#include "python/bind/arrays.h"
#include "python/bind/bind.h"
#include "sim/metrics.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

template <std::size_t n>
py::dict Named(const std::array<std::string_view, n>& names,
               const std::array<std::uint64_t, n>& counts) {
  py::dict named;
  for (std::size_t i = 0; i < n; ++i) named[py::str(std::string(names[i]))] = counts[i];
  return named;
}

py::dict Counters(const sim::Metrics& metrics) {
  py::dict counters;
  counters["events"] = metrics.events;
  counters["messages"] = metrics.total_messages();
  counters["bytes"] = metrics.total_bytes();
  counters["lost"] = metrics.lost;
  counters["cut"] = metrics.cut;
  counters["to_dead"] = metrics.to_dead;
  counters["unreachable"] = metrics.unreachable;
  counters["payload_copies"] = metrics.forwards[0];
  counters["dials"] = metrics.dials;
  counters["ephemeral_dials"] = metrics.ephemeral_dials;
  counters["joins"] = metrics.joins;
  counters["crashes"] = metrics.crashes;
  counters["leaves"] = metrics.leaves;
  return counters;
}

py::dict LatencySummary(const sim::LatencyHistogram& latency) {
  py::dict summary;
  summary["mean"] = latency.mean() * 1e-3;
  for (const auto& [name, p] : {std::pair("p50", 0.5), {"p95", 0.95}, {"p99", 0.99}}) {
    summary[name] = static_cast<double>(latency.quantile(p)) * 1e-3;
  }
  summary["max"] = static_cast<double>(latency.max()) * 1e-3;
  return summary;
}

py::dict OperationSummary(const sim::OperationMetrics& operation) {
  py::dict summary;
  summary["started"] = operation.started;
  summary["succeeded"] = operation.succeeded;
  summary["failed"] = operation.failed;
  summary["voided"] = operation.voided;
  summary["messages"] = operation.messages;
  summary["dead"] = operation.dead;
  summary["closest_ok"] = operation.closest_ok;
  summary["hops_mean"] = operation.hops.mean();
  summary["hops_p50"] = operation.hops.quantile(0.5);
  summary["hops_p99"] = operation.hops.quantile(0.99);
  summary["latency_ms"] = LatencySummary(operation.latency);
  const auto& counts = operation.hops.counts();
  summary["hops"] = ToArray(
      std::vector<std::uint64_t>(counts.begin(), counts.begin() + operation.hops.max() + 1));
  summary["failed_by_reason"] = std::vector<std::uint64_t>(operation.failed_by_reason.begin(),
                                                           operation.failed_by_reason.end());
  return summary;
}

py::dict MetricsOf(BoundWorld& bound) {
  const sim::Metrics& metrics = bound.world().metrics();
  py::dict operations;
  for (std::size_t i = 0; i < sim::kOperationKinds; ++i) {
    operations[py::str(std::string(sim::kOperationNames[i]))] =
        OperationSummary(metrics.operations[i]);
  }
  py::dict all;
  all["counters"] = Counters(metrics);
  all["messages"] = Named(kMessageNames, metrics.messages);
  all["bytes"] = Named(kMessageNames, metrics.bytes);
  all["drops"] = Named(kDropNames, metrics.drops);
  all["operations"] = operations;
  all["received"] = ToArray(std::vector<std::uint32_t>(metrics.received));
  return all;
}

// The latency below which the share p of the successful operations of a kind ended, in ms.
double LatencyQuantile(BoundWorld& bound, const std::string& kind, double p) {
  for (std::size_t i = 0; i < sim::kOperationKinds; ++i) {
    if (kind != sim::kOperationNames[i]) continue;
    return static_cast<double>(bound.world().metrics().operations[i].latency.quantile(p)) * 1e-3;
  }
  std::string allowed;
  for (const std::string_view name : sim::kOperationNames)
    allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  throw py::value_error("kind = '" + kind + "': allowed are " + allowed);
}

py::dict Series(BoundWorld& bound) {
  bound.world();
  const sim::TimeSeries& series = bound.series();
  py::dict columns;
  columns["interval_s"] = series.interval().seconds();
  for (std::size_t column = 0; column < series.columns().size(); ++column) {
    std::vector<double> values(series.rows());
    for (std::size_t row = 0; row < values.size(); ++row) values[row] = series.at(row, column);
    columns[py::str(series.columns()[column].name)] = ToArray(std::move(values));
  }
  return columns;
}

}  // namespace

void BindMetrics(WorldClass& world) {
  world.def("metrics", &MetricsOf);
  world.def("reset_metrics", [](BoundWorld& bound) {
    bound.world();
    bound.ResetMetrics();
  });
  world.def("latency_quantile", &LatencyQuantile, py::arg("kind"), py::arg("p"));
  world.def("series", &Series);
}

}  // namespace tombolo::python
