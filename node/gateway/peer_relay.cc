#include "node/gateway/peer_relay.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "node/gateway/websocket_frame.h"

namespace tombolo::node {
namespace {

using enum PeerRelayCount;

constexpr std::uint64_t kSecretStream = 0x73656564;
constexpr std::uint64_t kSeenStream = 0x7365656e;

PeerRelayOptions Completed(PeerRelayOptions options) {
  options.transit = options.transit || !options.bootstrap.empty();
  options.candidates = std::min(options.candidates, kPeerRelayNear);
  return options;
}

PeerRelayCount CountOf(PeerRelayFault fault) {
  switch (fault) {
    case PeerRelayFault::kNoJson:
      return kNoJson;
    case PeerRelayFault::kBadId:
      return kBadId;
    case PeerRelayFault::kBadPath:
      return kBadPath;
    case PeerRelayFault::kBadData:
      return kBadData;
    case PeerRelayFault::kNone:
    case PeerRelayFault::kNoFrame:
      return kNoFrame;
  }
  return kNoFrame;
}

}  // namespace

PeerRelayGateway::PeerRelayGateway(Application& application, PeerRelayOptions options,
                                   std::function<std::uint64_t()> wall_us)
    : application_(application),
      options_(Completed(std::move(options))),
      wall_us_(std::move(wall_us)),
      rng_(options_.seed),
      seen_(Rng::Split(options_.seed, kSeenStream).Next()),
      candidates_(options_.candidates),
      remote_(application, *this),
      by_id_(0, IdHash{Rng::Split(options_.seed, kSecretStream).Next()}) {}

PeerRelayGateway::~PeerRelayGateway() {
  if (listener_ != 0) application_.Unlisten(listener_);
}

void PeerRelayGateway::Start(WebSockets& sockets, const std::string& url) {
  sockets_ = &sockets;
  self_ = application_.host().self().id;
  url_ = options_.url.empty() ? url : options_.url;
  listener_ =
      application_.Listen([this](const Event& event, const std::string&) { OnEvent(event); });
  application_.Claim(PeerRelayRemote::kTag, [this](const Event& event, const std::string& payload) {
    const auto& arrived = std::get<MessageArrived>(event);
    remote_.Receive(arrived.origin, payload, sockets_->now());
  });
  CallBootstrap();
}

void PeerRelayGateway::TellLeaving() {
  const std::deque<NodeId>& others = remote_.gateways();
  if (others.empty()) return;
  const std::string found = FoundPeersData(std::vector<NodeId>(others.rbegin(), others.rend()));
  for (const auto& [id, session] : by_id_) {
    if (!session->peer) Say(id, found);
  }
}

// ---- Sessions.

void PeerRelayGateway::Opened(WebSocket& socket, const WebSocketRequest& request) {
  socket.set_user(++last_session_);
  auto& session = sessions_[last_session_] = std::make_unique<Session>();
  session->socket = &socket;
  session->opened = sockets_->now();
  if (request.dialed) {
    session->url = request.target;
    session->peer = true;
    calls_[request.target] = session.get();
  }
  socket.Send(PeerRelayGreeting(self_), MessageKind::kText);
}

void PeerRelayGateway::Received(WebSocket& socket, std::string_view message, MessageKind kind) {
  const auto at = sessions_.find(socket.user());
  if (at == sessions_.end()) return;
  Session& session = *at->second;
  if (kind == MessageKind::kBinary && !IsUtf8(message)) return Refuse(session, kNoJson);
  if (!session.greeted) return Greet(session, message);
  PeerRelayFrame frame;
  const PeerRelayFault fault = ParsePeerRelayFrame(message, frame);
  if (fault != PeerRelayFault::kNone) return Refuse(session, CountOf(fault));
  Route(session, frame);
}

void PeerRelayGateway::Greet(Session& session, std::string_view message) {
  const std::optional<NodeId> id = ParsePeerRelayId(message);
  if (!id || *id == self_) return Refuse(session, kBadGreeting);
  Count(kGreeted);
  session.greeted = true;
  session.id = *id;
  Session*& current = by_id_[*id];
  if (Session* older = std::exchange(current, &session)) {
    Count(kReplaced);
    older->socket->Close(CloseCode::kNormal, "the same id has connected again");
    // Original peers that have dialled each other keep no more than one of the two in mind, and
    // when one ends, they end both: a call that stands alone is better than one that nobody hears.
    if (session.peer || older->peer) session.socket->Close(CloseCode::kNormal, "");
  }
  offered_.erase(*id);
  if (!session.url.empty()) back_offs_.Succeeded(session.url);
  remote_.Forget(*id);
  candidates_.Add(*id);
  Attach(*id);
  // So does the original; its answer tells who else is there.
  if (options_.transit) Say(*id, FindPeersData(self_));
}

// The lease, or a look at it soon if the overlay is not ready.
void PeerRelayGateway::Attach(const NodeId& client) {
  unleased_.erase(client);
  if (!application_.Do(AttachClient{0, client, wall_us_()}).ok())
    unleased_[client] = sockets_->now() + Duration::Seconds(1);
}

void PeerRelayGateway::Refuse(Session& session, PeerRelayCount why) {
  Count(why);
  session.socket->Close(why == kNoJson ? CloseCode::kBadText : CloseCode::kPolicy, "");
}

void PeerRelayGateway::Closed(WebSocket& socket) {
  const auto at = sessions_.find(socket.user());
  if (at == sessions_.end()) return;
  const std::unique_ptr<Session> session = std::move(at->second);
  sessions_.erase(at);
  if (!session->url.empty()) {
    calls_.erase(session->url);
    back_offs_.Failed(session->url, sockets_->now(), rng_);
  }
  const auto current = by_id_.find(session->id);
  if (!session->greeted || current == by_id_.end() || current->second != session.get()) return;
  by_id_.erase(current);
  candidates_.Remove(session->id);
  unleased_.erase(session->id);
  application_.Do(DetachClient{session->id}).IgnoreError();
}

PeerRelayGateway::Session* PeerRelayGateway::Find(const NodeId& client) {
  const auto at = by_id_.find(client);
  return at == by_id_.end() ? nullptr : at->second;
}

// ---- Leases.

void PeerRelayGateway::OnEvent(const Event& event) {
  if (const auto* lost = std::get_if<LeaseLost>(&event)) return OnLeaseLost(lost->client);
  const auto* attached = std::get_if<ClientAttached>(&event);
  if (attached != nullptr && !attached->attached && Find(attached->client) != nullptr)
    unleased_[attached->client] = sockets_->now() + Duration::Seconds(1);
}

// The client is at another node now. If it still answers here, it has two ways, and the other one
// is its home; should that one go, this one follows.
void PeerRelayGateway::OnLeaseLost(const NodeId& client) {
  Session* session = Find(client);
  if (session == nullptr) return;
  Count(kMovedAway);
  session->socket->Probe();
  unleased_[client] = sockets_->now() + kRecheck;
}

void PeerRelayGateway::Recheck() {
  const Time now = sockets_->now();
  std::vector<NodeId> due;
  for (const auto& [client, when] : unleased_) {
    if (when <= now && due.size() < kRechecksPerTick) due.push_back(client);
  }
  for (const NodeId& client : due) RecheckOne(client);
}

// Attaches the client again unless another home has it.
void PeerRelayGateway::RecheckOne(const NodeId& client) {
  unleased_[client] = sockets_->now() + kRecheck;
  const absl::Status asked = application_.Ask(
      ResolveClient{0, client}, {}, [this, client](const Event& event, const std::string&) {
        const auto* found = std::get_if<ClientResolved>(&event);
        if (found == nullptr || Find(client) == nullptr) return;
        const Host& host = application_.host();
        if (!found->found || host.known().ids().id(found->home) == self_) Attach(client);
      });
  asked.IgnoreError();  // the next time, then
}

// ---- Turns and seconds.

void PeerRelayGateway::Ticked() {
  const Time now = sockets_->now();
  remote_.Tick(now);
  for (const auto& [number, session] : sessions_) {
    if (session->greeted || now < session->opened + options_.greeting_deadline) continue;
    session->opened = now + Duration::Hours(1);
    Refuse(*session, kNoGreeting);
  }
  std::erase_if(offered_, [now](const auto& row) { return row.second <= now; });
  Recheck();
  CallBootstrap();
}

void PeerRelayGateway::TurnEnded() { remote_.TurnEnded(sockets_->now()); }

std::map<std::string, std::uint64_t> PeerRelayGateway::Counters() const {
  std::map<std::string, std::uint64_t> all;
  for (std::size_t i = 0; i < kPeerRelayCounts; ++i)
    all[std::string(kPeerRelayCountNames[i])] = counts_[i];
  for (std::size_t i = 0; i < kPeerRelayRemoteCounts; ++i)
    all[std::string(kPeerRelayRemoteCountNames[i])] = remote_.counts()[i];
  for (std::size_t i = 0; sockets_ != nullptr && i < kWebSocketCounts; ++i)
    all["socket_" + std::string(kWebSocketCountNames[i])] = sockets_->counts()[i];
  return all;
}

}  // namespace tombolo::node
