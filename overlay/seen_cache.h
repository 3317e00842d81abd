// What a peer remembers of relayed messages: that it saw them, who sent them and what became of
// them.
//
// Entries expire after config.relay.seen_ttl, first in first out. Bounded by config.relay.max_seen:
// at the limit the oldest entry is forgotten early and counted as kOverload; a message forgotten
// too early may be accepted a second time, which its ttl bounds. Everything is O(1); memory follows
// use, both ways. Positions in the index are salted, so that ids chosen by strangers cannot be made
// to collide.
//
// Thread rule: one caller at a time. Pointers are valid until the next Insert.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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
  SeenEntry* Find(std::uint64_t key, Time now);

  // Adds an entry with this key and default values. Requires that Find does not find it.
  SeenEntry& Insert(std::uint64_t key, const PartStep& step);

  std::size_t size() const { return count_; }
  std::size_t capacity() const { return ring_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(ring_, index_, head_, count_, salt_);
    if constexpr (Archive::kReading) {
      if (!Consistent()) archive.Fail("the memory of seen messages is damaged");
    }
  }

 private:
  std::size_t Home(std::uint64_t key) const;
  std::size_t PositionOf(std::uint64_t key) const;
  void Link(std::uint32_t slot);
  void ForgetOldest();
  void Expire(Time now);
  void Resize(std::size_t capacity);
  bool Consistent() const;

  std::vector<SeenEntry> ring_;       // power of two; oldest at head_
  std::vector<std::uint32_t> index_;  // twice as long: slot + 1, 0 = empty; linear probing
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
  std::uint64_t salt_ = 0;
};

}  // namespace tombolo
