// The keys of clients and rooms: [attach].
#include <array>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

template <auto Member>
Field InAttach(Target& target) {
  return &(target.scenario->world.core.attach.*Member);
}

constexpr std::array kAttach = {
    Key{"attach", "replicas", 1, 16, "peers that hold the lease of a client or room",
        InAttach<&AttachConfig::replicas>},
    Key{"attach", "ttl_s", 0.1, 86'400, "life of a lease, and of a room's silent home",
        InAttach<&AttachConfig::ttl>},
    Key{"attach", "renew_interval_s", 0.01, 43'200,
        "between two renewals of leases and rooms; half of ttl_s at most",
        InAttach<&AttachConfig::renew_interval>},
    Key{"attach", "resolve_quorum", 1, 64, "leases a resolve collects before it takes the newest",
        InAttach<&AttachConfig::resolve_quorum>},
    Key{"attach", "max_clients", 0, 1 << 24, "clients attached to a peer",
        InAttach<&AttachConfig::max_clients>},
    Key{"attach", "max_held", 0, 1 << 24, "leases that a peer holds for others",
        InAttach<&AttachConfig::max_held>},
    Key{"attach", "max_rooms", 0, 1 << 20, "rooms with members at a peer",
        InAttach<&AttachConfig::max_rooms>},
    Key{"attach", "max_members", 1, 65'535, "members of a room at a peer",
        InAttach<&AttachConfig::max_members>},
    Key{"attach", "max_homes", 2, 64, "peers with members of one room",
        InAttach<&AttachConfig::max_homes>},
};

}  // namespace

KeyLists AttachKeys() { return {kAttach}; }

}  // namespace tombolo::sim
