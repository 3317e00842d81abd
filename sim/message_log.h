// The transmissions of a world, and who has forgotten what it knew: kept for an observer that looks
// at every one of them.
//
// Bounded: of more than the limit the oldest are kept and the rest is counted. Thread rule: one
// caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/message.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo::sim {

// A message as it was handed to the network. Its list and payload belong to the flight: by the time
// somebody reads the log they may name something else.
struct LoggedMessage {
  Time at;
  PeerRef from = PeerRef::kNone;
  PeerRef to = PeerRef::kNone;
  Message message;
};

// A peer that came back with less than it knew before: with an older state, or with none.
struct LoggedForgetting {
  Time at;
  PeerRef peer = PeerRef::kNone;
};

class MessageLog {
 public:
  // Zero: nothing is kept.
  void SetLimit(std::size_t limit) { limit_ = limit; }

  void Add(Time at, PeerRef from, PeerRef to, const Message& message) {
    if (limit_ == 0) return;
    if (messages_.size() < limit_) {
      messages_.push_back({at, from, to, message});
    } else {
      ++missed_;
    }
  }

  void AddForgetting(Time at, PeerRef peer) {
    if (forgettings_.size() < limit_) forgettings_.push_back({at, peer});
  }

  void Clear() {
    messages_.clear();
    forgettings_.clear();
    missed_ = 0;
  }

  std::span<const LoggedMessage> messages() const { return messages_; }
  std::span<const LoggedForgetting> forgettings() const { return forgettings_; }
  std::uint64_t missed() const { return missed_; }

 private:
  std::vector<LoggedMessage> messages_;
  std::vector<LoggedForgetting> forgettings_;
  std::size_t limit_ = 0;
  std::uint64_t missed_ = 0;
};

}  // namespace tombolo::sim
