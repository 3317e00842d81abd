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

}  // namespace

std::optional<std::string> Config::Validate() const {
  Rules rules;
  rules.Range("kademlia.k", table.k, 1, 64);
  rules.Range("kademlia.replacements", table.replacements, 0, 16);
  rules.Range("kademlia.group_max", table.group_max, 0, 64);
  rules.Span("kademlia.check_interval", table.check_interval, kTick, kYear);
  rules.Span("kademlia.refresh_interval", table.refresh_interval, Duration::Seconds(1), kYear);
  rules.Range("kademlia.alpha", lookup.alpha, 1, 64);
  rules.Range("kademlia.backups", lookup.backups, 0, 64);
  rules.Span("kademlia.rpc_timeout", lookup.rpc_timeout, kTick, Duration::Minutes(10));
  rules.Range("kademlia.max_active", lookup.max_active, 1, 250);
  rules.Range("store.max_records", store.max_records, 0, 1 << 24);
  rules.Range("store.max_value_bytes", store.max_value_bytes, 0, 1 << 30);
  rules.Span("store.max_ttl", store.max_ttl, Duration::Seconds(1), kYear);
  rules.Span("store.republish_interval", store.republish_interval, Duration::Seconds(1), kYear);
  rules.Span("store.cache_ttl", store.cache_ttl, Duration{0}, kYear);
  rules.Range("store.quorum", store.quorum, 1, 64);
  rules.Range("links.max_links", links.max_links, 0, 65'535);
  rules.Range("links.per_bucket", links.per_bucket, 0, 64);
  rules.Range("links.neighbours", links.neighbours, 0, 32);
  rules.Range("links.reserved", links.reserved, 0, links.max_links);
  rules.Range("links.max_dialing", links.max_dialing, 1, 1024);
  rules.Span("links.maintenance_interval", links.maintenance_interval, kTick, Duration::Hours(24));
  rules.Span("links.hidden_refresh_interval", links.hidden_refresh_interval, kTick, kYear);
  rules.Span("links.dial_back_off", links.dial_back_off, kTick, Duration::Hours(24));
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
  return rules.broken();
}

}  // namespace tombolo
