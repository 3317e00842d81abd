// The host of the core in a real process: drives one Peer, and does for it what outbox.h asks for.
//
//   Host host(options, listener);
//   host.Start(clock, transport);       // transport's events go to the host
//   host.Execute(Send{...}, "bytes");   // answered by listener.OnEvent
//   host.Stop();                        // listener.OnStopped, then stop the transport
//
// Order: whatever comes, from the transport, the clock or the application, waits in a queue until
// what came before it has been worked off. So a transport may report from within a call, and a
// listener may call Execute from within an event: nothing here is ever entered twice. What the core
// says during one turn of the strand leaves in one frame per peer when the turn ends (clock.h).
//
// Every input of the core passes through one function, Feed: an InputRecorder sees them all.
//
// Joining: through the bootstrap addresses (bootstrap.h) and, when none of them answers, through
// remembered peers; without either the node founds an overlay of its own. A node that finds itself
// alone later does the same again.
//
// Channels (channel_table.h) run beside the core: on links, or relayed by it. The last byte of a
// relayed payload says whose it is, the application's or a channel's.
//
// Bounds: those of the parts (known_peers.h, link_options.h, the core's Config); the queue holds
// what one frame or one turn of the transport has brought.
//
// Thread rule: the strand of the node. Ownership: clock, transport and listener are borrowed; after
// OnStopped and Transport::Stop all of them go in one turn, in any order. Errors: what cannot be
// carried out is refused with a status; the rest is for events and counters to tell.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "node/bootstrap.h"
#include "node/channel_table.h"
#include "node/clock.h"
#include "node/codec.h"
#include "node/core_input.h"
#include "node/durable_records.h"
#include "node/host_options.h"
#include "node/known_peers.h"
#include "node/link_table.h"
#include "node/reachability.h"
#include "node/transport.h"
#include "node/trust_list.h"
#include "overlay/outbox.h"
#include "overlay/payload_store.h"
#include "overlay/peer.h"

namespace tombolo::node {

class HostListener {
 public:
  // Lists and refs in the event can be looked up during the call. `payload` are its bytes.
  virtual void OnEvent(const Event& event, std::string payload) = 0;
  // After Stop: every connection has ended. The host may be destroyed in a later turn.
  virtual void OnStopped() = 0;
  // For the log. `connection.ending` may quote the other side: any bytes, 200 at most.
  virtual void OnConnectionEnded(const Connection&) {}

 protected:
  ~HostListener() = default;
};

class Host final : public TransportEvents,
                   public ClockEvents,
                   private LinkEvents,
                   private ChannelCarrier {
 public:
  // Requires options.core.Validate() to pass, and payload limits of at most
  // Codec::kMaxPayloadBytes.
  Host(const HostOptions& options, HostListener& listener);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Begins to join. To be called once.
  void Start(Clock& clock, Transport& transport);

  // Gives the core a command; `payload` are the bytes of a Put, Send or Broadcast. Joining and
  // leaving are the host's own business, and refused.
  absl::Status Execute(Command command, std::string payload = {});

  // Leaves the overlay, parts with everybody and ends in OnStopped within the linger of links.
  void Stop();

  // What this node says of itself from now on; links that are up are not told. `dialable` as in
  // HostOptions.
  void SetReachability(const std::vector<std::string>& addresses, std::optional<bool> dialable);
  // The first of the addresses in numbers, if it is a name: nobody looks up a name that others say.
  void SetDialBack(const std::string& address) { dial_back_ = address; }
  void SetBootstrap(const std::vector<std::string>& addresses);
  // Parts with those that `trust` does not admit.
  void Expel(const TrustList& trust);
  // Whoever is in stays in: a lower limit holds for what comes.
  void SetLimits(const HostLimits& limits);

  // From now on what this node answers for is durable first (durable_records.h). Before Start.
  void set_durable(DurableRecords* records) { durable_ = records; }
  // Everything up to `number` is on disk, or was not `kept`.
  void Durable(std::uint64_t number, bool kept);
  // Of all records that this node holds or publishes.
  std::vector<NodeId> HeldKeys() const;

  // To be used between Start and Stop.
  ChannelTable& channels() { return channels_; }

  void set_recorder(InputRecorder* recorder) { recorder_ = recorder; }

  // ---- Observation.

  const Peer& core() const { return core_; }
  const KnownPeers& known() const { return known_; }
  const LinkTable& links() const { return links_; }
  const ChannelTable& channels() const { return channels_; }
  const Codec& codec() const { return codec_; }
  const HostCounters& counters() const { return counters_; }
  const Config& config() const { return options_.core; }
  const SelfDescription& self() const { return self_; }
  Reach reach() const { return reachability_.reach(); }
  std::span<const PeerRef> list(ListHandle handle) const { return lists_.Get(handle); }
  std::string_view bytes(const Payload& payload) const { return payloads_.bytes(payload); }
  std::size_t lists_in_use() const { return lists_.in_use(); }
  std::size_t payloads_in_use() const { return payloads_.in_use(); }
  // Of payloads, queues and channels: what the memory budget is about.
  std::size_t memory_bytes() const {
    return payloads_.bytes_in_use() + links_.buffered() + channels_.memory();
  }
  // The latest of those that can be dialled: whom to write down for the next start, and where to
  // send clients when this node leaves.
  std::vector<RememberedPeer> Remember(std::size_t most) const;

  // ---- Events, from the transport and the clock.

  void Opened(ConnectionId connection, const RemoteNode& remote) override;
  void Received(ConnectionId connection, std::unique_ptr<Frame> frame) override;
  void Drained(ConnectionId connection) override;
  void Closed(ConnectionId connection, CloseCause cause, const std::string& detail) override;
  void TimeCame() override;
  void TurnEnded() override;

 private:
  struct OpenedEvent {
    ConnectionId connection;
    RemoteNode remote;
  };
  struct ReceivedEvent {
    ConnectionId connection;
    std::unique_ptr<Frame> frame;
  };
  struct DrainedEvent {
    ConnectionId connection;
  };
  struct ClosedEvent {
    ConnectionId connection;
    CloseCause cause;
    std::string detail;
  };
  struct DurableEvent {
    std::uint64_t number;
    bool kept;
  };
  struct AlternativesEvent {
    std::vector<std::string> addresses;
  };
  struct TimeEvent {};
  struct StopEvent {};
  using HostEvent = std::variant<OpenedEvent, ReceivedEvent, DrainedEvent, ClosedEvent,
                                 DurableEvent, AlternativesEvent, TimeEvent, StopEvent>;
  // What is said once everything up to a number is durable.
  struct Waiting {
    std::uint64_t number;
    std::variant<OutgoingMessage, PutDone> what;
  };

  // Of a Put of this node, the copy that it keeps itself, until the Put has ended.
  struct OwnCopy {
    std::uint32_t request;
    std::uint64_t number;
    bool lost = false;  // it could not be kept
  };

  // host.cc: the queue, and what comes out of it.
  void Enqueue(HostEvent event);
  void Run();
  bool RunNext();
  void ArmTimer();
  void On(OpenedEvent& event);
  void On(ReceivedEvent& event);
  void On(DrainedEvent& event);
  void On(ClosedEvent& event);
  void On(TimeEvent& event);
  void On(StopEvent& event);
  void SweepIfNeeded();

  // LinkEvents, in host.cc.
  void LinkIsUp(PeerRef peer, const LinkAttributes& attributes) override;
  void LinkIsDown(PeerRef peer, LinkDownReason reason) override;
  void PressureIs(PeerRef peer, LinkPressure pressure) override;
  void MessageCame(PeerRef from, wire::Message& message) override;
  void SegmentCame(PeerRef from, Segment& segment) override;
  void PathChanged(PeerRef peer, bool linked) override;
  void AddressDone(const std::string& address, PeerRef peer) override;
  void DialledBy(PeerRef peer) override;
  void AlternativesCame(std::vector<std::string> addresses) override {
    events_.push_back(AlternativesEvent{std::move(addresses)});
  }
  void DialBackDone(PeerRef peer, link::v1::DialBackResult::Outcome outcome) override;
  void ConnectionEnded(const Connection& connection) override;

  // host_channels.cc: channels, and which payloads are theirs.
  bool IsLinked(const NodeId& remote) const override;
  void CarryOverLink(const NodeId& remote, Segment segment) override;
  void CarryRelayed(const NodeId& remote, const Segment& segment) override;
  void WantFlush() override;
  void FlushChannels();
  void Arrived(const MessageArrived& event);

  // host_core.cc: the core, and the duties of its host.
  void Feed(const CoreInput& input);
  void CarryOut();
  void Tell(const Event& event);
  Step MakeStep() { return {now_, options_.core, known_.ids(), lists_, outbox_}; }

  // host_records.cc: records that survive the process.
  void RestoreRecords();
  bool HasRoomFor(const Put& put) const;
  void KeepOffered(const CoreInput& input);
  bool MustWait(const Message& message) const;
  bool MustWait(const Event& event) const;
  void On(DurableEvent& event);
  PutDone Settle(PutDone done);

  // host_join.cc: getting into an overlay and staying in it.
  bool IsAlone() const;
  void On(AlternativesEvent& event);
  void TickReachability();
  void TellReachability(bool changed);
  void TickBootstrap();
  void JoinThrough(std::span<const PeerRef> peers);
  void JoinThroughRemembered();

  HostOptions options_;
  HostListener& listener_;
  SelfDescription self_;
  KnownPeers known_;
  ContactLists lists_;
  PayloadStore payloads_;
  Codec codec_;
  LinkTable links_;
  ChannelTable channels_;
  Bootstrap bootstrap_;
  Reachability reachability_;
  std::string dial_back_;  // where others are asked to dial, if not at the first address
  std::vector<PeerRef> remembered_;
  Peer core_;
  Outbox outbox_;  // empty between inputs
  Clock* clock_ = nullptr;
  InputRecorder* recorder_ = nullptr;
  DurableRecords* durable_ = nullptr;
  std::uint64_t kept_last_ = 0;   // the last number that durable_ has given
  std::uint64_t durable_to_ = 0;  // of those, what is done with
  std::deque<Waiting> waiting_;   // in order of their numbers
  std::vector<OwnCopy> own_copies_;
  std::deque<HostEvent> events_;
  std::deque<CoreInput> inputs_;
  Time now_;
  bool running_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
  HostCounters counters_;
};

}  // namespace tombolo::node
