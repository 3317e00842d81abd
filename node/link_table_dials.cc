// Dials: the addresses of a peer in turn, and what waits for them.
#include <algorithm>
#include <cassert>

#include "node/link_table.h"

namespace tombolo::node {

// True if a message may have a peer dialled; counts why not.
bool LinkTable::MayDial(PeerRef peer, Time now) {
  if (!peers_.ids().dialable(peer) || peers_.addresses(peer).empty()) {
    Count(LinkCount::kNotDialable);
  } else if (back_offs_.until(peer) > now) {
    Count(LinkCount::kBackingOff);
  } else if (closing_ || dial_count_ >= options_.max_dials ||
             connections_.size() >= options_.max_connections) {
    Count(LinkCount::kDialOverload);
  } else {
    return true;
  }
  return false;
}

// Begins a dial, or, if there is nowhere to dial, ends it at once.
void LinkTable::EnsureDial(PeerRef peer, Link& link, Time now) {
  assert(!link.dial);
  link.dial = std::make_unique<Dial>();
  ++dial_count_;
  link.dial->not_before = back_offs_.until(peer);
  // The last one is tried first: those that have worked, in their order, before those that failed.
  for (const bool failed : {true, false}) {
    const auto known = peers_.addresses(peer);
    for (std::size_t i = known.size(); i-- > 0;) {
      if (known[i].failed == failed) link.dial->addresses.push_back(known[i].text);
    }
  }
  Proceed(peer, link, now);
}

void LinkTable::Proceed(PeerRef peer, Link& link, Time now) {
  Dial& dial = *link.dial;
  if (dial.connection) return;
  if (dial.not_before > now) return NoteDeadline(dial.not_before);
  const bool full = connections_.size() >= options_.max_connections;
  if (dial.addresses.empty() || full || closing_) return GiveUp(peer, link, now);
  const std::string address = std::move(dial.addresses.back());
  dial.addresses.pop_back();
  Connection& connection = Add(transport_->Dial(address, peers_.ids().id(peer)), true, now);
  connection.address = address;
  connection.peer = peer;
  dial.connection = connection.id;
}

// A connection of ours has come to nothing.
void LinkTable::DialFailed(Connection& connection, Time now) {
  if (address_dials_.contains(connection.id)) {
    Count(LinkCount::kDialsFailed);
    return EndAddressDial(connection, PeerRef::kNone);
  }
  const auto found = links_.find(connection.peer);
  if (found == links_.end() || !found->second.dial) return;
  if (found->second.dial->connection != connection.id) return;
  Count(LinkCount::kDialsFailed);
  peers_.NotReached(connection.peer, connection.address);
  found->second.dial->connection.reset();
  Proceed(connection.peer, found->second, now);
}

// None of its addresses has led to the peer.
void LinkTable::GiveUp(PeerRef peer, Link& link, Time now) {
  back_offs_.Failed(peer, now, rng_);
  Count(LinkCount::kDialLost, TakeDial(link)->waiting.size());
  if (link.wanted) events_.LinkIsDown(peer, LinkDownReason::kDialFailed);
  link.wanted = false;
}

std::unique_ptr<LinkTable::Dial> LinkTable::TakeDial(Link& link) {
  --dial_count_;
  waiting_bytes_ -= link.dial->waiting_bytes;
  return std::move(link.dial);
}

// Those that have waited for their time.
void LinkTable::ProceedAll(Time now) {
  if (dial_count_ == 0) return;
  for (auto& [peer, link] : links_) {
    if (link.dial) Proceed(peer, link, now);
  }
  std::erase_if(links_, [](const auto& entry) { return entry.second.IsIdle(); });
}

// Keeps a message until the dial has ended.
void LinkTable::Wait(Dial& dial, const Message& message) {
  if (dial.waiting.size() >= options_.dial_messages || dial.waiting_bytes >= options_.dial_bytes) {
    return Count(LinkCount::kDialOverload);
  }
  wire::Message& waiting = dial.waiting.emplace_back();
  codec_.Encode(message, waiting);
  const std::size_t bytes = waiting.ByteSizeLong();
  dial.waiting_bytes += bytes;
  waiting_bytes_ += bytes;
}

}  // namespace tombolo::node
