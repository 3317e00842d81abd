// The links of a peer as its broadcasts see them: which belong to the tree, what is waiting to be
// announced over each, and what each may still send in this heartbeat.
//
// Ordered by id. Bounded: one row per link; at most config.gossip.window_messages announcements
// wait per link, then the oldest is dropped (the peer at the other end compares later). Thread
// rule: one caller at a time. Pointers are valid until the next Add or Remove.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

// What is counted per link and heartbeat.
enum class GossipCost : std::uint8_t {
  kBroadcast,  // new broadcasts from it
  kHave,       // announcing messages from it
  kGraft,      // keys that it asks for
  kAnnounce,   // announcing messages to it
  kAsk,        // keys that we ask for
  kCount,
};

// A key to be announced, with the hops it took to here.
struct Announcement {
  std::uint64_t key = 0;
  std::uint64_t hops = 0;
};

struct GossipLink {
  PeerRef peer = PeerRef::kNone;
  bool eager = false;    // of the tree: broadcasts are pushed
  bool showing = false;  // it is shown only our latest, to see whether it misses any
  std::vector<Announcement> waiting;
  std::int64_t beat = -1;  // heartbeat that `spent` is of
  std::array<std::uint32_t, static_cast<std::size_t>(GossipCost::kCount)> spent{};

  // Takes `amount` from what is left of `limit` in this heartbeat; false if that is not enough.
  bool Spend(GossipCost what, std::uint32_t amount, int limit, const PartStep& step);

  // The other side is to hear of the key, or need not any more.
  void Announce(const Announcement& announcement, const PartStep& step);
  void Forget(std::uint64_t key);

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(peer, eager, showing, waiting, beat, spent);
  }
};

class GossipLinks {
 public:
  // Does nothing if it is there. New links are eager while few are.
  void Add(PeerRef peer, const PartStep& step);
  void Remove(PeerRef peer, const PartStep& step);

  // nullptr if there is no link.
  GossipLink* Find(PeerRef peer, const PartStep& step);

  // Requires a row.
  GossipLink& Random(const PartStep& step);

  std::span<GossipLink> rows() { return rows_; }
  std::span<const GossipLink> rows() const { return rows_; }
  bool empty() const { return rows_.empty(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(rows_);
  }

 private:
  std::vector<GossipLink>::iterator Position(PeerRef peer, const PartStep& step);

  std::vector<GossipLink> rows_;
};

}  // namespace tombolo
