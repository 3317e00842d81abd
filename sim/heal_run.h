// Heals islands and measures what it costs: the experiment behind `tombolo-sim bench heal`.
//
// Times are counted from the moment when a path is there (the introductions, or the end of the
// cut) and given in mean one-way delays of the network. Messages are counted from that moment
// to the end of the run, by what they are for:
//   merge       merge and unification: confirm, sync, bridge, fill, lookup, meet, try, detected
//   acks        their acknowledgements
//   refresh     what members ask each other after a merge
//   background  everything else: the upkeep of rings and tables, and the measurement's own sends
// The run ends when ring and tables are right, neither merge (confirm apart) nor refresh has said
// anything for `quiet`, and what disturbs the network is over; or at `limit`.
//
// Thread rule: one caller; the world runs on. Errors: none; what was not reached is nullopt.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "overlay/message.h"
#include "overlay/time.h"
#include "sim/world.h"

namespace tombolo::sim {

enum class HealStart : std::uint8_t {
  kSeparate,  // islands that never knew each other, and introductions (WorldOptions::islands)
  kSplit,     // one world cut in islands until nobody holds a contact of another, then healed
};

// Which islands are introduced to each other.
enum class Bridges : std::uint8_t {
  kHub,    // the first to every other one; with one bridge each, at one peer of the first
  kChain,  // each to the next
};

struct HealOptions {
  HealStart start = HealStart::kSeparate;
  Bridges topology = Bridges::kHub;
  std::uint32_t bridges = 1;             // random pairs introduced per two islands
  std::uint32_t false_alarms = 0;        // random pairs of one island introduced instead
  Duration cut = Duration::Minutes(75);  // how long the islands of kSplit are apart
  // What makes it harder: from the cut on (or the introductions) until `churn_time` after the
  // path is there, random peers crash, so many that half of all would within the half-life, and
  // as many newcomers join. Zero: nobody does.
  Duration churn_half_life;
  Duration churn_time = Duration::Minutes(2);
  // At first only messages to an island of a higher number pass, for so long.
  Duration one_way;
  Duration limit = Duration::Minutes(5);
  Duration quiet = Duration::Seconds(15);
};

struct HealFigures {
  Duration delay;                   // mean one way
  std::optional<Duration> ring_ok;  // since the path is there, as all below
  std::optional<Duration> tables_ok;
  std::optional<Duration> detected;  // until the first merge message
  std::optional<Duration> merged;    // until the last one before the refresh
  std::uint64_t merge_messages = 0;
  std::uint64_t acks = 0;
  std::uint64_t refresh_messages = 0;
  std::uint64_t background_messages = 0;
  std::uint32_t busiest = 0;  // merge messages received by one peer
  std::uint32_t smallest_island = 0;
  std::uint64_t false_empty_before_refresh = 0;
  std::uint64_t false_empty = 0;
  // Walks between sampled pairs of one island that a walk joined before: while it heals. They are
  // repeated as often as a message would be (relay.tries).
  std::uint64_t walks_during = 0, walks_during_ok = 0;
  std::uint64_t walks_repeated = 0;
  std::uint64_t walks_handed_back = 0;  // of these, that were sent back somewhere
  // Between members of whatever island, at the end.
  std::uint64_t walks_after = 0, walks_after_ok = 0;
  // Real sends of that kind while it heals; none without links.
  std::uint64_t sends = 0, delivered = 0;
  bool healed = false;  // ring and tables right, all walks at the end arrive
};

// The kinds of messages of a merge, without acknowledgements and refresh.
std::array<bool, kMessageKinds> MergeKinds();

// Called every half delay; false ends the run.
using GoOn = std::function<bool()>;

// Requires a fresh world; `sizes` are those of its islands, or, for kSplit, of the islands to
// cut.
HealFigures MeasureHeal(World& world, const HealOptions& options,
                        std::span<const std::uint32_t> sizes, const GoOn& go_on);

}  // namespace tombolo::sim
