// Broadcasts, over the links.
#include "overlay/peer.h"

namespace tombolo {

void Peer::Start(const Broadcast& broadcast, const PartStep& step) {
  if (step.config.links.max_links == 0) return Refuse(broadcast, FailReason::kNoLinks, step);
  StartGossip(step).Broadcast(broadcast, step);
}

void Peer::Start(const Subscribe& subscribe, const PartStep& step) {
  if (step.config.links.max_links > 0) StartGossip(step).Subscribe(subscribe.topic, step);
}

void Peer::Start(const Unsubscribe& unsubscribe, const PartStep&) {
  if (parts_ && parts_->gossip) parts_->gossip->Unsubscribe(unsubscribe.topic);
}

Gossip& Peer::StartGossip(const PartStep& step) {
  const bool fresh = !parts_ || !parts_->gossip;
  Gossip& gossip = EnsureParts().gossip.Ensure();
  if (fresh) gossip.Start(links(), step);
  return gossip;
}

// Null, and counted, unless the two are linked.
Gossip* Peer::GossipOverLink(PeerRef from, const PartStep& step) {
  return HeardOverLink(from, step) != nullptr ? &StartGossip(step) : nullptr;
}

void Peer::Handle(PeerRef from, const GossipPush& push, const PartStep& step) {
  Gossip* gossip = GossipOverLink(from, step);
  if (gossip == nullptr) return step.out.Release(push.payload);
  gossip->OnPush(from, push, step);
}

void Peer::Handle(PeerRef from, const GossipHave& have, const PartStep& step) {
  if (Gossip* gossip = GossipOverLink(from, step)) gossip->OnHave(from, have, step);
}

void Peer::Handle(PeerRef from, const GossipGraft& graft, const PartStep& step) {
  if (Gossip* gossip = GossipOverLink(from, step)) gossip->OnGraft(from, graft, step);
}

void Peer::Handle(PeerRef from, const GossipPrune& prune, const PartStep& step) {
  if (Gossip* gossip = GossipOverLink(from, step)) gossip->OnPrune(from, prune, step);
}

void Peer::Handle(PeerRef from, const GossipCount& count, const PartStep& step) {
  if (Gossip* gossip = GossipOverLink(from, step)) gossip->OnCount(from, count, step);
}

}  // namespace tombolo
