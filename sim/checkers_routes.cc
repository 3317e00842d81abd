#include "sim/checkers_routes.h"

#include <bit>
#include <span>
#include <string>

#include "overlay/relay_route.h"
#include "sim/conditions.h"
#include "sim/greedy_route.h"

namespace tombolo::sim {
namespace {

constexpr std::uint32_t kSpareHops = 3;
constexpr std::uint64_t kFollowedPairs = 1000;

std::string NameOfPeer(PeerRef peer) { return "peer " + std::to_string(Index(peer)); }

// A random live peer, from a stream of its own: checks must not change the run.
PeerRef Draw(const World& world, Rng& rng) {
  const std::span<const PeerRef> live = world.oracle().live();
  return live[rng.Below(static_cast<std::uint32_t>(live.size()))];
}

// Who cannot be dialled is reached over its links alone, which a walk does not know.
bool AreWalked(const World& world, PeerRef from, PeerRef to) {
  return world.directory().dialable(from) && world.directory().dialable(to);
}

void CheckPair(const World& world, PeerRef from, PeerRef to, std::uint32_t most, Finding& finding) {
  if (!IsMember(world, from) || !IsMember(world, to) || !AreWalked(world, from, to)) return;
  ++finding.checked;
  const Walk walk = WalkRoute(world, from, to);
  if (!walk.arrived) {
    finding.Report(from, "a route to " + NameOfPeer(to) + " ends at " + NameOfPeer(walk.end));
  } else if (walk.hops > most) {
    finding.Report(from, "a route to " + NameOfPeer(to) + " takes " + std::to_string(walk.hops) +
                             " hops, allowed are " + std::to_string(most));
  }
}

// One message as the relays would pass it on if every hop were acknowledged.
class Follower {
 public:
  explicit Follower(const World& world) : world_(world) {}

  void Follow(PeerRef from, PeerRef to, Finding& finding) {
    ++finding.checked;
    Forward message{};
    message.origin = world_.directory().id(from);
    message.target = world_.directory().id(to);
    message.ttl = static_cast<std::uint8_t>(config().relay.ttl);
    message.detours = static_cast<std::uint8_t>(config().relay.detours);
    PeerRef before = PeerRef::kNone;
    int hops = 0;
    int detours = 0;
    for (PeerRef at = from; at != to && message.ttl > 0; ++hops) {
      const Route route = NextHop(at, before, message);
      if (route.next == PeerRef::kNone) return;
      const std::string what = "hands a message for " + NameOfPeer(to) + " on to ";
      if (route.kind != RouteKind::kCloser) {
        ++detours;
      } else if (!IsCloser(IdOf(route.next), IdOf(at), message.target)) {
        return finding.Report(at, what + NameOfPeer(route.next) + ", which is no closer");
      }
      if (hops >= config().relay.ttl || detours > config().relay.detours) {
        return finding.Report(at, what + NameOfPeer(route.next) + " after " + std::to_string(hops) +
                                      " hops, " + std::to_string(detours) + " of them detours");
      }
      before = at;
      at = route.next;
    }
  }

 private:
  const Config& config() const { return world_.options().core; }

  // What `at` decides; `message` becomes what it sends.
  Route NextHop(PeerRef at, PeerRef before, Forward& message) {
    const Peer& peer = world_.peer(at);
    const Step step{world_.now(), config(), world_.directory(), lists_, out_};
    const PartStep part{{step}, at, peer.id(), rng_};
    message = Arriving(part, message);
    const std::span<const PeerRef> excluded(&before, before == PeerRef::kNone ? 0 : 1);
    const Route route = PickRoute(part, peer.links(), message, excluded);
    if (route.next == PeerRef::kNone) return route;
    message = Departing(part, message, route.kind);
    return route;
  }

  const NodeId& IdOf(PeerRef peer) const { return world_.directory().id(peer); }

  const World& world_;
  ContactLists lists_;
  Outbox out_;
  Rng rng_;
};

}  // namespace

Finding CheckRoutable(const World& world) {
  Finding finding = StartFinding(world, Invariant::kRoutable);
  const std::span<const PeerRef> live = world.oracle().live();
  const auto most = static_cast<std::uint32_t>(std::bit_width(live.size())) + kSpareHops;
  if (live.size() <= kAllPairsPeers) {
    for (const PeerRef from : live) {
      for (const PeerRef to : live) CheckPair(world, from, to, most, finding);
    }
    return finding;
  }
  Rng rng = Rng::Split(world.options().seed, 0x7061697273);
  for (std::uint64_t i = 0; i < kSampledPairs; ++i) {
    const PeerRef from = Draw(world, rng);
    CheckPair(world, from, Draw(world, rng), most, finding);
  }
  return finding;
}

Finding CheckNoLoops(const World& world) {
  Finding finding = StartFinding(world, Invariant::kNoLoops);
  if (world.options().core.links.max_links == 0 || world.live_count() == 0) return finding;
  Follower follower(world);
  Rng rng = Rng::Split(world.options().seed, 0x6c6f6f7073);
  for (std::uint64_t i = 0; i < kFollowedPairs; ++i) {
    const PeerRef from = Draw(world, rng);
    const PeerRef to = Draw(world, rng);
    if (IsMember(world, from)) follower.Follow(from, to, finding);
  }
  return finding;
}

DeliverabilityTracker::DeliverabilityTracker(const World& world, std::uint32_t pairs)
    : finding_(StartFinding(world, Invariant::kMonotone)) {
  Rng rng = Rng::Split(world.options().seed, 0x6d6f6e6f);
  for (std::uint32_t i = 0; i < pairs && world.live_count() > 0; ++i) {
    const PeerRef from = Draw(world, rng);
    const PeerRef to = Draw(world, rng);
    if (from != to && AreWalked(world, from, to)) pairs_.push_back({from, to});
  }
  Look(world);
}

void DeliverabilityTracker::Look(const World& world) {
  for (Pair& pair : pairs_) {
    if (!IsMember(world, pair.from) || !IsMember(world, pair.to)) continue;
    const Walk walk = WalkRoute(world, pair.from, pair.to);
    if (pair.joined) ++finding_.checked;
    if (pair.joined && !walk.arrived) {
      if (finding_.ok()) finding_.at = world.now();
      finding_.Report(pair.from, NameOfPeer(pair.to) + " was reachable; now a route ends at " +
                                     NameOfPeer(walk.end));
    }
    pair.joined = walk.arrived;
  }
}

}  // namespace tombolo::sim
