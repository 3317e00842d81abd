// What an application asks of a peer, alone or in batches.
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "python/bind/arrays.h"
#include "python/bind/batch.h"
#include "python/bind/bind.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

constexpr std::array<const char*, 4> kStatuses = {"active", "succeeded", "failed", "void"};

const char* ReasonOf(const sim::Operation& operation) {
  if (operation.status == sim::OperationStatus::kFailed) {
    return kFailReasonNames[static_cast<std::size_t>(operation.reason)];
  }
  return operation.status == sim::OperationStatus::kVoid ? "void" : "";
}

sim::SendOptions MakeSendOptions(double deadline_s, int copies, bool receipt) {
  if (copies < 1 || copies > 8) {
    throw py::value_error("copies = " + std::to_string(copies) +
                          " is out of range: allowed is 1 to 8");
  }
  sim::SendOptions options;
  options.deadline = SpanFromSeconds(deadline_s, "deadline_s");
  if (options.deadline <= Duration{0}) throw py::value_error("deadline_s = 0: allowed is above 0");
  options.copies = static_cast<std::uint8_t>(copies);
  options.receipt = receipt;
  return options;
}

std::uint32_t StartLookup(BoundWorld& bound, std::int64_t source, const std::string& key) {
  const PeerRef peer = CheckLivePeer(bound.world(), source, "source");
  return bound.world().StartLookup(peer, IdFromBytes(key));
}

std::uint32_t StartSend(BoundWorld& bound, std::int64_t source, const std::string& target,
                        std::uint32_t size, const std::string& bytes, double deadline_s, int copies,
                        bool receipt) {
  const PeerRef peer = CheckLivePeer(bound.world(), source, "source");
  sim::SendOptions options = MakeSendOptions(deadline_s, copies, receipt);
  options.bytes = bytes;
  return bound.world().StartSend(peer, IdFromBytes(target), size, options);
}

std::uint32_t StartPut(BoundWorld& bound, std::int64_t source, const std::string& key,
                       const std::string& value, double ttl_s) {
  const PeerRef peer = CheckLivePeer(bound.world(), source, "source");
  sim::PutOptions options;
  options.ttl = SpanFromSeconds(ttl_s, "ttl_s");
  return bound.world().StartPut(peer, IdFromBytes(key), value, options);
}

std::uint32_t StartGet(BoundWorld& bound, std::int64_t source, const std::string& key) {
  const PeerRef peer = CheckLivePeer(bound.world(), source, "source");
  return bound.world().StartGet(peer, IdFromBytes(key));
}

std::uint32_t StartConnect(BoundWorld& bound, std::int64_t source, const std::string& target) {
  const PeerRef peer = CheckLivePeer(bound.world(), source, "source");
  return bound.world().StartConnect(peer, IdFromBytes(target));
}

std::uint32_t StartBroadcast(BoundWorld& bound, std::int64_t source, std::uint32_t size,
                             const std::string& bytes, std::uint64_t topic, bool acknowledge,
                             double ttl_s, double deadline_s, std::uint8_t max_hops) {
  sim::World& world = bound.world();
  const PeerRef peer = CheckLivePeer(world, source, "source");
  sim::BroadcastOptions options;
  options.ttl = SpanFromSeconds(ttl_s, "ttl_s");
  const Duration most = world.options().core.gossip.max_ttl;
  if (options.ttl <= Duration{0} || options.ttl > most) {
    throw py::value_error("ttl_s = " + std::to_string(ttl_s) + ": allowed is above 0 to " +
                          std::to_string(most.seconds()) + " (gossip.max_ttl_s)");
  }
  options.deadline = SpanFromSeconds(deadline_s, "deadline_s");
  if (options.deadline <= Duration{0}) throw py::value_error("deadline_s = 0: allowed is above 0");
  options.topic = topic;
  options.acknowledge = acknowledge;
  options.max_hops = max_hops;
  options.bytes = bytes;
  return world.StartBroadcast(peer, size, options);
}

void Subscribe(BoundWorld& bound, std::int64_t number, std::uint64_t topic, bool on) {
  const PeerRef peer = CheckLivePeer(bound.world(), number, "peer");
  if (on) {
    bound.world().Subscribe(peer, topic);
  } else {
    bound.world().Unsubscribe(peer, topic);
  }
}

bool RunUntilEnded(BoundWorld& bound, std::uint32_t operation, std::int64_t limit_us) {
  const Exclusive exclusive(bound);
  const py::gil_scoped_release release;
  return bound.AdvanceUntilEnded(operation, Time{limit_us});
}

// The result of an operation that has ended, as a dict; it can be taken once.
py::dict Take(BoundWorld& bound, std::uint32_t id) {
  sim::World& world = bound.world();
  const py::bytes value{std::string(world.value_of(world.operation(id)))};
  const sim::Operation operation = world.TakeOperation(id);
  std::vector<std::uint32_t> closest;
  for (const PeerRef peer : operation.closest) closest.push_back(Index(peer));
  py::dict result;
  result["status"] = kStatuses[static_cast<std::size_t>(operation.status)];
  result["reason"] = ReasonOf(operation);
  result["hops"] = operation.hops;
  result["latency_ms"] = operation.latency().milliseconds();
  result["messages"] = operation.messages;
  result["dead"] = operation.dead;
  result["stored"] = operation.stored;
  result["sequence"] = operation.sequence;
  result["reached"] = operation.reached;
  result["wanted"] = operation.wanted;
  result["acknowledged"] = operation.acknowledged;
  result["closest_ok"] = operation.closest_ok;
  result["closest"] = ToArray(std::move(closest));
  result["value"] = value;
  return result;
}

Batch MakeBatch(const std::string& kind, std::uint32_t count, double spacing_s, std::uint32_t bytes,
                double deadline_s, int copies) {
  BatchOptions options;
  options.kind = kind == "send" ? sim::OperationKind::kSend : sim::OperationKind::kLookup;
  options.count = count;
  options.spacing = SpanFromSeconds(spacing_s, "spacing_s");
  options.bytes = bytes;
  options.send = MakeSendOptions(deadline_s, copies, true);
  return Batch(options);
}

bool ContinueBatch(Batch& batch, BoundWorld& bound, std::uint64_t events_max) {
  Exclusive exclusive(bound);
  const py::gil_scoped_release release;
  return batch.Continue(exclusive, events_max);
}

template <class T, class Get>
py::array Column(const Batch& batch, Get get) {
  std::vector<T> values;
  values.reserve(batch.results().size());
  for (const sim::Operation& operation : batch.results())
    values.push_back(static_cast<T>(get(operation)));
  return ToArray(std::move(values));
}

// Common columns of a batch, one row per operation. `reason` indexes `reasons`; -1 = none, -2 =
// void.
py::dict Columns(const Batch& batch) {
  using sim::Operation;
  using sim::OperationStatus;
  py::dict columns;
  columns["source"] =
      Column<std::uint32_t>(batch, [](const Operation& o) { return Index(o.source); });
  columns["target"] = Column<std::int64_t>(batch, [](const Operation& o) {
    return o.target == PeerRef::kNone ? std::int64_t{-1} : std::int64_t{Index(o.target)};
  });
  columns["started_s"] =
      Column<double>(batch, [](const Operation& o) { return o.started.seconds(); });
  columns["succeeded"] = Column<std::uint8_t>(
      batch, [](const Operation& o) { return o.status == OperationStatus::kSucceeded; });
  columns["hops"] = Column<std::uint16_t>(batch, [](const Operation& o) { return o.hops; });
  columns["latency_ms"] =
      Column<double>(batch, [](const Operation& o) { return o.latency().milliseconds(); });
  columns["messages"] = Column<std::uint16_t>(batch, [](const Operation& o) { return o.messages; });
  columns["dead"] = Column<std::uint16_t>(batch, [](const Operation& o) { return o.dead; });
  columns["closest_ok"] =
      Column<std::uint8_t>(batch, [](const Operation& o) { return o.closest_ok; });
  columns["reason"] = Column<std::int8_t>(batch, [](const Operation& o) {
    if (o.status == OperationStatus::kFailed) return static_cast<int>(o.reason);
    return o.status == OperationStatus::kVoid ? -2 : -1;
  });
  return columns;
}

}  // namespace

void BindBatch(py::module_& module) {
  py::class_<Batch>(module, "Batch", "Many operations of one kind from random live peers.")
      .def(py::init(&MakeBatch), py::arg("kind"), py::arg("count"), py::arg("spacing_s"),
           py::arg("bytes"), py::arg("deadline_s"), py::arg("copies"))
      .def("run_slice", &ContinueBatch, py::arg("world"), py::arg("events_max"),
           "Goes on for about `events_max` events. False if there is more to do.")
      .def_property_readonly("ended", &Batch::ended)
      .def("columns", &Columns);
  module.attr("FAIL_REASONS") =
      py::cast(std::vector<std::string>(kFailReasonNames.begin(), kFailReasonNames.end()));
}

void BindOperations(WorldClass& world) {
  world.def("start_lookup", &StartLookup, py::arg("source"), py::arg("key"));
  world.def("start_send", &StartSend, py::arg("source"), py::arg("target"), py::arg("size"),
            py::arg("data"), py::arg("deadline_s"), py::arg("copies"), py::arg("receipt"));
  world.def("start_put", &StartPut, py::arg("source"), py::arg("key"), py::arg("value"),
            py::arg("ttl_s"));
  world.def("start_get", &StartGet, py::arg("source"), py::arg("key"));
  world.def("start_broadcast", &StartBroadcast, py::arg("source"), py::arg("size"), py::arg("data"),
            py::arg("topic"), py::arg("acknowledge"), py::arg("ttl_s"), py::arg("deadline_s"),
            py::arg("max_hops"));
  world.def("subscribe", &Subscribe, py::arg("peer"), py::arg("topic"), py::arg("on"));
  world.def("start_connect", &StartConnect, py::arg("source"), py::arg("target"));
  world.def(
      "disconnect",
      [](BoundWorld& bound, std::int64_t source, const std::string& target) {
        bound.world().Disconnect(CheckLivePeer(bound.world(), source, "source"),
                                 IdFromBytes(target));
      },
      py::arg("source"), py::arg("target"));
  world.def("run_until_ended", &RunUntilEnded, py::arg("operation"), py::arg("limit_us"));
  world.def("take", &Take, py::arg("operation"));
  world.def("random_live_peer", [](BoundWorld& bound) {
    if (bound.world().live_count() == 0) throw std::runtime_error("no peer is up");
    return Index(bound.world().RandomLivePeer());
  });
  world.def("random_id", [](BoundWorld& bound) { return IdToBytes(bound.world().RandomId()); });
}

}  // namespace tombolo::python
