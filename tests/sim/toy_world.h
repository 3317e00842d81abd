// Small worlds that the tests of the simulator share: routing only, no links, constant delays.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "overlay/archive.h"
#include "overlay/node_id.h"
#include "sim/world.h"

namespace tombolo::sim {

inline WorldOptions ToyOptions(std::uint32_t peers, StartMode start = StartMode::kBuilt,
                               std::uint64_t seed = 1) {
  WorldOptions options;
  options.peers = peers;
  options.seed = seed;
  options.start = start;
  options.core.table.k = 8;
  options.core.links.max_links = 0;
  options.core.links.reserved = 0;
  return options;
}

// Runs one operation to its end; keeps its result for the caller to take.
inline const Operation& Finish(World& world, OperationId id) {
  world.RunUntilEnded(id, world.now() + Duration::Minutes(5));
  return world.operation(id);
}

// The k live peers that a lookup by `source` should find, closest first.
inline std::vector<PeerRef> Truth(const World& world, const NodeId& key, PeerRef source) {
  const auto k = static_cast<std::size_t>(world.options().core.table.k);
  std::vector<PeerRef> closest = world.oracle().Closest(key, k + 1, world.directory());
  std::erase(closest, source);
  if (closest.size() > k) closest.resize(k);
  return closest;
}

// Of lookups from random peers: how many find the closest live peer, and how many all of the k
// closest.
struct LookupsFound {
  int closest = 0;
  int all = 0;
};

inline LookupsFound LookUpAtRandom(World& world, int count) {
  LookupsFound found;
  for (int i = 0; i < count; ++i) {
    const OperationId id = world.StartLookup(world.RandomLivePeer(), world.RandomId());
    Finish(world, id);
    const Operation done = world.TakeOperation(id);
    const std::vector<PeerRef> truth = Truth(world, done.key, done.source);
    found.closest += done.closest_ok && done.closest[0] == truth[0] ? 1 : 0;
    found.all += done.closest == truth ? 1 : 0;
  }
  return found;
}

// Buckets of live peers without a live contact although the world has a live peer for them.
inline int CountFalseEmpty(const World& world) {
  int false_empty = 0;
  for (const PeerRef peer : world.oracle().live()) {
    const NodeId& id = world.directory().id(peer);
    for (int level = 0; level < 64; ++level) {
      if (world.oracle().Subtree(id, level, world.directory()).empty()) continue;
      bool has_live = false;
      for (const PeerRef contact : world.peer(peer).table().live(level)) {
        has_live = has_live || world.is_up(contact);
      }
      false_empty += has_live ? 0 : 1;
    }
  }
  return false_empty;
}

template <class T>
std::vector<std::uint8_t> Save(T value) {
  Writer writer;
  writer(value);
  return writer.Take();
}

// Files of two equal runs may differ in bytes without meaning, the padding of structs.
inline void ExpectSameRun(const World& a, const World& b) {
  EXPECT_EQ(a.now(), b.now());
  EXPECT_EQ(a.trace_hash(), b.trace_hash());
  EXPECT_EQ(a.live_count(), b.live_count());
  EXPECT_EQ(Save(a.metrics()), Save(b.metrics()));
}

}  // namespace tombolo::sim
