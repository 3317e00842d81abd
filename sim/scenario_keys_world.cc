// The keys of the world and its peers: top level, [kademlia], [links], [relay], [store].
#include <array>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

constexpr double kYearS = 365.0 * 24 * 3600;

template <auto Member>
Field Top(Target& target) {
  return &(target.scenario->*Member);
}
template <auto Member>
Field InWorld(Target& target) {
  return &(target.scenario->world.*Member);
}
template <auto Member>
Field InTable(Target& target) {
  return &(target.scenario->world.core.table.*Member);
}
template <auto Member>
Field InLookup(Target& target) {
  return &(target.scenario->world.core.lookup.*Member);
}
template <auto Member>
Field InLinks(Target& target) {
  return &(target.scenario->world.core.links.*Member);
}
template <auto Member>
Field InRelay(Target& target) {
  return &(target.scenario->world.core.relay.*Member);
}
template <auto Member>
Field InStore(Target& target) {
  return &(target.scenario->world.core.store.*Member);
}

Field Overlay(Target& target) {
  return Choose(target.scenario->world.core.overlay, {"kademlia", "chord", "both"});
}

Field Through(Target& target) {
  return Choose(target.scenario->world.join_through, {"founder", "earlier"});
}

Field Start(Target& target) { return Choose(target.scenario->world.start, {"built", "join"}); }

Field RunUntilKey(Target& target) {
  return Choose(target.scenario->end, {"end", "ring_ok", "tables_ok", "all_routable"});
}

Field Policy(Target& target) {
  return Choose(target.scenario->world.core.table.policy,
                {"ping_before_evict", "replace_when_dead", "replace_oldest"});
}

constexpr std::array kTop = {
    Key{"", "peers", 1, kMaxPeers, "peers at the start", InWorld<&WorldOptions::peers>},
    Key{"", "seed", 0, 9.2e18, "fixes every random choice of the run",
        InWorld<&WorldOptions::seed>},
    Key{"", "overlay", kNoLimit, kNoLimit, "routing of the peers", Overlay},
    Key{"", "start", kNoLimit, kNoLimit,
        "exact tables and links at time 0, or live joins through peer 0", Start},
    Key{"", "join_spacing_ms", 0, 3.6e6, "between two joins of start = \"join\"",
        InWorld<&WorldOptions::join_spacing>},
    Key{"", "join_through", kNoLimit, kNoLimit,
        "whom start = \"join\" goes through: peer 0, or a random one whose turn came before",
        Through},
    Key{"", "loss", 0, 1, "share of messages lost on the way", InWorld<&WorldOptions::loss>},
    Key{"", "nat_share", 0, 1, "share of peers that cannot be dialled",
        InWorld<&WorldOptions::nat_share>},
    Key{"", "dead_share", 0, 1, "share of peers dead at time 0 and still in the tables of others",
        InWorld<&WorldOptions::dead_share>},
    Key{"", "missing_share", 0, 1, "share of the contacts left out of the tables at time 0",
        InWorld<&WorldOptions::missing_share>},
    Key{"", "islands", 1, kMaxPeers,
        "sizes of islands that are built apart and know nothing of each other; empty = one",
        InWorld<&WorldOptions::islands>},
    Key{"", "ring_turns", 1, kMaxRingTurns,
        "how often built rings go round the id space; more than 1 is loopy, and to be repaired",
        InWorld<&WorldOptions::ring_turns>},
    Key{"", "dead_links_share", 0, 1, "share of pairs whose links silently carry nothing",
        InWorld<&WorldOptions::dead_links>},
    Key{"", "keepalive_timeout_s", 0.001, 3600, "until a cut link is noticed",
        InWorld<&WorldOptions::keepalive_timeout>},
    Key{"", "ephemeral_hold_s", 0.001, 3600, "how long a link dialled for one message is kept",
        InWorld<&WorldOptions::ephemeral_hold>},
};

constexpr std::array kRun = {
    Key{"", "warmup_s", 0, kYearS, "simulated before the run proper and not measured",
        Top<&Scenario::warmup>},
    Key{"", "duration_s", 0, kYearS, "length of the run proper", Top<&Scenario::duration>},
    Key{"", "run_until", kNoLimit, kNoLimit,
        "ends the run proper earlier, once the last [[at]] is over and this holds", RunUntilKey},
    Key{"", "drain_s", 0, kYearS, "after the run, longest wait for operations that have not ended",
        Top<&Scenario::drain>},
};

constexpr std::array kKademlia = {
    Key{"kademlia", "k", 1, 64, "contacts per bucket, and peers a lookup finds",
        InTable<&TableConfig::k>},
    Key{"kademlia", "alpha", 1, 64, "requests in flight per lookup",
        InLookup<&LookupConfig::alpha>},
    Key{"kademlia", "backups", 0, 64,
        "contacts beyond the k closest that a lookup keeps to replace dead ones",
        InLookup<&LookupConfig::backups>},
    Key{"kademlia", "rpc_timeout_ms", 1, 6e5, "until a request counts as unanswered",
        InLookup<&LookupConfig::rpc_timeout>},
    Key{"kademlia", "max_active", 1, 250, "lookups under way per peer",
        InLookup<&LookupConfig::max_active>},
    Key{"kademlia", "replacements", 0, 16, "newcomers remembered per full bucket",
        InTable<&TableConfig::replacements>},
    Key{"kademlia", "group_max", 0, 64, "contacts of one address group per bucket; 0 = no limit",
        InTable<&TableConfig::group_max>},
    Key{"kademlia", "policy", kNoLimit, kNoLimit, "what happens to a newcomer of a full bucket",
        Policy},
    Key{"kademlia", "check_interval_s", 0.001, kYearS,
        "a bucket's oldest contact is pinged at most this often",
        InTable<&TableConfig::check_interval>},
    Key{"kademlia", "refresh_interval_s", 1, kYearS,
        "a bucket without a lookup for this long is refreshed",
        InTable<&TableConfig::refresh_interval>},
};

constexpr std::array kLinks = {
    Key{"links", "max_links", 0, 65'535, "kept links per peer; 0 = this run relays nothing",
        InLinks<&LinkConfig::max_links>},
    Key{"links", "per_bucket", 0, 64, "links wanted per non-empty bucket",
        InLinks<&LinkConfig::per_bucket>},
    Key{"links", "neighbours", 0, 32, "id-nearest peers kept linked on each side",
        InLinks<&LinkConfig::neighbours>},
    Key{"links", "reserved", 0, 65'535, "of max_links, only for peers that cannot be dialled",
        InLinks<&LinkConfig::reserved>},
    Key{"links", "max_dialing", 1, 1024, "dials under way at once",
        InLinks<&LinkConfig::max_dialing>},
    Key{"links", "maintenance_interval_s", 0.001, 86'400, "between two looks at the link table",
        InLinks<&LinkConfig::maintenance_interval>},
    Key{"links", "hidden_refresh_interval_s", 0.001, kYearS,
        "between two lookups of its own id by a peer that cannot be dialled",
        InLinks<&LinkConfig::hidden_refresh_interval>},
    Key{"links", "dial_back_off_s", 0.001, 86'400, "after a failed dial to the same peer",
        InLinks<&LinkConfig::dial_back_off>},
};

constexpr std::array kRelay = {
    Key{"relay", "ttl", 1, 255, "hops of a message at most", InRelay<&RelayConfig::ttl>},
    Key{"relay", "detours", 0, 255, "hops of a message that do not come closer, at most",
        InRelay<&RelayConfig::detours>},
    Key{"relay", "tries", 1, 16, "sends of one message by its origin",
        InRelay<&RelayConfig::tries>},
    Key{"relay", "max_pending", 1, 1 << 24, "hops awaiting acknowledgement, per peer",
        InRelay<&RelayConfig::max_pending>},
    Key{"relay", "max_seen", 1, 1 << 24, "message ids remembered per peer to suppress duplicates",
        InRelay<&RelayConfig::max_seen>},
    Key{"relay", "seen_ttl_s", 0.001, 86'400, "how long they are remembered",
        InRelay<&RelayConfig::seen_ttl>},
    Key{"relay", "initial_rto_ms", 1, 6e5, "hop time-out before the first sample",
        InRelay<&RelayConfig::initial_rto>},
    Key{"relay", "min_rto_ms", 1, 6e5, "least hop time-out", InRelay<&RelayConfig::min_rto>},
    Key{"relay", "max_rto_ms", 1, 6e5, "longest hop time-out", InRelay<&RelayConfig::max_rto>},
    Key{"relay", "connect_timeout_s", 0.001, 600, "until connect gives up",
        InRelay<&RelayConfig::connect_timeout>},
};

constexpr std::array kStore = {
    Key{"store", "max_records", 0, 1 << 24, "records per peer", InStore<&StoreConfig::max_records>},
    Key{"store", "max_value_bytes", 0, 1 << 30, "larger values are refused",
        InStore<&StoreConfig::max_value_bytes>},
    Key{"store", "max_ttl_s", 1, kYearS, "longest life of a record",
        InStore<&StoreConfig::max_ttl>},
    Key{"store", "republish_interval_s", 1, kYearS, "holders pass records on this often",
        InStore<&StoreConfig::republish_interval>},
    Key{"store", "cache_ttl_s", 0, kYearS, "longest life of a copy cached on the path",
        InStore<&StoreConfig::cache_ttl>},
    Key{"store", "quorum", 1, 64, "values a get collects before it takes the newest",
        InStore<&StoreConfig::quorum>},
};

}  // namespace

KeyLists TopKeys() { return {kTop}; }

KeyLists RunKeys() { return {kRun}; }

KeyLists RoutingKeys() { return {kKademlia, kLinks, kRelay, kStore}; }

}  // namespace tombolo::sim
