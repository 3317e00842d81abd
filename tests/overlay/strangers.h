// What strangers may say, for fuzzing: messages of every kind with any fields, and answers that fit
// what was said to them, true or not. Keeps the accounts of the lists and payloads that it makes.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <variant>
#include <vector>

#include "overlay/contact_lists.h"
#include "overlay/directory.h"
#include "overlay/message.h"
#include "overlay/rng.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {

class Strangers {
 protected:
  static constexpr std::uint32_t kRefs = 14;

  explicit Strangers(std::uint64_t seed) : rng_(Rng::Split(seed, 7)) {
    for (NodeId& key : keys_) key = RandomId(rng_);
    for (std::uint32_t i = 0; i < kRefs; ++i) {
      const bool near = i > 0 && Odds(3);
      const NodeId id =
          near ? RandomIdSharing(ids_.id(PeerRef{i - 1}), Pick(0, 159), rng_) : RandomId(rng_);
      ids_.Add(id, {.address_group = rng_.Below(3), .dialable = !Odds(4)});
    }
  }

  bool Odds(std::uint32_t one_in) { return rng_.Below(one_in) == 0; }
  int Pick(int low, int high) {
    return low + static_cast<int>(rng_.Below(static_cast<std::uint32_t>(high - low + 1)));
  }
  template <class T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[rng_.Below(static_cast<std::uint32_t>(choices.size()))];
  }
  PeerRef AnyRef() { return PeerRef{rng_.Below(kRefs)}; }
  NodeId AnyId() {
    if (Odds(4)) return RandomId(rng_);
    return Odds(3) ? keys_[rng_.Below(4)] : ids_.id(AnyRef());
  }
  std::uint8_t AnyByte() { return static_cast<std::uint8_t>(rng_.Below(256)); }

  Payload NewPayload() {
    if (Odds(5)) return {};
    shares_.push_back(1);
    return {static_cast<std::uint32_t>(shares_.size() - 1), OneOf({0U, 10U, 100U, 101U})};
  }
  Duration AnyDuration() {
    return OneOf({Duration{-1}, Duration{0}, Duration{1}, Duration::Seconds(3),
                  Duration::Minutes(1), Duration::Hours(30), Duration{INT64_MAX}});
  }
  Record AnyRecord(const NodeId& key) { return {key, NewPayload(), rng_.Below(4), AnyDuration()}; }
  ListHandle AnyList() {
    std::vector<PeerRef> peers(rng_.Below(100));
    for (PeerRef& peer : peers) {
      peer = Odds(20) ? PeerRef{kRefs + rng_.Below(100)} : AnyRef();
      if (Odds(40)) peer = PeerRef::kNone;
    }
    return lists_.Add(peers);
  }
  Forward AnyForward(std::uint64_t id, const NodeId& origin, const NodeId& target) {
    Forward forward{};
    forward.id = id;
    forward.origin = origin;
    forward.target = target;
    forward.payload = NewPayload();
    forward.hop = Odds(2) ? rng_.Below(4) : static_cast<std::uint32_t>(rng_.Next());
    forward.subject = Odds(2) ? rng_.Next() : rng_.Below(64);
    forward.kind = static_cast<ForwardKind>(rng_.Below(6));
    forward.reason = static_cast<UnreachableReason>(rng_.Below(2));
    forward.ttl = OneOf<std::uint8_t>({0, 1, 2, 64, 255});
    forward.hops = AnyByte();
    forward.copy = AnyByte();
    forward.detours = OneOf<std::uint8_t>({0, 1, 16, 255});
    forward.wants_receipt = Odds(2);
    forward.detouring = Odds(2);
    forward.stuck_at = OneOf<std::uint64_t>({0, ~std::uint64_t{0}, rng_.Next()});
    return forward;
  }
  Message AnyMessage() {
    const auto number = static_cast<std::uint32_t>(rng_.Next());
    switch (rng_.Below(14)) {
      case 0:
        return Ping{number};
      case 1:
        return Pong{number};
      case 2:
        return FindNode{number, AnyId(), Odds(2) ? number : 0};
      case 3:
        return FindValue{number, AnyId()};
      case 4:
        return Nodes{number, AnyList()};
      case 5:
        return Value{number, AnyRecord(AnyId())};
      case 6:
        return Store{number, AnyRecord(AnyId())};
      case 7:
        return StoreAck{number, static_cast<StoreStatus>(rng_.Below(4))};
      case 8:
        return Leave{};
      case 9:
        return Evict{
            HangupReason::kFull, AnyByte(), {PeerRef::kNone, AnyRef(), PeerRef{kRefs + 7}}};
      case 10:
        return HopAck{number, static_cast<HopStatus>(rng_.Below(4))};
      case 11:
        return HopProbe{Odds(2) ? 0 : number, rng_.Next()};
      default:
        return AnyForward(rng_.Next(), AnyId(), AnyId());
    }
  }

  // Something that fits what was said, true or not.
  Message AnswerTo(const Message& said) {
    if (const auto* ping = std::get_if<Ping>(&said)) return Pong{ping->rpc};
    if (const auto* find = std::get_if<FindNode>(&said)) {
      if (Odds(5)) return Value{find->rpc, AnyRecord(find->target)};
      return Nodes{find->rpc, AnyList()};
    }
    if (const auto* find = std::get_if<FindValue>(&said)) {
      if (Odds(2)) return Value{find->rpc, AnyRecord(Odds(4) ? AnyId() : find->key)};
      return Nodes{find->rpc, AnyList()};
    }
    if (const auto* store = std::get_if<Store>(&said))
      return StoreAck{store->rpc, static_cast<StoreStatus>(rng_.Below(4))};
    if (const auto* probe = std::get_if<HopProbe>(&said))
      return HopAck{probe->hop, static_cast<HopStatus>(rng_.Below(4))};
    const auto* forward = std::get_if<Forward>(&said);
    if (forward == nullptr) return AnyMessage();
    if (Odds(2)) return HopAck{forward->hop, static_cast<HopStatus>(rng_.Below(4))};
    if (Odds(3)) return HopProbe{1, forward->id};
    if (Odds(2)) {  // handed back, or round a loop
      Forward back = AnyForward(forward->id, forward->origin, forward->target);
      if (!Odds(4)) {
        const Payload payload = back.payload;
        back = *forward;
        back.payload = payload;
      }
      back.detouring = !Odds(4);
      return back;
    }
    Forward about = AnyForward(rng_.Next(), forward->target, forward->origin);
    about.subject = forward->id;
    if (!Odds(4)) about.copy = forward->copy;
    return about;
  }

  void Share(const Payload& payload, int change) {
    if (payload.empty()) return;
    int& count = shares_[payload.handle];
    EXPECT_GT(count, 0) << "payload " << payload.handle << " is used without a share";
    count += change;
  }

  Rng rng_;
  Directory ids_;
  ContactLists lists_;

  std::vector<int> shares_;  // by handle

 private:
  std::array<NodeId, 4> keys_;
};

}  // namespace tombolo
