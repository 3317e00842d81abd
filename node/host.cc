#include "node/host.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "node/ref_marks.h"

namespace tombolo::node {
namespace {

constexpr std::uint64_t kLifeStream = 0x6c696665;
constexpr std::uint64_t kCoreStream = 0x636f7265;

SelfDescription Describe(const HostOptions& options) {
  SelfDescription self = options.self;
  self.life = Rng::Split(options.seed, kLifeStream).Next();
  return self;
}

// Channels hold what they may for as long as they last, so half of the budget is for the others.
std::size_t ChannelMemory(const HostOptions& options) {
  return std::min(options.channels.max_memory, options.memory_bytes / 2);
}

}  // namespace

Host::Host(const HostOptions& options, HostListener& listener)
    : options_(options),
      listener_(listener),
      self_(Describe(options)),
      known_(options.self.id, options.max_peers),
      codec_(known_, lists_, payloads_),
      links_(options.links, self_, known_, codec_, *this, options.seed),
      channels_(options.channels, options.self.id, *this, options.seed),
      bootstrap_(options.bootstrap, options.seed),
      core_(KnownPeers::self(), options.self.id, Rng::Split(options.seed, kCoreStream).Next()) {
  assert(!options.core.Validate());
  assert(options.core.store.max_value_bytes <= Codec::kMaxPayloadBytes);
  assert(options.core.gossip.max_payload_bytes <= Codec::kMaxPayloadBytes);
  channels_.SetMaxMemory(ChannelMemory(options_));
  if (!self_.dialable) options_.dialable = false;
  reachability_.Begin(!self_.addresses.empty(), options_.dialable, now_);
  known_.SetSelf(self_.addresses, self_.dialable);
}

void Host::Start(Clock& clock, Transport& transport) {
  clock_ = &clock;
  clock.Start(*this);
  now_ = clock.now();
  links_.Start(transport);
  for (const RememberedPeer& peer : options_.remembered) {
    if (remembered_.size() == kMaxListed) break;
    std::vector<std::string_view> addresses(peer.addresses.begin(), peer.addresses.end());
    std::erase_if(addresses, [](std::string_view address) { return !IsAddress(address); });
    if (const auto known = known_.Name(peer.id, addresses, KnownPeers::self(), now_))
      remembered_.push_back(*known);
  }
  RestoreRecords();
  if (bootstrap_.empty()) JoinThroughRemembered();
  Enqueue(TimeEvent{});
}

absl::Status Host::Execute(Command command, std::string payload) {
  if (std::holds_alternative<Join>(command) || std::holds_alternative<Depart>(command)) {
    return absl::InvalidArgumentError("the host itself joins and leaves");
  }
  if (std::holds_alternative<Send>(command)) payload.push_back(kApplicationPayload);
  if (payload.size() > Codec::kMaxPayloadBytes) {
    return absl::InvalidArgumentError("payload is too large");
  }
  if (stopping_) return absl::FailedPreconditionError("the node is stopping");
  if (!payload.empty() && memory_bytes() + payload.size() > options_.memory_bytes) {
    ++counters_.sends_refused_memory;
    return absl::ResourceExhaustedError("the node is over its memory budget (limits.memory_mib)");
  }
  if (const auto* put = std::get_if<Put>(&command); put != nullptr && !HasRoomFor(*put)) {
    ++counters_.puts_refused;
    return absl::ResourceExhaustedError(
        "the node has put as many records as it keeps alive (limits.records)");
  }
  std::visit(
      [&](auto& body) {
        if constexpr (requires { body.payload; }) {
          const auto size = static_cast<std::uint32_t>(payload.size());
          body.payload = payloads_.Add(size, std::move(payload));
        }
        if constexpr (requires { body.deadline; }) {
          body.deadline = std::min(body.deadline, Duration::Hours(24));
        }
      },
      command);
  inputs_.push_back(CommandInput{command});
  Run();
  return absl::OkStatus();
}

void Host::Stop() {
  if (stopping_) return;
  stopping_ = true;
  Enqueue(StopEvent{});
}

void Host::SetReachability(const std::vector<std::string>& addresses,
                           std::optional<bool> dialable) {
  const bool same = addresses == self_.addresses && dialable == options_.dialable;
  self_.addresses = addresses;
  options_.dialable = dialable;
  if (!same) {
    dial_back_.clear();
    reachability_.Begin(!addresses.empty(), dialable, now_);
  }
  TellReachability(true);
}

void Host::SetBootstrap(const std::vector<std::string>& addresses) {
  bootstrap_.Replace(addresses, now_);
  Enqueue(TimeEvent{});
}

void Host::Expel(const TrustList& trust) {
  links_.Expel([&trust](const NodeId& id) { return trust.Admits(id); }, now_);
  Run();
}

void Host::SetLimits(const HostLimits& limits) {
  options_.core.links.max_links = limits.links;
  options_.core.links.reserved = limits.links / 4;
  options_.core.store.max_records = limits.records;
  options_.memory_bytes = limits.memory_bytes;
  assert(!options_.core.Validate());
  links_.SetLimits(limits.connections, limits.queue_bytes);
  channels_.SetMaxMemory(ChannelMemory(options_));
}

std::vector<RememberedPeer> Host::Remember(std::size_t most) const {
  std::vector<RememberedPeer> latest;
  for (const PeerRef peer : known_.Latest(most)) {
    RememberedPeer& row = latest.emplace_back();
    row.id = known_.ids().id(peer);
    for (const KnownPeers::Address& address : known_.addresses(peer)) {
      row.addresses.push_back(address.text);
    }
  }
  return latest;
}

// ---- The queue.

void Host::Opened(ConnectionId connection, const RemoteNode& remote) {
  Enqueue(OpenedEvent{connection, remote});
}
void Host::Received(ConnectionId connection, std::unique_ptr<Frame> frame) {
  Enqueue(ReceivedEvent{connection, std::move(frame)});
}
void Host::Drained(ConnectionId connection) { Enqueue(DrainedEvent{connection}); }
void Host::Closed(ConnectionId connection, CloseCause cause, const std::string& detail) {
  Enqueue(ClosedEvent{connection, cause, detail});
}
void Host::TimeCame() { Enqueue(TimeEvent{}); }

void Host::TurnEnded() {
  running_ = true;  // what writing brings about comes after it
  FlushChannels();
  links_.Flush();
  running_ = false;
  if (!events_.empty() || !inputs_.empty()) return Run();
  ArmTimer();
}

void Host::Enqueue(HostEvent event) {
  events_.push_back(std::move(event));
  Run();
}

// Works off the queue, unless somebody further up the stack is doing so.
void Host::Run() {
  if (running_ || clock_ == nullptr) return;
  running_ = true;
  while (RunNext()) {
  }
  SweepIfNeeded();
  running_ = false;
  clock_->EndTurnSoon();
  if (stopping_ && !stopped_ && core_.state() == PeerState::kLeft &&
      links_.connection_count() == 0) {
    stopped_ = true;
    listener_.OnStopped();
  }
}

// What the core is to hear comes first: it is older than the events that still wait.
bool Host::RunNext() {
  now_ = std::max(now_, clock_->now());
  if (!inputs_.empty()) {
    const CoreInput input = inputs_.front();
    inputs_.pop_front();
    Feed(input);
    return true;
  }
  if (events_.empty()) return false;
  HostEvent event = std::move(events_.front());
  events_.pop_front();
  std::visit([&](auto& body) { On(body); }, event);
  return true;
}

void Host::ArmTimer() {
  const Time own = std::min(bootstrap_.next_deadline(),
                            links_.kept_count() > 0 ? reachability_.next_deadline() : kNever);
  clock_->Arm(std::min({core_.next_deadline(), links_.next_deadline(), channels_.next_deadline(),
                        stopping_ ? kNever : own}));
}

void Host::On(OpenedEvent& event) {
  links_.set_over_budget(memory_bytes() > options_.memory_bytes);
  links_.Opened(event.connection, event.remote, now_);
}
void Host::On(ReceivedEvent& event) { links_.Received(event.connection, *event.frame, now_); }
void Host::On(DrainedEvent& event) { links_.Drained(event.connection); }
void Host::On(ClosedEvent& event) {
  links_.Closed(event.connection, event.cause, event.detail, now_);
}

void Host::On(TimeEvent&) {
  if (core_.next_deadline() <= now_) inputs_.push_back(TickInput{});
  links_.Tick(now_);
  channels_.Tick(now_);
  if (stopping_) return;
  if (bootstrap_.next_deadline() <= now_) TickBootstrap();
  if (reachability_.next_deadline() <= now_) TickReachability();
}

void Host::On(StopEvent&) {
  channels_.ResetAll(ResetReason::kLeaving);
  FlushChannels();
  Feed(CommandInput{Depart{}});
  links_.CloseAll(link::v1::Goodbye::LEAVING, now_);
}

void Host::SweepIfNeeded() {
  if (!known_.WantsSweep(now_)) return;
  ++counters_.sweeps;
  RefMarks marks(known_.size());
  marks(core_);
  links_.ForEachPeer([&](PeerRef peer) { marks.Hold(peer); });
  for (const PeerRef peer : remembered_) marks.Hold(peer);
  known_.Sweep(marks.held(), now_);
}

// ---- What the links say: for the core, in the order in which they say it.

void Host::LinkIsUp(PeerRef peer, const LinkAttributes& attributes) {
  inputs_.push_back(LinkUpInput{peer, attributes});
}
void Host::LinkIsDown(PeerRef peer, LinkDownReason reason) {
  inputs_.push_back(LinkDownInput{peer, reason});
}
void Host::PressureIs(PeerRef peer, LinkPressure pressure) {
  inputs_.push_back(PressureInput{peer, pressure});
}
void Host::ConnectionEnded(const Connection& connection) {
  listener_.OnConnectionEnded(connection);
}
void Host::MessageCame(PeerRef from, wire::Message& message) {
  // Whoever asks us is a way in, and gets no answer before we are on it: nodes that start together
  // would wait for each other's time-outs.
  if (core_.state() == PeerState::kIdle && inputs_.empty()) JoinThrough({&from, 1});
  // What keeps an overlay together is small, and let in.
  constexpr std::size_t kSmallMessage = 2048;
  if (memory_bytes() > options_.memory_bytes && message.ByteSizeLong() > kSmallMessage) {
    ++counters_.messages_refused_memory;
    return;
  }
  MessageInput input{from, {}};
  if (codec_.Decode(message, from, now_, input.message).ok()) inputs_.push_back(input);
}
void Host::SegmentCame(PeerRef from, Segment& segment) {
  channels_.Receive(known_.ids().id(from), segment, now_);
}
void Host::PathChanged(PeerRef peer, bool linked) {
  channels_.PathChanged(known_.ids().id(peer), linked, now_);
}

}  // namespace tombolo::node
