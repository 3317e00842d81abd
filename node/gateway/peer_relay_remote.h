// peer-relay clients of other nodes: finds their homes and carries frames there and back.
//
// Procedure. A frame for a client that is not attached here waits while the overlay resolves its
// home, which is then remembered for kKnownFor. Frames to one home collect while kBatchesPerHome
// batches are under way to it, and until the turn ends; a batch is one Send of the core with a
// receipt. A batch that fails is routed once more from the beginning: its homes may have moved or
// died. A home that has lost a client forwards what still comes to its new home, and tells the node
// that sent it.
//
// What travels: kTag, then items, each with its length in four bytes:
//   kind (0 message, 1 gone)   forwards so far   to (20 bytes)
//   of a message: from (20), number of ids of the path (1), the path, length of the nonce (1), the
//   nonce, and the data to the end
// Numbers are big-endian. Items of other nodes are checked like frames of clients.
//
// Bounds: kMaxKnown homes (the oldest goes), kMaxResolving being looked for, kMaxWaiting frames for
// each, kMaxQueued bytes to one home and kMaxUnderWay in batches: what goes beyond is dropped and
// counted. Of the nodes that have sent frames, which are gateways, too, the latest kMaxGateways are
// kept in mind: frames to them need no lookup. An unknown client is not looked for again within
// kUnknownFor; frames for it vanish, as in the original, and are counted. Thread rule: the strand.
// Ownership: all is borrowed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/application.h"
#include "node/gateway/peer_relay_wire.h"
#include "overlay/node_id.h"
#include "overlay/time.h"

namespace tombolo::node {

enum class PeerRelayRemoteCount : std::uint8_t {
  kSent,       // frames to other nodes
  kReceived,   // frames from other nodes
  kForwarded,  // frames for clients that have moved on
  kRetried,    // frames of batches that failed
  kResolved,   // homes found
  kUnknown,    // frames dropped: nobody knows the client
  kLost,       // frames dropped: not delivered a second time either
  kOverload,   // frames dropped: too much waits
  kBadItem,    // items of other nodes that are none
  kHops,       // frames dropped: forwarded too often
  kGone,       // notices that a client has moved on
  kCount,
};

inline constexpr std::size_t kPeerRelayRemoteCounts =
    static_cast<std::size_t>(PeerRelayRemoteCount::kCount);
inline constexpr std::array<std::string_view, kPeerRelayRemoteCounts> kPeerRelayRemoteCountNames = {
    "remote_sent",     "remote_received", "remote_forwarded", "remote_retried",
    "remote_resolved", "remote_unknown",  "remote_lost",      "remote_overload",
    "remote_bad_item", "remote_hops",     "remote_gone"};

class PeerRelayRemoteEvents {
 public:
  // A frame has come for a client. False: it is not attached here.
  virtual bool DeliverHere(PeerRelayFrame& frame) = 0;
  // Nobody in the overlay knows the target. What to do with it, if anything, and whether it did.
  virtual bool DeliverElsewhere(PeerRelayFrame& frame) = 0;
  // TurnEnded is wanted.
  virtual void EndTurnSoon() = 0;

 protected:
  ~PeerRelayRemoteEvents() = default;
};

class PeerRelayRemote {
 public:
  static constexpr std::string_view kTag{"\0tmb\1pr\n", 8};
  static constexpr Duration kKnownFor = Duration::Seconds(20);
  static constexpr Duration kUnknownFor = Duration::Seconds(1);
  static constexpr Duration kSendDeadline = Duration::Seconds(5);
  static constexpr std::size_t kMaxKnown = 65'536;
  static constexpr std::size_t kMaxResolving = 512;
  static constexpr std::size_t kMaxWaiting = 64;
  static constexpr std::size_t kMaxQueued = 1024 * 1024;
  static constexpr std::size_t kMaxUnderWay = 16 * 1024 * 1024;
  static constexpr std::size_t kBatchBytes = 32 * 1024;
  static constexpr std::size_t kBatchesPerHome = 8;
  static constexpr std::size_t kMaxForwards = 3;
  static constexpr std::size_t kMaxGateways = 3;

  using Counts = std::array<std::uint64_t, kPeerRelayRemoteCounts>;

  PeerRelayRemote(Application& application, PeerRelayRemoteEvents& events)
      : application_(application), events_(events) {}
  PeerRelayRemote(const PeerRelayRemote&) = delete;
  PeerRelayRemote& operator=(const PeerRelayRemote&) = delete;

  // Towards the home of frame.to; soon, or when the turn ends.
  void Forward(const PeerRelayFrame& frame, Time now);
  // A message of another node that begins with the tag.
  void Receive(const NodeId& origin, std::string_view payload, Time now);
  // The client is attached to this very node now, or is so no longer.
  void Forget(const NodeId& client);
  void TurnEnded(Time now);
  void Tick(Time now) { now_ = now; }

  const Counts& counts() const { return counts_; }
  std::size_t known() const { return known_.size(); }
  // Other nodes with a gateway, the latest last.
  const std::deque<NodeId>& gateways() const { return gateways_; }

 private:
  enum class State : std::uint8_t { kResolving, kKnown, kUnknown };
  struct Client {
    State state = State::kResolving;
    NodeId home;
    Time until;
    std::vector<std::string> waiting;  // items
  };
  struct Home {
    std::string queue;  // items with their lengths
    std::size_t under_way = 0;
    bool sending = false;  // further up the stack
  };
  using Batch = std::shared_ptr<const std::string>;

  void Route(const NodeId& to, std::string item, Time now, bool retried);
  void Resolve(const NodeId& client, std::string item, Time now);
  void OnResolved(const NodeId& client, const ClientResolved* found);
  void Enqueue(const NodeId& home, std::string_view item);
  void SendBatches(const NodeId& home);
  void SendBatch(const NodeId& id, Home& home, const Batch& batch);
  void OnBatchDone(const NodeId& id, const Batch& batch, bool delivered);
  void ReceiveItem(const NodeId& origin, std::string_view item, Time now);
  void ReceiveMessage(const NodeId& origin, std::string_view item, Time now);
  void NobodyKnows(std::string_view item);
  void NoteGateway(const NodeId& node);
  void MakeRoom(Time now);
  void Count(PeerRelayRemoteCount which, std::uint64_t by = 1) {
    counts_[static_cast<std::size_t>(which)] += by;
  }

  Application& application_;
  PeerRelayRemoteEvents& events_;
  Counts counts_{};
  std::map<NodeId, Client> known_;
  std::deque<std::pair<Time, NodeId>> ages_;  // of known_, some gone or younger
  std::map<NodeId, Home> homes_;              // with something queued or under way
  std::deque<NodeId> gateways_;
  std::vector<NodeId> dirty_;  // homes to look at when the turn ends
  std::size_t resolving_ = 0;
  std::size_t under_way_ = 0;  // bytes
  Time now_;
};

}  // namespace tombolo::node
