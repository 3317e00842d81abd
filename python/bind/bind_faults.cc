// What goes wrong: the settings of injected faults, and cutting and healing the network.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "python/bind/bind.h"
#include "python/bind/environment.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

template <class Visitor>
void VisitLinkFaults(Visitor& visit, sim::FaultOptions& faults) {
  visit("faults.start_s", faults.start);
  visit("faults.end_s", faults.end);
  visit("faults.drop", faults.drop);
  visit("faults.delay", faults.delay);
  visit("faults.delay_mean_ms", faults.delay_mean);
  visit("faults.delay_shape", faults.delay_shape);
  visit("faults.duplicate", faults.duplicate);
  visit("faults.reorder", faults.reorder);
  visit("faults.spread_ms", faults.spread);
  visit("faults.corrupt", faults.corrupt);
  visit("faults.flaps_per_s", faults.flaps_per_s);
  visit("faults.flap_cycles", faults.flap_cycles);
  visit("faults.flap_down_s", faults.flap_down);
  visit("faults.flap_up_s", faults.flap_up);
  visit("faults.clogs_per_s", faults.clogs_per_s);
  visit("faults.clog_s", faults.clog);
  visit("faults.swizzles_per_s", faults.swizzles_per_s);
  visit("faults.swizzle_spacing_ms", faults.swizzle_spacing);
  visit("faults.squeeze_share", faults.squeeze_share);
  visit("faults.squeeze_factor", faults.squeeze_factor);
  visit("faults.partitions_per_s", faults.partitions_per_s);
  visit("faults.partition_s", faults.partition);
  visit("faults.partition_islands", faults.partition_islands);
  visit("faults.asymmetric_share", faults.asymmetric_share);
  visit("faults.isolate_share", faults.isolate_share);
  visit("faults.bridge_nodes", faults.bridge_nodes);
}

template <class Visitor>
void VisitPeerFaults(Visitor& visit, sim::FaultOptions& faults) {
  visit("faults.crashes_per_s", faults.crashes_per_s);
  visit("faults.down_s", faults.down);
  visit("faults.forget_share", faults.forget_share);
  visit("faults.rollback_share", faults.rollback_share);
  visit("faults.rollback_age_s", faults.rollback_age);
  visit("faults.pauses_per_s", faults.pauses_per_s);
  visit("faults.pause_s", faults.pause);
  visit("faults.skew_share", faults.skew_share);
  visit("faults.skew_offset_s", faults.skew_offset);
  visit("faults.skew_drift", faults.skew_drift);
  visit("faults.mass_joins_per_s", faults.mass_joins_per_s);
  visit("faults.mass_leaves_per_s", faults.mass_leaves_per_s);
  visit("faults.mass_share", faults.mass_share);
  visit("faults.liar_share", faults.liar_share);
  visit("faults.lie_share", faults.lie_share);
  visit("faults.dropper_share", faults.dropper_share);
  visit("faults.flooder_share", faults.flooder_share);
  visit("faults.flood_per_s", faults.flood_per_s);
}

sim::Crossing CrossingOf(bool one_way) {
  return one_way ? sim::Crossing::kUpward : sim::Crossing::kNone;
}

void Partition(BoundWorld& bound, const std::vector<double>& shares, bool one_way) {
  if (const auto broken = sim::CheckShares(shares)) throw py::value_error(*broken);
  bound.world().Partition(shares, CrossingOf(one_way));
}

// Peers by island; everybody must be in one of them.
void PartitionInto(BoundWorld& bound, const std::vector<std::vector<std::int64_t>>& groups,
                   bool one_way) {
  sim::World& world = bound.world();
  if (groups.empty() || groups.size() > sim::kMostIslands) {
    throw py::value_error("groups: " + std::to_string(groups.size()) +
                          " islands; allowed are 1 to " + std::to_string(sim::kMostIslands));
  }
  constexpr std::uint16_t kNowhere = 0xffff;
  std::vector<std::uint16_t> island_of(world.peer_count(), kNowhere);
  for (std::size_t island = 0; island < groups.size(); ++island) {
    for (const std::int64_t number : groups[island]) {
      std::uint16_t& slot = island_of[Index(CheckPeer(world, number, "groups"))];
      if (slot != kNowhere)
        throw py::value_error("groups: peer " + std::to_string(number) + " is in two islands");
      slot = static_cast<std::uint16_t>(island);
    }
  }
  for (std::size_t peer = 0; peer < island_of.size(); ++peer) {
    if (island_of[peer] != kNowhere) continue;
    if (world.is_up(static_cast<PeerRef>(peer)))
      throw py::value_error("groups: peer " + std::to_string(peer) + " is up and in no island");
    island_of[peer] = 0;
  }
  world.PartitionInto(island_of, CrossingOf(one_way));
}

struct Pair {
  PeerRef a, b;
};

Pair CheckPair(const sim::World& world, std::int64_t a, std::int64_t b) {
  const Pair pair{CheckPeer(world, a, "a"), CheckPeer(world, b, "b")};
  if (pair.a == pair.b)
    throw py::value_error("b = " + std::to_string(b) + ": must be another peer than a");
  return pair;
}

void Restart(BoundWorld& bound, std::int64_t number, bool forget) {
  const PeerRef peer = CheckPeer(bound.world(), number, "peer");
  if (bound.world().is_up(peer))
    throw py::value_error("peer = " + std::to_string(number) + ": is up already");
  bound.world().Restart(peer, forget);
}

}  // namespace

void VisitFaults(FieldWriter& visit, sim::FaultOptions& faults) {
  VisitLinkFaults(visit, faults);
  VisitPeerFaults(visit, faults);
}

void VisitFaults(FieldReader& visit, sim::FaultOptions& faults) {
  VisitLinkFaults(visit, faults);
  VisitPeerFaults(visit, faults);
}

void BindFaults(WorldClass& world) {
  world.def("partition", &Partition, py::arg("shares"), py::arg("one_way"));
  world.def("partition_into", &PartitionInto, py::arg("groups"), py::arg("one_way"));
  world.def(
      "isolate",
      [](BoundWorld& bound, std::int64_t peer) {
        bound.world().Isolate(CheckPeer(bound.world(), peer, "peer"));
      },
      py::arg("peer"));
  world.def(
      "cut",
      [](BoundWorld& bound, std::int64_t a, std::int64_t b, bool one_way) {
        const Pair pair = CheckPair(bound.world(), a, b);
        bound.world().Cut(pair.a, pair.b, one_way);
      },
      py::arg("a"), py::arg("b"), py::arg("one_way"));
  world.def(
      "bridge",
      [](BoundWorld& bound, std::int64_t a, std::int64_t b) {
        const Pair pair = CheckPair(bound.world(), a, b);
        bound.world().Bridge(pair.a, pair.b);
      },
      py::arg("a"), py::arg("b"));
  world.def(
      "introduce",
      [](BoundWorld& bound, std::int64_t a, std::int64_t b) {
        CheckLivePeer(bound.world(), a, "a");
        const Pair pair = CheckPair(bound.world(), a, b);
        bound.world().Introduce(pair.a, pair.b);
      },
      py::arg("a"), py::arg("b"));
  world.def("heal", [](BoundWorld& bound) { bound.world().Heal(); });
  world.def(
      "island_of",
      [](BoundWorld& bound, std::int64_t peer) {
        return bound.world().island_of(CheckPeer(bound.world(), peer, "peer"));
      },
      py::arg("peer"));
  world.def(
      "can_talk",
      [](BoundWorld& bound, std::int64_t from, std::int64_t to) {
        return bound.world().CanTalk(CheckPeer(bound.world(), from, "from_peer"),
                                     CheckPeer(bound.world(), to, "to_peer"));
      },
      py::arg("from_peer"), py::arg("to_peer"));
  world.def(
      "crash_keeping",
      [](BoundWorld& bound, std::int64_t peer) {
        bound.world().Crash(CheckLivePeer(bound.world(), peer, "peer"), true);
      },
      py::arg("peer"));
  world.def("restart", &Restart, py::arg("peer"), py::arg("forget"));
  world.def(
      "pause",
      [](BoundWorld& bound, std::int64_t peer, double seconds) {
        const Duration span = SpanFromSeconds(seconds, "seconds");
        bound.world().Pause(CheckLivePeer(bound.world(), peer, "peer"), span);
      },
      py::arg("peer"), py::arg("seconds"));
}

}  // namespace tombolo::python
