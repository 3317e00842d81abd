// Whom a node knows: the meaning of a PeerRef of its core. Owns the core's directory and keeps, per
// peer, where it can be dialled, and whether it has proven its id to us or is only named by others.
//
// Addresses: at most kMaxAddresses per peer. What a peer says of itself once it has proven its id
// replaces all that others have said, and stays: no liar can displace it. Of a peer that is only
// named the first addresses stay, unless dialling them failed; then others take their place.
//
// Bounds: `limit` peers, and kMaxNamed newcomers a minute by the word of one peer, so that a few
// liars cannot fill the rest with names that they have made up. Names that others drop are refused
// first, at 7/8 of it (they are not worth remembering then), peers that prove themselves at the
// limit; both are counted. Before that, refs that the core no longer holds are used again: Sweep is
// told which ones are held; the others wait for kQuarantine, in case an application still has them,
// and are taken for newcomers one by one, longest unused first. A peer that is named meanwhile has
// its ref back.
//
// Thread rule: the strand of the node. Ownership: refs, ids and addresses are valid until the next
// call that is not const.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/address.h"
#include "overlay/directory.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo::node {

class KnownPeers {
 public:
  static constexpr std::size_t kDefaultLimit = 65'536;
  static constexpr Duration kQuarantine = Duration::Minutes(5);
  static constexpr std::uint32_t kMaxNamed = 4096;

  struct Address {
    std::string text;
    bool failed = false;  // the last dial of it
  };

  struct Counters {
    std::uint64_t names_refused = 0;   // for lack of room
    std::uint64_t proofs_refused = 0;  // likewise
    std::uint64_t addresses_refused =
        0;                     // named for a peer that has kMaxAddresses in good standing
    std::uint64_t reused = 0;  // refs that were given a new meaning
  };

  // The node itself is the first peer; its addresses are those it tells others. `limit` is at least
  // 16.
  KnownPeers(const NodeId& self, std::size_t limit = kDefaultLimit);

  static constexpr PeerRef self() { return PeerRef{0}; }
  const Directory& ids() const { return ids_; }
  std::size_t size() const { return peers_.size(); }
  const Counters& counters() const { return counters_; }

  // What is said of this node: sets its addresses and whether others can dial it.
  void SetSelf(std::span<const std::string> addresses, bool dialable);

  // `by` says that there is such a peer; the node itself may say what it likes. Requires that each
  // address passes IsAddress. nullopt: no room for a new one.
  std::optional<PeerRef> Name(const NodeId& id, std::span<const std::string_view> addresses,
                              PeerRef by, Time now);
  // True if Name would take so many peers that are not known yet.
  bool HasRoom(std::size_t newcomers, PeerRef by, Time now) const;

  // The peer has proven its id and says this of itself. `from` is the address it called from, as we
  // see it, for the diversity limits of the core. Likewise.
  std::optional<PeerRef> Prove(const NodeId& id, std::span<const std::string_view> addresses,
                               bool dialable, std::string_view from, Time now);

  // A dial of this address has reached the peer, or has not.
  void Reached(PeerRef peer, std::string_view address);
  void NotReached(PeerRef peer, std::string_view address);

  std::span<const Address> addresses(PeerRef peer) const { return peers_[Index(peer)].addresses; }
  bool proven(PeerRef peer) const { return peers_[Index(peer)].proven; }
  Time last_use(PeerRef peer) const { return peers_[Index(peer)].used; }

  // Peers that have proven themselves and can be dialled, the latest first: what to write down for
  // the next start.
  std::vector<PeerRef> Latest(std::size_t most) const;

  // True when there is need of refs that nobody holds, and looking for them may pay.
  bool WantsSweep(Time now) const;
  // `held[i]`: PeerRef{i} is held by somebody. Requires one entry per peer.
  void Sweep(const std::vector<bool>& held, Time now);

 private:
  struct Known {
    std::vector<Address> addresses;
    Time used;
    Time naming_since;         // start of the minute in which it has ...
    std::uint32_t naming = 0;  // ... named so many newcomers
    bool proven = false;
    bool free = false;  // in free_
  };
  struct Free {
    PeerRef peer;
    Time since;
  };

  std::uint32_t NamedBy(PeerRef by, Time now) const;
  void CountNamed(PeerRef by, Time now);
  PeerRef Use(PeerRef peer, Time now);
  std::optional<PeerRef> Add(const NodeId& id, std::size_t limit, Time now);
  bool CanReuse(Time now) const;
  PeerRef Reuse(const NodeId& id, Time now);
  void AddNamed(PeerRef peer, std::string_view address);
  void Publish(PeerRef peer, bool dialable, std::uint32_t group);

  std::size_t limit_;
  Directory ids_;
  std::vector<Known> peers_;  // by ref
  std::deque<Free> free_;     // the longest free first; those named again are skipped
  std::size_t free_count_ = 0;
  Time swept_at_;
  Counters counters_;
};

}  // namespace tombolo::node
