// Every tunable of the core, with unit, default and source. Shared by all peers of a world;
// borrowed in each Step, so that it may differ between peers and outlive none of them. Thread rule:
// plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "overlay/time.h"

namespace tombolo {

// What happens to a newcomer of a full bucket.
enum class BucketPolicy : std::uint8_t {
  kPingBeforeEvict,  // ping the least recently seen; it stays if it answers (Kademlia 2002,
                     // section 2.2)
  kReplaceWhenDead,  // wait in the replacement cache until a contact fails (section 4.1)
  kReplaceOldest,    // push out the least recently seen: what naive tables do, for comparison
};

struct TableConfig {
  int k = 20;            // contacts per bucket, 1..64 (Kademlia 2002: 20)
  int replacements = 4;  // newcomers remembered per full bucket, 0..16
  int group_max = 0;     // contacts of one address group per bucket; 0 = no limit (go-libp2p: 2)
  BucketPolicy policy = BucketPolicy::kPingBeforeEvict;
  // The least recently seen contact of a full bucket is pinged at most this often; with k = 20 a
  // busy bucket is checked once round in 40 minutes, against a mean session of 167 minutes.
  Duration check_interval = Duration::Minutes(2);
  // A bucket without a lookup for this long is refreshed (Kademlia 2002, section 2.3: one hour).
  Duration refresh_interval = Duration::Hours(1);
};

struct LookupConfig {
  int alpha = 3;    // requests in flight per lookup (Kademlia 2002, section 2.3)
  int backups = 8;  // known contacts beyond the k closest kept to replace dead ones, 0..64
  Duration rpc_timeout = Duration::Seconds(1);
  int max_active =
      64;  // lookups under way per peer, 1..250; more are answered with an empty result
};

struct StoreConfig {
  int max_records = 1024;                            // per peer
  std::uint32_t max_value_bytes = 65'536;            // larger values are refused
  Duration max_ttl = Duration::Hours(24);            // Kademlia 2002, section 2.3: 24 hours
  Duration republish_interval = Duration::Hours(1);  // holders pass records on
  Duration cache_ttl = Duration::Minutes(10);        // longest life of a copy cached on the path
  int quorum =
      3;  // values a get collects before it takes the newest; fewer if there are no more holders
};

struct LinkConfig {
  int max_links = 128;   // kept links per peer; 0 = this run relays nothing and pays nothing
  int per_bucket = 1;    // links wanted per non-empty bucket
  int neighbours = 8;    // id-nearest peers kept linked on each side of the ring
  int reserved = 32;     // of max_links, only for peers that cannot be dialled
  int max_dialing = 16;  // dials under way at once
  Duration maintenance_interval = Duration::Seconds(10);
  // A peer that cannot be dialled is not found by newcomers next to it, so it looks for them: its
  // own id is looked up this often.
  Duration hidden_refresh_interval = Duration::Minutes(1);
  Duration dial_back_off = Duration::Seconds(30);  // after a failed dial to the same peer
};

struct RelayConfig {
  int ttl = 64;                                 // hops
  int detours = 16;                             // hops that do not come closer, per message
  int tries = 4;                                // sends of one message by its origin
  int max_pending = 4096;                       // hops awaiting acknowledgement, per peer
  int max_seen = 65'536;                        // ids remembered for duplicate suppression
  Duration seen_ttl = Duration::Seconds(60);    // how long they are remembered
  Duration initial_rto = Duration::Seconds(1);  // RFC 6298, section 2.1
  Duration min_rto = Duration::Milliseconds(20);
  Duration max_rto = Duration::Seconds(5);
  Duration connect_timeout = Duration::Seconds(15);
};

// Which overlays a peer takes part in.
enum class OverlayKind : std::uint8_t {
  kKademlia,  // k-buckets; ring neighbours are picked up in passing
  kChord,     // the ring alone, for research
  kBoth,      // k-buckets, and the ring as the guarantee of delivery; islands heal
};

struct RingConfig {
  int bits = 160;       // width of ids and keys: only their first `bits` bits are used, 8..160
  int successors = 16;  // SIGCOMM 2001, section 5.2: O(log n)
  int predecessors = 8;
  bool fingers = true;  // false: the k-buckets shorten the way
  Duration stabilise_interval = Duration::Seconds(30);
};

struct GossipConfig {};

struct HealConfig {
  bool enabled = true;  // of peers that have both a table and a ring
};

struct AttachConfig {};

struct Config {
  OverlayKind overlay = OverlayKind::kKademlia;
  TableConfig table;
  LookupConfig lookup;
  StoreConfig store;
  LinkConfig links;
  RelayConfig relay;
  RingConfig ring;
  GossipConfig gossip;
  HealConfig heal;
  AttachConfig attach;

  bool has_table() const { return overlay != OverlayKind::kChord; }
  bool has_ring() const { return overlay != OverlayKind::kKademlia; }
  // Peers known on each side of the ring.
  int successors() const { return has_ring() ? ring.successors : links.neighbours; }
  int predecessors() const { return has_ring() ? ring.predecessors : links.neighbours; }
  bool heals() const { return overlay == OverlayKind::kBoth && heal.enabled; }

  // The first broken rule, naming key, value and allowed range; nullopt if all is well.
  std::optional<std::string> Validate() const;
};

}  // namespace tombolo
