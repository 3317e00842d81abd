#include "overlay/config.h"

#include <cstddef>
#include <string_view>

namespace tombolo {
namespace {

// Collects the first broken rule.
class Rules {
 public:
  void Range(std::string_view key, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (broken_ || (value >= low && value <= high)) return;
    broken_ = std::string(key) + " = " + std::to_string(value) + " is out of range: allowed is " +
              std::to_string(low) + " to " + std::to_string(high);
  }

  void Span(std::string_view key, Duration value, Duration low, Duration high) {
    if (broken_ || (value >= low && value <= high)) return;
    broken_ = std::string(key) + " = " + std::to_string(value.us) +
              " us is out of range: allowed is " + std::to_string(low.us) + " to " +
              std::to_string(high.us) + " us";
  }

  std::optional<std::string> broken() const { return broken_; }

 private:
  std::optional<std::string> broken_;
};

constexpr Duration kTick = Duration::Milliseconds(1);
constexpr Duration kYear = Duration::Hours(24 * 365);

void CheckKademlia(const TableConfig& table, const LookupConfig& lookup, Rules& rules) {
  rules.Range("kademlia.k", table.k, 1, 64);
  rules.Range("kademlia.replacements", table.replacements, 0, 16);
  rules.Range("kademlia.group_max", table.group_max, 0, 64);
  rules.Span("kademlia.check_interval", table.check_interval, kTick, kYear);
  rules.Span("kademlia.refresh_interval", table.refresh_interval, Duration::Seconds(1), kYear);
  rules.Range("kademlia.alpha", lookup.alpha, 1, 64);
  rules.Range("kademlia.backups", lookup.backups, 0, 64);
  rules.Span("kademlia.rpc_timeout", lookup.rpc_timeout, kTick, Duration::Minutes(10));
  rules.Range("kademlia.max_active", lookup.max_active, 1, 250);
}

void CheckStore(const StoreConfig& store, Rules& rules) {
  rules.Range("store.max_records", store.max_records, 0, 1 << 24);
  rules.Range("store.max_value_bytes", store.max_value_bytes, 0, 1 << 30);
  rules.Span("store.max_ttl", store.max_ttl, Duration::Seconds(1), kYear);
  rules.Span("store.republish_interval", store.republish_interval, Duration::Seconds(1), kYear);
  rules.Span("store.cache_ttl", store.cache_ttl, Duration{0}, kYear);
  rules.Range("store.quorum", store.quorum, 1, 64);
}

void CheckLinks(const LinkConfig& links, Rules& rules) {
  rules.Range("links.max_links", links.max_links, 0, 65'535);
  rules.Range("links.per_bucket", links.per_bucket, 0, 64);
  rules.Range("links.neighbours", links.neighbours, 0, 32);
  rules.Range("links.reserved", links.reserved, 0, links.max_links);
  rules.Range("links.max_dialing", links.max_dialing, 1, 1024);
  rules.Span("links.maintenance_interval", links.maintenance_interval, kTick, Duration::Hours(24));
  rules.Span("links.hidden_refresh_interval", links.hidden_refresh_interval, kTick, kYear);
  rules.Span("links.dial_back_off", links.dial_back_off, kTick, Duration::Hours(24));
}

void CheckRelay(const RelayConfig& relay, Rules& rules) {
  rules.Range("relay.ttl", relay.ttl, 1, 255);
  rules.Range("relay.detours", relay.detours, 0, 255);
  rules.Range("relay.tries", relay.tries, 1, 16);
  rules.Range("relay.max_pending", relay.max_pending, 1, 1 << 24);
  rules.Range("relay.max_seen", relay.max_seen, 1, 1 << 24);
  rules.Span("relay.seen_ttl", relay.seen_ttl, kTick, Duration::Hours(24));
  rules.Span("relay.min_rto", relay.min_rto, kTick, Duration::Minutes(10));
  rules.Span("relay.max_rto", relay.max_rto, relay.min_rto, Duration::Minutes(10));
  rules.Span("relay.initial_rto", relay.initial_rto, relay.min_rto, relay.max_rto);
  rules.Span("relay.connect_timeout", relay.connect_timeout, kTick, Duration::Minutes(10));
}

void CheckRing(const RingConfig& ring, bool has_table, Rules& rules) {
  rules.Range("ring.bits", ring.bits, has_table ? 160 : 8, 160);
  rules.Range("ring.successors", ring.successors, 1, 32);
  rules.Range("ring.predecessors", ring.predecessors, 1, 32);
  rules.Range("ring.fingers_per_fix", ring.fingers_per_fix, 1, 160);
  rules.Range("ring.outstanding", ring.outstanding, 1, 64);
  rules.Range("ring.tries", ring.tries, 1, 16);
  rules.Range("ring.max_hops", ring.max_hops, 1, 65'535);
  rules.Span("ring.stabilise_interval", ring.stabilise_interval, kTick, kYear);
  rules.Span("ring.check_interval", ring.check_interval, kTick, kYear);
  rules.Span("ring.fix_interval", ring.fix_interval, kTick, kYear);
  rules.Span("ring.lookup_interval", ring.lookup_interval, Duration{0}, kYear);
  rules.Span("ring.rpc_timeout", ring.rpc_timeout, kTick, Duration::Minutes(10));
  rules.Span("ring.find_timeout", ring.find_timeout, kTick, Duration::Minutes(10));
}

void CheckGossip(const GossipConfig& gossip, Rules& rules) {
  rules.Range("gossip.eager_links", gossip.eager_links, 1, 255);
  rules.Span("gossip.lazy_interval", gossip.lazy_interval, kTick, Duration::Minutes(10));
  rules.Span("gossip.graft_timeout", gossip.graft_timeout, kTick, Duration::Minutes(10));
  rules.Range("gossip.optimise_hops", gossip.optimise_hops, 0, 255);
  rules.Span("gossip.compare_interval", gossip.compare_interval, kTick, Duration::Hours(24));
  rules.Span("gossip.max_ttl", gossip.max_ttl, kTick, Duration::Hours(24));
  rules.Span("gossip.seen_ttl", gossip.seen_ttl, gossip.max_ttl, Duration::Hours(48));
  rules.Range("gossip.max_seen", gossip.max_seen, 1, 1 << 24);
  rules.Range("gossip.window_messages", gossip.window_messages, 0, 65'536);
  rules.Range("gossip.window_bytes", gossip.window_bytes, 0, 1 << 30);
  rules.Range("gossip.max_missing", gossip.max_missing, 1, 65'536);
  rules.Range("gossip.max_counts", gossip.max_counts, 1, 65'536);
  rules.Range("gossip.max_topics", gossip.max_topics, 0, 65'536);
  rules.Range("gossip.max_payload_bytes", gossip.max_payload_bytes, 0, 1 << 30);
  rules.Span("gossip.heartbeat", gossip.heartbeat, kTick, Duration::Minutes(10));
  rules.Range("gossip.link_broadcasts", gossip.link_broadcasts, 1, 65'535);
  rules.Range("gossip.link_haves", gossip.link_haves, 1, 65'535);
  rules.Range("gossip.link_grafts", gossip.link_grafts, 1, 65'535);
  rules.Range("gossip.origin_broadcasts", gossip.origin_broadcasts, 1, 65'535);
}

void CheckHeal(const HealConfig& heal, Rules& rules) {
  rules.Span("heal.remember_after", heal.remember_after, Duration::Seconds(1), kYear);
  rules.Span("heal.remember_for", heal.remember_for, heal.remember_after, kYear);
  rules.Span("heal.probe_interval", heal.probe_interval, Duration::Seconds(1), kYear);
  rules.Range("heal.boost", heal.boost, 1, 1000);
  rules.Span("heal.boost_time", heal.boost_time, Duration{0}, kYear);
  rules.Span("heal.probe_spread", heal.probe_spread, Duration{0}, Duration::Hours(1));
  rules.Span("heal.probe_back_off_max", heal.probe_back_off_max, heal.probe_interval, kYear);
  rules.Span("heal.exchange_interval", heal.exchange_interval, Duration::Seconds(1), kYear);
  rules.Span("heal.sketch_ttl", heal.sketch_ttl, heal.exchange_interval, Duration::Hours(4));
  rules.Range("heal.fanout", heal.fanout, 1, 8);
  rules.Span("heal.queue_interval", heal.queue_interval, kTick, Duration::Minutes(10));
  rules.Range("heal.offered", heal.offered, 1, 16);
  rules.Range("heal.rate", heal.rate, 1, 1'000'000);
  rules.Range("heal.burst", heal.burst, 1, 1'000'000);
  rules.Span("heal.min_rto", heal.min_rto, kTick, Duration::Minutes(10));
  rules.Span("heal.max_rto", heal.max_rto, heal.min_rto, Duration::Minutes(10));
  rules.Span("heal.initial_rto", heal.initial_rto, heal.min_rto, heal.max_rto);
  rules.Span("heal.session_ttl", heal.session_ttl, Duration::Seconds(1), Duration::Hours(1));
  rules.Span("heal.refresh_after", heal.refresh_after, kTick, Duration::Hours(1));
}

void CheckAttach(const AttachConfig& attach, Rules& rules) {
  rules.Range("attach.replicas", attach.replicas, 1, 16);
  rules.Span("attach.ttl", attach.ttl, Duration::Milliseconds(100), Duration::Hours(24));
  rules.Span("attach.renew_interval", attach.renew_interval, Duration::Milliseconds(10),
             attach.ttl / 2);
  rules.Range("attach.resolve_quorum", attach.resolve_quorum, 1, 64);
  rules.Range("attach.max_clients", attach.max_clients, 0, 1 << 24);
  rules.Range("attach.max_held", attach.max_held, 0, 1 << 24);
  rules.Range("attach.max_rooms", attach.max_rooms, 0, 1 << 20);
  rules.Range("attach.max_members", attach.max_members, 1, 65'535);
  rules.Range("attach.max_homes", attach.max_homes, 2, 64);
}

}  // namespace

std::optional<std::string> Config::Validate() const {
  Rules rules;
  CheckKademlia(table, lookup, rules);
  CheckStore(store, rules);
  CheckLinks(links, rules);
  CheckRelay(relay, rules);
  CheckRing(ring, has_table(), rules);
  CheckGossip(gossip, rules);
  CheckHeal(heal, rules);
  CheckAttach(attach, rules);
  return rules.broken();
}

RingConfig RingConfig::Paper2001() {
  RingConfig config;
  config.successors = 1;
  config.predecessors = 1;
  config.corrected = false;
  config.overhear = false;
  config.stabilise_interval = Duration::Seconds(20);
  config.check_interval = Duration::Seconds(120);
  config.fix_interval = Duration::Seconds(120);
  config.fix_every_level = true;
  config.lookup_interval = Duration::Seconds(10);
  config.lookup_keys = ProbeKeys::kFingers;
  config.outstanding = 1;
  config.rpc_timeout = Duration::Seconds(50);
  config.find_timeout = Duration::Seconds(50);
  config.tries = 1;
  return config;
}

RingProfile RingConfig::profile() const {
  RingConfig published = Paper2001();
  published.bits = bits;
  return *this == published ? RingProfile::kPaper2001 : RingProfile::kDefault;
}

void RingConfig::SetProfile(RingProfile profile) {
  const int width = bits;
  *this = profile == RingProfile::kPaper2001 ? Paper2001() : RingConfig();
  bits = width;
}

}  // namespace tombolo
