#include "overlay/config.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tombolo {
namespace {

// One key at the ends of its range, and one step beyond them.
struct Key {
  std::string name;
  std::int64_t low;
  std::int64_t high;
  void (*set)(Config&, std::int64_t);
};

constexpr std::int64_t kMs = 1000;
constexpr std::int64_t kSecond = 1000 * kMs;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kYear = 365 * 24 * kHour;

#define TOMBOLO_NUMBER(field)                                  \
  [](Config& config, std::int64_t value) {                     \
    config.field = static_cast<decltype(config.field)>(value); \
  }
#define TOMBOLO_SPAN(field) [](Config& config, std::int64_t value) { config.field = {value}; }

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      {"kademlia.k", 1, 64, TOMBOLO_NUMBER(table.k)},
      {"kademlia.replacements", 0, 16, TOMBOLO_NUMBER(table.replacements)},
      {"kademlia.group_max", 0, 64, TOMBOLO_NUMBER(table.group_max)},
      {"kademlia.check_interval", kMs, kYear, TOMBOLO_SPAN(table.check_interval)},
      {"kademlia.refresh_interval", kSecond, kYear, TOMBOLO_SPAN(table.refresh_interval)},
      {"kademlia.alpha", 1, 64, TOMBOLO_NUMBER(lookup.alpha)},
      {"kademlia.backups", 0, 64, TOMBOLO_NUMBER(lookup.backups)},
      {"kademlia.rpc_timeout", kMs, 600 * kSecond, TOMBOLO_SPAN(lookup.rpc_timeout)},
      {"kademlia.max_active", 1, 250, TOMBOLO_NUMBER(lookup.max_active)},
      {"store.max_records", 0, 1 << 24, TOMBOLO_NUMBER(store.max_records)},
      {"store.max_value_bytes", 0, 1 << 30, TOMBOLO_NUMBER(store.max_value_bytes)},
      {"store.max_ttl", kSecond, kYear, TOMBOLO_SPAN(store.max_ttl)},
      {"store.republish_interval", kSecond, kYear, TOMBOLO_SPAN(store.republish_interval)},
      {"store.cache_ttl", 0, kYear, TOMBOLO_SPAN(store.cache_ttl)},
      {"store.quorum", 1, 64, TOMBOLO_NUMBER(store.quorum)},
      {"links.max_links", 32, 65'535, TOMBOLO_NUMBER(links.max_links)},
      {"links.per_bucket", 0, 64, TOMBOLO_NUMBER(links.per_bucket)},
      {"links.neighbours", 0, 32, TOMBOLO_NUMBER(links.neighbours)},
      {"links.reserved", 0, 128, TOMBOLO_NUMBER(links.reserved)},
      {"links.max_dialing", 1, 1024, TOMBOLO_NUMBER(links.max_dialing)},
      {"links.maintenance_interval", kMs, 24 * kHour, TOMBOLO_SPAN(links.maintenance_interval)},
      {"links.dial_back_off", kMs, 24 * kHour, TOMBOLO_SPAN(links.dial_back_off)},
      {"relay.ttl", 1, 255, TOMBOLO_NUMBER(relay.ttl)},
      {"relay.detours", 0, 255, TOMBOLO_NUMBER(relay.detours)},
      {"relay.tries", 1, 16, TOMBOLO_NUMBER(relay.tries)},
      {"relay.max_pending", 1, 1 << 24, TOMBOLO_NUMBER(relay.max_pending)},
      {"relay.max_seen", 1, 1 << 24, TOMBOLO_NUMBER(relay.max_seen)},
      {"relay.seen_ttl", kMs, 24 * kHour, TOMBOLO_SPAN(relay.seen_ttl)},
      {"relay.initial_rto", 20 * kMs, 5 * kSecond, TOMBOLO_SPAN(relay.initial_rto)},
      {"relay.min_rto", kMs, kSecond, TOMBOLO_SPAN(relay.min_rto)},
      {"relay.max_rto", kSecond, 600 * kSecond, TOMBOLO_SPAN(relay.max_rto)},
      {"relay.connect_timeout", kMs, 600 * kSecond, TOMBOLO_SPAN(relay.connect_timeout)},
      {"ring.successors", 1, 32, TOMBOLO_NUMBER(ring.successors)},
      {"ring.predecessors", 1, 32, TOMBOLO_NUMBER(ring.predecessors)},
      {"ring.fingers_per_fix", 1, 160, TOMBOLO_NUMBER(ring.fingers_per_fix)},
      {"ring.outstanding", 1, 64, TOMBOLO_NUMBER(ring.outstanding)},
      {"ring.tries", 1, 16, TOMBOLO_NUMBER(ring.tries)},
      {"ring.max_hops", 1, 65'535, TOMBOLO_NUMBER(ring.max_hops)},
      {"ring.stabilise_interval", kMs, kYear, TOMBOLO_SPAN(ring.stabilise_interval)},
      {"ring.check_interval", kMs, kYear, TOMBOLO_SPAN(ring.check_interval)},
      {"ring.fix_interval", kMs, kYear, TOMBOLO_SPAN(ring.fix_interval)},
      {"ring.lookup_interval", 0, kYear, TOMBOLO_SPAN(ring.lookup_interval)},
      {"ring.rpc_timeout", kMs, 600 * kSecond, TOMBOLO_SPAN(ring.rpc_timeout)},
      {"ring.find_timeout", kMs, 600 * kSecond, TOMBOLO_SPAN(ring.find_timeout)},
  };
  return keys;
}

#undef TOMBOLO_NUMBER
#undef TOMBOLO_SPAN

std::optional<std::string> ErrorWith(const Key& key, std::int64_t value) {
  Config config;
  key.set(config, value);
  return config.Validate();
}

TEST(Config, DefaultsAreValid) { EXPECT_EQ(Config().Validate(), std::nullopt); }

TEST(Config, TheEndsOfEveryRangeAreValid) {
  for (const Key& key : Keys()) {
    EXPECT_EQ(ErrorWith(key, key.low), std::nullopt) << key.name;
    EXPECT_EQ(ErrorWith(key, key.high), std::nullopt) << key.name;
  }
}

// Keys whose range depends on another one fail under the name of either.
TEST(Config, EveryKeyOutOfRangeIsNamedWithItsValueAndRange) {
  for (const Key& key : Keys()) {
    for (const std::int64_t value : {key.low - 1, key.high + 1}) {
      if (key.name == "store.max_value_bytes" && value < 0) continue;  // has no sign
      const auto error = ErrorWith(key, value);
      ASSERT_TRUE(error) << key.name << " " << value;
      const bool dependent = key.name == "links.max_links" || key.name.ends_with("_rto");
      if (dependent) continue;
      EXPECT_TRUE(error->starts_with(key.name + " = " + std::to_string(value))) << *error;
      EXPECT_NE(
          error->find("allowed is " + std::to_string(key.low) + " to " + std::to_string(key.high)),
          std::string::npos)
          << *error;
    }
  }
}

TEST(Config, BoundsThatFollowAnotherKeyAreNamed) {
  Config config;
  config.links.max_links = 10;
  EXPECT_EQ(config.Validate(), "links.reserved = 32 is out of range: allowed is 0 to 10");
  config = Config();
  config.relay.min_rto = Duration::Seconds(2);
  EXPECT_EQ(config.Validate(),
            "relay.initial_rto = 1000000 us is out of range: allowed is 2000000 to 5000000 us");
}

TEST(Config, OnlyARingAloneMayHaveNarrowIds) {
  Config config;
  config.ring.bits = 24;
  EXPECT_EQ(config.Validate(), "ring.bits = 24 is out of range: allowed is 160 to 160");
  config.overlay = OverlayKind::kChord;
  EXPECT_EQ(config.Validate(), std::nullopt);
  EXPECT_EQ(config.id_bits(), 24);
  config.ring.bits = 7;
  EXPECT_EQ(config.Validate(), "ring.bits = 7 is out of range: allowed is 8 to 160");
  config.ring = RingConfig::Paper2001();
  EXPECT_EQ(config.Validate(), std::nullopt);
}

TEST(Config, AProfileOfTheRingKeepsTheWidthOfIds) {
  RingConfig ring;
  EXPECT_EQ(ring.profile(), RingProfile::kDefault);
  ring.bits = 24;
  ring.SetProfile(RingProfile::kPaper2001);
  EXPECT_EQ(ring.bits, 24);
  EXPECT_EQ(ring.successors, 1);
  EXPECT_EQ(ring.profile(), RingProfile::kPaper2001);
  ring.tries = 2;
  EXPECT_EQ(ring.profile(), RingProfile::kDefault);
  ring.SetProfile(RingProfile::kDefault);
  EXPECT_EQ(ring.bits, 24);
  ring.bits = 160;
  EXPECT_EQ(ring, RingConfig());
}

TEST(Config, TheFirstBrokenRuleIsReported) {
  Config config;
  config.relay.ttl = 0;
  config.table.k = 0;
  EXPECT_EQ(config.Validate(), "kademlia.k = 0 is out of range: allowed is 1 to 64");
}

}  // namespace
}  // namespace tombolo
