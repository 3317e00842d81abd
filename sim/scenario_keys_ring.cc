// The keys of the ring: [ring].
#include <array>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

constexpr double kYearS = 365.0 * 24 * 3600;

template <auto Member>
Field InRing(Target& target) {
  return &(target.scenario->world.core.ring.*Member);
}

Field Profile(Target& target) {
  RingConfig& ring = target.scenario->world.core.ring;
  return ChoiceField{{"default", "paper2001"},
                     [&ring] { return static_cast<std::size_t>(ring.profile()); },
                     [&ring](std::size_t i) { ring.SetProfile(static_cast<RingProfile>(i)); }};
}

Field Probes(Target& target) {
  return Choose(target.scenario->world.core.ring.lookup_keys, {"uniform", "fingers"});
}

constexpr std::array kRing = {
    Key{"ring", "bits", 8, 160,
        "width of ids and keys; less than 160 only with overlay = \"chord\"",
        InRing<&RingConfig::bits>},
    Key{"ring", "profile", kNoLimit, kNoLimit,
        "the rules and intervals of this section but its bits, as published in 2001 or as they "
        "default; keys beside it, before or after, change single ones",
        Profile},
    Key{"ring", "successors", 1, 32, "next peers known clockwise", InRing<&RingConfig::successors>},
    Key{"ring", "predecessors", 1, 32, "next peers known counter-clockwise",
        InRing<&RingConfig::predecessors>},
    Key{"ring", "fingers", kNoLimit, kNoLimit,
        "whether fingers shorten the way; never beside k-buckets", InRing<&RingConfig::fingers>},
    Key{"ring", "corrected", kNoLimit, kNoLimit,
        "the corrected rules for joining and adopting; false = as published in 2001",
        InRing<&RingConfig::corrected>},
    Key{"ring", "overhear", kNoLimit, kNoLimit,
        "every message teaches a neighbour, not only stabilising", InRing<&RingConfig::overhear>},
    Key{"ring", "stabilise_interval_s", 0.001, kYearS, "between two questions to the successor",
        InRing<&RingConfig::stabilise_interval>},
    Key{"ring", "check_interval_s", 0.001, kYearS, "between two checks of the predecessor",
        InRing<&RingConfig::check_interval>},
    Key{"ring", "fix_interval_s", 0.001, kYearS, "between two rounds of fixing fingers",
        InRing<&RingConfig::fix_interval>},
    Key{"ring", "fingers_per_fix", 1, 160, "fingers looked up in a round",
        InRing<&RingConfig::fingers_per_fix>},
    Key{"ring", "fix_every_level", kNoLimit, kNoLimit,
        "fix also the fingers that can only be the successor",
        InRing<&RingConfig::fix_every_level>},
    Key{"ring", "lookup_interval_s", 0, kYearS,
        "each peer looks up a key of its own accord this often; 0 = never",
        InRing<&RingConfig::lookup_interval>},
    Key{"ring", "lookup_keys", kNoLimit, kNoLimit, "random keys, or ids of random fingers", Probes},
    Key{"ring", "outstanding", 1, 64, "requests of upkeep under way at once",
        InRing<&RingConfig::outstanding>},
    Key{"ring", "rpc_timeout_ms", 1, 6e5, "until a question to one peer counts as unanswered",
        InRing<&RingConfig::rpc_timeout>},
    Key{"ring", "find_timeout_ms", 1, 6e5, "until a find_successor counts as unanswered",
        InRing<&RingConfig::find_timeout>},
    Key{"ring", "tries", 1, 16, "of a lookup by its asker", InRing<&RingConfig::tries>},
    Key{"ring", "max_hops", 1, 65'535, "of a find_successor", InRing<&RingConfig::max_hops>},
};

}  // namespace

KeyLists RingKeys() { return {kRing}; }

}  // namespace tombolo::sim
