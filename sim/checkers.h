// Compares what peers believe with what is true of their world.
//
// Thread rule: pure functions of a world; CheckLookups lets it run on. Errors: none; a broken
// rule is a count and the first offender.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "overlay/peer_ref.h"
#include "sim/checkers_tables.h"
#include "sim/finding.h"
#include "sim/world.h"

namespace tombolo::sim {

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

// How many of the true k closest live peers to its key (the asker apart) an ended lookup has
// found.
std::size_t CountClosestFound(const World& world, const Operation& lookup);

// Lets `count` random live peers look up random ids at the same time, and waits for them. A
// peer that joins or dies meanwhile can make a result differ from the truth.
LookupCheck CheckLookups(World& world, std::uint32_t count);

// All invariants (finding.h) that the state of a world alone can show, one finding
// each. At any time: I8 and I9 (memory). At quiescence, when faults, joins and deaths have
// ended long enough ago, also I1 to I7 and I10. I11 and I12 need to have seen the world before:
// checkers_budget.h, checkers_routes.h.
std::vector<Finding> RunCheckers(const World& world, bool at_quiescence);

}  // namespace tombolo::sim
