#include "sim/checkers.h"

#include <algorithm>
#include <span>
#include <vector>

namespace tombolo::sim {
namespace {

// Longer than any lookup: every round of one ends at the latest with its time-outs.
constexpr Duration kLookupLimit = Duration::Minutes(10);

bool AnyDialable(const World& world, std::span<const PeerRef> peers) {
  return std::any_of(peers.begin(), peers.end(),
                     [&](PeerRef peer) { return world.directory().dialable(peer); });
}

bool IsReachable(const World& world, PeerRef peer) {
  if (!world.is_up(peer)) return false;
  if (world.directory().dialable(peer)) return true;
  const std::span<const Link> links = world.peer(peer).links();
  return std::any_of(links.begin(), links.end(),
                     [&](const Link& link) { return world.is_up(link.peer); });
}

// The deepest bucket that any live peer belongs in: that of a neighbour in the order of ids.
int DeepestLevel(const World& world, std::uint64_t position) {
  const std::span<const PeerRef> live = world.oracle().live();
  const auto shared = [&](std::uint64_t other) {
    return CommonPrefixLength(world.directory().id(live[position]),
                              world.directory().id(live[other]));
  };
  const int before = position > 0 ? shared(position - 1) : -1;
  return std::max(before, position + 1 < live.size() ? shared(position + 1) : -1);
}

void CheckPeer(const World& world, std::uint64_t position, BucketCheck& check) {
  const PeerRef ref = world.oracle().live()[position];
  const Peer& peer = world.peer(ref);
  if (peer.state() != PeerState::kJoined) return;
  ++check.peers;
  const int deepest = DeepestLevel(world, position);
  for (int level = 0; level <= deepest; ++level) {
    if (!AnyDialable(world, world.oracle().Subtree(peer.id(), level, world.directory()))) continue;
    ++check.buckets;
    const auto contacts = peer.table().live(level);
    if (std::any_of(contacts.begin(), contacts.end(),
                    [&](PeerRef c) { return IsReachable(world, c); }))
      continue;
    if (check.false_empty++ == 0) {
      check.first_peer = ref;
      check.first_level = level;
    }
  }
}

}  // namespace

BucketCheck CheckBuckets(const World& world, std::uint32_t peers_max) {
  BucketCheck check;
  const std::uint64_t live = world.oracle().live().size();
  const std::uint64_t count = std::min<std::uint64_t>(peers_max, live);
  for (std::uint64_t i = 0; i < count; ++i) CheckPeer(world, i * live / count, check);
  return check;
}

namespace {

// The true k closest live peers to the key, but for the asker, who does not look for itself.
std::vector<PeerRef> TrueClosest(const World& world, const Operation& lookup) {
  const auto k = static_cast<std::size_t>(world.options().core.table.k);
  std::vector<PeerRef> closest = world.oracle().Closest(lookup.key, k + 1, world.directory());
  std::erase(closest, lookup.source);
  if (closest.size() > k) closest.resize(k);
  return closest;
}

void Judge(const World& world, const Operation& lookup, LookupCheck& check) {
  if (lookup.status != OperationStatus::kSucceeded) {
    ++check.failed;
    return;
  }
  ++check.lookups;
  const std::size_t wanted = TrueClosest(world, lookup).size();
  const std::size_t found = CountClosestFound(world, lookup);
  check.wanted += wanted;
  check.found += found;
  if (found == wanted) {
    ++check.exact;
  } else if (!check.first_target) {
    check.first_target = lookup.key;
    check.first_source = lookup.source;
  }
}

}  // namespace

std::size_t CountClosestFound(const World& world, const Operation& lookup) {
  const std::vector<PeerRef> truth = TrueClosest(world, lookup);
  return static_cast<std::size_t>(std::count_if(truth.begin(), truth.end(), [&](PeerRef peer) {
    return std::find(lookup.closest.begin(), lookup.closest.end(), peer) != lookup.closest.end();
  }));
}

LookupCheck CheckLookups(World& world, std::uint32_t count) {
  LookupCheck check;
  std::vector<OperationId> started;
  for (std::uint32_t i = 0; i < count && world.live_count() > 1; ++i) {
    started.push_back(world.StartLookup(world.RandomLivePeer(), world.RandomId()));
  }
  const Time limit = world.now() + kLookupLimit;
  for (const OperationId id : started) {
    if (world.RunUntilEnded(id, limit)) {
      Judge(world, world.TakeOperation(id), check);
    } else {
      ++check.failed;
    }
  }
  return check;
}

}  // namespace tombolo::sim
