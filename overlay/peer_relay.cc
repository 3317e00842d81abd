// Relaying: messages of others and of our own, over the links.
#include "overlay/peer.h"

namespace tombolo {

void Peer::Start(const Send& send, const PartStep& step) {
  if (step.config.links.max_links == 0) return Refuse(send, FailReason::kNoLinks, step);
  RelayParts& relaying = StartRelaying(step);
  relaying.relay.Send(send, relaying.links.rows(), step);
}

// Null, and counted, unless the two are linked: what relays say to each other counts only over a
// link.
RelayParts* Peer::HeardOverLink(PeerRef from, const PartStep& step) {
  RelayParts* relaying = Relaying();
  if (relaying == nullptr || relaying->links.Find(from, step) == nullptr) {
    step.out.Drop(DropReason::kNotLinked);
    return nullptr;
  }
  relaying->links.Heard(from, step);
  return relaying;
}

void Peer::Handle(PeerRef from, const Forward& forward, const PartStep& step) {
  RelayParts* relaying = HeardOverLink(from, step);
  if (relaying == nullptr) return step.out.Release(forward.payload);
  relaying->relay.OnForward(from, forward, relaying->links.rows(), step);
  DrainRelayNews(step);
}

void Peer::Handle(PeerRef from, const HopAck& ack, const PartStep& step) {
  RelayParts* relaying = HeardOverLink(from, step);
  if (relaying == nullptr) return;
  relaying->relay.OnHopAck(from, ack, relaying->links.rows(), step);
  DrainRelayNews(step);
}

void Peer::Handle(PeerRef from, const HopProbe& probe, const PartStep& step) {
  RelayParts* relaying = HeardOverLink(from, step);
  if (relaying == nullptr) return;
  relaying->relay.OnHopProbe(from, probe, relaying->links.rows(), step);
  DrainRelayNews(step);
}

// Hands to the negotiation of links what the relay has heard for it.
void Peer::DrainRelayNews(const PartStep& step) {
  RelayParts& relaying = *Relaying();
  while (const std::optional<RelayNews> news = relaying.relay.TakeNews()) {
    if (news->kind == RelayNews::Kind::kRequest) {
      const LinkRequests::Reply reply = relaying.requests.OnRequest(*news, step);
      relaying.relay.Answer(*news, reply.kind, relaying.links.rows(), step);
      // A stranger's wish waits for the back-off like any other dial.
      if (reply.dial != PeerRef::kNone) relaying.links.Dial(reply.dial, false, step);
    } else {
      const PeerRef dial = relaying.requests.OnAnswer(*news, step);
      if (dial == PeerRef::kNone || relaying.links.Find(dial, step) != nullptr) continue;
      if (!relaying.links.Dial(dial, true, step)) relaying.requests.OnDialFailed(dial, step);
    }
  }
}

void Peer::TickRelaying(const PartStep& step) {
  RelayParts& relaying = *Relaying();
  relaying.relay.Tick(relaying.links.rows(), step);
  relaying.requests.Tick(step);
  DrainRelayNews(step);
  MaintainLinks(step);
}

}  // namespace tombolo
