#include "sim/swarm_liveness.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "sim/checkers.h"
#include "sim/checkers_attach.h"

namespace tombolo::sim {
namespace {

constexpr Duration kLongestJoinRetry = Duration::Seconds(64);  // peer_upkeep.cc

}  // namespace

Duration LivenessBound(const WorldOptions& options) {
  const Config& core = options.core;
  const Duration links = options.keepalive_timeout * 2 + core.links.dial_back_off +
                         core.links.maintenance_interval * 2 + core.links.hidden_refresh_interval;
  const Duration tables = core.table.refresh_interval * 4 + core.table.check_interval * 2;
  const Duration ring = core.has_ring() ? core.ring.stabilise_interval * 16 : Duration{0};
  const Duration heal = core.heals() ? core.heal.remember_after + core.heal.probe_back_off_max * 2 +
                                           core.heal.probe_interval * 8 + core.heal.session_ttl * 2
                                     : Duration{0};
  const Duration gossip = core.gossip.compare_interval * 8;
  const Duration attach = core.attach.ttl * 3;
  return kLongestJoinRetry + links + tables + ring + heal + gossip + attach;
}

Duration MergeBound(const WorldOptions& options) {
  return options.latency.one_way * 100 + options.core.heal.refresh_after * 2;
}

namespace {

std::optional<Violation> CheckJoined(const World& world) {
  for (const PeerRef peer : world.oracle().live()) {
    if (world.peer(peer).state() == PeerState::kJoined) continue;
    return Violation{"L1 everybody has joined", peer, world.now(), "it has not"};
  }
  return std::nullopt;
}

// Peers that cannot be dialled are known through their links alone, which come and go: worlds with
// such peers are judged by what they can do. A merge brings together nearest neighbours, not whole
// lists.
bool IsAsked(Invariant invariant, const World& world, bool merge_alone) {
  switch (invariant) {
    case Invariant::kOneRing:
    case Invariant::kOrdered:
    case Invariant::kNoAppendage:
    case Invariant::kRoutable:
    case Invariant::kNoDeadTraffic:
    case Invariant::kNoFalseEmpty:
      return world.options().nat_share == 0;
    case Invariant::kLiveSuccessor:
    case Invariant::kLeafSet:
      return world.options().nat_share == 0 && !merge_alone;
    default:
      return true;
  }
}

// Disjoint sets of peers by number.
class Groups {
 public:
  explicit Groups(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t Root(std::size_t member) {
    while (parent_[member] != member) member = parent_[member] = parent_[parent_[member]];
    return member;
  }
  void Join(PeerRef a, PeerRef b) { parent_[Root(Index(a))] = Root(Index(b)); }

 private:
  std::vector<std::size_t> parent_;
};

void JoinAcquaintances(const World& world, PeerRef peer, Groups& groups) {
  const auto join = [&](PeerRef other) {
    if (world.is_up(other)) groups.Join(peer, other);
  };
  const auto join_dialable = [&](PeerRef other) {
    if (world.directory().dialable(other)) join(other);
  };
  const Peer& self = world.peer(peer);
  for (int level = 0; level < self.table().levels(); ++level) {
    for (const PeerRef contact : self.table().live(level)) join_dialable(contact);
    for (const PeerRef contact : self.table().replacements(level)) join_dialable(contact);
  }
  for (const Link& link : self.links()) join(link.peer);
  if (self.ring() != nullptr) {
    for (const PeerRef neighbour : self.ring()->neighbours().all()) join_dialable(neighbour);
  }
  const PeerParts* parts = self.parts();
  if (parts == nullptr) return;
  if (parts->upkeep) {
    for (const PeerRef other : parts->upkeep->bootstrap) join_dialable(other);
  }
  if (parts->healing && parts->healing->watch) {
    for (const RememberedPeer& row : parts->healing->watch->remembered.rows()) {
      if (row.kept()) join_dialable(row.peer);
    }
  }
}

}  // namespace

std::optional<Violation> FirstWrong(const World& world, bool merge_alone) {
  if (auto wrong = CheckJoined(world)) return wrong;
  for (const Finding& finding : RunCheckers(world, true)) {
    if (finding.ok() || !IsAsked(finding.invariant, world, merge_alone)) continue;
    return Violation{std::string(NameOf(finding.invariant)), finding.peer, world.now(),
                     finding.detail};
  }
  const RoomCheck rooms = CheckRooms(world);
  if (rooms.wrong == 0) return std::nullopt;
  return Violation{"I14 rooms look alike everywhere", rooms.first_home, world.now(),
                   std::to_string(rooms.wrong) + " of " + std::to_string(rooms.views) + " views"};
}

std::vector<PeerRef> KnowledgeIslands(const World& world) {
  Groups groups(world.peer_count());
  for (const PeerRef peer : world.oracle().live()) JoinAcquaintances(world, peer, groups);
  std::vector<PeerRef> first;
  std::vector<bool> seen(world.peer_count(), false);
  for (const PeerRef peer : world.oracle().live()) {
    const std::size_t root = groups.Root(Index(peer));
    if (!seen[root]) first.push_back(peer);
    seen[root] = true;
  }
  return first;
}

}  // namespace tombolo::sim
