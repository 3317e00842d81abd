// What a checker has found out about one invariant (checkers.h).
//
// Thread rule: plain values. Errors: none; a broken invariant is a count and the first
// offender.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "overlay/peer_ref.h"
#include "overlay/time.h"
#include "sim/world.h"

namespace tombolo::sim {

enum class Invariant : std::uint8_t {
  kOneRing,        // the best successors of the members form exactly one cycle
  kOrdered,        // a cycle goes round the id space once, not several times
  kNoAppendage,    // every member is on a cycle
  kLiveSuccessor,  // every member has a live successor; enough members are skipped by nobody
  kNoFalseEmpty,   // every bucket that the world has a live peer for holds one
  kRoutable,       // a short route of live contacts joins any two members
  kLeafSet,        // the nearest neighbours on both sides are the true ones
  kNoLoops,        // relaying comes strictly closer, but for a bounded number of detours
  kBudgets,        // messages, load and memory are within their limits
  kNoDeadTraffic,  // nobody keeps talking to those who are gone
  kTermination,    // traffic returns to what it was before
  kMonotone,       // who could be reached stays reachable
};
inline constexpr std::size_t kInvariants = 12;

// "I1 one ring", ... in the order of Invariant.
std::string_view NameOf(Invariant invariant);

struct Finding {
  Invariant invariant = Invariant::kOneRing;
  std::uint64_t checked = 0;      // members, buckets, pairs, ...; 0 = does not apply to this world
  std::uint64_t broken = 0;       // of these
  PeerRef peer = PeerRef::kNone;  // the first offender; kNone if it is no peer
  Time at;
  std::string detail;  // what is wrong there

  bool ok() const { return broken == 0; }

  // One more offender.
  void Report(PeerRef offender, std::string what);
};

// An empty finding of now.
Finding StartFinding(const World& world, Invariant invariant);

// One line: "I5 no false-empty bucket: 3 of 811 broken at 12.5 s; first: peer 17 (3fa9c0d2...):
// bucket 7 holds no live contact", or "I5 no false-empty bucket: 811 checked".
std::string Describe(const World& world, const Finding& finding);

}  // namespace tombolo::sim
