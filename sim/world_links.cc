// Links between peers: dialling, hanging up, and who can reach whom.
//
// A kept link exists in the link tables of the two peers; the world keeps no table of its own. What
// a dial, an acceptance and a hangup say to the other side takes one network delay each.
#include <algorithm>

#include "sim/world.h"

namespace tombolo::sim {
namespace {

// Messages that go over kept links only; all others may dial a link for the exchange.
bool NeedsKeptLink(const Message& message) {
  return std::holds_alternative<Forward>(message) || std::holds_alternative<HopAck>(message) ||
         std::holds_alternative<HopProbe>(message);
}

}  // namespace

bool World::HasLink(PeerRef from, PeerRef to) const {
  const std::span<const Link> links = peers_[Index(from)].links();
  return std::any_of(links.begin(), links.end(), [&](const Link& link) { return link.peer == to; });
}

bool World::CanReach(PeerRef from, PeerRef to, const Message& message) {
  // Said over a link that is hung up right after it.
  if (std::holds_alternative<Evict>(message)) return true;
  if (NeedsKeptLink(message)) return !network_.IsDeadLink(from, to);
  if (!network_.tracks_ephemeral()) {
    // Every request of such a world dials; its answer comes back the same way.
    if (!std::holds_alternative<Nodes>(message) && !std::holds_alternative<Pong>(message)) {
      ++metrics_.ephemeral_dials;
    }
    return true;
  }
  if (HasLink(from, to) || network_.HasEphemeral(from, to, now_)) return true;
  if (!directory_.dialable(to)) return false;
  if (network_.UseEphemeral(from, to, now_)) ++metrics_.ephemeral_dials;
  return true;
}

void World::DialLink(PeerRef from, PeerRef to) {
  ++metrics_.dials;
  const Duration there = network_.Delay(from, to, sequence_[Index(from)]);
  if (!directory_.dialable(to)) {
    // Nothing answers behind the NAT; the dialler gives up when its own time is over.
    return Schedule(to, from, options_.keepalive_timeout,
                    {FlightKind::kLinkDown, LinkDownReason::kDialFailed, Ping{}});
  }
  Schedule(from, to, there, {FlightKind::kDial, {}, Ping{}});
}

// The dial reaches the other side, which accepts; its link table may turn the newcomer away later.
void World::ArriveDial(PeerRef from, PeerRef to) {
  if (!is_up(to)) {
    if (is_up(from)) {
      Schedule(to, from, options_.keepalive_timeout,
               {FlightKind::kLinkDown, LinkDownReason::kDialFailed, Ping{}});
    }
    return;
  }
  Schedule(to, from, network_.Delay(to, from, sequence_[Index(to)]),
           {FlightKind::kLinkUp, {}, Ping{}});
  if (!is_up(from)) return;
  peers_[Index(to)].LinkUp(from, {false, directory_.dialable(from)}, MakeStep());
  Drain(to);
}

void World::HangUp(PeerRef from, PeerRef to) {
  Schedule(to, from, Duration{0}, {FlightKind::kLinkDown, LinkDownReason::kHungUp, Ping{}});
  if (!is_up(to)) return;
  Schedule(from, to, network_.Delay(from, to, sequence_[Index(from)]),
           {FlightKind::kLinkDown, LinkDownReason::kClosed, Ping{}});
}

// Tells the other ends of a peer's links, `notice` from now, that they are gone.
void World::CutLinksOf(PeerRef peer, LinkDownReason reason, Duration notice) {
  for (const Link& link : peers_[Index(peer)].links()) {
    if (is_up(link.peer))
      Schedule(peer, link.peer, notice, {FlightKind::kLinkDown, reason, Ping{}});
  }
}

}  // namespace tombolo::sim
