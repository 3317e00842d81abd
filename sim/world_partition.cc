// Partitions: who can talk to whom, and what becomes of the links between those who cannot.
#include <algorithm>
#include <cassert>
#include <utility>

#include "sim/world.h"

namespace tombolo::sim {
namespace {

constexpr std::uint32_t kSilencedAtOnce = 4096;  // peers whose links are looked at in one action
constexpr int kIslandDraws = 64;                 // of random live peers, before all are looked at

}  // namespace

// ---- Verbs.

void World::Partition(std::span<const double> shares, Crossing crossing) {
  Separate(DrawIslands(shares, rng_), crossing);
}

// Exact sizes among the live peers, in random order; who is down now may be up later.
std::vector<std::uint16_t> World::DrawIslands(std::span<const double> shares, Rng& rng) const {
  std::vector<PeerRef> live(oracle_.live().begin(), oracle_.live().end());
  for (auto left = static_cast<std::uint32_t>(live.size()); left > 1; --left)
    std::swap(live[left - 1], live[rng.Below(left)]);
  std::vector<std::uint16_t> islands(peer_count());
  const std::vector<std::uint32_t> sizes = IslandSizes(shares, live_count_);
  std::size_t next = 0;
  for (std::uint16_t island = 0; island < sizes.size(); ++island) {
    for (std::uint32_t i = 0; i < sizes[island]; ++i) islands[Index(live[next++])] = island;
  }
  constexpr std::uint32_t kParts = 1U << 30;
  std::vector<std::uint32_t> ends = IslandSizes(shares, kParts);
  for (std::size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
  for (std::uint32_t peer = 0; peer < peer_count(); ++peer) {
    if (is_up(static_cast<PeerRef>(peer))) continue;
    const auto end = std::upper_bound(ends.begin(), ends.end(), rng.Below(kParts));
    islands[peer] = static_cast<std::uint16_t>(end - ends.begin());
  }
  return islands;
}

void World::PartitionInto(std::span<const std::uint16_t> island_of_peer, Crossing crossing) {
  assert(island_of_peer.size() == peers_.size());
  Separate({island_of_peer.begin(), island_of_peer.end()}, crossing);
}

void World::Separate(std::vector<std::uint16_t> islands, Crossing crossing) {
  reach_.Assign(std::move(islands), crossing, now_);
  actions_.Schedule(now_ + options_.keepalive_timeout, Action::Kind::kSilenceAll, 0);
}

void World::Isolate(PeerRef peer) {
  reach_.Isolate(peer, peer_count(), now_);
  ScheduleSilence(peer);
}

void World::Cut(PeerRef a, PeerRef b, bool one_way) {
  assert(a != b);
  reach_.Cut(a, b, now_);
  if (!one_way) reach_.Cut(b, a, now_);
  ScheduleSilence(a);
  ScheduleSilence(b);
}

void World::Bridge(PeerRef a, PeerRef b) {
  assert(a != b);
  reach_.Bridge(a, b);
  if (is_up(a)) Introduce(a, b);
}

void World::Introduce(PeerRef a, PeerRef b) {
  assert(is_up(a));
  Issue(a, tombolo::Introduce{b});
}

void World::Heal() { reach_.Heal(); }

// ---- Links across a cut.

// Both ends of a link notice a cut by keepalives that go unanswered.
void World::ScheduleSilence(PeerRef peer) {
  actions_.Schedule(now_ + options_.keepalive_timeout, Action::Kind::kSilence, Index(peer));
}

void World::SilenceLinksOf(PeerRef peer) {
  const Time since = now_ - options_.keepalive_timeout;
  std::vector<PeerRef> silent = faults_.EndHalfOpens(peer, since);
  if (!is_up(peer)) return;
  // Who stands still notices nothing before it goes on.
  const bool paused = faults_.IsPaused(peer, now_);
  const bool stands = paused && faults_.paused_from(peer) <= since;
  for (const Link& link : peers_[Index(peer)].links()) {
    if (is_up(link.peer) && (stands || reach_.SilentSince(peer, link.peer, since)))
      silent.push_back(link.peer);
  }
  for (const PeerRef other : silent) {
    LoseLink(peer, other);
    if (paused) {
      TellClosed(other, peer);
    } else {
      LoseLink(other, peer);
    }
  }
}

// In slices, so that a caller who shows progress does not wait for a million peers.
void World::SilenceAll(std::uint32_t first) {
  const std::uint32_t end = std::min(first + kSilencedAtOnce, peer_count());
  for (std::uint32_t peer = first; peer < end; ++peer) SilenceLinksOf(static_cast<PeerRef>(peer));
  if (end < peer_count()) actions_.Schedule(now_, Action::Kind::kSilenceAll, end);
}

// `to` has heard nothing from `from` for the length of the time-out.
void World::LoseLink(PeerRef from, PeerRef to, LinkDownReason reason) {
  if (!is_up(to) || !HasLink(to, from)) return;
  peers_[Index(to)].LinkDown(from, reason, MakeStep(to));
  Drain(to);
}

// Tells `to` that `from` has let go of their link: by silence if the word cannot pass.
void World::TellClosed(PeerRef from, PeerRef to) {
  const bool passes = reach_.CanTalk(from, to);
  Schedule(
      from, to, passes ? network_.Delay(from, to) : options_.keepalive_timeout,
      {FlightKind::kLinkDown, passes ? LinkDownReason::kClosed : LinkDownReason::kTimeout, Ping{}});
}

// ---- Newcomers.

// A random live peer that `peer` can exchange messages with; kNone if there is none. Requires a
// live peer.
PeerRef World::RandomReachable(PeerRef peer) {
  if (!reach_.active() && options_.nat_share == 0) return RandomLivePeer();
  const auto reaches = [&](PeerRef other) {
    return other != peer && directory_.dialable(other) && reach_.CanTalkBothWays(peer, other);
  };
  for (int i = 0; i < kIslandDraws; ++i) {
    const PeerRef drawn = RandomLivePeer();
    if (reaches(drawn)) return drawn;
  }
  std::vector<PeerRef> within(oracle_.live().begin(), oracle_.live().end());
  std::erase_if(within, [&](PeerRef other) { return !reaches(other); });
  if (within.empty()) return PeerRef::kNone;
  return within[rng_.Below(static_cast<std::uint32_t>(within.size()))];
}

}  // namespace tombolo::sim
