// Conditions that a world comes to fulfil, cheap enough to be looked at after every few
// milliseconds of simulated time.
//
//   ring_ok       the first live successor of every member is the next member by id, and the two
//                 can talk to each other: one ordered ring of all
//   tables_ok     no member has a false-empty bucket: where the world has a live, dialable peer
//                 for a bucket, it holds a live contact that it can talk to
//   all_routable  between any two members a route of live contacts leads there (WalkRoute); all
//                 pairs of up to kAllPairsPeers members, else kSampledPairs of them
//
// Members are the live peers that have joined. The conditions speak of the whole world: cut in
// islands, it fulfils none of them. A look ends at the first offender, and the next one begins
// there, since what was right seldom goes wrong; only a look that finds nothing wrong costs the
// whole world.
//
// Thread rule: pure functions of a world but for RunUntil, which lets it run. Errors: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "overlay/time.h"
#include "sim/finding.h"
#include "sim/world.h"

namespace tombolo::sim {

enum class Condition : std::uint8_t { kRingOk, kTablesOk, kAllRoutable };
inline constexpr std::size_t kConditions = 3;
inline constexpr std::array<std::string_view, kConditions> kConditionNames = {
    "ring_ok", "tables_ok", "all_routable"};

std::optional<Condition> FindCondition(std::string_view name);

inline constexpr std::uint32_t kAllPairsPeers = 2000;
inline constexpr std::uint64_t kSampledPairs = 10'000;

// True if the live peer `peer` has joined: only then is it answerable for what it knows.
bool IsMember(const World& world, PeerRef peer);

// The first successor that `peer` holds that is a member; kNone if it holds none.
PeerRef FirstLiveSuccessor(const World& world, PeerRef peer);

// Members for which that is not the next member by id: what ring_ok is short of.
std::uint64_t CountWrongSuccessors(const World& world);

// Watches one condition of one world.
class ConditionWatch {
 public:
  // Begins to look at `place`, as an earlier watch of the condition left it.
  explicit ConditionWatch(Condition condition, std::uint64_t place = 0)
      : condition_(condition), place_(place) {}

  bool Holds(const World& world);

  std::uint64_t place() const { return place_; }

 private:
  Condition condition_;
  std::uint64_t place_;  // of the last offender: a position by id, or the number of a pair
};

// Whether the condition holds now.
bool Holds(const World& world, Condition condition);

// What the condition is short of now, in terms of its invariant: ring_ok is I1, tables_ok I5 and
// all_routable I6, without a limit to the hops. Looks at the whole world.
Finding CheckCondition(const World& world, Condition condition);

struct Wait {
  bool reached = false;
  double seconds = 0;          // simulated, until it was reached or given up
  std::uint64_t messages = 0;  // transmissions of the world meanwhile
};

// Runs the world until the condition holds, looking at it now and then every `poll`; gives up
// after `limit`. Requires poll > 0.
Wait RunUntil(World& world, Condition condition, Duration limit,
              Duration poll = Duration::Milliseconds(100));

}  // namespace tombolo::sim
