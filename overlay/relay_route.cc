#include "overlay/relay_route.h"

#include <algorithm>
#include <limits>

#include "overlay/link_rows.h"
#include "overlay/node_id.h"

namespace tombolo {
namespace {

constexpr std::uint64_t kAnyDistance = std::numeric_limits<std::uint64_t>::max();

int Ailment(const Link& link) {
  if (link.suspect) return 2;
  return link.pressure == LinkPressure::kHigh ? 1 : 0;
}

bool Excluded(std::span<const PeerRef> excluded, PeerRef peer) {
  return std::find(excluded.begin(), excluded.end(), peer) != excluded.end();
}

// The least ailing link, among equals the nearest.
class Best {
 public:
  void Offer(const Link& link, const NodeId& distance) {
    const int ailment = Ailment(link);
    if (peer_ != PeerRef::kNone &&
        (ailment > ailment_ || (ailment == ailment_ && distance >= distance_))) {
      return;
    }
    peer_ = link.peer;
    ailment_ = ailment;
    distance_ = distance;
  }

  PeerRef peer() const { return peer_; }
  bool healthy() const { return peer_ != PeerRef::kNone && ailment_ == 0; }

 private:
  PeerRef peer_ = PeerRef::kNone;
  int ailment_ = 0;
  NodeId distance_;
};

// The way to the target by the metric of the overlay.
NodeId WayTo(const PartStep& step, const NodeId& from, const NodeId& target) {
  return step.config.has_table() ? Distance(from, target) : ClockwiseDistance(from, target);
}

// Closer than this peer; while detouring, than the place where it got stuck.
bool LeadsCloser(const PartStep& step, const NodeId& id, const Forward& message) {
  const NodeId way = WayTo(step, id, message.target);
  if (!(way < WayTo(step, step.self_id, message.target))) return false;
  return !message.detouring || way.prefix64() < message.stuck_at;
}

// Closer peers share at least as many bits with us as the target does. Those of the target's own
// bucket are closer than all that share more, so the later buckets count only if no healthy one is
// there.
PeerRef PickCloser(const PartStep& step, std::span<const Link> links, const Forward& message,
                   std::span<const PeerRef> excluded) {
  const int bucket = CommonPrefixLength(step.self_id, message.target);
  Best best;
  for (std::size_t i = FirstOfBucket(links, bucket); i < links.size(); ++i) {
    const Link& link = links[i];
    if (link.bucket != bucket && best.healthy()) break;
    if (Excluded(excluded, link.peer)) continue;
    const NodeId& id = step.ids.id(link.peer);
    if (LeadsCloser(step, id, message)) best.Offer(link, Distance(id, message.target));
  }
  return best.peer();
}

// Chord's rule: the nearest one before the target, or the target itself.
PeerRef PickBefore(const PartStep& step, std::span<const Link> links, const Forward& message,
                   std::span<const PeerRef> excluded) {
  Best best;
  for (const Link& link : links) {
    const NodeId& id = step.ids.id(link.peer);
    if (Excluded(excluded, link.peer) || !LeadsCloser(step, id, message)) continue;
    best.Offer(link, WayTo(step, id, message.target));
  }
  return best.peer();
}

// By turns the link closest to the target by XOR and the one closest on the ring. Who cannot be
// dialled keeps links to the XOR-closest peers that its lookups find; across the border of a high
// prefix only the ring leads on.
PeerRef PickDetour(const PartStep& step, std::span<const Link> links, const Forward& message,
                   std::span<const PeerRef> excluded) {
  const bool by_ring = !step.config.has_table() || excluded.size() % 2 == 1;
  Best best;
  for (const Link& link : links) {
    const NodeId& id = step.ids.id(link.peer);
    if (id == message.origin || Excluded(excluded, link.peer)) continue;
    best.Offer(link, by_ring ? RingDistance(id, message.target) : Distance(id, message.target));
  }
  return best.peer();
}

}  // namespace

Route PickRoute(const PartStep& step, std::span<const Link> links, const Forward& message,
                std::span<const PeerRef> excluded) {
  const PeerRef closer = step.config.has_table() ? PickCloser(step, links, message, excluded)
                                                 : PickBefore(step, links, message, excluded);
  if (closer != PeerRef::kNone) return {closer, RouteKind::kCloser};
  if (message.detours == 0) return {};
  return {PickDetour(step, links, message, excluded), RouteKind::kDetour};
}

Route PickBack(const PartStep& step, std::span<const Link> links, const Forward& message,
               std::span<const PeerRef> excluded, PeerRef previous) {
  const std::size_t index = FindLink(links, step.self_id, previous, step.ids);
  if (index == links.size() || links[index].suspect || Excluded(excluded, previous)) return {};
  if (LeadsCloser(step, step.ids.id(previous), message)) return {previous, RouteKind::kCloser};
  if (message.detours == 0) return {};
  return {previous, RouteKind::kDetour};
}

Forward Departing(const PartStep& step, const Forward& message, RouteKind route) {
  Forward departing = message;
  departing.ttl = static_cast<std::uint8_t>(message.ttl - 1);
  const bool counts = message.kind != ForwardKind::kReceipt && message.hops < 255;
  if (counts) departing.hops = static_cast<std::uint8_t>(message.hops + 1);
  departing.detouring = route != RouteKind::kCloser;
  if (!departing.detouring) return departing;
  departing.detours = static_cast<std::uint8_t>(message.detours - 1);
  if (message.detouring) return departing;
  const bool stuck = route == RouteKind::kDetour;
  // Where it goes back to, an earlier detour may be under way still, past peers that have passed
  // the message on: only what is closer than its start is new.
  const std::uint64_t before = message.stuck_at > 0 ? message.stuck_at : kAnyDistance;
  departing.stuck_at = stuck ? WayTo(step, step.self_id, message.target).prefix64() : before;
  return departing;
}

Forward Arriving(const PartStep& step, const Forward& message) {
  const RelayConfig& config = step.config.relay;
  Forward arriving = message;
  arriving.ttl = static_cast<std::uint8_t>(std::min<int>(message.ttl, config.ttl));
  arriving.detours = static_cast<std::uint8_t>(std::min<int>(message.detours, config.detours));
  const std::uint64_t distance = WayTo(step, step.self_id, message.target).prefix64();
  if (message.detouring && distance < message.stuck_at) arriving.detouring = false;
  return arriving;
}

}  // namespace tombolo
