// What a peer remembers of the merges that it takes part in: one session per pair of islands.
//
// A session ends when it was not used for config.heal.session_ttl. Bounded: of more than
// kMaxSessions the least recently used is forgotten, of more than kMaxForeign peers of the other
// island the first is; both at worst let work be done twice.
//
// Thread rule: one caller at a time. Pointers are valid until the next Ensure or Expire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo {

struct MergeSession {
  std::uint64_t id = 0;
  Time expires;
  NodeId met;                    // bit p: the islands have met at our prefix of p bits
  std::vector<PeerRef> foreign;  // contacts and neighbours learned from the other island

  bool IsForeign(PeerRef peer) const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(id, expires, met, foreign);
  }
};

class MergeSessions {
 public:
  static constexpr std::size_t kMaxSessions = 8;
  static constexpr std::size_t kMaxForeign = 256;

  // The session, which is new if nobody named it before; in use until `expires`.
  MergeSession& Ensure(std::uint64_t id, Time expires);
  const MergeSession* Find(std::uint64_t id) const;

  // The peer, new to us, belongs to the other island of a session.
  static void AddForeign(MergeSession& session, PeerRef peer);
  // Likewise, of all sessions, and of the next one to begin: who told us did not say which.
  void AddForeign(PeerRef peer, Time expires);
  // In any session.
  bool IsForeign(PeerRef peer) const;

  // `peer`, of the other island, cannot be reached. If we met through it, its side may not have
  // heard our answer: the islands may meet anew wherever they have.
  void Reopen(PeerRef peer);

  void Expire(Time now);
  Time next_deadline() const;
  bool empty() const { return sessions_.empty() && unclaimed_.empty(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(sessions_, unclaimed_, unclaimed_expires_);
  }

 private:
  std::vector<MergeSession> sessions_;
  std::vector<PeerRef> unclaimed_;  // foreign to sessions that begin before these expire
  Time unclaimed_expires_ = kNever;
};

}  // namespace tombolo
