// Where a peer puts what it wants done. Concrete and reused between steps, so that a test can look
// at it and a warm simulation allocates nothing.
//
// Duties of the host, after each call into a peer, in this order:
//   1. sends():    carry each message to its receiver. It may be lost, late, repeated or reordered,
//   never
//                  altered. Without a link: dial, send, keep the link for a while (ephemeral).
//                  Release its list when it was delivered or lost; take a share of its payload for
//                  the flight.
//   2. dials():    open a kept link, answer with LinkUp at both ends, or LinkDown(kDialFailed)
//   here.
//   3. hangups():  close the link once the sends above are on their way; LinkDown at both ends.
//   4. shares():   take one more share of each payload for the peer.
//   5. events():   tell the application; release their lists.
//   6. releases(): give up one share of each payload.
//   7. add drops() to its counters; Clear(); arm one timer for Peer::next_deadline().
//
// Thread rule: one caller at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/drop_reason.h"
#include "overlay/event.h"
#include "overlay/message.h"
#include "overlay/payload.h"
#include "overlay/peer_ref.h"

namespace tombolo {

struct OutgoingMessage {
  PeerRef to;
  Message message;
};

struct OutgoingHangup {
  PeerRef peer;
  HangupReason reason;
};

class Outbox {
 public:
  void Send(PeerRef to, const Message& message) { sends_.push_back({to, message}); }
  void Dial(PeerRef peer) { dials_.push_back(peer); }
  void Hangup(PeerRef peer, HangupReason reason) { hangups_.push_back({peer, reason}); }
  void Notify(const Event& event) { events_.push_back(event); }
  void Drop(DropReason reason) {
    ++drops_[static_cast<std::size_t>(reason)];
    dropped_ = true;
  }

  // Takes one more share of bytes that this core has a share of, to give that one away.
  void Share(const Payload& payload) {
    if (!payload.empty()) shares_.push_back(payload);
  }

  // Gives up this core's share of the bytes. The empty payload is ignored.
  void Release(const Payload& payload) {
    if (!payload.empty()) releases_.push_back(payload);
  }

  std::span<const OutgoingMessage> sends() const { return sends_; }
  std::span<const PeerRef> dials() const { return dials_; }
  std::span<const OutgoingHangup> hangups() const { return hangups_; }
  std::span<const Payload> shares() const { return shares_; }
  std::span<const Payload> releases() const { return releases_; }
  std::span<const Event> events() const { return events_; }
  const std::array<std::uint32_t, kDropReasons>& drops() const { return drops_; }

  // True if anything but sends is waiting; lets a host skip the rest in the common case.
  bool has_other() const {
    return dropped_ || !dials_.empty() || !hangups_.empty() || !shares_.empty() ||
           !releases_.empty() || !events_.empty();
  }

  void Clear() {
    sends_.clear();
    if (!has_other()) return;
    dials_.clear();
    hangups_.clear();
    shares_.clear();
    releases_.clear();
    events_.clear();
    drops_.fill(0);
    dropped_ = false;
  }

 private:
  std::vector<OutgoingMessage> sends_;
  std::vector<PeerRef> dials_;
  std::vector<OutgoingHangup> hangups_;
  std::vector<Payload> shares_;
  std::vector<Payload> releases_;
  std::vector<Event> events_;
  std::array<std::uint32_t, kDropReasons> drops_{};
  bool dropped_ = false;
};

}  // namespace tombolo
