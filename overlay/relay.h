// Relaying over links: one copy per hop, hop by hop acknowledged, ending in Delivered or Failed.
//
// A hop. The sender keeps the message until the receiver answers: kAccepted or kDuplicate ends the
// hop, kRefused sends it to the next link of relay_route.h. After SRTT + 4 RTTVAR of silence
// (round_trip.h) it asks with a HopProbe of a few bytes, because a lost acknowledgement must not
// create a second travelling copy; kUnknown has it sent once more over the same link, silence for
// as long again marks the link suspect and goes to the next. A peer without a way onward answers
// kRefused; one that finds out later hands the message back, which costs a detour, as a refused
// detour does; when that fails too, or no detour is left, the origin is told kUnreachable.
//
// No loops, without loss: (1) a greedy hop makes the distance (relay_route.h) smaller. (2) A
// message that is stuck at distance D visits peers at D or more that refuse a message they have
// seen, and is greedy again only below D; so later greedy hops meet no peer from before. (3) A
// message comes back only to the peer that passed it on, and a peer that gave up refuses from then
// on. So it walks a tree, each edge at most twice. Whatever loss, forgetting (seen_cache.h) and
// lies add is bounded by ttl, which every hop takes from, and by kMaxTried links per peer.
//
// A copy of a message (Send.copies) is refused by peers that saw another copy: the paths are
// node-disjoint.
//
// The origin repeats a message under a new attempt, over other first hops if it can, when it is
// told kUnreachable or no receipt comes; relays, too, send it over other links than before. Without
// any link the origin waits for the first. The target hands it to its application once (per origin
// and message, for seen_ttl) and sends a receipt for each attempt, which goes back the way it came.
// Every send ends in one event, at its deadline at the latest; fire-and-forget ends silently when a
// first hop takes it.
//
// Bounded: max_pending hops (at most 65,536) under way; beyond that relays refuse and sends fail
// with kOverload. As many sends.
//
// Payloads: a relayed hop owns one share until it is settled; the hops of our own sends borrow that
// of the send, which has it until it ends. Thread rule: one caller at a time. `links` is the
// caller's table (link_rows.h); suspicion and estimates in it are changed here.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "overlay/command.h"
#include "overlay/event.h"
#include "overlay/link.h"
#include "overlay/message.h"
#include "overlay/relay_id.h"
#include "overlay/relay_news.h"
#include "overlay/relay_route.h"
#include "overlay/seen_cache.h"
#include "overlay/slot_table.h"
#include "overlay/step.h"
#include "overlay/timer_heap.h"

namespace tombolo {

class Relay {
 public:
  static constexpr std::size_t kMaxTried = 16;

  // Messages. The payload of a Forward passes to the relay.
  void OnForward(PeerRef from, const Forward& message, std::span<Link> links, const PartStep& step);
  void OnHopAck(PeerRef from, const HopAck& ack, std::span<Link> links, const PartStep& step);
  void OnHopProbe(PeerRef from, const HopProbe& probe, std::span<Link> links, const PartStep& step);

  // The link is gone and no longer in `links`: what waits for it goes elsewhere.
  void OnLinkDown(PeerRef peer, std::span<Link> links, const PartStep& step);

  // A first link is up: what waited for one starts.
  void OnFirstLink(std::span<Link> links, const PartStep& step);

  // Does what is due.
  void Tick(std::span<Link> links, const PartStep& step);
  Time next_deadline() const { return std::min(hop_timers_.next(), send_timers_.next()); }

  // Relays bytes; ends in events. The payload passes to the relay.
  void Send(const tombolo::Send& command, std::span<Link> links, const PartStep& step);

  // Asks a peer for a direct link; ends in news with the same `request`.
  void RequestLink(std::uint32_t request, const NodeId& target, std::span<Link> links,
                   const PartStep& step);

  // Answers the news kRequest; `kind` is kConnectAccept or kConnectRefuse.
  void Answer(const RelayNews& request, ForwardKind kind, std::span<Link> links,
              const PartStep& step);

  // To be called after every other call until it returns nothing.
  std::optional<RelayNews> TakeNews();

  // Ends all sends with kLeft and forgets everything.
  void Stop(const PartStep& step);

  std::size_t pending_hops() const { return hops_.size(); }
  std::size_t pending_sends() const { return sends_.size(); }
  std::size_t remembered() const { return seen_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(hops_, sends_, hop_timers_, send_timers_, seen_, news_, receipt_srtt_, receipt_rttvar_,
            any_hop_srtt_, any_hop_rttvar_);
  }

 private:
  enum class Phase : std::uint8_t { kSent, kResent, kProbing };

  // A message on its way to the next peer.
  struct Hop {
    Forward message;                    // as it arrived here
    PeerRef previous = PeerRef::kNone;  // kNone: our own
    PeerRef to = PeerRef::kNone;
    Time sent;
    Time deadline;
    RouteKind route = RouteKind::kCloser;
    Phase phase = Phase::kSent;
    std::uint8_t resends = 0;
    std::uint8_t tried_count = 0;
    std::array<PeerRef, kMaxTried> tried;  // not to be chosen: failed, or taken by another copy

    std::span<const PeerRef> tried_span() const { return {tried.data(), tried_count}; }
    void Exclude(PeerRef peer) {
      if (tried_count < kMaxTried) tried[tried_count++] = peer;
    }
  };

  // A send or a request for a link of our own.
  struct Outgoing {
    std::uint64_t id = 0;  // with attempt 0
    NodeId target;
    Payload payload;
    Time started;
    Time deadline;
    Time timer;  // next attempt or deadline
    Time sent;   // this attempt
    std::uint32_t request = 0;
    ForwardKind kind = ForwardKind::kData;
    std::uint8_t copies = 1;
    std::uint8_t attempt = 0;
    std::uint8_t open = 0;  // bit i: copy i of this attempt may still arrive
    bool receipt = true;
    bool waiting = false;                          // for a first link
    bool taken = false;                            // without receipt: a first hop took it
    std::array<PeerRef, kMaxCopies> first{};       // first hop of each copy
    std::array<std::uint32_t, kMaxCopies> hops{};  // its hop, if still under way
  };

  // relay_hops.cc: one hop.
  void Accept(PeerRef from, const Forward& message, std::span<Link> links, const PartStep& step);
  void OnSeenAgain(SeenEntry& seen, PeerRef from, const Forward& message, std::span<Link> links,
                   const PartStep& step);
  void OnHandedBack(SeenEntry& seen, PeerRef from, const Forward& message, std::span<Link> links,
                    const PartStep& step);
  HopStatus Recall(PeerRef from, std::uint64_t id, const PartStep& step);
  bool TriedBefore(const SeenEntry& seen, PeerRef peer);
  bool Full(const PartStep& step) const;
  void Advance(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  void Transmit(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  void GiveUp(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  void ExpireTtl(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  void Settle(std::uint32_t handle, const PartStep& step);
  void OnHopTimeout(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  void Resend(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  void ArmHop(std::uint32_t handle, std::span<Link> links, const PartStep& step);

  // relay.cc: what both ends and the hops between have in common.
  Route NextHop(const Forward& message, std::span<const PeerRef> excluded,
                std::span<const Link> links, const PartStep& step);
  Route PickOther(const Forward& message, std::span<const PeerRef> excluded,
                  std::span<const Link> links, const PartStep& step);
  void Prune();

  // relay_target.cc: messages that have arrived, and what is said in return.
  void Arrive(PeerRef from, const Forward& message, std::span<Link> links, const PartStep& step);
  void Deliver(const Forward& message, std::span<Link> links, const PartStep& step);
  void SendUnreachable(const Forward& message, UnreachableReason reason, std::span<Link> links,
                       const PartStep& step);
  void Originate(Forward message, std::span<Link> links, const PartStep& step);

  // relay_origin.cc: sends and requests of our own.
  void Begin(Outgoing outgoing, std::span<Link> links, const PartStep& step);
  void StartAttempt(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  bool Launch(Outgoing& outgoing, int copy, std::span<Link> links, const PartStep& step);
  static Forward FirstForward(const Outgoing& outgoing, int copy, const PartStep& step);
  void OnReturned(std::uint32_t own, PeerRef from, const Forward& message, std::span<Link> links,
                  const PartStep& step);
  void OnOwnHopTaken(const Forward& message, const PartStep& step);
  void OnOwnHopFailed(const Forward& message, const PartStep& step);
  void OnUnreachable(const Forward& message, const PartStep& step);
  void OnAnswer(const Forward& message, const PartStep& step);
  void CopyFailed(std::uint32_t handle, int copy, const PartStep& step);
  void AttemptFailed(std::uint32_t handle, const PartStep& step);
  void OnSendTimeout(std::uint32_t handle, std::span<Link> links, const PartStep& step);
  void Fail(std::uint32_t handle, FailReason reason, const PartStep& step);
  void ReportFailure(const Outgoing& outgoing, FailReason reason, const PartStep& step);
  void End(std::uint32_t handle, const PartStep& step);
  void CancelHops(Outgoing& outgoing, const PartStep& step);
  void CancelHop(Outgoing& outgoing, int copy, const PartStep& step);
  void ArmSend(std::uint32_t handle, Time timer);
  Duration ReceiptTimeout(const Outgoing& outgoing, const PartStep& step) const;
  std::uint32_t OwnerOf(std::uint64_t id);

  SlotTable<Hop, 32> hops_;
  SlotTable<Outgoing, kSendHandleBits> sends_;
  TimerHeap hop_timers_;
  TimerHeap send_timers_;
  SeenCache seen_;
  std::vector<RelayNews> news_;
  Duration any_hop_srtt_;  // of hops over all links, for those that were not measured yet
  Duration any_hop_rttvar_;
  Duration receipt_srtt_;  // of first attempts of our sends, whatever their targets
  Duration receipt_rttvar_;
};

}  // namespace tombolo
