// The gateway for the unmodified clients of peer-relay (npm peer-relay 0.0.2): to them the node is
// one of their peers, with the node's own id.
//
// Sessions. Each side says its id first. From then on the client is routable: it has a lease in the
// overlay (attach of the core) with this node as its home. An id belongs to the connection that
// claimed it last: an older one here is closed; one at another node learns from the lease, asks its
// client for a sign of life and stays as a second way to it if there is one.
//
// Routing. A frame to a client that is connected here goes to it at once, and nowhere else; a frame
// to any other goes to its home over the overlay (peer_relay_remote.h); a frame to the node itself
// is answered: findPeers with candidates (peer_relay_candidates.h), handshake-offer with the url at
// which the node can be reached. `from` must be the sender's own id: what others pass on for a
// third is dropped, unless `transit` says that this node is a peer among originals (below). Nothing
// passes twice (peer_relay_seen.h). WebRTC signals pass to clients that have shown that they can do
// it: others would end with an exception.
//
// Among originals (peer_relay_network.cc), with bootstrap urls: the node connects to peers of an
// existing network, asks them for candidates, connects to those that have a url, up to kOptimal,
// and relays for all of them; frames for ids that the overlay does not know go to the two closest
// of them, as in the original. There `from` is what the peers say.
//
// A node that leaves names other gateways as candidates to its clients: an original asks them for
// their url, and has a new home before it loses the old one.
//
// Bounds: sessions by the listener; the rest by the parts. Thread rule: the strand. Ownership:
// borrows application and sockets. Errors: of clients: counted by reason, the session is closed
// with a code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "node/application.h"
#include "node/back_off.h"
#include "node/gateway/peer_relay_candidates.h"
#include "node/gateway/peer_relay_remote.h"
#include "node/gateway/peer_relay_seen.h"
#include "node/gateway/peer_relay_wire.h"
#include "node/gateway/websocket.h"
#include "overlay/rng.h"

namespace tombolo::node {

struct PeerRelayOptions {
  std::string url;                     // ws://..., where clients reach this node; empty: not told
  std::size_t candidates = 1;          // other clients that each one is introduced to, 0..20
  bool transit = false;                // relay frames that clients pass on for others
  std::vector<std::string> bootstrap;  // urls of original peers; implies transit
  Duration greeting_deadline = Duration::Seconds(10);  // from the upgrade to the client's id
  std::uint64_t seed = 0;
};

enum class PeerRelayCount : std::uint8_t {
  kGreeted,      // sessions
  kReplaced,     // sessions closed: the same id came again
  kMovedAway,    // clients that have a newer home
  kDelivered,    // frames to clients here
  kToNode,       // frames to the node itself
  kBadGreeting,  // sessions closed: no id first
  kNoGreeting,   // sessions closed: none in time
  kNoJson,       // sessions closed
  kNoFrame,      // sessions closed: a JSON value that is no frame
  kBadId,        // sessions closed
  kBadPath,      // sessions closed
  kBadData,      // sessions closed: what would end an original client
  kForeign,      // frames dropped: passed on for a third
  kRepeated,     // frames dropped: seen before
  kTooManyHops,  // frames dropped
  kNoWrtc,       // signals dropped: the client has not shown that it can do WebRTC
  kQueueFull,    // frames dropped: the client does not read
  kNotForNode,   // frames dropped: nothing that a node answers
  kPassed,       // frames to original peers
  kCount,
};

inline constexpr std::size_t kPeerRelayCounts = static_cast<std::size_t>(PeerRelayCount::kCount);
inline constexpr std::array<std::string_view, kPeerRelayCounts> kPeerRelayCountNames = {
    "greeted",      "replaced",    "moved_away",   "delivered", "to_node",
    "bad_greeting", "no_greeting", "no_json",      "no_frame",  "bad_id",
    "bad_path",     "bad_data",    "foreign",      "repeated",  "too_many_hops",
    "no_wrtc",      "queue_full",  "not_for_node", "passed"};

class PeerRelayGateway final : public WebSocketEvents, private PeerRelayRemoteEvents {
 public:
  static constexpr std::size_t kOptimal = 15;  // connections to original peers, as in the original
  static constexpr std::size_t kCopies = 2;    // of a frame to original peers, likewise
  static constexpr Duration kRecheck = Duration::Seconds(10);
  static constexpr std::size_t kRechecksPerTick = 256;

  using Counts = std::array<std::uint64_t, kPeerRelayCounts>;

  // `wall_us`: microseconds of the wall clock, for leases: a client's newer home has the higher
  // number.
  PeerRelayGateway(Application& application, PeerRelayOptions options,
                   std::function<std::uint64_t()> wall_us);
  PeerRelayGateway(const PeerRelayGateway&) = delete;
  PeerRelayGateway& operator=(const PeerRelayGateway&) = delete;
  ~PeerRelayGateway();

  // Begins; `url` replaces an empty one of the options.
  void Start(WebSockets& sockets, const std::string& url);
  // Tells the clients where else to go; their connections are left to the listener.
  void TellLeaving();

  const Counts& counts() const { return counts_; }
  const PeerRelayRemote::Counts& remote_counts() const { return remote_.counts(); }
  std::size_t clients() const { return by_id_.size(); }
  // All counters by name, those of the sockets included.
  std::map<std::string, std::uint64_t> Counters() const;

  void Opened(WebSocket& socket, const WebSocketRequest& request) override;
  void Received(WebSocket& socket, std::string_view message, MessageKind kind) override;
  void Closed(WebSocket& socket) override;
  void DialFailed(const std::string& url) override;
  void Ticked() override;
  void TurnEnded() override;

 private:
  struct Session {
    WebSocket* socket = nullptr;
    NodeId id;
    Time opened;
    std::string url;       // of a call
    bool greeted = false;  // its id is known
    bool wrtc = false;     // it has shown that it can do WebRTC
    bool peer = false;     // an original peer, which relays
  };
  struct IdHash {
    std::uint64_t secret = 0;
    std::size_t operator()(const NodeId& id) const {
      return Mix64(Mix64(id.prefix64() ^ secret) ^
                   (std::uint64_t{id.words[2]} << 32 | id.words[4]));
    }
  };

  // peer_relay.cc: sessions.
  void Greet(Session& session, std::string_view message);
  void Attach(const NodeId& client);
  void Refuse(Session& session, PeerRelayCount why);
  void OnEvent(const Event& event);
  void OnLeaseLost(const NodeId& client);
  void Recheck();
  void RecheckOne(const NodeId& client);
  Session* Find(const NodeId& client);

  // peer_relay_routing.cc: frames.
  void Route(Session& session, PeerRelayFrame& frame);
  bool MayPass(Session& session, const PeerRelayFrame& frame);
  void Deliver(Session& session, const PeerRelayFrame& frame);
  void NoteWrtc(const PeerRelayFrame& frame);
  void AnswerHere(Session* session, const PeerRelayFrame& frame);
  void Say(const NodeId& to, const std::string& data);
  bool DeliverHere(PeerRelayFrame& frame) override;
  bool DeliverElsewhere(PeerRelayFrame& frame) override;
  void EndTurnSoon() override { sockets_->EndTurnSoon(); }

  // peer_relay_network.cc: among originals.
  void Call(const std::string& url);
  void CallBootstrap();
  void OnFound(const PeerRelayFrame& frame);
  void OnAnswer(const PeerRelayFrame& frame);
  bool PassOn(PeerRelayFrame& frame);
  std::size_t peers() const;

  void Count(PeerRelayCount which) { ++counts_[static_cast<std::size_t>(which)]; }

  Application& application_;
  const PeerRelayOptions options_;
  const std::function<std::uint64_t()> wall_us_;
  NodeId self_;
  std::string url_;
  WebSockets* sockets_ = nullptr;
  Rng rng_;
  Counts counts_{};
  PeerRelaySeen seen_;
  PeerRelayCandidates candidates_;
  PeerRelayRemote remote_;
  std::uint64_t listener_ = 0;
  std::uint64_t last_session_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::unordered_map<NodeId, Session*, IdHash> by_id_;
  std::map<NodeId, Time> unleased_;        // clients here whose lease is to be looked at, and when
  std::map<NodeId, Time> offered_;         // originals that were asked for their url, until when
  std::map<std::string, Session*> calls_;  // by url; null: under way
  BackOffs<std::string> back_offs_;
  std::string scratch_;
};

}  // namespace tombolo::node
