#include "sim/greedy_route.h"

#include <algorithm>
#include <vector>

#include "overlay/node_id.h"

namespace tombolo::sim {
namespace {

template <class Visit>
void VisitNeighbours(const Peer& peer, const Visit& visit) {
  for (const PeerRef neighbour : SuccessorsOf(peer)) visit(neighbour);
  for (const PeerRef neighbour : PredecessorsOf(peer)) visit(neighbour);
}

class Walker {
 public:
  Walker(const World& world, PeerRef source, PeerRef target)
      : world_(world),
        ids_(world.directory()),
        source_(source),
        target_(target),
        goal_(ids_.id(target)) {}

  Walk Go() {
    walk_ = Walk{.tries = walk_.tries + 1};
    path_.clear();
    visited_.clear();
    Enter(source_, Distance(ids_.id(source_), goal_));
    walk_.end = path_.back().peer;
    while (path_.back().peer != target_) {
      if (Advance()) continue;
      if (walk_.handed_back == 0) walk_.end = path_.back().peer;
      const auto most = static_cast<std::uint32_t>(world_.options().core.relay.detours);
      if (path_.size() == 1 || walk_.handed_back == most) return walk_;
      path_.pop_back();
      ++walk_.handed_back;
      ++walk_.hops;
    }
    walk_.end = target_;
    walk_.arrived = true;
    return walk_;
  }

 private:
  struct Place {
    PeerRef peer;
    NodeId bound;  // XOR-closer than this leads on
  };

  struct Way {
    PeerRef from;
    PeerRef to;
  };

  void Enter(PeerRef peer, const NodeId& bound) {
    path_.push_back({peer, bound});
    visited_.push_back(peer);
  }

  // One hop on; false if there is no way.
  bool Advance() {
    const Place here = path_.back();
    PeerRef next = NextByXor(here, walk_.tries > 1);
    if (next == PeerRef::kNone && walk_.tries > 1) next = NextByXor(here, false);
    const bool closer = next != PeerRef::kNone;
    if (!closer) next = NextByRing(here.peer);
    if (next == PeerRef::kNone) return false;
    if (!closer) ++walk_.ring_hops;
    ++walk_.hops;
    taken_.push_back({here.peer, next});
    Enter(next, closer ? Distance(ids_.id(next), goal_) : here.bound);
    return true;
  }

  // True if `peer` is nearer than `least`, which it then replaces, and may be gone to.
  bool Improves(PeerRef at, PeerRef peer, const NodeId& distance, NodeId& least) const {
    if (!(distance < least) || !world_.is_up(peer) || !world_.CanTalk(at, peer)) return false;
    if (std::find(visited_.begin(), visited_.end(), peer) != visited_.end()) return false;
    least = distance;
    return true;
  }

  bool WasTaken(PeerRef from, PeerRef to) const {
    const auto same = [&](const Way& way) { return way.from == from && way.to == to; };
    return std::any_of(taken_.begin(), taken_.end(), same);
  }

  // The contacts of the target's own bucket are closer than all of deeper ones.
  PeerRef NextByXor(const Place& here, bool another_way) const {
    PeerRef best = PeerRef::kNone;
    NodeId least = here.bound;
    const Peer& peer = world_.peer(here.peer);
    const auto offer = [&](PeerRef contact) {
      if (another_way && WasTaken(here.peer, contact)) return;
      if (Improves(here.peer, contact, Distance(ids_.id(contact), goal_), least)) best = contact;
    };
    VisitNeighbours(peer, offer);
    const int bucket = CommonPrefixLength(ids_.id(here.peer), goal_);
    for (int level = bucket; level < peer.table().levels(); ++level) {
      for (const PeerRef contact : peer.table().live(level)) offer(contact);
      if (level == bucket && best != PeerRef::kNone) break;
    }
    return best;
  }

  PeerRef NextByRing(PeerRef at) const {
    PeerRef best = PeerRef::kNone;
    NodeId least = RingDistance(ids_.id(at), goal_);
    const Peer& peer = world_.peer(at);
    const auto offer = [&](PeerRef contact) {
      if (Improves(at, contact, RingDistance(ids_.id(contact), goal_), least)) best = contact;
    };
    VisitNeighbours(peer, offer);
    for (int level = 0; level < peer.table().levels(); ++level) {
      for (const PeerRef contact : peer.table().live(level)) offer(contact);
    }
    return best;
  }

  const World& world_;
  const Directory& ids_;
  const PeerRef source_;
  const PeerRef target_;
  const NodeId& goal_;
  std::vector<Place> path_;
  std::vector<PeerRef> visited_;
  std::vector<Way> taken_;  // by all walks
  Walk walk_;
};

}  // namespace

std::span<const PeerRef> SuccessorsOf(const Peer& peer) {
  if (peer.ring() != nullptr) return peer.ring()->neighbours().successors();
  if (peer.parts() == nullptr || !peer.parts()->relaying) return {};
  return peer.parts()->relaying->neighbours.successors();
}

std::span<const PeerRef> PredecessorsOf(const Peer& peer) {
  if (peer.ring() != nullptr) return peer.ring()->neighbours().predecessors();
  if (peer.parts() == nullptr || !peer.parts()->relaying) return {};
  return peer.parts()->relaying->neighbours.predecessors();
}

Walk WalkRoute(const World& world, PeerRef source, PeerRef target, int tries) {
  Walker walker(world, source, target);
  Walk walk = walker.Go();
  while (!walk.arrived && static_cast<int>(walk.tries) < tries) walk = walker.Go();
  return walk;
}

}  // namespace tombolo::sim
