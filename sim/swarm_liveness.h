// What must become true once the faults have stopped, and by when.
//
// The bound. After the last fault a peer may have to wait, one after the other, for: the retry of a
// join that reached nobody (a minute at most); the keepalive time-out of its dead links; the
// back-off of a dial; two maintenances of its links; four rounds of bucket refreshes (dead contacts
// are found in the first and replaced in the second, those that the replacements name are met in
// the third, a round may just have begun); sixteen rounds of stabilisation, one per entry of a
// successor list; the back-off of a probe for islands, twice, eight more of them, and the memory of
// two merges that failed; eight comparisons of what was broadcast; and three lives of a lease. Each
// is bounded by the configuration, so the bound is their sum.
//
// Peers that know nobody of each other cannot find each other: a world in which deaths have cut the
// graph of who knows whom is told apart (KnowledgeIslands), and introduced anew or let off.
//
// Thread rule: one caller at a time. Errors: none; what is missing is a Violation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/swarm_ledger.h"
#include "sim/world.h"

namespace tombolo::sim {

Duration LivenessBound(const WorldOptions& options);
// Of a world that only a merge can make whole: 100 delays, three times what 10,000 peers take
// (healing.md), and two refreshes.
Duration MergeBound(const WorldOptions& options);

// The first thing that peers believe and that is not so; nullopt if the world has converged.
// `merge_alone`: as far as a merge can bring it.
std::optional<Violation> FirstWrong(const World& world, bool merge_alone = false);

// One live peer of each group of peers that, directly or through others, know of each other: one
// peer if the world is whole. Knowing counts where it leads to a talk: a contact that cannot be
// dialled is nobody.
std::vector<PeerRef> KnowledgeIslands(const World& world);

}  // namespace tombolo::sim
