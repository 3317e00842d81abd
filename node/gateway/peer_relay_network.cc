// A node among the peers of an original peer-relay network: it finds them, connects to them and
// relays for them.
#include <algorithm>
#include <string>
#include <vector>

#include "node/gateway/peer_relay.h"

namespace tombolo::node {
namespace {

using enum PeerRelayCount;

constexpr Duration kOfferedFor = Duration::Seconds(10);

}  // namespace

std::size_t PeerRelayGateway::peers() const { return calls_.size() + offered_.size(); }

void PeerRelayGateway::Call(const std::string& url) {
  if (!calls_.try_emplace(url, nullptr).second) return;
  sockets_->Dial(url);
}

// Whoever of them is not connected is called again, after a while.
void PeerRelayGateway::CallBootstrap() {
  for (const std::string& url : options_.bootstrap) {
    if (back_offs_.until(url) <= sockets_->now()) Call(url);
  }
}

void PeerRelayGateway::DialFailed(const std::string& url) {
  calls_.erase(url);
  back_offs_.Failed(url, sockets_->now(), rng_);
}

// Asks candidates for their urls, as long as there is room for more peers.
void PeerRelayGateway::OnFound(const PeerRelayFrame& frame) {
  if (!options_.transit || options_.bootstrap.empty()) return;
  std::vector<NodeId> ids = PeerRelayIds(frame.body);
  std::ranges::sort(ids, [&](const NodeId& a, const NodeId& b) { return IsCloser(a, b, self_); });
  for (const NodeId& id : ids) {
    if (peers() >= kOptimal) return;
    if (id == self_ || Find(id) != nullptr) continue;
    if (offered_.try_emplace(id, sockets_->now() + kOfferedFor).second) Say(id, OfferData());
  }
}

// Only of those that were asked: others could send the node anywhere.
void PeerRelayGateway::OnAnswer(const PeerRelayFrame& frame) {
  if (offered_.erase(frame.from) == 0 || Find(frame.from) != nullptr) return;
  const PeerRelayAnswer answer = ReadPeerRelayAnswer(frame.body);
  if (!answer.url.empty() && calls_.size() < kOptimal) Call(std::string(answer.url));
}

// To the two peers that are closest to the target and have not had it.
bool PeerRelayGateway::PassOn(PeerRelayFrame& frame) {
  if (frame.hops >= kPeerRelayHops) return false;
  std::vector<Session*> closest;
  for (const auto& [id, session] : by_id_) {
    const auto passed = frame.passed();
    const bool had = std::ranges::count(passed, id) > 0 || id == frame.from;
    if (session->peer && !had) closest.push_back(session);
  }
  const std::size_t copies = std::min(kCopies, closest.size());
  std::ranges::partial_sort(
      closest, closest.begin() + static_cast<std::ptrdiff_t>(copies),
      [&](const Session* a, const Session* b) { return IsCloser(a->id, b->id, frame.to); });
  for (std::size_t i = 0; i < copies; ++i) {
    scratch_.clear();
    AppendPeerRelayFrame(frame, self_, scratch_);
    if (closest[i]->socket->Send(scratch_, MessageKind::kText)) Count(kPassed);
  }
  return copies > 0;
}

}  // namespace tombolo::node
