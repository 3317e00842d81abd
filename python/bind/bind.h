// The parts of the module, one function each, and what they share.
#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <memory>
#include <string>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"
#include "python/bind/bound_world.h"
#include "sim/metrics.h"

namespace tombolo::python {

using WorldClass = pybind11::class_<BoundWorld, std::unique_ptr<BoundWorld>>;

void BindWorld(WorldClass& world);          // time, copies, files
void BindMembership(WorldClass& world);     // peers, tables and links
void BindOperations(WorldClass& world);     // lookups, sends, puts, gets, connects
void BindBatch(pybind11::module_& module);  // the same by the thousand
void BindMetrics(WorldClass& world);        // counters, histograms, series
void BindFaults(WorldClass& world);         // partitions, restarts, pauses
void BindEvents(WorldClass& world);         // what peers tell their applications
void BindChecks(WorldClass& world);         // conditions and invariants

// In the order of FailReason.
inline constexpr std::array<const char*, sim::kFailReasons> kFailReasonNames = {
    "deadline", "unreachable", "no_links", "undialable", "refused", "overload", "left"};

// A peer of the world by number; ValueError naming `argument` if there is none.
PeerRef CheckPeer(const sim::World& world, std::int64_t index, const char* argument);
// The same, and it must be up.
PeerRef CheckLivePeer(const sim::World& world, std::int64_t index, const char* argument);

// 20 bytes, most significant first. ValueError for any other length.
NodeId IdFromBytes(const std::string& bytes);
pybind11::bytes IdToBytes(const NodeId& id);
void AppendId(const NodeId& id, std::string& bytes);

// Of seconds, rounded to microseconds; ValueError naming `argument` unless 0 <= seconds <= 1e9.
Duration SpanFromSeconds(double seconds, const char* argument);

}  // namespace tombolo::python
