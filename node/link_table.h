// The links of a node: which connection leads to which peer.
//
// Connections come up by dials of this side or the other. Each side says hello first; whoever is
// not who it should be, or speaks another major version, is sent away. A pair keeps one connection
// (connection.h has the rule). A link is kept, once the overlay of either side has asked for it
// (`keep` of a frame), until one side hangs up or the connection ends: the core hears of its coming
// and going. All others are ephemeral: made for a message, closed when unused for a while.
//
// Dials: the addresses of a peer in turn. After a dial that failed the peer is left alone for a
// while (back_off.h); meanwhile messages to it are dropped, and a kept dial waits.
//
// Frames: messages of one turn to one peer share a frame, written by Flush, or as soon as it is
// full. Bounds, and what is dropped at them: link_options.h, each with a counter.
//
// Ends: whoever ends a connection says goodbye, with a reason, and goes on listening until the
// other side closes, or the linger is over; whoever hears a goodbye closes.
//
// Thread rule: the strand of the node. Events of the transport must not be handed in from within a
// call of this class, and LinkEvents must not call back into it: the host queues both.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/back_off.h"
#include "node/codec.h"
#include "node/connection.h"
#include "node/hello.h"
#include "node/known_peers.h"
#include "node/link_options.h"
#include "node/transport.h"
#include "overlay/event.h"
#include "overlay/link.h"
#include "overlay/message.h"
#include "overlay/rng.h"

namespace tombolo::node {

// What the host hears.
class LinkEvents {
 public:
  virtual void LinkIsUp(PeerRef peer, const LinkAttributes& attributes) = 0;
  virtual void LinkIsDown(PeerRef peer, LinkDownReason reason) = 0;
  virtual void PressureIs(PeerRef peer, LinkPressure pressure) = 0;
  // A message over a proven connection; the bytes may be moved out of it.
  virtual void MessageCame(PeerRef from, wire::Message& message) = 0;
  // Likewise a segment of a channel.
  virtual void SegmentCame(PeerRef from, link::v1::Segment& segment) = 0;
  // From now on there is another connection that carries messages, or none.
  virtual void PathChanged(PeerRef peer, bool linked) = 0;
  // The end of DialAddress; kNone: nobody there.
  virtual void AddressDone(const std::string& address, PeerRef peer) = 0;
  // Somebody has dialled this node and proven its id.
  virtual void DialledBy(PeerRef) {}
  // Who has no room for this node, or leaves, names where else to go; at least one.
  virtual void AlternativesCame(std::vector<std::string>) {}
  // The end of AskDialBack, unless the link has ended.
  virtual void DialBackDone(PeerRef, link::v1::DialBackResult::Outcome) {}
  // A connection is gone; `connection.ending` says why.
  virtual void ConnectionEnded(const Connection& connection) = 0;

 protected:
  ~LinkEvents() = default;
};

class LinkTable {
 public:
  using Counters = std::array<std::uint64_t, kLinkCounts>;

  // All references must outlive the table.
  LinkTable(const LinkOptions& options, const SelfDescription& self, KnownPeers& peers,
            const Codec& codec, LinkEvents& events, std::uint64_t seed);

  // To be called once, before anything else.
  void Start(Transport& transport) { transport_ = &transport; }

  // ---- What the node wants.

  // Over the link, else over a new ephemeral one if the message may go that way.
  void Send(PeerRef to, const Message& message, Time now);
  // Over the link, or not at all.
  void SendSegment(PeerRef to, link::v1::Segment segment, Time now);
  // Ends in LinkIsUp or LinkIsDown(kDialFailed).
  void Keep(PeerRef peer, Time now);
  // The link goes down here at once; what was sent before is still on its way.
  void Hangup(PeerRef peer, link::v1::Goodbye::Reason reason, Time now);
  // Dials whoever is there, and leaves an ephemeral link. Ends in AddressDone.
  void DialAddress(const std::string& address, Time now);
  // Refuses newcomers from now on and parts with everybody, links at random times of close_spread,
  // so that those who lose one do not all look for another at once.
  void CloseAll(link::v1::Goodbye::Reason reason, Time now);

  // Asks a linked peer to dial this node at one of its addresses. Ends in DialBackDone.
  void AskDialBack(PeerRef peer, const std::string& address);
  // Parts with every peer whose id is not admitted any more.
  template <class Admits>
  void Expel(Admits&& admits, Time now) {
    for (auto& [id, connection] : connections_) {
      if (!connection.greeted || admits(connection.remote)) continue;
      Part(connection, link::v1::Goodbye::REFUSED, "not admitted any more", now);
    }
  }
  // Over budget, newcomers are told FULL.
  void set_over_budget(bool over) { over_budget_ = over; }
  void SetLimits(std::size_t max_connections, std::size_t max_queue) {
    options_.max_connections = max_connections;
    options_.max_queue = max_queue;
  }

  // Writes what has gathered in this turn.
  void Flush();

  // ---- What the transport says.

  void Opened(ConnectionId id, const RemoteNode& remote, Time now);
  void Received(ConnectionId id, Frame& frame, Time now);
  void Drained(ConnectionId id);
  void Closed(ConnectionId id, CloseCause cause, const std::string& detail, Time now);

  // ---- Time.

  void Tick(Time now);
  Time next_deadline() const { return deadline_; }

  // ---- Observation.

  bool IsLinked(PeerRef peer) const;  // there is a connection that carries messages
  bool IsKept(PeerRef peer) const;
  std::size_t kept_count() const;
  std::size_t connection_count() const { return connections_.size(); }
  // All of them, the oldest first.
  const std::map<ConnectionId, Connection>& connections() const { return connections_; }
  const Connection* Find(PeerRef peer) const;
  // Bytes that wait to be written to it, now.
  std::size_t queued(const Connection& connection) const {
    return transport_->queued(connection.id) + connection.batch_bytes;
  }
  // Likewise of all connections, with what has been received and not been seen yet, and with the
  // messages that wait for dials.
  std::size_t buffered() const {
    return waiting_bytes_ + (transport_ == nullptr ? 0 : transport_->buffered());
  }
  std::uint64_t count(LinkCount which) const { return counters_[static_cast<std::size_t>(which)]; }
  const Counters& counters() const { return counters_; }

  // Calls `hold` with every peer that the table holds.
  template <class Function>
  void ForEachPeer(Function&& hold) const {
    for (const auto& [peer, link] : links_) hold(peer);
    for (const auto& [id, connection] : connections_) {
      if (connection.peer != PeerRef::kNone) hold(connection.peer);
    }
    back_offs_.ForEachKey(hold);
  }

 private:
  // A dial under way, or waiting for its time.
  struct Dial {
    std::vector<std::string> addresses;  // left to try, the next one last
    std::optional<ConnectionId> connection;
    Time not_before;
    std::vector<wire::Message> waiting;
    std::size_t waiting_bytes = 0;
  };

  struct Link {
    std::optional<ConnectionId> ready;
    bool kept = false;    // the core believes in it
    bool wanted = false;  // the core has asked for it and waits
    bool pressed = false;
    std::unique_ptr<Dial> dial;

    bool IsIdle() const { return !ready && !kept && !wanted && !dial; }
  };

  // link_table.cc: connections and their ends.
  void Count(LinkCount which, std::uint64_t number = 1) {
    counters_[static_cast<std::size_t>(which)] += number;
  }
  Connection* Find(ConnectionId id);
  Connection& Add(ConnectionId id, bool outbound, Time now);
  void Enter(Connection& connection, ConnectionState state, Time deadline, Time now);
  const std::vector<std::string>& Alternatives(Time now);
  void HearGoodbye(Connection& connection, const link::v1::Goodbye& goodbye);
  void Part(Connection& connection, link::v1::Goodbye::Reason reason, std::string_view detail,
            Time now);
  void Close(Connection& connection, Time now);
  void Lose(Connection& connection, LinkDownReason reason, Time now);
  bool AnotherGreets(const Connection& connection) const;
  void Forget(PeerRef peer);
  void Expire(Connection& connection, Time now);
  void CloseIdle(Connection& connection, Time now);
  void BoundEphemeral(Time now);
  void NoteDeadline(Time deadline) { deadline_ = std::min(deadline_, deadline); }
  Time IdleDeadline(const Connection& connection) const;

  // link_table_hello.cc: hellos, and which connection a link uses.
  void OnHello(Connection& connection, const Frame& frame, Time now);
  void Greet(Connection& connection, const link::v1::Hello& hello, Time now);
  void BecomeReady(Connection& connection, Time now);
  void Adopt(Connection& connection, Link& link, Time now);
  void EndAddressDial(Connection& connection, PeerRef peer);
  void OnKeep(Connection& connection);
  void RaiseLink(Connection& connection, Link& link);

  // link_table_dials.cc: dials.
  bool MayDial(PeerRef peer, Time now);
  void EnsureDial(PeerRef peer, Link& link, Time now);
  void Proceed(PeerRef peer, Link& link, Time now);
  void DialFailed(Connection& connection, Time now);
  void GiveUp(PeerRef peer, Link& link, Time now);
  std::unique_ptr<Dial> TakeDial(Link& link);
  void ProceedAll(Time now);
  void Wait(Dial& dial, const Message& message);

  // link_table_probe.cc: dials that others ask for.
  struct Probe {
    ConnectionId asker;
    Time deadline;
  };
  void OnDialBack(Connection& connection, const link::v1::DialBack& request, Time now);
  void OnDialBackResult(Connection& connection, const link::v1::DialBackResult& result);
  bool MayDialBack(const Connection& connection, const std::string& address, Time now) const;
  bool EndProbe(ConnectionId probe, bool reached);
  void ExpireProbes(Time now);

  // link_table_frames.cc: what is written.
  void Append(Connection& connection, wire::Message&& message, Time now);
  void Appended(Connection& connection, std::size_t bytes, Time now);
  bool IsOverfull(Connection& connection, std::size_t limit) const;
  Frame& Batch(Connection& connection);
  void Write(Connection& connection);

  LinkOptions options_;
  const SelfDescription& self_;
  KnownPeers& peers_;
  const Codec& codec_;
  LinkEvents& events_;
  Rng rng_;
  Transport* transport_ = nullptr;
  bool closing_ = false;
  bool over_budget_ = false;
  std::map<ConnectionId, Connection> connections_;
  std::map<PeerRef, Link> links_;
  std::map<ConnectionId, Probe> probes_;               // no connections of the table
  std::map<ConnectionId, std::string> address_dials_;  // of DialAddress
  std::vector<ConnectionId> dirty_;
  BackOffs<PeerRef> back_offs_;
  std::vector<std::string> alternatives_;  // as of ...
  std::optional<Time> alternatives_at_;
  std::size_t dial_count_ = 0;     // links with a dial
  std::size_t waiting_bytes_ = 0;  // for them
  std::uint64_t dials_made_ = 0;
  Time deadline_ = kNever;
  Counters counters_{};
};

}  // namespace tombolo::node
