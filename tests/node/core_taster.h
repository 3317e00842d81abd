// A peer that takes part in an overlay and is told whatever a decoder lets through: what the core
// does not accept, it asserts. Keeps the accounts of lists and payloads. For tests and fuzzers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node/codec.h"
#include "overlay/outbox.h"
#include "overlay/peer.h"

namespace tombolo::node {

class CoreTaster {
 public:
  explicit CoreTaster(KnownPeers& peers, ContactLists& lists, PayloadStore& payloads)
      : peers_(peers), lists_(lists), payloads_(payloads) {
    config_.overlay = OverlayKind::kBoth;
    peer_ = Peer(KnownPeers::self(), peers.ids().id(KnownPeers::self()), 1);
    Start(Join{});
    PassTime(Duration::Seconds(5));
    Start(AttachClient{1, NodeId{{1, 2, 3, 4, 5}}, 1});
    Start(Subscribe{7});
  }

  // Links, so that the peer has something to lose.
  void LinkUp(PeerRef other) {
    peer_.LinkUp(other, {.outbound = false, .dialable = true}, MakeStep());
    Settle();
  }

  // The list and the payload become the taster's.
  void Taste(PeerRef from, const Message& message) {
    peer_.Receive(from, message, MakeStep());
    lists_.Release(ListOf(message));
    Settle();
  }

  void PassTime(Duration span) {
    const Time end = now_ + span;
    while (peer_.next_deadline() <= end) {
      now_ = std::max(now_, peer_.next_deadline());
      peer_.Tick(MakeStep());
      Settle();
    }
    now_ = end;
  }

  // Afterwards it holds nothing.
  void Leave() { Start(Depart{}); }

  Time now() const { return now_; }
  const Peer& peer() const { return peer_; }
  std::uint64_t sends() const { return sends_; }

 private:
  Step MakeStep() { return {now_, config_, peers_.ids(), lists_, out_}; }
  void Start(const Command& command) {
    peer_.Execute(command, MakeStep());
    Settle();
  }

  void Settle() {
    for (const OutgoingMessage& sent : out_.sends()) {
      peers_.ids().id(sent.to);  // asserts that it is somebody
      ++sends_;
      lists_.Release(ListOf(sent.message));
    }
    std::vector<PeerRef> gone;
    for (const OutgoingHangup& hangup : out_.hangups()) gone.push_back(hangup.peer);
    std::vector<PeerRef> dialled(out_.dials().begin(), out_.dials().end());
    for (const Payload& payload : out_.shares()) payloads_.Share(payload);
    for (const Event& event : out_.events()) Forget(event);
    for (const Payload& payload : out_.releases()) payloads_.Release(payload);
    out_.Clear();
    for (const PeerRef peer : gone) {
      peer_.LinkDown(peer, LinkDownReason::kHungUp, MakeStep());
      Settle();
    }
    for (const PeerRef peer : dialled) {
      peer_.LinkDown(peer, LinkDownReason::kDialFailed, MakeStep());
      Settle();
    }
  }

  void Forget(const Event& event) {
    if (const auto* done = std::get_if<LookupDone>(&event)) lists_.Release(done->closest);
    if (const auto* done = std::get_if<GetDone>(&event); done != nullptr && done->found) {
      payloads_.Release(done->record.payload);
    }
    if (const auto* arrived = std::get_if<MessageArrived>(&event)) {
      payloads_.Release(arrived->payload);
    }
    if (const auto* arrived = std::get_if<BroadcastArrived>(&event)) {
      payloads_.Release(arrived->payload);
    }
  }

  KnownPeers& peers_;
  ContactLists& lists_;
  PayloadStore& payloads_;
  Config config_;
  Peer peer_;
  Outbox out_;
  Time now_;
  std::uint64_t sends_ = 0;
};

}  // namespace tombolo::node
