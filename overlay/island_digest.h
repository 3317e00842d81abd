// What a peer knows of its island as a whole: a sketch of the kSketchSize members with the smallest
// hashes, by which any two peers can tell whether they live in the same island.
//
// All peers of an island come to hold the same sketch: they exchange sketches with each other now
// and then, and each keeps the smallest of what both have. Who is in the sketch puts itself in with
// age 0 whenever it speaks; ages add up on the way (rounded up, so that nobody grows younger by
// being passed on), and whoever was not heard of for `heal.sketch_ttl` is dropped. Two sketches
// without a common member are those of two islands.
//
// A sketch that was never compared with the island says nothing, so a newcomer holds none: it
// settles by taking over that of another peer, by founding an island, or from the builder of a
// world. A peer that is not settled sends the empty sketch. In a small island what is said to it
// names also up to kLostMax peers that the island has lost, with the age kLostAge: the few who live
// there may die before they find the others, and the newcomer knows nobody else.
//
// Memory: 8 bytes per entry, at most kSketchSize; nothing before it has settled. Thread rule: one
// caller at a time. Errors: a lying peer can make a sketch wrong until its claims expire; what that
// leads to is a check that finds no second island, or a split that the probes of remembered peers
// find (island_probe.h).
//
// Source: ours; docs/healing.md has the procedure, docs/ground-truth.md what is near it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/contact_lists.h"
#include "overlay/messages_heal.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"

namespace tombolo {

class IslandDigest {
 public:
  // Stands in place of an age: not a member of the island, but one that it has lost.
  static constexpr std::uint8_t kLostAge = 255;
  static constexpr std::size_t kLostMax = kSketchSize / 2;

  // What the sketch of another peer says about where it lives.
  enum class Verdict : std::uint8_t { kUnknown, kSame, kOther };

  static std::uint64_t Hash(const NodeId& id) { return Mix64(id.prefix64() ^ 0x69736c616e64ULL); }

  // The members that belong in the sketch of an island of these, smallest hash first.
  static std::vector<PeerRef> Choose(std::span<const PeerRef> members, const Directory& ids);

  bool settled() const { return !entries_.empty(); }

  // Takes these members and ourselves as the island.
  void Settle(std::span<const PeerRef> members, const PartStep& step);

  // kUnknown unless both are settled.
  Verdict Compare(std::span<const PeerRef> sketch, const PartStep& step);

  // Adds the sketch of a peer of the same island.
  void Learn(std::span<const PeerRef> sketch, const SketchAges& ages, const PartStep& step);

  // The sketch as a message carries it, and after it the first kLostMax of the `lost`, for which it
  // is cut short if need be.
  ListHandle Write(std::span<const PeerRef> lost, SketchAges& ages, const PartStep& step);

  // What Write has written: how many of `listed` are the sketch; the others are lost peers.
  static std::size_t SketchPart(std::span<const PeerRef> listed, const SketchAges& ages);

  // Names the island, the same for all its peers once they agree: the smallest hash in the sketch,
  // or of ourselves.
  std::uint64_t label(const NodeId& self, const Directory& ids) const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(entries_);
  }

 private:
  struct Entry {
    PeerRef peer;
    std::int32_t seen_s;  // when it spoke last, by what we were told
  };

  void Refresh(const PartStep& step);
  void Put(const Entry& entry, const PartStep& step);

  std::vector<Entry> entries_;  // smallest hash first
};

}  // namespace tombolo
