#include "sim/checkers_tables.h"

#include <algorithm>
#include <span>
#include <string>

namespace tombolo::sim {
namespace {

bool IsReachable(const World& world, PeerRef from, PeerRef peer) {
  if (!world.is_up(peer) || !world.CanTalkBothWays(from, peer)) return false;
  if (world.directory().dialable(peer)) return true;
  const std::span<const Link> links = world.peer(peer).links();
  return std::any_of(links.begin(), links.end(),
                     [&](const Link& link) { return world.is_up(link.peer); });
}

bool HoldsContact(const World& world, const Peer& peer, int level) {
  const std::span<const PeerRef> contacts = peer.table().live(level);
  return std::any_of(contacts.begin(), contacts.end(),
                     [&](PeerRef contact) { return IsReachable(world, peer.self(), contact); });
}

// True if the world has a live, dialable peer for the bucket.
bool IsWanted(const World& world, const NodeId& id, int level) {
  const std::span<const PeerRef> members = world.oracle().Subtree(id, level, world.directory());
  return std::any_of(members.begin(), members.end(),
                     [&](PeerRef member) { return world.directory().dialable(member); });
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

bool HasJoined(const Peer& peer) { return peer.state() == PeerState::kJoined; }

// The false-empty bucket of the least level from `level` on; nullopt if there is none. What the
// peer holds is looked at first: what is true takes longer to find out.
std::optional<int> FalseEmptyFrom(const World& world, const Peer& peer, int level, int deepest) {
  for (; level <= deepest; ++level) {
    if (!HoldsContact(world, peer, level) && IsWanted(world, peer.id(), level)) return level;
  }
  return std::nullopt;
}

void CheckPeer(const World& world, std::uint64_t position, BucketCheck& check) {
  const PeerRef ref = world.oracle().live()[position];
  const Peer& peer = world.peer(ref);
  if (!HasJoined(peer)) return;
  ++check.peers;
  const int deepest = DeepestLevel(world, position);
  for (int level = 0; level <= deepest; ++level) {
    if (!IsWanted(world, peer.id(), level)) continue;
    ++check.buckets;
    if (HoldsContact(world, peer, level)) continue;
    if (check.false_empty++ == 0) {
      check.first_peer = ref;
      check.first_level = level;
    }
  }
}

}  // namespace

BucketCheck CheckBuckets(const World& world, std::uint32_t peers_max) {
  BucketCheck check;
  check.at = world.now();
  const std::uint64_t live = world.oracle().live().size();
  const std::uint64_t count = std::min<std::uint64_t>(peers_max, live);
  for (std::uint64_t i = 0; i < count; ++i) CheckPeer(world, i * live / count, check);
  return check;
}

Finding FindingOf(const BucketCheck& check) {
  Finding finding;
  finding.invariant = Invariant::kNoFalseEmpty;
  finding.at = check.at;
  finding.checked = check.buckets;
  if (check.false_empty == 0) return finding;
  finding.Report(check.first_peer,
                 "bucket " + std::to_string(check.first_level) + " holds no live contact");
  finding.broken = check.false_empty;
  return finding;
}

Finding CheckTables(const World& world) {
  return FindingOf(CheckBuckets(world, world.live_count()));
}

std::optional<int> FirstFalseEmpty(const World& world, std::uint64_t position) {
  const Peer& peer = world.peer(world.oracle().live()[position]);
  if (!HasJoined(peer)) return std::nullopt;
  return FalseEmptyFrom(world, peer, 0, DeepestLevel(world, position));
}

std::uint64_t CountFalseEmptyBuckets(const World& world) {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < world.oracle().live().size(); ++i) {
    const Peer& peer = world.peer(world.oracle().live()[i]);
    if (!HasJoined(peer)) continue;
    const int deepest = DeepestLevel(world, i);
    for (auto level = FalseEmptyFrom(world, peer, 0, deepest); level;
         level = FalseEmptyFrom(world, peer, *level + 1, deepest)) {
      ++count;
    }
  }
  return count;
}

}  // namespace tombolo::sim
