// The fingers of one peer: finger[level] is the successor of id + 2^level, counted in units of the
// last bit in use (Stoica et al., "Chord", SIGCOMM 2001, section 4.3).
//
// Stored are runs of equal fingers by their first level, since of 160 fingers only about log2 n
// differ. A finger is unknown until it was looked up. No finger lies before its start: that is what
// lets NextHop skip the levels that are too far without looking at ids.
//
// Memory: 8 bytes per run. Thread rule: one caller at a time. Errors: none.
#pragma once

#include <cstdint>
#include <span>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/prefetch.h"
#include "overlay/short_vector.h"
#include "overlay/step.h"

namespace tombolo {

// The fingers from `level` up to the next run.
struct Finger {
  PeerRef peer = PeerRef::kNone;  // kNone: unknown
  std::uint8_t level = 0;
};

class RingFingers {
 public:
  // Levels run from 0 to config.ring.bits - 1.
  static NodeId StartOf(int level, const PartStep& step);

  // kNone if unknown.
  PeerRef At(int level) const;

  // Sets one level. A peer before the start of the level, which only a liar would name, and we
  // ourselves make the finger unknown.
  void Set(int level, PeerRef peer, const PartStep& step);

  // The finger of the highest level that lies strictly between us and the key; kNone if none does.
  PeerRef NextHop(const NodeId& key, PeerRef avoid, const PartStep& step) const;

  // A hint that the fingers will be used soon.
  void Prefetch() const { PrefetchLine(runs_.data()); }

  // Makes the fingers that are this peer unknown.
  void Forget(PeerRef peer);

  // Takes over runs in order of their levels, without two equal ones in a row.
  void Assign(std::span<const Finger> runs) { runs_.Assign(runs); }
  std::span<const Finger> runs() const { return runs_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(runs_);
  }

 private:
  std::size_t RunOf(int level) const;
  void MergeFrom(std::size_t first);

  ShortVector<Finger, 1> runs_;  // by level; below the first run all are unknown
};

}  // namespace tombolo
