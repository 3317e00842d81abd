// Peers of a world: joining, dying, and what their tables and links look like.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/bind/arrays.h"
#include "python/bind/bind.h"
#include "sim/checkers.h"
#include "sim/conditions.h"
#include "sim/islands.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

std::uint32_t Join(BoundWorld& bound, const std::optional<std::string>& id,
                   const std::optional<bool>& dialable,
                   const std::vector<std::int64_t>& bootstrap) {
  sim::World& world = bound.world();
  std::vector<PeerRef> contacts;
  for (const std::int64_t peer : bootstrap)
    contacts.push_back(CheckLivePeer(world, peer, "bootstrap"));
  std::optional<NodeId> node_id;
  if (id) {
    node_id = IdFromBytes(*id);
    for (std::uint32_t i = 0; i < world.peer_count(); ++i) {
      if (world.directory().id(static_cast<PeerRef>(i)) != *node_id) continue;
      throw py::value_error("id = " + node_id->ToHex() + ": peer " + std::to_string(i) +
                            " has this id already");
    }
  }
  if (world.peer_count() >= sim::kMaxPeers) {
    throw py::value_error("join: the world has " + std::to_string(sim::kMaxPeers) +
                          " peers, no more are allowed");
  }
  const PeerRef peer = world.AddPeer(node_id, dialable);
  world.Join(peer, contacts);
  return Index(peer);
}

void CrashShare(BoundWorld& bound, double share) {
  if (!(share >= 0 && share <= 1)) {
    throw py::value_error("share = " + std::to_string(share) +
                          " is out of range: allowed is 0 to 1");
  }
  bound.world().CrashShare(share);
}

// Columns of the table of peers, one row per peer that ever was.
py::dict Peers(BoundWorld& bound) {
  sim::World& world = bound.world();
  const std::size_t count = world.peer_count();
  std::string ids;
  ids.reserve(count * 20);
  std::vector<std::uint8_t> up(count), dialable(count);
  std::vector<std::uint32_t> contacts(count), links(count), received(world.metrics().received);
  for (std::size_t i = 0; i < count; ++i) {
    const auto ref = static_cast<PeerRef>(i);
    const Peer& peer = world.peer(ref);
    AppendId(peer.id(), ids);
    up[i] = world.is_up(ref) ? 1 : 0;
    dialable[i] = world.directory().dialable(ref) ? 1 : 0;
    contacts[i] = static_cast<std::uint32_t>(peer.table().live_count());
    links[i] = static_cast<std::uint32_t>(peer.links().size());
  }
  py::dict columns;
  columns["ids"] = py::bytes(ids);
  columns["up"] = ToArray(std::move(up));
  columns["dialable"] = ToArray(std::move(dialable));
  columns["contacts"] = ToArray(std::move(contacts));
  columns["links"] = ToArray(std::move(links));
  columns["received"] = ToArray(std::move(received));
  return columns;
}

// By peer, 0 where there is none.
py::array SizeEstimates(BoundWorld& bound) {
  const sim::World& world = bound.world();
  std::vector<std::uint32_t> sizes(world.peer_count());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto peer = static_cast<PeerRef>(i);
    const IslandWatch* watch = world.is_up(peer) ? world.peer(peer).watch() : nullptr;
    if (watch != nullptr) sizes[i] = watch->size.Mean(world.now());
  }
  return ToArray(std::move(sizes));
}

// Of the peers that the world started with.
py::array BuiltIslands(BoundWorld& bound) {
  const sim::WorldOptions& options = bound.world().options();
  const sim::Islands islands(options);
  std::vector<std::uint32_t> island_of(options.peers);
  for (std::uint32_t i = 0; i < options.peers; ++i)
    island_of[i] = static_cast<std::uint32_t>(islands.of(static_cast<PeerRef>(i)));
  return ToArray(std::move(island_of));
}

struct Edges {
  std::vector<std::uint32_t> from, to;

  void Add(PeerRef a, PeerRef b) {
    from.push_back(Index(a));
    to.push_back(Index(b));
  }
};

// Links appear once, from the lower to the higher number; both ends hold them.
Edges LinkEdges(const sim::World& world) {
  Edges edges;
  for (std::uint32_t i = 0; i < world.peer_count(); ++i) {
    const auto peer = static_cast<PeerRef>(i);
    if (!world.is_up(peer)) continue;
    for (const Link& link : world.peer(peer).links()) {
      if (!world.is_up(link.peer)) continue;
      if (peer < link.peer) edges.Add(peer, link.peer);
    }
  }
  return edges;
}

Edges ContactEdges(const sim::World& world) {
  Edges edges;
  for (std::uint32_t i = 0; i < world.peer_count(); ++i) {
    const auto peer = static_cast<PeerRef>(i);
    if (!world.is_up(peer)) continue;
    const RoutingTable& table = world.peer(peer).table();
    for (int level = 0; level < table.levels(); ++level) {
      for (const PeerRef contact : table.live(level)) edges.Add(peer, contact);
    }
  }
  return edges;
}

py::tuple EdgeArrays(BoundWorld& bound, bool contacts) {
  Edges edges;
  {
    Exclusive exclusive(bound);
    const sim::World& world = exclusive.world();
    const py::gil_scoped_release release;
    edges = contacts ? ContactEdges(world) : LinkEdges(world);
  }
  return py::make_tuple(ToArray(std::move(edges.from)), ToArray(std::move(edges.to)));
}

// Pairs (live peer, bucket) where the bucket has no live contact although the world has a peer for
// it.
std::uint64_t FalseEmptyBuckets(BoundWorld& bound) {
  Exclusive exclusive(bound);
  const py::gil_scoped_release release;
  return sim::CheckBuckets(exclusive.world(), exclusive.world().peer_count()).false_empty;
}

std::uint64_t WrongSuccessors(BoundWorld& bound) {
  Exclusive exclusive(bound);
  const py::gil_scoped_release release;
  return sim::CountWrongSuccessors(exclusive.world());
}

}  // namespace

void BindMembership(WorldClass& world) {
  world.def("join", &Join, py::arg("id"), py::arg("dialable"), py::arg("bootstrap"),
            "Adds a peer and lets it join; returns its number.");
  world.def(
      "crash",
      [](BoundWorld& bound, std::int64_t peer) {
        bound.world().Crash(CheckLivePeer(bound.world(), peer, "peer"));
      },
      py::arg("peer"));
  world.def(
      "leave",
      [](BoundWorld& bound, std::int64_t peer) {
        bound.world().Leave(CheckLivePeer(bound.world(), peer, "peer"));
      },
      py::arg("peer"));
  world.def("crash_share", &CrashShare, py::arg("share"));
  world.def("peers", &Peers);
  world.def("size_estimates", &SizeEstimates);
  world.def("built_islands", &BuiltIslands);
  world.def("edges", &EdgeArrays, py::arg("contacts"));
  world.def("false_empty_buckets", &FalseEmptyBuckets);
  world.def("wrong_successors", &WrongSuccessors);
  world.def(
      "peer_id",
      [](BoundWorld& bound, std::int64_t peer) {
        return IdToBytes(bound.world().directory().id(CheckPeer(bound.world(), peer, "peer")));
      },
      py::arg("peer"));
  world.def(
      "find",
      [](BoundWorld& bound, const std::string& id) -> std::optional<std::uint32_t> {
        const PeerRef peer =
            bound.world().oracle().Find(IdFromBytes(id), bound.world().directory());
        return peer == PeerRef::kNone ? std::nullopt : std::optional(Index(peer));
      },
      py::arg("id"));
  world.def_property_readonly("peer_count",
                              [](BoundWorld& bound) { return bound.world().peer_count(); });
  world.def_property_readonly("live_count",
                              [](BoundWorld& bound) { return bound.world().live_count(); });
}

}  // namespace tombolo::python
