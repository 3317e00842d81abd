// Who can talk to whom: islands, cut pairs, bridges and isolated peers.
//
// A message from a to b passes if the direction is not cut and the two are of one island, or
// joined by a bridge. An isolated peer is an island of its own. Of a cut and a bridge of one pair
// the later one counts. `Heal` brings every path back.
//
//   Assign(islands)   everybody's island anew; earlier islands, isolations and bridges are
//   forgotten Isolate(peer)     an island of its own Cut(a, b)         one direction, or both
//   Restore(a, b)     takes back the cuts of a pair
//   Bridge(a, b)      both directions between two islands; takes back the cuts of the pair
//   BridgeNode(peer)  a peer that all islands can talk to
//   EndIslands()      one island again; cuts stay
//
// Newcomers draw an island with the shares of the last partition, and may move to another one with
// the peer through which they join. A link dies where its path is cut in either direction, since
// the other end hears no answer to its keepalives; `SilentSince` tells since when.
//
// Bounds: up to kMostIslands islands; two bytes per peer while there are islands, 16 per cut pair,
// 8 per bridge. Unused, a question costs one test of a flag. Ownership: a value. Thread rule: one
// caller at a time. Errors: calls that break a stated requirement are asserted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::sim {

inline constexpr std::uint16_t kMostIslands = 1000;

// Which messages a partition lets through between its islands.
enum class Crossing : std::uint8_t {
  kNone,    // none
  kUpward,  // those to an island of a higher number: the two directions differ
};

// The first broken rule of the shares of a partition; nullopt if all is well.
std::optional<std::string> CheckShares(std::span<const double> shares);

// The size of each island when `peers` peers are shared out; the sum is `peers`. Requires good
// shares.
std::vector<std::uint32_t> IslandSizes(std::span<const double> shares, std::uint32_t peers);

class Reachability {
 public:
  static constexpr int kIsolated = -1;
  static constexpr int kEverywhere = -2;  // of a bridge node

  bool CanTalk(PeerRef from, PeerRef to) const { return !active_ || CanTalkNow(from, to); }
  bool CanTalkBothWays(PeerRef a, PeerRef b) const {
    return !active_ || (CanTalkNow(a, b) && CanTalkNow(b, a));
  }

  // True if anything is cut.
  bool active() const { return active_; }

  // The number of the island of `peer`, 0 without a partition; kIsolated or kEverywhere.
  int island_of(PeerRef peer) const;

  // True if a link between the two has carried nothing since `since` or longer.
  bool SilentSince(PeerRef a, PeerRef b, Time since) const;

  // Islands by peer. Requires numbers below kMostIslands.
  void Assign(std::vector<std::uint16_t> island_of_peer, Crossing crossing, Time now);
  void Isolate(PeerRef peer, std::uint32_t peers, Time now);
  void Cut(PeerRef from, PeerRef to, Time now);
  void Restore(PeerRef a, PeerRef b);
  void Bridge(PeerRef a, PeerRef b);
  // Requires islands.
  void BridgeNode(PeerRef peer);
  void EndIslands();
  void Heal();

  // The next peer, in an island drawn with the shares of the partition.
  void AddPeer(Rng& rng);
  // A newcomer goes where `other` is; a peer that the partition has placed stays.
  void Follow(PeerRef newcomer, PeerRef other);

  // True if the columns fit a world of so many peers.
  bool Fits(std::size_t peers) const { return islands_.empty() || islands_.size() == peers; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(active_, crossing_, islands_since_, placed_, islands_, sizes_, cuts_, bridges_);
  }

 private:
  static constexpr std::uint16_t kAlone = 0xffff;
  static constexpr std::uint16_t kAll = 0xfffe;

  struct CutPath {
    std::uint64_t path;  // sender and receiver
    Time since;
  };

  bool CanTalkNow(PeerRef from, PeerRef to) const;
  bool IslandsLetPass(PeerRef from, PeerRef to) const;
  bool HasBridge(PeerRef a, PeerRef b) const;
  const CutPath* FindCut(PeerRef from, PeerRef to) const;

  bool active_ = false;
  Crossing crossing_ = Crossing::kNone;
  Time islands_since_;
  std::uint32_t placed_ = 0;            // peers that were there when the islands were made
  std::vector<std::uint16_t> islands_;  // by peer; empty = one island
  std::vector<std::uint32_t> sizes_;    // of the islands when they were made, summed up
  std::vector<CutPath> cuts_;           // by path
  std::vector<std::uint64_t> bridges_;  // pairs in order
};

}  // namespace tombolo::sim
