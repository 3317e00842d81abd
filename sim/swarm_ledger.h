// What a swarm run has asked of its world, and what the answers have to be.
//
// Every send, put and broadcast carries content of its own, so that whatever arrives can be traced
// to what was asked: bytes that nobody sent, bytes at the wrong peer, a wrong origin, a second
// arrival, a receipt without an arrival, a record after its time, an operation that does not end.
// At rest more is asked: everything succeeds, and the newest record wins. One entry per operation.
//
// Broadcasts, by the word of gossip.h: whoever is connected with a holder at some time before the
// end of its ttl gets it, newcomers too, and nobody twice within seen_ttl. A holder is a peer that
// has had it ever since. Exempt is only this: who has come back without memory, or with an older
// one, since the first arrival may get it again; and an origin that has ever done so may use a
// number twice, for two broadcasts one of which is then taken for the other, so its own are not
// owed to anybody.
//
// Thread rule: one caller at a time. Errors: none; what is wrong is a Violation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.h"

namespace tombolo::sim {

// A promise of the core that was broken.
struct Violation {
  std::string invariant;  // "S3 at most once"
  PeerRef peer = PeerRef::kNone;
  Time at;
  std::string detail;
};

// What faults of a plan excuse.
struct Leniency {
  bool slow = false;  // messages may be under way for long: records age on the way
  Duration late;      // how much later than it should something may end
  Time calm_from;     // what waits for answers, again and again, may have to wait until then
};

class SwarmLedger {
 public:
  explicit SwarmLedger(const Leniency& leniency) : leniency_(leniency) {}

  // Begins an operation and remembers it.
  void Send(World& world, PeerRef source, PeerRef target, Duration deadline);
  // To an id that nobody has.
  void SendNowhere(World& world, PeerRef source, const NodeId& target, Duration deadline);
  void Lookup(World& world, PeerRef source, const NodeId& key);
  void Put(World& world, PeerRef source, const NodeId& key, Duration ttl);
  void Get(World& world, PeerRef source, const NodeId& key);
  void Broadcast(World& world, PeerRef source, Duration ttl);
  void Attach(World& world, PeerRef home, const NodeId& client);
  void Resolve(World& world, PeerRef source, const NodeId& client);

  // From now on nothing happens to the world: what is begun has to succeed.
  void ComeToRest(Time now) { rest_from_ = now; }

  // Looks at the recorded events of the world, and at operations that have ended or should have.
  std::optional<Violation> Check(World& world);

  // The first broadcast that lives and has not reached all it should have.
  std::optional<Violation> CheckBroadcasts(const World& world) const;
  // The first broadcast that has not reached all it should have by `due`, and lived until then.
  std::optional<Violation> CheckCaughtUp(const World& world, Time due) const;

  // Operations under way, but for broadcasts, which live on for long.
  std::size_t open() const { return open_.size() - open_broadcasts_; }
  std::size_t open_broadcasts() const { return open_broadcasts_; }

  // Of those that have ended. A lookup succeeds if it finds the closest live peer, where all can be
  // dialled.
  struct Results {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t wanted = 0;  // the true k closest live peers, over all lookups
    std::uint64_t found = 0;   // of these
    std::optional<Violation> last_failure;
  };
  const Results& results() const { return results_; }

 private:
  struct Entry {
    OperationKind kind = OperationKind::kSend;
    PeerRef source = PeerRef::kNone;
    PeerRef target = PeerRef::kNone;  // of a send; kNone: nobody has the id
    NodeId key;                       // of a put or get
    Duration ttl;                     // of a put or broadcast
    Time started;
    Time due;  // an end later than this is one too late
    OperationId operation = 0;
    bool stored = false;   // of a put that has ended well
    bool refused = false;  // of a broadcast: it never began
    Time first_arrival;
    std::map<PeerRef, Time> arrivals{};  // the latest of each peer
  };

  Entry Begin(const World& world, OperationKind kind, PeerRef source, Duration longest) const;
  std::string NextContent() const { return "swarm " + std::to_string(entries_.size()); }
  Entry* FindContent(std::string_view bytes);
  void Add(const Entry& entry);
  bool at_rest(const Entry& entry) const { return entry.started >= rest_from_; }
  bool HasForgotten(PeerRef peer, Time since, Time until = kNever) const;
  bool HasHolder(const World& world, const Entry& broadcast) const;
  std::optional<Violation> FirstMissing(const World& world, const Entry& broadcast) const;
  std::optional<Violation> CheckEvent(const World& world, const LoggedEvent& logged);
  std::optional<Violation> CheckArrival(const World& world, const LoggedEvent& logged,
                                        const NodeId& origin, const Payload& payload,
                                        OperationKind kind);
  std::optional<Violation> CheckEnd(World& world, Entry& entry);
  std::optional<Violation> CheckValue(const World& world, const Entry& get, const Operation& done);
  std::optional<Violation> CheckAtRest(const World& world, const Entry& entry,
                                       const Operation& done);
  bool IsOutdated(const World& world, const Entry& get, const Operation& done);
  void Count(const World& world, const Entry& entry, const Operation& done);

  Leniency leniency_;
  Time rest_from_ = kNever;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> open_;
  std::size_t open_broadcasts_ = 0;
  std::map<PeerRef, std::vector<Time>> forgot_;  // when, by time
  Results results_;
};

}  // namespace tombolo::sim
