// Peers of another island whose place in our ring is to be found: what ring unification works off
// when it spreads a merge by itself (config.heal.strategy simple or gossip), for comparison with
// the zip.
//
// Procedure, after Shafaat, Ghodsi, Haridi, "Dealing with network partitions in structured overlay
// networks" (Peer-to-Peer Networking and Applications 2, 2009), algorithms 1 and 2; F is
// config.heal.fanout with gossip, and 1 with simple:
//   - a peer q that the confirmation (merge.h) did not find in our island is queued with F. So is
//     one that somebody tells us of (UnifyDetected).
//   - every config.heal.queue_interval the first (q, f) of the queue is worked off: we look up q in
//     our own ring, and ask q to look up us in its own (UnifyLookup).
//   - a lookup of x with f at n: nothing, if x is n or its successor. Else, if f > 1, it becomes
//     f - 1 and a random contact of n is told of x with it. If x lies between n and its successor,
//     or its predecessor and n, then x is told so (UnifyTry). Else the lookup goes to the nearest
//     peer before x that n knows.
//   - who is told of two neighbours looks up both, with F, and adopts them.
// Thus simple zips the two rings up from one place on, in time O(n); gossip does it in many places
// at once, in time O(log n), for several times as many messages.
//
// Where this differs from the paper: the lookups of a peer that is told of neighbours start from
// its neighbours as they were, so that most end where they start. What was learned in a merge is
// passed over by its lookups, or they would leave the ring that they search; fingers are as stale.
// Whoever gets a new neighbour says so, as in every merge (MergeMeet), instead of stabilising; the
// time to one ring is the same without. All messages are acknowledged; the refresh at the end is
// that of every merge.
//
// Bounds: kMaxQueued in the queue, further ones are dropped and counted (kOverload); whoever was
// worked off within kSeenFor, or is in the queue, is not queued again, as far as kMaxSeen go back.
// A lookup comes strictly nearer with every hop and has a time to live.
//
// Thread rule: one caller at a time. Errors: refs outside the directory are a programmer error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class MergeQueue {
 public:
  static constexpr std::size_t kMaxQueued = 32;
  static constexpr std::size_t kMaxSeen = 64;
  static constexpr Duration kSeenFor = Duration::Seconds(5);

  struct Detected {
    PeerRef peer = PeerRef::kNone;
    std::uint8_t fanout = 1;
  };

  void Add(const Detected& detected, const PartStep& step);
  // What is due by now, one at a time and one per interval.
  std::optional<Detected> Take(const PartStep& step);

  // When to Take, or to forget; kNever if there is nothing to do.
  Time next_deadline() const;
  bool idle() const { return queue_.empty() && seen_.empty(); }
  std::size_t size() const { return queue_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(queue_, seen_, due_);
  }

 private:
  struct Seen {
    PeerRef peer = PeerRef::kNone;
    Time until;
  };

  std::vector<Detected> queue_;  // oldest first
  std::vector<Seen> seen_;       // likewise
  Time due_;                     // of the next one, if there is one
};

}  // namespace tombolo
