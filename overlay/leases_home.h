// The leases of what is attached to this peer: clients, and the rooms that have members here. The
// holders' side is leases_held.h; a room is leased so that its homes find each other (rooms.h).
//
// Procedure. A lease that is new is placed: a lookup of its key (TakeLookup, which Peer runs and
// reports), then a LeaseUpdate to each of the `replicas` closest peers, whose answers end the
// attaching. This peer answers for its own clients without holding its own leases.
//
// Every renew_interval, give or take an eighth, each holder gets one LeaseUpdate with the digest
// of all that it should hold, for any number of leases: an idle client costs replicas times two
// small messages per interval, and clients with holders in common share them. If the digests
// differ twice in a row with nothing under way, all is sent again, two leases per message, at most
// kWindow messages at once.
//
// A lease is placed again
//   - at once when half of its holders have not answered kTries times: dead, or cut off by a split;
//   - when a holder says that others are closer (LeaseCrowded), as after joins and merges;
//   - at the next round while it lacks two of the `replicas` holders or more, and enough peers are
//     known;
//   - on OnMerge().
// but unasked never twice within its back-off, which doubles from renew_interval to
// kMaxBackOff while the holders remain the same. kMaxLookups are under way at once, the newest
// lease first; a lease waiting for its lookup is still held where it was.
//
// The same client on two homes: the higher (sequence, id of the home) wins, here and at the
// holders; the other home hears LeaseLost. A client attached without a sequence of its own (0) has
// just come, so it gets one above all that the holders know, starting from the time: hosts whose
// time begins with the process should give the wall clock's microseconds. Two homes to which one
// client comes at the same time raise above each other; after kMaxBids of that a home gives way as
// any other does. A lease that expires during a split was of a home that the holders cannot reach;
// its own island holds it.
//
// Bounds: attach.max_clients clients (more are refused and counted as kOverload), as many rooms
// as rooms.h allows, 16 holders each. About 200 bytes per lease. Thread rule: one caller at a
// time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "overlay/leases_key.h"
#include "overlay/messages_attach.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

inline constexpr std::size_t kMaxReplicas = 16;

class HomeLeases {
 public:
  static constexpr int kTries = 3;                // sends of one update before its holder is lost
  static constexpr std::size_t kWindow = 16;      // updates under way per holder
  static constexpr std::size_t kMaxLookups = 16;  // under way at once
  static constexpr Duration kMaxBackOff = Duration::Minutes(10);
  static constexpr std::uint8_t kMaxBids = 8;  // while a client is attached without a sequence

  // ---- What is attached.

  // False, and nothing done, if max_clients are attached. A client that is attached already gets
  // the new sequence if it is higher. Ends in ClientAttached, or LeaseLost if a holder knows
  // better; an earlier request under way ends at once, without success.
  bool Attach(std::uint32_t request, const NodeId& client, std::uint64_t sequence,
              const PartStep& step);
  void EnterRoom(const NodeId& room, const PartStep& step);
  // Tells the holders. Nothing happens if there is no such lease.
  void End(const LeaseKey& key, const PartStep& step);
  // Ends all, as on departure; nobody waits for answers.
  void EndAll(const PartStep& step);

  // The sequence of a client that is attached here.
  std::optional<std::uint64_t> Find(const NodeId& client) const;

  // Another home claims a client that is attached here, as an entry of an update does. True if it
  // is the newer one: the client is lost. Otherwise the claimant is told.
  bool Yields(const NodeId& client, PeerRef claimant, std::uint64_t sequence, const PartStep& step);

  // ---- Placing.

  // The next lease that wants a lookup of its key; nullopt if none may start now. The lookup must
  // be started, and ends in one of the two below.
  std::optional<LeaseKey> TakeLookup();
  // `closest` to the key first, without this peer.
  void OnLookupDone(const LeaseKey& key, std::span<const PeerRef> closest, const PartStep& step);
  void OnLookupRefused(const LeaseKey& key, const PartStep& step);

  // Places every lease again, as after a merge: rooms are told to their holders once more.
  void OnMerge(const PartStep& step);

  // ---- Holders.

  void OnAck(PeerRef from, const LeaseAck& ack, const PartStep& step);
  // True if the client is lost.
  bool OnMoved(PeerRef from, const LeaseMoved& moved, const PartStep& step);
  void OnCrowded(PeerRef from, const LeaseCrowded& crowded, const PartStep& step);

  // Renewals and answers that are overdue. `contacts`: live peers that could hold leases. Appends
  // holders that did not answer to `silent`.
  void OnTimer(std::size_t contacts, const PartStep& step, std::vector<PeerRef>& silent);

  Time next_deadline() const { return deadline_; }
  bool idle() const { return leases_.empty() && rows_.empty() && lookups_ == 0; }
  std::size_t clients() const { return clients_; }
  std::size_t rooms() const { return leases_.size() - clients_; }
  // Who holds a lease, in no order that means something; empty if there is no such lease.
  std::span<const PeerRef> HoldersOf(const LeaseKey& key) const;

  template <class Archive>
  void Serialize(Archive& archive) {
    SerializeMap(archive, leases_);
    SerializeMap(archive, rows_);
    archive(wanting_, renew_at_, check_at_, deadline_, last_rpc_, lookups_, clients_);
    if constexpr (Archive::kReading) {
      if (!IsConsistent()) archive.Fail("the leases of a home are miscounted");
    }
  }

 private:
  enum class Stage : std::uint8_t { kWaiting, kLookup, kPlaced };

  struct Lease {
    std::uint64_t sequence = 0;
    Time started;
    Time again;  // not placed again unasked before
    Duration back_off;
    std::array<PeerRef, kMaxReplicas> holders{};
    std::uint32_t request = 0;
    std::uint16_t confirmed = 0;  // bit i: holders[i] has taken the lease as it is now
    std::uint8_t count = 0;       // holders
    Stage stage = Stage::kWaiting;
    bool attaching = false;  // the application waits for ClientAttached
    std::uint8_t bids = 0;   // so often may the sequence be raised above what holders know
    bool tell_all = false;   // tell holders even of what they have

    std::span<const PeerRef> list() const { return {holders.data(), count}; }
    template <class Archive>
    void Serialize(Archive& archive) {
      archive(sequence, started, again, back_off, holders, request, confirmed, count, stage,
              attaching, bids, tell_all);
    }
  };

  struct InFlight {
    Time deadline;
    std::uint32_t rpc = 0;
    std::uint8_t tries = 1;
    std::uint8_t count = 0;
    std::array<LeaseKey, LeaseUpdate::kMaxEntries> keys{};

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(deadline, rpc, tries, count, keys);
    }
  };

  // A holder of some of the leases.
  struct Row {
    PeerRef peer = PeerRef::kNone;
    std::uint64_t digest = 0;  // of what it should hold once all updates have arrived
    std::uint32_t leases = 0;
    std::uint32_t answered = 0;   // the latest update that was answered
    bool agrees = false;          // its answer
    bool differed = false;        // the answer before it too, with nothing else under way
    Time agreed;                  // when it last did
    Time resend_from;             // not all is sent again before
    std::vector<LeaseKey> queue;  // to be told: the lease, or its end if there is none
    std::vector<InFlight> in_flight;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(peer, digest, leases, answered, agrees, differed, agreed, resend_from, queue,
              in_flight);
    }
  };

  using Rows = std::map<NodeId, Row>;
  using Leases = std::map<LeaseKey, Lease>;

  // leases_home.cc: leases and their placing.
  Lease& Add(const LeaseKey& key, std::uint64_t sequence, const PartStep& step);
  void Want(const LeaseKey& key, Lease& lease);
  void Raise(const LeaseKey& key, Lease& lease, std::uint64_t sequence, const PartStep& step);
  void Lose(Leases::iterator at, PeerRef home, std::uint64_t sequence, const PartStep& step);
  void Erase(Leases::iterator at, const PartStep& step);
  void EndAttaching(const LeaseKey& key, Lease& lease, const PartStep& step);
  bool IsPlaceable(const Lease& lease, std::size_t contacts, const PartStep& step) const;
  void Renew(std::size_t contacts, const PartStep& step);
  void CheckRooms(const PartStep& step);
  bool IsConsistent() const;

  // leases_holders.cc: what is said to holders.
  void Assign(const LeaseKey& key, Lease& lease, PeerRef peer, const PartStep& step);
  void Unassign(const LeaseKey& key, Lease& lease, PeerRef peer, bool tell, const PartStep& step);
  void Tell(const LeaseKey& key, PeerRef peer, const PartStep& step);
  void Pump(Row& row, const PartStep& step);
  void Send(Row& row, InFlight& update, const PartStep& step);
  void Confirm(const Row& row, const InFlight& update, const LeaseAck& ack, const PartStep& step);
  void Judge(Row& row, const PartStep& step);
  void Resend(Row& row, const PartStep& step);
  Rows::iterator LoseHolder(Rows::iterator at, const PartStep& step);
  void RetryOverdue(const PartStep& step, std::vector<PeerRef>& silent);
  Rows::iterator EraseIfDone(Rows::iterator at);
  void FindDeadline();

  Leases leases_;
  Rows rows_;                      // by id of the holder
  std::vector<LeaseKey> wanting_;  // in stage kWaiting, the last is next; some may be gone
  Time renew_at_ = kNever;
  Time check_at_ = kNever;  // of rooms: ask a holder for other homes
  Time deadline_ = kNever;  // may be earlier than needed, never later
  std::uint32_t last_rpc_ = 0;
  std::uint32_t lookups_ = 0;  // under way
  std::uint32_t clients_ = 0;
};

}  // namespace tombolo
