// The parts of a peer that exist only while it uses them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/connect.h"
#include "overlay/gossip.h"
#include "overlay/healing.h"
#include "overlay/lazy.h"
#include "overlay/leases_held.h"
#include "overlay/leases_home.h"
#include "overlay/leases_resolve.h"
#include "overlay/links.h"
#include "overlay/lookup.h"
#include "overlay/neighbours.h"
#include "overlay/peer_ref.h"
#include "overlay/put_get.h"
#include "overlay/record_store.h"
#include "overlay/relay.h"
#include "overlay/rooms.h"
#include "overlay/time.h"

namespace tombolo {

// A ping to the least recently seen contact of a full bucket, not answered yet.
struct PendingPing {
  PeerRef peer;
  std::uint32_t rpc;
  Time deadline;
};

// Joining, and refreshing of buckets (Kademlia 2002, section 2.3): a lookup of the own id, then one
// in each bucket that it does not cover, one after the other.
struct Upkeep {
  enum class Phase : std::uint8_t { kOff, kSelf, kBuckets, kWaiting };

  Phase phase = Phase::kOff;
  bool joining = false;
  bool join_next = false;      // asked to join during a round; begins when it is over
  std::uint16_t failures = 0;  // joins that reached nobody
  std::int32_t level = 0;      // next bucket to look at
  std::int32_t end = 0;        // first bucket that the self lookup covered
  Time retry_at = kNever;      // of a join that reached nobody
  std::vector<PeerRef> bootstrap;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(phase, joining, join_next, failures, level, end, retry_at, bootstrap);
  }
};

// Links and what travels over them; exist once a link comes up or a send is asked for.
struct RelayParts {
  Links links;
  Neighbours neighbours;
  Relay relay;
  LinkRequests requests;

  Time next_deadline() const {
    return std::min({links.next_deadline(), relay.next_deadline(), requests.next_deadline()});
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(links, neighbours, relay, requests);
  }
};

// Clients and rooms: those attached here, and what this peer knows of those of others.
struct Attach {
  HomeLeases home;
  HeldLeases held;
  Resolves resolves;
  Rooms rooms;

  bool idle() const { return home.idle() && held.idle() && resolves.idle() && rooms.idle(); }

  Time next_deadline() const {
    return std::min({home.next_deadline(), held.next_deadline(), rooms.next_deadline()});
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(home, held, resolves, rooms);
  }
};

struct PeerParts {
  Lookups lookups;
  std::vector<PendingPing> pings;
  Lazy<Upkeep> upkeep;

  Lazy<RecordStore> records;
  Lazy<PutGet> put_get;
  Lazy<RelayParts> relaying;
  Lazy<Healing> healing;
  Lazy<Attach> attach;
  Lazy<Gossip> gossip;  // stays once used: a tree is worth more than its memory

  bool idle() const {
    return lookups.idle() && pings.empty() && !upkeep && !records && !put_get && !relaying &&
           !healing && !attach && !gossip;
  }

  Time next_deadline() const {
    Time next = lookups.next_deadline();
    for (const PendingPing& ping : pings) next = std::min(next, ping.deadline);
    if (upkeep) next = std::min(next, upkeep->retry_at);
    if (records) next = std::min(next, records->next_deadline());
    if (put_get) next = std::min(next, put_get->next_deadline());
    if (relaying) next = std::min(next, relaying->next_deadline());
    if (healing) next = std::min(next, healing->next_deadline());
    if (attach) next = std::min(next, attach->next_deadline());
    if (gossip) next = std::min(next, gossip->next_deadline());
    return next;
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(lookups, pings, upkeep, records, put_get, relaying, healing, attach, gossip);
  }
};

}  // namespace tombolo
