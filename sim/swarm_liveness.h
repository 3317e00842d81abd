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
// graph of who knows whom is told apart (KnowledgeIslands), and introduced anew or let off
// (IntroduceIslands).
//
// Thread rule: one caller at a time. Errors: none; what is missing is a Violation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/finding.h"
#include "sim/swarm_ledger.h"
#include "sim/world.h"

namespace tombolo::sim {

Duration LivenessBound(const WorldOptions& options);
// Within which a whole world passes on what was broadcast: links come up, and each peer that keeps
// a broadcast shows it to a random one of its links per comparison, so that one that nobody has
// shown it after twelve is one in 200,000.
Duration CatchUpBound(const WorldOptions& options);
// Of a world that only a merge can make whole: 100 delays, three times what 10,000 peers take
// (healing.md), and two refreshes if there are any; where messages are lost, three times as much
// and the time in which a message is given up.
Duration MergeBound(const WorldOptions& options);

// nullopt if the finding is good.
std::optional<Violation> AsViolation(const Finding& finding);

// The first thing that peers believe and that is not so; nullopt if the world has converged.
// `merge_alone`: as far as a merge can bring it.
std::optional<Violation> FirstWrong(const World& world, bool merge_alone = false);

// I9 of a world that only a merge has made whole: messages of merge and unification per live peer.
// Twice what 10,000 peers need and twice again, since small islands are all border; one more for
// every bridge, half as many again where messages are lost, and the same for a third island. What
// confirms that islands are two is counted by itself, since peers go on asking each other about
// their islands: each answer, or introduction, costs one lookup at most.
std::optional<Violation> CheckMergeCost(const World& world, std::uint32_t bridges);

// Introduces the islands of knowledge of a world whose peers heal, as an operator would who has a
// list of well-known peers: one peer of each is told of the first that can be dialled, and
// `bridges` of them. False if they stay apart for good: nobody heals, or nobody can be dialled any
// more.
bool IntroduceIslands(World& world, std::uint32_t bridges = 1);

// The live peers in groups that, directly or through others, know of each other: one group if the
// world is whole. Knowing counts where it leads to a talk: a contact that cannot be dialled is
// nobody.
std::vector<std::vector<PeerRef>> KnowledgeIslands(const World& world);

}  // namespace tombolo::sim
