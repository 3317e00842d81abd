// Islands: finding them and merging with them.
#include "overlay/peer.h"

namespace tombolo {

void Peer::Start(const Introduce&, const PartStep&) {}

void Peer::Handle(PeerRef, const IslandProbe&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const IslandReply&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeConfirm&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeConfirmed&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeSync&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeSyncReply&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeBridge&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeFill&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeLookup&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeMeet&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeAck&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeRefresh&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

void Peer::Handle(PeerRef, const MergeRefreshed&, const PartStep& step) {
  step.out.Drop(DropReason::kUnknownRpc);
}

}  // namespace tombolo
