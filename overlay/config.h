// Every tunable of the core, with unit, default and source. Shared by all peers of a world;
// borrowed in each Step, so that it may differ between peers and outlive none of them. Thread rule:
// plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

// Which keys a peer looks up of its own accord (RingConfig::lookup_interval).
enum class ProbeKeys : std::uint8_t {
  kUniform,  // random ones
  kFingers,  // ids of random fingers
};

// A set of rules and intervals of the ring.
enum class RingProfile : std::uint8_t {
  kDefault,
  kPaper2001,  // RingConfig::Paper2001
};

struct RingConfig {
  int bits = 160;       // width of ids and keys: only their first `bits` bits are used, 8..160
  int successors = 16;  // SIGCOMM 2001, section 5.2: O(log n)
  int predecessors = 8;
  bool fingers = true;  // false: the k-buckets shorten the way
  // The corrected rules (ring.h): members alone answer, a joiner copies the list of a live
  // successor, whoever is named is asked before it is adopted. False: the rules of 2001.
  bool corrected = true;
  bool overhear = true;  // every message teaches a neighbour, not only stabilise and notify
  Duration stabilise_interval = Duration::Seconds(30);
  Duration check_interval = Duration::Seconds(60);  // is the predecessor alive?
  Duration fix_interval = Duration::Seconds(30);    // between two rounds of fixing fingers
  int fingers_per_fix = 1;                          // looked up per round, 1..160
  bool fix_every_level = false;  // also those fingers that can only be the successor
  // Research: each peer looks up a key this often; zero = never.
  Duration lookup_interval;
  ProbeKeys lookup_keys = ProbeKeys::kUniform;
  int outstanding = 16;                           // requests of upkeep under way at once
  Duration rpc_timeout = Duration::Seconds(1);    // of a question to one peer
  Duration find_timeout = Duration::Seconds(10);  // of a find_successor, however many hops
  int tries = 3;                                  // of a lookup by its asker
  int max_hops = 1024;                            // of a find_successor

  // The protocol as published in 2001, with the intervals that its best known simulation uses: one
  // successor, one request at a time, every finger in turn.
  static RingConfig Paper2001();

  // Which of the profiles this is, whatever the width of ids; kDefault if it is none.
  RingProfile profile() const;
  // Replaces everything but the width of ids.
  void SetProfile(RingProfile profile);

  bool operator==(const RingConfig&) const = default;
};

struct GossipConfig {
  // The tree. New links are part of it up to this number (gossipsub: D = 6); the others hear of
  // broadcasts, after half to one and a half lazy intervals.
  int eager_links = 6;
  Duration lazy_interval = Duration::Milliseconds(200);
  Duration graft_timeout = Duration::Milliseconds(500);  // from an announcement to asking for it
  int optimise_hops =
      3;  // a link that saves more hops than this replaces one of the tree; 0 = none
  // A peer that keeps broadcasts shows some of them to a random link this often.
  Duration compare_interval = Duration::Seconds(30);

  // Memory.
  Duration max_ttl = Duration::Minutes(5);   // of a broadcast
  Duration seen_ttl = Duration::Minutes(6);  // keys are remembered; a minute more than max_ttl
  int max_seen = 65'536;                     // keys
  int window_messages = 512;                 // kept for those who missed them
  std::uint32_t window_bytes = 1 << 20;      // likewise
  int max_missing = 2048;                    // announced and awaited
  int max_counts = 64;                       // acknowledged broadcasts under way
  int max_topics = 64;                       // subscribed to
  std::uint32_t max_payload_bytes = 65'536;

  // Floods: what one link may send per heartbeat (gossipsub: 1 s, 10 announcing messages).
  Duration heartbeat = Duration::Seconds(1);
  int link_broadcasts = 256;   // new ones
  int link_haves = 128;        // messages, of 9 keys each
  int link_grafts = 512;       // keys
  int origin_broadcasts = 64;  // new ones of one origin, over all links
};

// How a merge of two islands spreads from the first pair of peers (merge.h, merge_queue.h).
enum class MergeStrategy : std::uint8_t {
  kZip,     // along the trie of ids, for tables and ring
  kGossip,  // ring unification from random peers at once, for comparison
  kSimple,  // ring unification from the pair on, around the ring, for comparison
};

inline constexpr std::array<std::string_view, 3> kMergeStrategyNames = {"zip", "gossip", "simple"};

struct HealConfig {
  bool enabled = true;  // of peers that have both a table and a ring
  // Detection (remembered.h, island_probe.h, island_digest.h; docs/healing.md).
  Duration remember_after = Duration::Minutes(10);       // seen alive for this long
  Duration remember_for = Duration::Hours(7 * 24);       // after it was last seen
  Duration probe_interval = Duration::Seconds(30);       // mean, per peer
  int boost = 10;                                        // times as many probes
  Duration boost_time = Duration::Minutes(5);            // after the size estimate has dropped
  Duration probe_spread = Duration::Milliseconds(3500);  // an island as a whole probes this often
  Duration probe_back_off_max = Duration::Minutes(10);
  Duration exchange_interval = Duration::Minutes(20);  // of sketches, mean, per peer
  Duration sketch_ttl = Duration::Hours(4);
  // Merging (merge.h, acked_sends.h; healing.md).
  MergeStrategy strategy = MergeStrategy::kZip;
  int fanout = 2;  // of kGossip: lookups that a peer lets random others begin, and its own; 1..8
  Duration queue_interval = Duration::Milliseconds(50);  // of kGossip and kSimple: a lookup each
  int offered = 8;  // contacts named per level of the trie, 1..16
  int rate = 20;    // merge messages per second and peer ...
  int burst = 64;   // ... after this many at once
  Duration initial_rto = Duration::Milliseconds(150);  // three one-way delays of 50 ms
  Duration min_rto = Duration::Milliseconds(20);
  Duration max_rto = Duration::Seconds(2);
  Duration session_ttl = Duration::Seconds(60);  // of the memory of a merge, after its last message
  Duration refresh_after = Duration::Milliseconds(1500);  // without news
};

struct AttachConfig {
  int replicas = 8;                                 // holders of a lease, 1..16
  Duration ttl = Duration::Seconds(30);             // of a lease, and of a room's silent home
  Duration renew_interval = Duration::Seconds(12);  // of leases and rooms; half of ttl at most
  int resolve_quorum = 3;    // leases that a resolve collects before it takes the newest
  int max_clients = 65'536;  // attached to a peer
  int max_held = 262'144;    // leases that a peer holds for others
  int max_rooms = 4096;      // with members at a peer
  int max_members = 4096;    // of a room, at a peer
  int max_homes = 64;        // of a room; more cannot find each other
};

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
  // Width of ids; the rest of them is zero.
  int id_bits() const { return has_table() ? 160 : ring.bits; }
  // Peers known on each side of the ring.
  int successors() const { return has_ring() ? ring.successors : links.neighbours; }
  int predecessors() const { return has_ring() ? ring.predecessors : links.neighbours; }
  bool heals() const { return overlay == OverlayKind::kBoth && heal.enabled; }

  // The first broken rule, naming key, value and allowed range; nullopt if all is well.
  std::optional<std::string> Validate() const;
};

}  // namespace tombolo
