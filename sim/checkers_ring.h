// The ring as its members believe in it: I1 to I4 and I7 (Zave, "How to make Chord correct";
// Shafaat et al. for islands).
//
// Members are the live peers that have joined and can be dialled: of two others neither can speak
// to the other, so no ring can hold them all. The best successor of a member is the first one of
// its list that is a member. Following best successors, a world may show
//   - several rings (I1): islands that have not merged; none at all if somebody has no live
//   successor
//   - a loopy ring (I2): one cycle that goes round the id space more than once, which every
//     member takes for right
//   - appendages (I3): members that lead to a ring on which nobody leads back to them
// I4 asks for one live successor each, and for as many principals as a list is long and one
// more (or all members, if fewer): members whom no successor list skips, Zave's condition for
// rings that stay connected. I7 asks for the true nearest kLeaves on each side, as relaying
// falls back on them, or as many of them as fit into a list beside those that are no members.
//
// Thread rule: pure functions of a world. Errors: none; without a ring nothing is checked.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/finding.h"
#include "sim/world.h"

namespace tombolo::sim {

inline constexpr std::size_t kLeaves = 8;

inline constexpr std::uint32_t kNobody = ~std::uint32_t{0};

// Where following best successors leads to. Members are numbered in the order of their ids.
struct RingShape {
  struct Cycle {
    std::uint32_t first;  // one of its members
    std::uint64_t turns;  // how often it goes round the id space
  };

  std::vector<Cycle> cycles;
  std::vector<bool> on_cycle;  // by member
};

// `next` is the best successor of each member, kNobody if it has none.
RingShape FollowRing(const std::vector<std::uint32_t>& next);

// The findings of I1, I2, I3, I4 and I7, in this order.
std::vector<Finding> CheckRing(const World& world);

}  // namespace tombolo::sim
