// The guarantee of the routing tables (I5): no false-empty bucket. Where the world has a live,
// dialable peer for a bucket of a member, the member holds a live contact there.
//
// A contact counts as live if it is up, no path to or from it is cut and, where it cannot be
// dialled, one of its links is to a live peer. Thread rule: pure functions of a world. Errors:
// none; a broken rule is a count and the first offender.
#pragma once

#include <cstdint>
#include <optional>

#include "overlay/peer_ref.h"
#include "sim/finding.h"
#include "sim/world.h"

namespace tombolo::sim {

struct BucketCheck {
  std::uint32_t peers = 0;              // looked at
  std::uint64_t buckets = 0;            // that the world has a live, dialable peer for
  std::uint64_t false_empty = 0;        // of these, without a live contact
  PeerRef first_peer = PeerRef::kNone;  // the first offender, by id
  int first_level = 0;
  Time at;  // of the look
};

// Looks at the live members of the overlay, at most `peers_max` of them, evenly spread over the
// id space.
BucketCheck CheckBuckets(const World& world, std::uint32_t peers_max);

// The first false-empty bucket of the live peer at `position` by id; nullopt if it has none or
// has not joined. Where tables are good this looks at hardly more than the tables.
std::optional<int> FirstFalseEmpty(const World& world, std::uint64_t position);

// I5 as far as it was looked at.
Finding FindingOf(const BucketCheck& check);
// I5 of all members.
Finding CheckTables(const World& world);

// False-empty buckets of all members.
std::uint64_t CountFalseEmptyBuckets(const World& world);

}  // namespace tombolo::sim
