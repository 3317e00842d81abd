// The keys of healing: [heal].
#include <array>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

constexpr double kYearS = 365.0 * 24 * 3600;
constexpr double kHourS = 3600;

template <auto Member>
Field InHeal(Target& target) {
  return &(target.scenario->world.core.heal.*Member);
}

Field Strategy(Target& target) {
  return Choose(target.scenario->world.core.heal.strategy,
                {kMergeStrategyNames.begin(), kMergeStrategyNames.end()});
}

constexpr std::array kDetection = {
    Key{"heal", "enabled", kNoLimit, kNoLimit,
        "whether islands look for each other and merge; with overlay = \"both\" alone",
        InHeal<&HealConfig::enabled>},
    Key{"heal", "remember_after_s", 1, kYearS,
        "a peer seen alive for this long is remembered when it is lost",
        InHeal<&HealConfig::remember_after>},
    Key{"heal", "remember_for_s", 1, kYearS,
        "how long, after it was last seen; at least remember_after_s",
        InHeal<&HealConfig::remember_for>},
    Key{"heal", "probe_interval_s", 1, kYearS,
        "between two probes of remembered peers by a peer that has lost some, on average",
        InHeal<&HealConfig::probe_interval>},
    Key{"heal", "boost", 1, 1000, "times as many probes after the size estimate has dropped",
        InHeal<&HealConfig::boost>},
    Key{"heal", "boost_time_s", 0, kYearS, "for this long", InHeal<&HealConfig::boost_time>},
    Key{"heal", "probe_spread_s", 0, kHourS,
        "an island as a whole probes no more often than this, by its own estimate of its size",
        InHeal<&HealConfig::probe_spread>},
    Key{"heal", "probe_back_off_max_s", 1, kYearS,
        "longest wait between two probes of one peer; at least probe_interval_s",
        InHeal<&HealConfig::probe_back_off_max>},
    Key{"heal", "exchange_interval_s", 1, 14'400,
        "between two exchanges of island sketches with a contact, on average",
        InHeal<&HealConfig::exchange_interval>},
    Key{"heal", "sketch_ttl_s", 1, 14'400,
        "whoever was not heard of for this long leaves the sketch; at least exchange_interval_s",
        InHeal<&HealConfig::sketch_ttl>},
};

constexpr std::array kMerging = {
    Key{"heal", "strategy", kNoLimit, kNoLimit,
        "how a merge spreads: along the trie of ids, or, for comparison, by ring unification from "
        "random peers at once or from one place on",
        Strategy},
    Key{"heal", "fanout", 1, 8, "of strategy = \"gossip\": peers that one lookup sets to work",
        InHeal<&HealConfig::fanout>},
    Key{"heal", "queue_interval_ms", 1, 6e5,
        "of \"gossip\" and \"simple\": a peer begins a lookup this often at most",
        InHeal<&HealConfig::queue_interval>},
    Key{"heal", "offered", 1, 16, "contacts named per level of the trie",
        InHeal<&HealConfig::offered>},
    Key{"heal", "rate", 1, 1e6, "merge messages of a peer per second", InHeal<&HealConfig::rate>},
    Key{"heal", "burst", 1, 1e6, "that it may send at once before", InHeal<&HealConfig::burst>},
    Key{"heal", "initial_rto_ms", 1, 6e5, "time-out of merge messages before the first sample",
        InHeal<&HealConfig::initial_rto>},
    Key{"heal", "min_rto_ms", 1, 6e5, "least time-out", InHeal<&HealConfig::min_rto>},
    Key{"heal", "max_rto_ms", 1, 6e5, "longest time-out", InHeal<&HealConfig::max_rto>},
    Key{"heal", "session_ttl_s", 1, kHourS, "a merge is remembered after its last message",
        InHeal<&HealConfig::session_ttl>},
    Key{"heal", "refresh_after_ms", 1, 3.6e6,
        "without news, until a peer asks its neighbours what the merge has missed",
        InHeal<&HealConfig::refresh_after>},
};

}  // namespace

KeyLists HealKeys() { return {kDetection, kMerging}; }

}  // namespace tombolo::sim
