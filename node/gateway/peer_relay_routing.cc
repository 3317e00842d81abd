// What becomes of the frames of sessions and of other nodes.
#include <algorithm>
#include <string>

#include "node/gateway/peer_relay.h"

namespace tombolo::node {
namespace {

using enum PeerRelayCount;

// Uses of PeerRelaySeen: a frame has come from a client, or goes to one.
constexpr std::uint64_t kCame = 1;
constexpr std::uint64_t kGoes = 2;

constexpr std::uint64_t kNonceBound = 1'000'000'000'000'000;  // as in the original

}  // namespace

void PeerRelayGateway::Route(Session& session, PeerRelayFrame& frame) {
  if (!MayPass(session, frame)) return;
  if (frame.to == self_) {
    const bool fresh = seen_.Note(seen_.KeyOf(frame.from, frame.nonce, kGoes), sockets_->now());
    return fresh ? AnswerHere(&session, frame) : Count(kRepeated);
  }
  NoteWrtc(frame);
  if (DeliverHere(frame)) return;
  if (!seen_.Note(seen_.KeyOf(frame.from, frame.nonce, kCame), sockets_->now()))
    return Count(kRepeated);
  remote_.Forward(frame, sockets_->now());
}

// A client may speak for itself; a peer among originals for others, too.
bool PeerRelayGateway::MayPass(Session& session, const PeerRelayFrame& frame) {
  if (frame.from != session.id) {
    if (!options_.transit || frame.from == self_) {
      Count(kForeign);
      return false;
    }
    session.peer = true;
  }
  if (frame.hops >= kPeerRelayHops) {
    Count(kTooManyHops);
    return false;
  }
  return true;
}

bool PeerRelayGateway::DeliverHere(PeerRelayFrame& frame) {
  if (frame.to == self_) {
    AnswerHere(nullptr, frame);
    return true;
  }
  Session* target = Find(frame.to);
  if (target == nullptr) return false;
  if (!seen_.Note(seen_.KeyOf(frame.from, frame.nonce, kGoes), sockets_->now())) {
    Count(kRepeated);
  } else {
    Deliver(*target, frame);
  }
  return true;
}

void PeerRelayGateway::Deliver(Session& session, const PeerRelayFrame& frame) {
  if (frame.type == PeerRelayType::kSignal && !session.wrtc) return Count(kNoWrtc);
  scratch_.clear();
  AppendPeerRelayFrame(frame, self_, scratch_);
  Count(session.socket->Send(scratch_, MessageKind::kText) ? kDelivered : kQueueFull);
}

// Who signals, or says in an answer that it could, can do WebRTC.
void PeerRelayGateway::NoteWrtc(const PeerRelayFrame& frame) {
  const bool shows = frame.type == PeerRelayType::kSignal ||
                     (frame.type == PeerRelayType::kAnswer && ReadPeerRelayAnswer(frame.body).wrtc);
  if (!shows) return;
  if (Session* origin = Find(frame.from)) origin->wrtc = true;
}

void PeerRelayGateway::AnswerHere(Session* session, const PeerRelayFrame& frame) {
  Count(kToNode);
  switch (frame.type) {
    case PeerRelayType::kFindPeers: {
      const std::optional<NodeId> target =
          ParsePeerRelayId(frame.body);  // asks about itself, in practice
      std::vector<NodeId> near = candidates_.For(target.value_or(frame.from));
      if (near.size() < kPeerRelayNear) near.insert(near.begin(), frame.from);
      return Say(frame.from, FoundPeersData(near));
    }
    case PeerRelayType::kOffer:
      // As the original: nothing to negotiate with a peer that is connected.
      if (session != nullptr && session->id == frame.from) return;
      return Say(frame.from, AnswerData(url_));
    case PeerRelayType::kFoundPeers:
      return OnFound(frame);
    case PeerRelayType::kAnswer:
      return OnAnswer(frame);
    default:
      return Count(kNotForNode);
  }
}

// A message of the node itself, to a client wherever it is.
void PeerRelayGateway::Say(const NodeId& to, const std::string& data) {
  const std::string nonce = std::to_string(rng_.Below64(kNonceBound));
  PeerRelayFrame frame;
  frame.to = to;
  frame.from = self_;
  frame.nonce = nonce;
  frame.data = data;
  CheckPeerRelayData(frame);
  if (!DeliverHere(frame)) remote_.Forward(frame, sockets_->now());
}

// Not in the overlay: perhaps in the network of originals that this node belongs to.
bool PeerRelayGateway::DeliverElsewhere(PeerRelayFrame& frame) {
  return options_.transit && PassOn(frame);
}

}  // namespace tombolo::node
