// What names a lease, and how leases are hashed and stored by everybody who has some.
//
// A digest is the sum of the hashes of a set of leases: equal for equal sets, in whatever order
// they were added, and a lease is taken out again by subtracting its hash. It guards against lost
// messages, not against liars, who gain nothing by agreeing to hold what they do not hold. Thread
// rule: pure functions.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <utility>
#include <vector>

#include "overlay/messages_attach.h"
#include "overlay/node_id.h"
#include "overlay/rng.h"

namespace tombolo {

struct LeaseKey {
  LeaseKind kind = LeaseKind::kClient;
  NodeId id;  // of the client or the room

  auto operator<=>(const LeaseKey&) const = default;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(kind, id);
  }
};

constexpr std::uint64_t IdHash(const NodeId& id) {
  std::uint64_t hash = 0;
  for (const std::uint32_t word : id.words) hash = Mix64(hash ^ word) + word;
  return hash;
}

// The contribution of one lease to a digest.
constexpr std::uint64_t LeaseHash(const LeaseKey& key, std::uint64_t sequence) {
  return Mix64(IdHash(key.id) ^ Mix64(sequence * 2 + static_cast<std::uint64_t>(key.kind)));
}

// Archives know vectors, not maps.
template <class Archive, class Map>
void SerializeMap(Archive& archive, Map& map) {
  std::vector<std::pair<typename Map::key_type, typename Map::mapped_type>> rows;
  if constexpr (!Archive::kReading) rows.assign(map.begin(), map.end());
  archive(rows);
  if constexpr (Archive::kReading) {
    map.clear();
    for (auto& [key, value] : rows) map.emplace_hint(map.end(), key, std::move(value));
    if (map.size() != rows.size()) archive.Fail("a key is stored twice");
  }
}

}  // namespace tombolo
