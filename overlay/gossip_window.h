// The latest broadcasts with their bytes, kept for those who missed them.
//
// Each is kept until it expires; bounded by config.gossip.window_messages and window_bytes, beyond
// which the oldest goes early (counted as kGossipForgotten): whoever misses it then never gets it.
//
// Ownership: one share of each payload. Thread rule: one caller at a time. Pointers and spans are
// valid until the next call that is not const.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/message.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

struct KeptBroadcast {
  std::uint64_t key = 0;
  Time arrived;
  Time expires;
  GossipPush push{};  // as it arrived
};

class GossipWindow {
 public:
  // Takes over a share of the payload.
  void Add(const KeptBroadcast& kept, const PartStep& step);

  // nullptr if it is not kept.
  const KeptBroadcast* Find(std::uint64_t key, Time now) const;

  // How many of one origin arrived within the last heartbeat.
  int RecentOf(const NodeId& origin, const PartStep& step) const;

  // Lets go of what has expired.
  void Tick(const PartStep& step);
  Time next_deadline() const { return expires_; }

  // Lets go of everything.
  void Clear(const PartStep& step);

  // Oldest first.
  std::span<const KeptBroadcast> rows() const { return rows_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(rows_, bytes_, expires_);
  }

 private:
  bool Full(const PartStep& step) const;
  void ForgetOldest(const PartStep& step);

  std::vector<KeptBroadcast> rows_;
  std::uint64_t bytes_ = 0;
  Time expires_ = kNever;  // of the first to go
};

}  // namespace tombolo
