// Hellos, and which connection a link uses.
#include <algorithm>
#include <array>

#include "node/link_table.h"

namespace tombolo::node {
namespace {

using link::v1::Goodbye;
using link::v1::Hello;

Goodbye::Reason ReasonOf(const absl::Status& refusal) {
  return refusal.code() == absl::StatusCode::kFailedPrecondition ||
                 refusal.code() == absl::StatusCode::kInvalidArgument
             ? Goodbye::PROTOCOL
             : Goodbye::REFUSED;
}

}  // namespace

void LinkTable::OnHello(Connection& connection, const Frame& frame, Time now) {
  if (!frame.has_hello()) {
    Count(LinkCount::kRefusedHello);
    return Part(connection, Goodbye::PROTOCOL, "no hello in the first frame", now);
  }
  const absl::Status checked = CheckHello(frame.hello(), connection.remote, self_.id);
  if (absl::IsAlreadyExists(checked)) {
    Count(LinkCount::kRefusedSelf);
    EndAddressDial(connection, KnownPeers::self());
    return Part(connection, Goodbye::REFUSED, "connected to itself", now);
  }
  if (!checked.ok()) {
    Count(LinkCount::kRefusedHello);
    return Part(connection, ReasonOf(checked),
                std::string_view(checked.message().data(), checked.message().size()), now);
  }
  // Who says goodbye at once has no room for us.
  if (!frame.has_goodbye()) Greet(connection, frame.hello(), now);
}

void LinkTable::Greet(Connection& connection, const Hello& hello, Time now) {
  const bool other =
      connection.peer != PeerRef::kNone && peers_.ids().id(connection.peer) != connection.remote;
  if (other) {
    Count(LinkCount::kIdentityFailed);
    return Part(connection, Goodbye::REFUSED, "not who was dialled", now);
  }
  std::array<std::string_view, kMaxAddresses> addresses;
  std::copy(hello.addresses().begin(), hello.addresses().end(), addresses.begin());
  const std::optional<PeerRef> peer = peers_.Prove(
      connection.remote, {addresses.data(), static_cast<std::size_t>(hello.addresses_size())},
      hello.dialable(), connection.address, now);
  if (!peer) {
    Count(LinkCount::kRefusedFull);
    return Part(connection, Goodbye::FULL, "no room for another peer", now);
  }
  Count(LinkCount::kGreeted);
  connection.peer = *peer;
  connection.greeted = true;
  connection.life = hello.life();
  connection.says = ReadHello(hello);
  if (!connection.outbound) {
    connection.dial = hello.dial();
    events_.DialledBy(*peer);
  }
  BecomeReady(connection, now);
}

void LinkTable::BecomeReady(Connection& connection, Time now) {
  connection.used = now;
  Enter(connection, ConnectionState::kReady, closing_ ? now : IdleDeadline(connection), now);
  if (connection.outbound) {
    peers_.Reached(connection.peer, connection.address);
    back_offs_.Succeeded(connection.peer);
  }
  EndAddressDial(connection, connection.peer);
  Link& link = links_[connection.peer];
  if (!link.ready) return Adopt(connection, link, now);
  Count(LinkCount::kDuplicates);
  Connection& earlier = *Find(*link.ready);
  const bool settled = earlier.since + options_.dial_deadline + options_.hello_deadline <= now;
  if (!LaterStays(earlier, connection, self_.id, settled)) {
    return Part(connection, Goodbye::DUPLICATE, {}, now);
  }
  Adopt(connection, link, now);
  Part(earlier, Goodbye::DUPLICATE, {}, now);
}

// From now on the link uses this connection: for what has waited for one, too.
void LinkTable::Adopt(Connection& connection, Link& link, Time now) {
  link.ready = connection.id;
  events_.PathChanged(connection.peer, true);
  if (link.pressed && link.kept) events_.PressureIs(connection.peer, LinkPressure::kNone);
  link.pressed = false;
  if (link.kept || link.wanted) Batch(connection).set_keep(true);
  if (link.wanted) RaiseLink(connection, link);
  if (link.dial) {
    const std::unique_ptr<Dial> dial = TakeDial(link);
    for (wire::Message& message : dial->waiting) Append(connection, std::move(message), now);
  }
  BoundEphemeral(now);
}

void LinkTable::EndAddressDial(Connection& connection, PeerRef peer) {
  const auto dial = address_dials_.extract(connection.id);
  if (!dial.empty()) events_.AddressDone(dial.mapped(), peer);
}

void LinkTable::OnKeep(Connection& connection) {
  Link& link = links_[connection.peer];
  if (link.ready == connection.id && !link.kept) RaiseLink(connection, link);
}

void LinkTable::RaiseLink(Connection& connection, Link& link) {
  link.kept = true;
  link.wanted = false;
  events_.LinkIsUp(connection.peer, {connection.outbound, peers_.ids().dialable(connection.peer)});
  if (link.pressed) events_.PressureIs(connection.peer, LinkPressure::kHigh);
}

}  // namespace tombolo::node
