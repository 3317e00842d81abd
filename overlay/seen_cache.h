// What a peer remembers of relayed messages: that it saw them, who sent them and what became of
// them.
//
// Entries expire after config.relay.seen_ttl, first in first out. Bounded by config.relay.max_seen:
// at the limit the oldest entry is forgotten early and counted as kOverload; a message forgotten
// too early may be accepted a second time, which its ttl bounds.
//
// Thread rule: one caller at a time. Pointers are valid until the next Insert.
#pragma once

#include <cstddef>
#include <cstdint>

#include "overlay/keyed_fifo.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

enum class SeenState : std::uint8_t {
  kForwarding,  // this peer passed it on, or is about to
  kGaveUp,      // this peer has no way onward
  kDelivered,   // this peer was the target
};

struct SeenEntry {
  std::uint64_t key = 0;
  Time expires;
  PeerRef previous = PeerRef::kNone;  // who sent it first; kNone: this peer
  PeerRef next = PeerRef::kNone;      // whom it was last sent to
  std::uint32_t hop = 0;              // of the last transmission
  SeenState state = SeenState::kForwarding;
  std::uint8_t copies = 0;  // bit i: copy i was seen
};

class SeenCache {
 public:
  // nullptr if unknown or expired.
  SeenEntry* Find(std::uint64_t key, Time now) { return rows_.Find(key, now); }

  // Adds an entry with this key and default values. Requires that Find does not find it.
  SeenEntry& Insert(std::uint64_t key, const PartStep& step);

  std::size_t size() const { return rows_.size(); }
  std::size_t capacity() const { return rows_.capacity(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    rows_.Serialize(archive);
  }

 private:
  KeyedFifo<SeenEntry> rows_;
};

}  // namespace tombolo
