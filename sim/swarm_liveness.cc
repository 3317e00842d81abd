#include "sim/swarm_liveness.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <string>

#include "sim/checkers.h"
#include "sim/checkers_attach.h"
#include "sim/conditions.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kNoIsland = ~std::size_t{0};
constexpr Duration kLongestRefresh = Duration::Minutes(1);  // later is never, for a merge alone

constexpr Duration kLongestJoinRetry = Duration::Seconds(64);  // peer_upkeep.cc

Duration LinksBound(const WorldOptions& options) {
  const LinkConfig& links = options.core.links;
  return options.keepalive_timeout * 2 + links.dial_back_off + links.maintenance_interval * 2 +
         links.hidden_refresh_interval;
}

}  // namespace

Duration LivenessBound(const WorldOptions& options) {
  const Config& core = options.core;
  const Duration links = LinksBound(options);
  const Duration tables = core.table.refresh_interval * 4 + core.table.check_interval * 2;
  const Duration ring = core.has_ring() ? core.ring.stabilise_interval * 16 : Duration{0};
  const Duration heal = core.heals() ? core.heal.remember_after + core.heal.probe_back_off_max * 2 +
                                           core.heal.probe_interval * 8 + core.heal.session_ttl * 2
                                     : Duration{0};
  const Duration gossip = core.gossip.compare_interval * 8;
  const Duration attach = core.attach.ttl * 3;
  return kLongestJoinRetry + links + tables + ring + heal + gossip + attach;
}

Duration CatchUpBound(const WorldOptions& options) {
  return LinksBound(options) + options.core.gossip.compare_interval * 12;
}

Duration MergeBound(const WorldOptions& options) {
  const HealConfig& heal = options.core.heal;
  const bool refreshes = heal.refresh_after < kLongestRefresh;
  if (!refreshes && options.faults.drop <= 0)
    return options.latency.one_way * 40 + Duration::Milliseconds(100);
  const Duration refresh = refreshes ? heal.refresh_after : Duration::Seconds(2);
  const Duration lossless = options.latency.one_way * 100 + refresh * 2;
  return options.faults.drop > 0 ? lossless * 3 + heal.max_rto * AckedSends::kMaxTries : lossless;
}

namespace {

std::optional<Violation> CheckJoined(const World& world) {
  for (const PeerRef peer : world.oracle().live()) {
    if (world.peer(peer).state() == PeerState::kJoined) continue;
    return Violation{"L1 everybody has joined", peer, world.now(), "it has not"};
  }
  return std::nullopt;
}

std::optional<Violation> CheckAttached(const World& world) {
  const HomeCheck homes = CheckHomes(world);
  if (homes.wrong > 0) {
    return Violation{"I13 every client is found at its home", homes.first_home, world.now(),
                     std::to_string(homes.wrong) + " peers are wrong about being a home"};
  }
  const RoomCheck rooms = CheckRooms(world);
  if (rooms.wrong == 0 && rooms.misplaced == 0) return std::nullopt;
  return Violation{"I14 rooms look alike everywhere", rooms.first_home, world.now(),
                   std::to_string(rooms.wrong) + " of " + std::to_string(rooms.views) + " views, " +
                       std::to_string(rooms.misplaced) + " members are misplaced"};
}

// A merge brings together nearest neighbours, not whole lists, and of buckets it leaves a few empty
// for its refresh to fill (healing.md). Without buckets there are none, and nothing is relayed.
bool IsAsked(Invariant invariant, const World& world, bool merge_alone) {
  const Config& core = world.options().core;
  const bool refreshes = !merge_alone || core.heal.refresh_after < kLongestRefresh;
  switch (invariant) {
    case Invariant::kRoutable:
      return core.has_table();
    case Invariant::kNoFalseEmpty:
      return core.has_table() && refreshes;
    case Invariant::kLiveSuccessor:
    case Invariant::kLeafSet:
      return !merge_alone;
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
  const bool lonely = self.table().live_count() == 0;  // then it tries again those who have failed
  for (int level = 0; level < self.table().levels(); ++level) {
    for (const PeerRef contact : self.table().live(level)) join_dialable(contact);
    for (const PeerRef contact : self.table().replacements(level)) join_dialable(contact);
    if (lonely) {
      for (const PeerRef contact : self.table().failed(level)) join_dialable(contact);
    }
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

std::optional<Violation> AsViolation(const Finding& finding) {
  if (finding.ok()) return std::nullopt;
  return Violation{std::string(NameOf(finding.invariant)), finding.peer, finding.at,
                   finding.detail};
}

std::optional<Violation> FirstWrong(const World& world, bool merge_alone) {
  if (auto wrong = CheckJoined(world)) return wrong;
  for (const Finding& finding : RunCheckers(world, true)) {
    if (!finding.ok() && IsAsked(finding.invariant, world, merge_alone))
      return AsViolation(finding);
  }
  return CheckAttached(world);
}

std::vector<std::vector<PeerRef>> KnowledgeIslands(const World& world) {
  Groups groups(world.peer_count());
  for (const PeerRef peer : world.oracle().live()) JoinAcquaintances(world, peer, groups);
  std::vector<std::vector<PeerRef>> islands;
  std::vector<std::size_t> island_of(world.peer_count(), kNoIsland);
  for (const PeerRef peer : world.oracle().live()) {
    std::size_t& island = island_of[groups.Root(Index(peer))];
    if (island == kNoIsland) {
      island = islands.size();
      islands.emplace_back();
    }
    islands[island].push_back(peer);
  }
  return islands;
}

namespace {

template <class... Kinds>
std::uint64_t SentOf(const World& world) {
  return (world.metrics().messages[Message(Kinds{}).index()] + ...);
}

std::optional<Violation> CheckCost(const World& world, const char* what, std::uint64_t sent,
                                   std::uint64_t allowed) {
  if (sent <= allowed) return std::nullopt;
  return Violation{
      "I9 budgets", PeerRef::kNone, world.now(),
      std::to_string(sent) + " messages of " + what + ", allowed are " + std::to_string(allowed)};
}

}  // namespace

std::optional<Violation> CheckMergeCost(const World& world, std::uint32_t bridges) {
  const std::uint64_t live = world.live_count();
  const std::uint64_t others = world.options().islands.size() - 1;
  const std::uint64_t repeats = world.options().faults.drop > 0 ? 3 : 2;  // in halves
  const auto merge =
      SentOf<MergeSync, MergeSyncReply, MergeBridge, MergeFill, MergeLookup, MergeMeet>(world);
  const std::uint64_t alarms = SentOf<IslandReply>(world) + others * bridges;
  const std::uint64_t lookup = std::bit_width(live) + std::uint64_t{1};
  if (auto wrong =
          CheckCost(world, "a merge", merge, others * (8 + bridges) * repeats * live / 2)) {
    return wrong;
  }
  return CheckCost(world, "confirming it", SentOf<MergeConfirm, MergeConfirmed>(world),
                   alarms * lookup * repeats / 2);
}

bool IntroduceIslands(World& world, std::uint32_t bridges) {
  const std::vector<std::vector<PeerRef>> islands = KnowledgeIslands(world);
  if (islands.size() < 2) return true;
  const auto is_known = [&](PeerRef peer) {
    return world.directory().dialable(peer) && IsMember(world, peer);
  };
  // The well-known peers: those of the first island that has any.
  std::vector<PeerRef> known;
  std::size_t home = 0;
  for (; home < islands.size() && known.empty(); ++home)
    std::ranges::copy_if(islands[home], std::back_inserter(known), is_known);
  if (known.empty() || !world.options().core.heals()) return false;
  for (std::size_t island = 0; island < islands.size(); ++island) {
    if (island + 1 == home) continue;
    const std::vector<PeerRef>& told = islands[island];
    for (std::size_t i = 0; i < bridges; ++i)
      world.Introduce(told[i * told.size() / bridges], known[i * known.size() / bridges]);
  }
  return true;
}

}  // namespace tombolo::sim
