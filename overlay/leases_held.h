// The leases that a peer holds for the homes of others: who is closest to a client or a room knows
// where it is. The homes' side is leases_home.h.
//
// Rules of Accept, entry by entry:
//   end                            the lease of this sender is given up
//   client, held for nobody        taken
//   client, held for this sender   the higher sequence stays
//   client, held for another home  the same client on two homes: the higher (sequence, id of the
//                                  home) wins, and the other home is told (LeaseMoved)
//   room                           taken beside those of other homes; the sender is told of them
//                                  (RoomHomes)
// Then, if the digest of the sender is that of what is held for it, every lease of the sender
// lives for another ttl; else the entries alone do.
//
// A lease expires ttl after it was last renewed: its client is gone or its home is dead, or cut
// off, in which case the home places the lease at peers of its own island. When the islands merge,
// the rules above settle what both have.
//
// Bounds: attach.max_held leases, attach.max_homes homes per room. What goes beyond is refused and
// counted as kOverload; the home then does with fewer holders. Memory: about 210 bytes per lease.
//
// Liars: a lease is of the peer that sent it, so nobody can move a client to a third peer; but
// whoever claims a client with a higher sequence gets it. That the sequence is the client's own
// is for the host to verify. Source: the leases of DESIGN.md, section 2. Thread rule: one caller
// at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "overlay/leases_key.h"
#include "overlay/messages_attach.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

// Where a client is, as far as somebody knows.
struct LeaseAt {
  PeerRef home = PeerRef::kNone;
  std::uint64_t sequence = 0;
};

class HeldLeases {
 public:
  // Takes an update of `from` and answers it.
  void Accept(PeerRef from, const LeaseUpdate& update, const PartStep& step);

  // The client has come to this very peer, with this sequence: an older lease ends, whose home is
  // told. It may be that nobody else holds it.
  void EndOlder(const NodeId& client, std::uint64_t sequence, const PartStep& step);

  // The live lease of a client, nullopt if none is held.
  std::optional<LeaseAt> Find(const NodeId& client, Time now) const;

  // Tells `home` which of its leases others should hold: those for which `IsCrowded(key)`.
  template <class Predicate>
  void TellCrowded(PeerRef home, const PartStep& step, const Predicate& is_crowded) const {
    const auto at = homes_.find(step.ids.id(home));
    if (at == homes_.end()) return;
    LeaseCrowded notice{};
    for (const LeaseKey& key : at->second.leases) {
      if (!is_crowded(key.id)) continue;
      const std::size_t i = notice.count++;
      notice.keys[i] = key.id;
      if (key.kind == LeaseKind::kRoom)
        notice.rooms = static_cast<std::uint8_t>(notice.rooms | 1U << i);
      if (notice.count == LeaseCrowded::kMaxEntries)
        step.out.Send(home, std::exchange(notice, LeaseCrowded{}));
    }
    if (notice.count > 0) step.out.Send(home, notice);
  }

  // Drops what has expired.
  void OnTimer(const PartStep& step);

  Time next_deadline() const { return deadline_; }
  bool idle() const { return leases_.empty(); }
  std::size_t size() const { return leases_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    SerializeMap(archive, leases_);
    SerializeMap(archive, homes_);
    archive(deadline_);
    if constexpr (Archive::kReading) {
      if (!Restore()) archive.Fail("leases and their homes do not fit together");
    }
  }

 private:
  // Rooms have one row per home, clients one in all.
  struct Key {
    LeaseKey lease;
    NodeId home;

    auto operator<=>(const Key&) const = default;
    template <class Archive>
    void Serialize(Archive& archive) {
      archive(lease, home);
    }
  };

  struct Held {
    PeerRef home = PeerRef::kNone;
    std::uint64_t sequence = 0;
    Time expires;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(home, sequence, expires);
    }
  };

  // All that is held for one home.
  struct Home {
    std::uint64_t digest = 0;
    std::set<LeaseKey> leases;
    Time agreed_until;  // leases live at least until then

    // The leases follow from the rows.
    template <class Archive>
    void Serialize(Archive& archive) {
      archive(digest, agreed_until);
    }
  };

  enum class Verdict : std::uint8_t { kTaken, kRefused, kOutdated };
  using Rows = std::map<Key, Held>;

  Verdict Store(PeerRef from, const LeaseKey& key, std::uint64_t sequence, const PartStep& step);
  Verdict StoreClient(PeerRef from, const Key& key, std::uint64_t sequence, const PartStep& step);
  Verdict StoreRoom(PeerRef from, const Key& key, std::uint64_t sequence, const PartStep& step);
  void Take(const Key& key, const Held& held, const PartStep& step);
  Rows::iterator Remove(Rows::iterator row);
  Rows::const_iterator FirstOf(const LeaseKey& key) const;
  Time ExpiryOf(const Rows::value_type& row) const;
  bool IsLive(const Rows::value_type& row, Time now) const { return ExpiryOf(row) > now; }
  bool IsFull(const PartStep& step) const;
  void TellHomes(PeerRef from, const NodeId& room, const PartStep& step) const;
  bool Restore();

  Rows leases_;
  std::map<NodeId, Home> homes_;  // those with leases here
  Time deadline_ = kNever;        // may be earlier than needed, never later
};

}  // namespace tombolo
