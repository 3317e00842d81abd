#include "python/bind/options.h"

#include "python/bind/environment.h"
#include "python/bind/fields.h"

namespace tombolo::python {

namespace py = pybind11;

namespace {

template <class Visitor>
void VisitTable(Visitor& visit, TableConfig& table, LookupConfig& lookup) {
  visit("kademlia.k", table.k);
  visit("kademlia.alpha", lookup.alpha);
  visit("kademlia.backups", lookup.backups);
  visit("kademlia.rpc_timeout_ms", lookup.rpc_timeout);
  visit("kademlia.max_active", lookup.max_active);
  visit("kademlia.replacements", table.replacements);
  visit("kademlia.group_max", table.group_max);
  visit("kademlia.policy", table.policy,
        {"ping_before_evict", "replace_when_dead", "replace_oldest"});
  visit("kademlia.check_interval_s", table.check_interval);
  visit("kademlia.refresh_interval_s", table.refresh_interval);
}

template <class Visitor>
void VisitLinks(Visitor& visit, LinkConfig& links) {
  visit("links.max_links", links.max_links);
  visit("links.per_bucket", links.per_bucket);
  visit("links.neighbours", links.neighbours);
  visit("links.reserved", links.reserved);
  visit("links.max_dialing", links.max_dialing);
  visit("links.maintenance_interval_s", links.maintenance_interval);
  visit("links.hidden_refresh_interval_s", links.hidden_refresh_interval);
  visit("links.dial_back_off_s", links.dial_back_off);
}

template <class Visitor>
void VisitRelay(Visitor& visit, RelayConfig& relay) {
  visit("relay.ttl", relay.ttl);
  visit("relay.detours", relay.detours);
  visit("relay.tries", relay.tries);
  visit("relay.max_pending", relay.max_pending);
  visit("relay.max_seen", relay.max_seen);
  visit("relay.seen_ttl_s", relay.seen_ttl);
  visit("relay.initial_rto_ms", relay.initial_rto);
  visit("relay.min_rto_ms", relay.min_rto);
  visit("relay.max_rto_ms", relay.max_rto);
  visit("relay.connect_timeout_s", relay.connect_timeout);
}

template <class Visitor>
void VisitStore(Visitor& visit, StoreConfig& store) {
  visit("store.max_records", store.max_records);
  visit("store.max_value_bytes", store.max_value_bytes);
  visit("store.max_ttl_s", store.max_ttl);
  visit("store.republish_interval_s", store.republish_interval);
  visit("store.cache_ttl_s", store.cache_ttl);
  visit("store.quorum", store.quorum);
}

template <class Visitor>
void VisitRing(Visitor& visit, RingConfig& ring) {
  visit("ring.bits", ring.bits);
  visit("ring.successors", ring.successors);
  visit("ring.predecessors", ring.predecessors);
  visit("ring.fingers", ring.fingers);
  visit("ring.corrected", ring.corrected);
  visit("ring.overhear", ring.overhear);
  visit("ring.stabilise_interval_s", ring.stabilise_interval);
  visit("ring.check_interval_s", ring.check_interval);
  visit("ring.fix_interval_s", ring.fix_interval);
  visit("ring.fingers_per_fix", ring.fingers_per_fix);
  visit("ring.fix_every_level", ring.fix_every_level);
  visit("ring.lookup_interval_s", ring.lookup_interval);
  visit("ring.lookup_keys", ring.lookup_keys, {"uniform", "fingers"});
  visit("ring.outstanding", ring.outstanding);
  visit("ring.rpc_timeout_ms", ring.rpc_timeout);
  visit("ring.find_timeout_ms", ring.find_timeout);
  visit("ring.tries", ring.tries);
  visit("ring.max_hops", ring.max_hops);
}

template <class Visitor>
void VisitGossip(Visitor& visit, GossipConfig& gossip) {
  visit("gossip.eager_links", gossip.eager_links);
  visit("gossip.lazy_interval_ms", gossip.lazy_interval);
  visit("gossip.graft_timeout_ms", gossip.graft_timeout);
  visit("gossip.optimise_hops", gossip.optimise_hops);
  visit("gossip.compare_interval_s", gossip.compare_interval);
  visit("gossip.max_ttl_s", gossip.max_ttl);
  visit("gossip.seen_ttl_s", gossip.seen_ttl);
  visit("gossip.max_seen", gossip.max_seen);
  visit("gossip.window_messages", gossip.window_messages);
  visit("gossip.window_bytes", gossip.window_bytes);
  visit("gossip.max_missing", gossip.max_missing);
  visit("gossip.max_counts", gossip.max_counts);
  visit("gossip.max_topics", gossip.max_topics);
  visit("gossip.max_payload_bytes", gossip.max_payload_bytes);
  visit("gossip.heartbeat_s", gossip.heartbeat);
  visit("gossip.link_broadcasts", gossip.link_broadcasts);
  visit("gossip.link_haves", gossip.link_haves);
  visit("gossip.link_grafts", gossip.link_grafts);
  visit("gossip.origin_broadcasts", gossip.origin_broadcasts);
}

template <class Visitor>
void VisitAttach(Visitor& visit, AttachConfig& attach) {
  visit("attach.replicas", attach.replicas);
  visit("attach.ttl_s", attach.ttl);
  visit("attach.renew_interval_s", attach.renew_interval);
  visit("attach.resolve_quorum", attach.resolve_quorum);
  visit("attach.max_clients", attach.max_clients);
  visit("attach.max_held", attach.max_held);
  visit("attach.max_rooms", attach.max_rooms);
  visit("attach.max_members", attach.max_members);
  visit("attach.max_homes", attach.max_homes);
}

template <class Visitor>
void VisitWorld(Visitor& visit, sim::WorldOptions& options) {
  visit("peers", options.peers);
  visit("seed", options.seed);
  visit("overlay", options.core.overlay, {"kademlia", "chord", "both"});
  visit("start", options.start, {"built", "join"});
  visit("join_spacing_ms", options.join_spacing);
  visit("loss", options.loss);
  visit("nat_share", options.nat_share);
  visit("dead_share", options.dead_share);
  visit("missing_share", options.missing_share);
  visit("islands", options.islands);
  visit("dead_links", options.dead_links);
  visit("keepalive_timeout_s", options.keepalive_timeout);
  visit("ephemeral_hold_s", options.ephemeral_hold);
  VisitTable(visit, options.core.table, options.core.lookup);
  VisitLinks(visit, options.core.links);
  VisitRelay(visit, options.core.relay);
  VisitStore(visit, options.core.store);
  VisitRing(visit, options.core.ring);
  VisitGossip(visit, options.core.gossip);
  VisitAttach(visit, options.core.attach);
  VisitEnvironment(visit, options);
  VisitFaults(visit, options.faults);
}

}  // namespace

sim::WorldOptions OptionsFromDict(const py::dict& values) {
  sim::WorldOptions options;
  FieldWriter writer(values);
  VisitWorld(writer, options);
  writer.Finish(options.Validate());
  return options;
}

py::dict OptionsToDict(const sim::WorldOptions& options) {
  sim::WorldOptions copy = options;
  FieldReader reader;
  VisitWorld(reader, copy);
  return reader.Take();
}

sim::WorkloadOptions WorkloadFromDict(const py::dict& values) {
  sim::WorkloadOptions workload;
  FieldWriter writer(values);
  writer("kind", workload.kind, {"lookup", "send", "put", "get", "broadcast", "attach"});
  writer("rate_per_s", workload.rate_per_s);
  writer("spacing", workload.spacing, {"fixed", "poisson"});
  writer("start_s", workload.start);
  writer("duration_s", workload.duration);
  writer("count", workload.count);
  writer("payload_bytes", workload.payload_bytes);
  writer("deadline_s", workload.deadline);
  writer("copies", workload.copies);
  writer("keys", workload.keys);
  writer("ttl_s", workload.ttl);
  writer("senders", workload.senders);
  writer("acknowledge", workload.acknowledge);
  writer("clients", workload.clients);
  writer("rooms", workload.rooms);
  writer("move_share", workload.move_share);
  writer("room_share", workload.room_share);
  writer("reattach_s", workload.reattach);
  writer.Finish(workload.Validate());
  return workload;
}

}  // namespace tombolo::python
