// Links between peers: dialling, hanging up, and who can reach whom.
//
// A kept link exists in the link tables of the two peers; the world keeps no table of its own. What
// a dial, an acceptance and a hangup say to the other side takes one network delay each.
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "sim/world.h"

namespace tombolo::sim {
namespace {

// How a kind of message finds its way.
enum class Way : std::uint8_t {
  kLastWord,  // over a link that is hung up right after it
  kKept,      // over kept links only
  kDial,      // may dial a link for the exchange
  kBack,      // where every exchange dials: over the link of the request
};

template <class Kind, class... Kinds>
constexpr bool IsOneOf(MessageFamily<Kinds...>) {
  return (std::is_same_v<Kind, Kinds> || ...);
}

template <class Kind>
constexpr Way WayOf() {
  if (std::is_same_v<Kind, Evict>) return Way::kLastWord;
  if (IsOneOf<Kind>(RelayMessages()) || IsOneOf<Kind>(GossipMessages())) return Way::kKept;
  if (std::is_same_v<Kind, Nodes> || std::is_same_v<Kind, Pong>) return Way::kBack;
  return Way::kDial;
}

// By kind: a table, because every transmission asks.
constexpr std::array<Way, kMessageKinds> kWays = []<class... Kinds>(MessageFamily<Kinds...>) {
  return std::array{WayOf<Kinds>()...};
}(AllMessages());

}  // namespace

bool World::HasLink(PeerRef from, PeerRef to) const {
  const std::span<const Link> links = peers_[Index(from)].links();
  return std::any_of(links.begin(), links.end(), [&](const Link& link) { return link.peer == to; });
}

bool World::CanReach(PeerRef from, PeerRef to, const Message& message) {
  const Way way = kWays[message.index()];
  if (way == Way::kLastWord) return true;
  if (way == Way::kKept) return !network_.IsDeadLink(from, to);
  if (network_.tracks_ephemeral()) return HasPath(from, to);
  if (way == Way::kDial) ++metrics_.ephemeral_dials;
  return true;
}

// Whether there is a link, kept or dialled for an exchange, or one can be dialled.
bool World::HasPath(PeerRef from, PeerRef to) {
  if (HasLink(from, to) || network_.HasEphemeral(from, to, now_)) return true;
  if (!directory_.dialable(to)) return false;
  if (network_.UseEphemeral(from, to, now_)) ++metrics_.ephemeral_dials;
  return true;
}

void World::DialLink(PeerRef from, PeerRef to) {
  ++metrics_.dials;
  if (!directory_.dialable(to) || !reach_.CanTalkBothWays(from, to)) {
    // Nothing answers behind the NAT or the cut; the dialler gives up when its own time is over.
    return Schedule(to, from, options_.keepalive_timeout,
                    {FlightKind::kLinkDown, LinkDownReason::kDialFailed, Ping{}});
  }
  Schedule(from, to, network_.Delay(from, to), {FlightKind::kDial, {}, Ping{}});
}

// The dial reaches the other side, which accepts; its link table may turn the newcomer away later.
void World::ArriveDial(PeerRef from, PeerRef to) {
  if (!is_up(from)) return;
  if (!is_up(to) || !reach_.CanTalkBothWays(from, to)) {
    return Schedule(to, from, options_.keepalive_timeout,
                    {FlightKind::kLinkDown, LinkDownReason::kDialFailed, Ping{}});
  }
  Schedule(to, from, network_.Delay(to, from), {FlightKind::kLinkUp, {}, Ping{}});
  peers_[Index(to)].LinkUp(from, {false, directory_.dialable(from)}, MakeStep(to));
  Drain(to);
}

// What happens at one end while word of the other's doing is under way could leave a link that only
// one of them believes in. As a connection would, it ends for both: what follows here sees to it.

void World::ArriveLinkUp(PeerRef from, PeerRef to) {
  if (!is_up(to)) {
    // The dialler died meanwhile, and the link is not among those that its death has cut.
    if (!is_up(from)) return;
    return Schedule(to, from, options_.keepalive_timeout,
                    {FlightKind::kLinkDown, LinkDownReason::kTimeout, Ping{}});
  }
  Peer& peer = peers_[Index(to)];
  if (is_up(from)) {
    peer.LinkUp(from, {true, directory_.dialable(from)}, MakeStep(to));
  } else {  // it died while the connection was being made
    peer.LinkDown(from, LinkDownReason::kDialFailed, MakeStep(to));
  }
  Drain(to);
  if (!reach_.CanTalkBothWays(from, to)) ScheduleSilence(to);  // cut in the meantime
  // The acceptor has let go of it already. Word of that comes after whatever else it has said.
  if (is_up(from) && HasLink(to, from) && !HasLink(from, to)) TellClosed(from, to);
}

void World::ArriveLinkDown(PeerRef from, PeerRef to, LinkDownReason reason) {
  if (!is_up(to)) return;
  // Word of an old link does not end the next one, or two that dial each other would never stop.
  if (reason == LinkDownReason::kClosed && is_up(from) && HasLink(from, to)) return;
  peers_[Index(to)].LinkDown(from, reason, MakeStep(to));
  Drain(to);
  // Who hangs up tells the other at once.
  if (reason == LinkDownReason::kHungUp || !is_up(from)) return;
  if (HasLink(from, to) && !HasLink(to, from)) TellClosed(to, from);
}

void World::HangUp(PeerRef from, PeerRef to) {
  Schedule(to, from, Duration{0}, {FlightKind::kLinkDown, LinkDownReason::kHungUp, Ping{}});
  if (is_up(to)) TellClosed(from, to);
}

// Tells the other ends of a peer's links, `notice` from now, that they are gone.
void World::CutLinksOf(PeerRef peer, LinkDownReason reason, Duration notice) {
  for (const Link& link : peers_[Index(peer)].links()) {
    if (is_up(link.peer))
      Schedule(peer, link.peer, notice, {FlightKind::kLinkDown, reason, Ping{}});
  }
}

}  // namespace tombolo::sim
