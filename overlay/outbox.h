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
  // Built in place from one kind: a message is many times as large as most of its kinds.
  template <class Kind>
  OutgoingMessage(PeerRef receiver, const Kind& body) : to(receiver), message(body) {}

  PeerRef to;
  Message message;
};

struct OutgoingHangup {
  PeerRef peer;
  HangupReason reason;
};

class Outbox {
 public:
  // `body` is a message or one of its kinds.
  template <class Kind>
  void Send(PeerRef to, const Kind& body) {
    sends_.emplace_back(to, body);
  }
  void Dial(PeerRef peer) {
    dials_.push_back(peer);
    has_other_ = true;
  }
  void Hangup(PeerRef peer, HangupReason reason) {
    hangups_.push_back({peer, reason});
    has_other_ = true;
  }
  // Likewise.
  template <class Kind>
  void Notify(const Kind& event) {
    events_.emplace_back(event);
    has_other_ = true;
  }
  void Drop(DropReason reason) {
    ++drops_[static_cast<std::size_t>(reason)];
    has_drops_ = true;
    has_other_ = true;
  }

  // Takes one more share of bytes that this core has a share of, to give that one away.
  void Share(const Payload& payload) {
    if (payload.empty()) return;
    shares_.push_back(payload);
    has_other_ = true;
  }

  // Gives up this core's share of the bytes. The empty payload is ignored.
  void Release(const Payload& payload) {
    if (payload.empty()) return;
    releases_.push_back(payload);
    has_other_ = true;
  }

  std::span<const OutgoingMessage> sends() const { return sends_; }
  std::span<const PeerRef> dials() const { return dials_; }
  std::span<const OutgoingHangup> hangups() const { return hangups_; }
  std::span<const Payload> shares() const { return shares_; }
  std::span<const Payload> releases() const { return releases_; }
  std::span<const Event> events() const { return events_; }
  const std::array<std::uint32_t, kDropReasons>& drops() const { return drops_; }
  // False if all of drops() are zero.
  bool has_drops() const { return has_drops_; }

  // True if anything but sends is waiting; lets a host skip the rest in the common case.
  bool has_other() const { return has_other_; }

  void Clear() {
    sends_.clear();
    if (!has_other_) return;
    dials_.clear();
    hangups_.clear();
    shares_.clear();
    releases_.clear();
    events_.clear();
    if (has_drops_) drops_.fill(0);
    has_drops_ = false;
    has_other_ = false;
  }

 private:
  std::vector<OutgoingMessage> sends_;
  std::vector<PeerRef> dials_;
  std::vector<OutgoingHangup> hangups_;
  std::vector<Payload> shares_;
  std::vector<Payload> releases_;
  std::vector<Event> events_;
  std::array<std::uint32_t, kDropReasons> drops_{};
  bool has_drops_ = false;
  bool has_other_ = false;
};

}  // namespace tombolo
