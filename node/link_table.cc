#include "node/link_table.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "node/address.h"

namespace tombolo::node {
namespace {

using link::v1::Goodbye;

LinkDownReason ReasonOf(CloseCause cause) {
  switch (cause) {
    case CloseCause::kLocal:
      return LinkDownReason::kHungUp;
    case CloseCause::kTimeout:
      return LinkDownReason::kTimeout;
    case CloseCause::kDialFailed:
      return LinkDownReason::kDialFailed;
    case CloseCause::kRemote:
    case CloseCause::kIdentity:
    case CloseCause::kProtocol:
      break;
  }
  return LinkDownReason::kClosed;
}

std::string NameOf(CloseCause cause) {
  switch (cause) {
    case CloseCause::kLocal:
      return "closed by us";
    case CloseCause::kRemote:
      return "closed by them";
    case CloseCause::kDialFailed:
      return "not reached";
    case CloseCause::kIdentity:
      return "identity not proven";
    case CloseCause::kTimeout:
      return "silent";
    case CloseCause::kProtocol:
      break;
  }
  return "no frames";
}

std::string Explain(std::string what, std::string_view detail) {
  return detail.empty() ? what : what + ": " + std::string(detail);
}

}  // namespace

LinkTable::LinkTable(const LinkOptions& options, const SelfDescription& self, KnownPeers& peers,
                     const Codec& codec, LinkEvents& events, std::uint64_t seed)
    : options_(options),
      self_(self),
      peers_(peers),
      codec_(codec),
      events_(events),
      rng_(Rng::Split(seed, 0x6c696e6b73)) {
  assert(options.max_ephemeral >= 2);
}

// ---- What the node wants.

void LinkTable::Keep(PeerRef peer, Time now) {
  if (peer == KnownPeers::self() || closing_) {
    return events_.LinkIsDown(peer, LinkDownReason::kDialFailed);
  }
  Link& link = links_[peer];
  if (link.ready) {
    Connection& connection = *Find(*link.ready);
    Batch(connection).set_keep(true);
    return RaiseLink(connection, link);
  }
  link.wanted = true;
  if (!link.dial) EnsureDial(peer, link, now);
  Forget(peer);
}

void LinkTable::Hangup(PeerRef peer, Goodbye::Reason reason, Time now) {
  events_.LinkIsDown(peer, LinkDownReason::kHungUp);
  const auto found = links_.find(peer);
  if (found == links_.end()) return;
  Link& link = found->second;
  link.kept = false;
  link.wanted = false;
  if (link.ready) Part(*Find(*link.ready), reason, {}, now);
  Forget(peer);
}

void LinkTable::DialAddress(const std::string& address, Time now) {
  if (closing_ || connections_.size() >= options_.max_connections) {
    return events_.AddressDone(address, PeerRef::kNone);
  }
  Connection& connection = Add(transport_->Dial(address, std::nullopt), true, now);
  connection.address = address;
  address_dials_[connection.id] = address;
}

// ---- What the transport says.

void LinkTable::Opened(ConnectionId id, const RemoteNode& remote, Time now) {
  if (EndProbe(id, true)) return transport_->Close(id);
  Connection* connection = Find(id);
  if (connection == nullptr) {
    Count(LinkCount::kAccepted);
    connection = &Add(id, false, now);
    connection->address = remote.address;
  }
  if (connection->state != ConnectionState::kDialling) return;
  connection->remote = remote.id;
  Enter(*connection, ConnectionState::kGreeting, now + options_.hello_deadline, now);
  WriteHello(self_, connection->dial, *Batch(*connection).mutable_hello());
  if (connection->outbound) return;
  if (closing_ || connections_.size() > options_.max_connections) {
    Count(LinkCount::kRefusedFull);
    return Part(*connection, closing_ ? Goodbye::LEAVING : Goodbye::FULL, "no room", now);
  }
  if (over_budget_) {
    Count(LinkCount::kRefusedMemory);
    Part(*connection, Goodbye::FULL, "over the memory budget", now);
  }
}

void LinkTable::Received(ConnectionId id, Frame& frame, Time now) {
  Connection* connection = Find(id);
  if (connection == nullptr) return;
  if (connection->state == ConnectionState::kGreeting) {
    OnHello(*connection, frame, now);
  } else if (frame.has_hello() && connection->greeted) {
    Count(LinkCount::kBrokenProtocol);
    return Part(*connection, Goodbye::PROTOCOL, "a second hello", now);
  }
  if (frame.messages_size() + frame.segments_size() > kMaxFrameMessages) {
    Count(LinkCount::kBrokenProtocol);
    return Part(*connection, Goodbye::PROTOCOL, "too many messages in a frame", now);
  }
  const bool ready = connection->state == ConnectionState::kReady;
  if (frame.keep() && ready) OnKeep(*connection);
  if (frame.has_dial_back() && ready) OnDialBack(*connection, frame.dial_back(), now);
  if (frame.has_dial_back_result() && ready)
    OnDialBackResult(*connection, frame.dial_back_result());
  if (connection->greeted && (ready || connection->state == ConnectionState::kParting)) {
    if (frame.messages_size() + frame.segments_size() > 0) connection->used = now;
    connection->messages_in += static_cast<std::uint64_t>(frame.messages_size());
    for (wire::Message& message : *frame.mutable_messages()) {
      events_.MessageCame(connection->peer, message);
    }
    for (link::v1::Segment& segment : *frame.mutable_segments()) {
      events_.SegmentCame(connection->peer, segment);
    }
  }
  if (!frame.has_goodbye()) return;
  HearGoodbye(*connection, frame.goodbye());
  Close(*connection, now);
  Lose(*connection, LinkDownReason::kClosed, now);
}

void LinkTable::HearGoodbye(Connection& connection, const Goodbye& goodbye) {
  if (connection.ending.empty()) {
    connection.ending = Explain("they said " + Goodbye::Reason_Name(goodbye.reason()),
                                goodbye.detail().substr(0, kMaxDetailBytes));
  }
  std::vector<std::string> alternatives;
  for (const std::string& address : goodbye.alternatives()) {
    if (alternatives.size() < kMaxAlternatives && IsAddress(address)) {
      alternatives.push_back(address);
    }
  }
  if (!alternatives.empty() && !closing_) events_.AlternativesCame(std::move(alternatives));
}

void LinkTable::Drained(ConnectionId id) {
  Connection* connection = Find(id);
  if (connection == nullptr) return;
  connection->queued = 0;
  const auto found = links_.find(connection->peer);
  if (found == links_.end() || found->second.ready != id || !found->second.pressed) return;
  found->second.pressed = false;
  if (found->second.kept) events_.PressureIs(connection->peer, LinkPressure::kNone);
}

void LinkTable::Closed(ConnectionId id, CloseCause cause, const std::string& detail, Time now) {
  if (EndProbe(id, false)) return;
  Connection* connection = Find(id);
  if (connection == nullptr) return;
  if (cause == CloseCause::kIdentity) Count(LinkCount::kIdentityFailed);
  if (cause == CloseCause::kProtocol) Count(LinkCount::kBrokenProtocol);
  connection->state = ConnectionState::kClosed;
  Lose(*connection, ReasonOf(cause), now);
  if (connection->ending.empty()) connection->ending = Explain(NameOf(cause), detail);
  // A peer that is linked and hangs up before its hello has only dialled back.
  const std::optional<PeerRef> linked = peers_.ids().Find(connection->remote);
  const bool probe = !connection->outbound && !connection->greeted &&
                     cause == CloseCause::kRemote && linked && IsLinked(*linked);
  if (!probe) events_.ConnectionEnded(*connection);
  connections_.erase(id);
}

// ---- Time.

void LinkTable::Tick(Time now) {
  if (now < deadline_) return;
  deadline_ = kNever;
  for (auto& [id, connection] : connections_) {
    if (connection.deadline <= now) Expire(connection, now);
    NoteDeadline(connection.deadline);
  }
  ExpireProbes(now);
  ProceedAll(now);
}

void LinkTable::Expire(Connection& connection, Time now) {
  switch (connection.state) {
    case ConnectionState::kDialling:
      connection.ending = "no answer";
      Close(connection, now);
      return Lose(connection, LinkDownReason::kDialFailed, now);
    case ConnectionState::kGreeting:
      Count(LinkCount::kRefusedHello);
      return Part(connection, Goodbye::PROTOCOL, "no hello in time", now);
    case ConnectionState::kReady:
      if (closing_) return Part(connection, Goodbye::LEAVING, {}, now);
      return CloseIdle(connection, now);
    case ConnectionState::kParting:
      return Close(connection, now);
    case ConnectionState::kClosed:
      connection.deadline = kNever;
  }
}

// The side that has dialled first, so that both do not do it at once while the other speaks.
Time LinkTable::IdleDeadline(const Connection& connection) const {
  return connection.used + options_.ephemeral_hold * (connection.outbound ? 1 : 2);
}

void LinkTable::CloseIdle(Connection& connection, Time now) {
  connection.deadline = IsKept(connection.peer) ? kNever : IdleDeadline(connection);
  if (connection.deadline > now) return;
  Count(LinkCount::kIdleClosed);
  Part(connection, Goodbye::IDLE, {}, now);
}

void LinkTable::BoundEphemeral(Time now) {
  Connection* unused = nullptr;
  std::size_t ephemeral = 0;
  for (auto& [id, connection] : connections_) {
    if (connection.state != ConnectionState::kReady || IsKept(connection.peer)) continue;
    ++ephemeral;
    if (unused == nullptr || connection.used < unused->used) unused = &connection;
  }
  if (ephemeral <= options_.max_ephemeral) return;
  Count(LinkCount::kIdleClosed);
  Part(*unused, Goodbye::IDLE, {}, now);
}

// ---- Connections and their ends.

Connection* LinkTable::Find(ConnectionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

Connection& LinkTable::Add(ConnectionId id, bool outbound, Time now) {
  Connection& connection = connections_[id];
  connection.id = id;
  connection.outbound = outbound;
  if (outbound) {
    Count(LinkCount::kDials);
    connection.dial = ++dials_made_;
  }
  Enter(connection, ConnectionState::kDialling, now + options_.dial_deadline, now);
  return connection;
}

void LinkTable::Enter(Connection& connection, ConnectionState state, Time deadline, Time now) {
  connection.state = state;
  connection.since = now;
  connection.deadline = deadline;
  NoteDeadline(deadline);
}

// Our goodbye, after what this turn has said already. The link is lost to this side at once.
void LinkTable::Part(Connection& connection, Goodbye::Reason reason, std::string_view detail,
                     Time now) {
  if (connection.state >= ConnectionState::kParting) return;
  if (connection.state == ConnectionState::kDialling) {
    Close(connection, now);
  } else {
    Goodbye& goodbye = *Batch(connection).mutable_goodbye();
    goodbye.set_reason(reason);
    goodbye.set_detail(std::string(detail.substr(0, kMaxDetailBytes)));
    if (reason == Goodbye::FULL || reason == Goodbye::LEAVING) {
      for (const std::string& address : Alternatives(now)) goodbye.add_alternatives(address);
    }
    connection.ending = Explain("we said " + Goodbye::Reason_Name(reason), detail);
    Enter(connection, ConnectionState::kParting, now + options_.linger, now);
  }
  Lose(connection, LinkDownReason::kHungUp, now);
}

void LinkTable::Close(Connection& connection, Time now) {
  if (connection.state == ConnectionState::kClosed) return;
  if (connection.dirty && connection.state != ConnectionState::kDialling) Write(connection);
  Enter(connection, ConnectionState::kClosed, kNever, now);
  transport_->Close(connection.id);
}

// The connection carries nothing any more: what of the link and of dials hangs on it ends, unless
// another connection of the pair is about to take its place.
void LinkTable::Lose(Connection& connection, LinkDownReason reason, Time now) {
  if (connection.outbound && !connection.greeted) DialFailed(connection, now);
  const std::optional<PeerRef> peer = connection.peer != PeerRef::kNone
                                          ? std::optional(connection.peer)
                                          : peers_.ids().Find(connection.remote);
  const auto found = peer ? links_.find(*peer) : links_.end();
  if (found == links_.end()) return;
  Link& link = found->second;
  if (link.ready && link.ready != connection.id) return;
  if (link.ready) events_.PathChanged(*peer, false);
  link.ready.reset();
  link.pressed = false;
  if (AnotherGreets(connection)) return;
  if (link.kept) events_.LinkIsDown(*peer, reason);
  link.kept = false;
  Forget(*peer);
}

bool LinkTable::AnotherGreets(const Connection& connection) const {
  return std::any_of(connections_.begin(), connections_.end(), [&](const auto& entry) {
    const Connection& other = entry.second;
    return other.id != connection.id && other.state == ConnectionState::kGreeting &&
           other.remote == connection.remote;
  });
}

void LinkTable::Forget(PeerRef peer) {
  const auto found = links_.find(peer);
  if (found == links_.end()) return;
  if (found->second.IsIdle()) links_.erase(found);
}

// ---- Observation.

const Connection* LinkTable::Find(PeerRef peer) const {
  const auto found = links_.find(peer);
  if (found == links_.end() || !found->second.ready) return nullptr;
  return &connections_.at(*found->second.ready);
}

bool LinkTable::IsLinked(PeerRef peer) const { return Find(peer) != nullptr; }

bool LinkTable::IsKept(PeerRef peer) const {
  const auto found = links_.find(peer);
  return found != links_.end() && found->second.kept;
}

std::size_t LinkTable::kept_count() const {
  return static_cast<std::size_t>(std::count_if(
      links_.begin(), links_.end(), [](const auto& entry) { return entry.second.kept; }));
}

}  // namespace tombolo::node
