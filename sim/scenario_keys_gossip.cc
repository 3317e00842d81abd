// The keys of [gossip].
#include <array>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

template <auto Member>
Field InGossip(Target& target) {
  return &(target.scenario->world.core.gossip.*Member);
}

constexpr std::array kGossip = {
    Key{"gossip", "eager_links", 1, 255, "new links are part of the tree up to this number",
        InGossip<&GossipConfig::eager_links>},
    Key{"gossip", "lazy_interval_ms", 1, 6e5, "announcements over other links wait about this long",
        InGossip<&GossipConfig::lazy_interval>},
    Key{"gossip", "graft_timeout_ms", 1, 6e5,
        "from an announcement to asking for what has not come",
        InGossip<&GossipConfig::graft_timeout>},
    Key{"gossip", "optimise_hops", 0, 255,
        "a link that saves more hops than this replaces one of the tree; 0 = none",
        InGossip<&GossipConfig::optimise_hops>},
    Key{"gossip", "compare_interval_s", 0.001, 86'400,
        "a random link is shown the latest broadcasts this often",
        InGossip<&GossipConfig::compare_interval>},
    Key{"gossip", "max_ttl_s", 0.001, 86'400, "longest life of a broadcast",
        InGossip<&GossipConfig::max_ttl>},
    Key{"gossip", "seen_ttl_s", 0.001, 172'800,
        "broadcasts are remembered; at least max_ttl_s, better a minute more",
        InGossip<&GossipConfig::seen_ttl>},
    Key{"gossip", "max_seen", 1, 1 << 24, "broadcasts remembered per peer",
        InGossip<&GossipConfig::max_seen>},
    Key{"gossip", "window_messages", 0, 65'536, "broadcasts kept for those who missed them",
        InGossip<&GossipConfig::window_messages>},
    Key{"gossip", "window_bytes", 0, 1 << 30, "likewise, payload",
        InGossip<&GossipConfig::window_bytes>},
    Key{"gossip", "max_missing", 1, 65'536, "broadcasts announced and awaited",
        InGossip<&GossipConfig::max_missing>},
    Key{"gossip", "max_counts", 1, 65'536, "acknowledged broadcasts under way",
        InGossip<&GossipConfig::max_counts>},
    Key{"gossip", "max_topics", 0, 65'536, "topics subscribed to",
        InGossip<&GossipConfig::max_topics>},
    Key{"gossip", "max_payload_bytes", 0, 1 << 30, "larger broadcasts are refused",
        InGossip<&GossipConfig::max_payload_bytes>},
    Key{"gossip", "heartbeat_s", 0.001, 600, "what the limits below refer to",
        InGossip<&GossipConfig::heartbeat>},
    Key{"gossip", "link_broadcasts", 1, 65'535, "new broadcasts taken from one link",
        InGossip<&GossipConfig::link_broadcasts>},
    Key{"gossip", "link_haves", 1, 65'535, "announcing messages taken from one link",
        InGossip<&GossipConfig::link_haves>},
    Key{"gossip", "link_grafts", 1, 65'535, "broadcasts one link may ask for",
        InGossip<&GossipConfig::link_grafts>},
    Key{"gossip", "origin_broadcasts", 1, 65'535, "new broadcasts of one origin, over all links",
        InGossip<&GossipConfig::origin_broadcasts>},
};

}  // namespace

KeyLists GossipKeys() { return {kGossip}; }

}  // namespace tombolo::sim
