// The ring of a peer.
#include "overlay/peer.h"

namespace tombolo {

// The peers next to us: of the ring where there is one, else those that relaying has picked up.
// Null if there are neither.
Neighbours* Peer::NeighbourSet() {
  if (ring_) return &ring_->neighbours();
  RelayParts* relaying = Relaying();
  return relaying != nullptr ? &relaying->neighbours : nullptr;
}

void Peer::Handle(PeerRef, const FindSuccessor&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const SuccessorFound&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const AskNeighbours&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const RingNeighbours&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const tombolo::Notify&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const RingLeave&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

}  // namespace tombolo
