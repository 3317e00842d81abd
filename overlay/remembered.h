// Peers that are not forgotten when they fall silent: a split and a mass failure look alike from
// inside, so whoever is lost may live on in another island.
//
// Kept are, for `heal.remember_for` after they were last seen alive:
//   - of every prefix of 5 bits one peer, uniformly random among those seen for at least
//     `heal.remember_after` (kReservoir, at most 32). Not the latest: those would soon all be of
//     our own island. The choice is the peer with the smallest hash under a secret of ours, which
//     is uniform however often each was seen and whatever ids others choose;
//   - the kLongLived peers that were seen alive over the longest time, of those above;
//   - the kRing ring neighbours, and strangers that a merge was begun with in vain, that were lost
//     last. They need no minimum time: who is a neighbour now is remembered by the ring itself;
//   - up to kRendezvous peers that we joined through, for ever.
// A survey of the live contacts, every `heal.remember_after`, finds newcomers that would take the
// place of their prefix (candidates, one per prefix): who is still there at the next survey gets
// it. Between two surveys nothing is done, whatever is heard. A peer that was built as a
// long-joined member counts its contacts as seen for long.
//
// Each row also says when its peer may be probed again: at once after it was lost, then after
// `heal.probe_interval`, doubled with every probe that was not answered up to
// `heal.probe_back_off_max`; the latter also after an answer. Probes go by one of two orders, drawn
// each time: kLostLast finds a split at once, kDueLongest sees to it that nobody waits for ever
// behind others that are lost anew, or that answer without becoming contacts.
//
// Memory: 20 bytes per row, at most kMaxRows; nothing before the first survey. Thread rule: one
// caller at a time. Errors: refs outside the directory are a programmer error.
//
// Source: docs/ground-truth.md: Scalaris, Serf and Ringpop remember lost peers in like ways.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

// Times in whole seconds since the origin of the host; may lie before it.
struct RememberedPeer {
  enum Reason : std::uint8_t {
    kCandidate = 1,
    kReservoir = 2,
    kLongLived = 4,
    kRing = 8,
    kRendezvous = 16,
  };

  PeerRef peer = PeerRef::kNone;
  std::int32_t first_s = 0;  // first and last seen alive
  std::int32_t last_s = 0;
  std::int32_t retry_s = 0;   // not to be probed before
  std::uint16_t in_vain = 0;  // probes in a row without an answer
  std::uint8_t reasons = 0;   // why it is kept; 0 = not kept

  // False for those that were not seen for long enough yet.
  bool kept() const { return (reasons & ~kCandidate) != 0; }
};

class Remembered {
 public:
  static constexpr int kPrefixBits = 5;
  static constexpr std::size_t kPrefixes = std::size_t{1} << kPrefixBits;
  static constexpr std::size_t kLongLived = 16;
  static constexpr std::size_t kRing = 16;
  static constexpr std::size_t kRendezvous = 8;
  static constexpr std::size_t kMaxRows = 2 * kPrefixes + kLongLived + kRing + kRendezvous;

  // `secret` decides which peer of each prefix is kept.
  void Start(std::uint64_t secret) { secret_ = secret; }

  // Takes note of all live contacts. `long_known`: they were seen for long already.
  void Survey(std::span<const PeerRef> contacts, bool long_known, const PartStep& step);

  // A contact has fallen silent; `neighbour`: on the ring, or nobody else knows of it.
  void Lost(PeerRef peer, bool neighbour, const PartStep& step);

  // A peer that we joined through. Beyond kRendezvous they are ignored.
  void AddRendezvous(PeerRef peer, const PartStep& step);
  // A random one of those; kNone if there is none.
  PeerRef RandomRendezvous(Rng& rng) const;

  // What became of a probe.
  void Answered(PeerRef peer, const PartStep& step);
  void NotAnswered(PeerRef peer, const PartStep& step);

  enum class Order : std::uint8_t {
    kLostLast,    // fewest probes in vain first, then last seen first, then by the secret hash
    kDueLongest,  // longest due first, then as above
  };

  // The peer to probe next, of those that are due and of whom `is_contact` says no; kNone if there
  // is none.
  template <class IsContact>
  PeerRef NextTarget(Order order, const IsContact& is_contact, const PartStep& step) const {
    const RememberedPeer* best = nullptr;
    const auto comes_first = [&](const RememberedPeer& row) {
      if (best == nullptr) return true;
      if (order == Order::kDueLongest && row.retry_s != best->retry_s) {
        return row.retry_s < best->retry_s;
      }
      return ComesBefore(row, *best, step.ids);
    };
    for (const RememberedPeer& row : rows_) {
      if (!row.kept() || row.retry_s > Seconds(step.now) || is_contact(row.peer)) continue;
      if (comes_first(row)) best = &row;
    }
    return best == nullptr ? PeerRef::kNone : best->peer;
  }

  // Everybody to probe, now or later; who would be first, at one time, comes first.
  template <class IsContact>
  std::vector<PeerRef> Targets(const IsContact& is_contact, const PartStep& step) const {
    std::vector<RememberedPeer> lost;
    for (const RememberedPeer& row : rows_) {
      if (row.kept() && !is_contact(row.peer)) lost.push_back(row);
    }
    std::sort(lost.begin(), lost.end(), [&](const RememberedPeer& a, const RememberedPeer& b) {
      return ComesBefore(a, b, step.ids);
    });
    std::vector<PeerRef> peers;
    for (const RememberedPeer& row : lost) peers.push_back(row.peer);
    return peers;
  }

  // True if there is anybody to probe, now or later.
  template <class IsContact>
  bool HasTarget(const IsContact& is_contact) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const RememberedPeer& row) {
      return row.kept() && !is_contact(row.peer);
    });
  }

  // All rows, to be saved, and back. Restore requires what rows() has returned, times shifted and
  // refs translated.
  std::span<const RememberedPeer> rows() const { return rows_; }
  void Restore(std::span<const RememberedPeer> rows) { rows_.assign(rows.begin(), rows.end()); }

  static std::int32_t Seconds(Time at) { return static_cast<std::int32_t>(at.us / 1'000'000); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(rows_, secret_);
  }

 private:
  std::uint64_t Priority(PeerRef peer, const Directory& ids) const;
  bool ComesBefore(const RememberedPeer& a, const RememberedPeer& b, const Directory& ids) const;
  RememberedPeer* Find(PeerRef peer);
  RememberedPeer& FindOrAdd(PeerRef peer, const PartStep& step);
  void MarkSeen(std::span<const PeerRef> contacts, const PartStep& step);
  void AddCandidates(std::span<const PeerRef> contacts, bool long_known, const PartStep& step);
  void Promote(const PartStep& step);
  void ChooseLongLived(const PartStep& step);
  void LimitRing(const PartStep& step);
  void Sweep(const PartStep& step);

  std::vector<RememberedPeer> rows_;
  std::uint64_t secret_ = 0;
};

}  // namespace tombolo
