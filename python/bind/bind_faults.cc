// Cutting and healing the network, and peers that die, come back or stand still.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "python/bind/bind.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

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
