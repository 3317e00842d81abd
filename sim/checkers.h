// Compares what peers believe with what is true of their world.
//
// Thread rule: pure functions of a world; CheckLookups lets it run on. Errors: none; a broken rule
// is a count and the first offender.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "overlay/peer_ref.h"
#include "sim/world.h"

namespace tombolo::sim {

// The guarantee of the routing table (routing_table.h): no false-empty bucket.
struct BucketCheck {
  std::uint32_t peers = 0;              // looked at
  std::uint64_t buckets = 0;            // that the world has a live, dialable peer for
  std::uint64_t false_empty = 0;        // of these, without a live contact
  PeerRef first_peer = PeerRef::kNone;  // the first offender, by id
  int first_level = 0;
};

// Looks at the live members of the overlay, at most `peers_max` of them, evenly spread over the id
// space. A contact counts as live if it is up and, where it cannot be dialled, one of its links is
// to a live peer.
BucketCheck CheckBuckets(const World& world, std::uint32_t peers_max);

// Lookups compared with the truth.
struct LookupCheck {
  std::uint32_t lookups = 0;           // ended with a result
  std::uint32_t failed = 0;            // ended without one, or not at all
  std::uint64_t wanted = 0;            // true k closest live peers, over all lookups
  std::uint64_t found = 0;             // of these, in the result
  std::uint32_t exact = 0;             // lookups that found all of them
  std::optional<NodeId> first_target;  // the first that did not
  PeerRef first_source = PeerRef::kNone;
};

// How many of the true k closest live peers to its key (the asker apart) an ended lookup has found.
std::size_t CountClosestFound(const World& world, const Operation& lookup);

// Lets `count` random live peers look up random ids at the same time, and waits for them. A peer
// that joins or dies meanwhile can make a result differ from the truth.
LookupCheck CheckLookups(World& world, std::uint32_t count);

}  // namespace tombolo::sim
