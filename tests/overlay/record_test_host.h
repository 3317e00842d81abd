// A host for tests of the parts that keep records: it counts the shares of every payload and checks
// that each use of a payload is covered by one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/config.h"
#include "overlay/contact_lists.h"
#include "overlay/directory.h"
#include "overlay/event.h"
#include "overlay/outbox.h"
#include "overlay/rng.h"
#include "overlay/step.h"

namespace tombolo {

// An id with the given leading 32 bits.
inline NodeId TestId(std::uint32_t head) { return NodeId{{head, 0, 0, 0, head}}; }

class RecordTestHost {
 public:
  explicit RecordTestHost(std::uint32_t self_head = 0) : self_id_(TestId(self_head)) {
    self_ = ids_.Add(self_id_);
  }

  Config& config() { return config_; }
  PeerRef AddPeer(std::uint32_t head) { return ids_.Add(TestId(head)); }
  PeerRef RefOf(std::uint32_t head) const {
    for (std::uint32_t i = 0; i < ids_.size(); ++i) {
      if (ids_.id(PeerRef{i}) == TestId(head)) return PeerRef{i};
    }
    return PeerRef::kNone;
  }
  const NodeId& id(PeerRef ref) const { return ids_.id(ref); }
  const Outbox& out() const { return out_; }
  PartStep step() { return {{now_, config_, ids_, lists_, out_}, self_, self_id_, rng_}; }
  Time now() const { return now_; }
  void Advance(Duration span) { now_ = now_ + span; }
  void AdvanceTo(Time time) { now_ = std::max(now_, time); }

  // Bytes of which the core is about to get one share.
  Payload NewPayload(std::uint32_t bytes = 10) {
    const Payload payload{next_handle_++, bytes};
    shares_[payload.handle] = 1;
    return payload;
  }

  // Does a host's duties: sends, then events, then releases.
  void Settle() {
    for (const OutgoingMessage& send : out_.sends()) {
      const Payload payload = PayloadOf(send.message);
      EXPECT_TRUE(payload.empty() || shares_[payload.handle] > 0) << "sent without a share";
      sends_.push_back(send);
    }
    for (const Event& event : out_.events()) {
      const GetDone* done = std::get_if<GetDone>(&event);
      if (done != nullptr && done->found) GiveUp(done->record.payload);
      events_.push_back(event);
    }
    for (const Payload& payload : out_.releases()) GiveUp(payload);
    for (std::size_t i = 0; i < kDropReasons; ++i) drops_[i] += out_.drops()[i];
    out_.Clear();
  }

  // Settles, and hands out what was sent since the last call.
  std::vector<OutgoingMessage> TakeSends() {
    Settle();
    return std::exchange(sends_, {});
  }

  template <class E>
  std::vector<E> TakeEvents() {
    Settle();
    std::vector<E> taken;
    for (const Event& event : std::exchange(events_, {})) taken.push_back(std::get<E>(event));
    return taken;
  }

  const std::vector<Event>& events() const { return events_; }

  // Shares of one payload, and of all, that the core still owns.
  int SharesOf(const Payload& payload) {
    Settle();
    return shares_[payload.handle];
  }
  int Shares() {
    Settle();
    int sum = 0;
    for (const auto& [handle, count] : shares_) sum += count;
    return sum;
  }
  std::uint32_t Drops(DropReason reason) {
    Settle();
    return drops_[static_cast<std::size_t>(reason)];
  }

 private:
  void GiveUp(const Payload& payload) {
    if (payload.empty()) return;
    EXPECT_GT(shares_[payload.handle], 0) << "share of " << payload.handle << " given up twice";
    --shares_[payload.handle];
  }

  Config config_;
  Directory ids_;
  ContactLists lists_;
  Outbox out_;
  Rng rng_{7};
  NodeId self_id_;
  PeerRef self_;
  Time now_;
  std::uint32_t next_handle_ = 0;
  std::map<std::uint32_t, int> shares_;
  std::vector<OutgoingMessage> sends_;
  std::vector<Event> events_;
  std::array<std::uint32_t, kDropReasons> drops_{};
};

}  // namespace tombolo
