// Joining, refreshing and leaving (Kademlia 2002, section 2.3).
#include <algorithm>
#include <array>
#include <utility>

#include "overlay/peer.h"

namespace tombolo {
namespace {

constexpr Duration kJoinRetry = Duration::Seconds(2);  // after a join that reached nobody, doubling
constexpr int kMaxJoinDoublings = 5;                   // up to a minute

// A uniformly random id that shares exactly `level` bits with `id`.
NodeId RandomIdInBucket(const NodeId& id, int level, Rng& rng) {
  NodeId random;
  for (std::uint32_t& word : random.words) word = static_cast<std::uint32_t>(rng.Next() >> 32);
  for (int bit = 0; bit <= level; ++bit) {
    const bool wanted = bit == level ? !id.bit(bit) : id.bit(bit);
    if (random.bit(bit) != wanted) random = random.WithFlippedBit(bit);
  }
  return random;
}

// None of the contacts of the bucket can be asked: they have failed, or cannot be dialled. The
// lookup of our own id does not cover it, however few contacts we have: it names those next to us,
// of whom many may be such peers.
bool IsLost(const RoutingTable& table, int level, const Directory& ids) {
  const std::span<const PeerRef> live = table.live(level);
  const auto dialable = [&](PeerRef peer) { return ids.dialable(peer); };
  const bool empty = live.empty() && table.failed(level).empty();
  return !empty && std::none_of(live.begin(), live.end(), dialable);
}

}  // namespace

void Peer::Start(const Join& join, const PartStep& step) {
  if (state_ != PeerState::kJoined) state_ = PeerState::kJoining;
  if (step.config.has_ring()) ring_.Ensure();
  if (!step.config.has_table()) return StartRing(join, step);
  Upkeep& upkeep = EnsureParts().upkeep.Ensure();
  const std::span<const PeerRef> bootstrap = step.lists.Get(join.bootstrap);
  upkeep.bootstrap.assign(bootstrap.begin(), bootstrap.end());
  std::erase(upkeep.bootstrap, self_);
  if (step.config.heals()) JoinIsland(upkeep.bootstrap, step);
  // From now on those who answer are learned as neighbours; links are opened when the join is done.
  if (step.config.links.max_links > 0) parts_->relaying.Ensure();
  const bool busy = upkeep.phase == Upkeep::Phase::kSelf || upkeep.phase == Upkeep::Phase::kBuckets;
  if (busy) {
    upkeep.join_next = true;
  } else {
    upkeep.joining = true;
    StartSelfLookup(step);
  }
}

// One more peer to join through, as those that we were told first may all be dead.
void Peer::JoinThrough(PeerRef peer, const PartStep& step) {
  if (!parts_ || !parts_->upkeep || peer == self_ || !step.ids.Contains(peer)) return;
  Upkeep& upkeep = *parts_->upkeep;
  if (std::find(upkeep.bootstrap.begin(), upkeep.bootstrap.end(), peer) != upkeep.bootstrap.end()) {
    return;
  }
  if (upkeep.bootstrap.size() >= kMaxListed) upkeep.bootstrap.erase(upkeep.bootstrap.begin());
  upkeep.bootstrap.push_back(peer);
  upkeep.failures = 0;
  if (upkeep.phase == Upkeep::Phase::kWaiting) StartSelfLookup(step);
}

// A round of refreshing: the own id if it is due, then the buckets that are.
void Peer::StartUpkeep(const PartStep& step) {
  const Duration interval = step.config.table.refresh_interval;
  Upkeep& upkeep = EnsureParts().upkeep.Ensure();
  const bool hidden = !step.ids.dialable(self_);
  // The deepest bucket, or whichever the self lookup covers: new ones appear between rounds.
  bool due = upkeep.joining || hidden || table_.levels() == 0;
  for (int level = table_.CoveredFrom(step.config.table.k); level < table_.levels(); ++level) {
    due = due || table_.NeedsRefresh(level, step.now, interval);
  }
  if (due) return StartSelfLookup(step);
  StartBuckets(step);
}

// While joining, the lookup starts from the bootstrap peers too.
void Peer::StartSelfLookup(const PartStep& step) {
  refresh_at_ = kNever;
  Upkeep& upkeep = *parts_->upkeep;
  upkeep.phase = Upkeep::Phase::kSelf;
  upkeep.retry_at = kNever;
  StartLookup({LookupPurpose::kRefreshSelf, 0, id_}, step);
}

void Peer::UpkeepLookupDone(const LookupState& done, const PartStep& step) {
  if (!parts_ || !parts_->upkeep) return;
  if (done.goal().purpose == LookupPurpose::kRefreshBucket) return ContinueUpkeep(step);
  Upkeep& upkeep = *parts_->upkeep;
  if (upkeep.joining && done.hops() == 0 && !upkeep.bootstrap.empty()) {
    const int doublings = std::min<int>(upkeep.failures++, kMaxJoinDoublings);
    upkeep.phase = Upkeep::Phase::kWaiting;
    upkeep.retry_at = step.now + kJoinRetry * (std::int64_t{1} << doublings);
    return;
  }
  for (int level = table_.CoveredFrom(step.config.table.k); level < table_.levels(); ++level) {
    if (!IsLost(table_, level, step.ids))
      table_.Touch(level, step.now, step.config.table.refresh_interval);
  }
  // Those who answered are the ring neighbours to begin with.
  if (ring_ && !ring_->is_member()) ring_->Start(step);
  StartBuckets(step);
}

void Peer::StartBuckets(const PartStep& step) {
  refresh_at_ = kNever;
  Upkeep& upkeep = *parts_->upkeep;
  upkeep.phase = Upkeep::Phase::kBuckets;
  upkeep.retry_at = kNever;
  upkeep.level = 0;
  upkeep.end = table_.CoveredFrom(step.config.table.k);
  ContinueUpkeep(step);
}

// Looks up a random id in the next bucket that was not looked up of late.
void Peer::ContinueUpkeep(const PartStep& step) {
  Upkeep& upkeep = *parts_->upkeep;
  const Duration interval = step.config.table.refresh_interval;
  while (upkeep.level < table_.levels()) {
    const int level = upkeep.level++;
    if (level >= upkeep.end && !IsLost(table_, level, step.ids)) continue;
    if (!upkeep.joining && !table_.NeedsRefresh(level, step.now, interval)) continue;
    return StartLookup({LookupPurpose::kRefreshBucket, 0, RandomIdInBucket(id_, level, rng_)},
                       step);
  }
  EndUpkeep(step);
}

void Peer::EndUpkeep(const PartStep& step) {
  if (std::exchange(parts_->upkeep->join_next, false)) {
    parts_->upkeep->joining = true;
    return StartSelfLookup(step);
  }
  const bool joining = parts_->upkeep->joining;
  parts_->upkeep.Reset();
  refresh_at_ = NextRefresh(step);
  if (!joining) {
    // Built as a member among peers none of whom could be linked; by now others may be known.
    if (step.config.links.max_links > 0 && Relaying() == nullptr) StartRelaying(step);
    return;
  }
  state_ = PeerState::kJoined;
  if (step.config.heals()) JoinedIsland(step);
  if (step.config.links.max_links > 0) StartRelaying(step).links.StartMaintenance(step.now);
  step.out.Notify(Joined{static_cast<std::uint32_t>(table_.live_count())});
}

// When the first bucket is due. A little late by chance, so that peers that joined together do not
// refresh together for ever.
Time Peer::NextRefresh(const PartStep& step) {
  const Duration interval = step.config.table.refresh_interval;
  const auto late = [&](Duration most) {
    return Duration{
        static_cast<std::int64_t>(rng_.Below64(static_cast<std::uint64_t>(most.us) + 1))};
  };
  const Time due = table_.RefreshDue(step.now, interval) + late(interval / 16);
  const bool hidden = step.config.links.max_links > 0 && !step.ids.dialable(self_);
  if (!hidden) return due;
  const Duration hidden_interval = step.config.links.hidden_refresh_interval;
  return std::min(due, step.now + hidden_interval + late(hidden_interval / 8));
}

void Peer::Start(const Depart&, const PartStep& step) {
  // The goodbye comes last: whatever is heard after it would make this peer a contact again.
  if (parts_) HandOverRecords(step);
  EndAttach(step);
  if (ring_) ring_->Depart(step);
  SayGoodbye(step);
  state_ = PeerState::kLeft;
  refresh_at_ = kNever;
  if (parts_) {
    for (const LookupState& lookup : parts_->lookups.Abandon()) {
      if (lookup.goal().purpose == LookupPurpose::kApplication) NotifyLookupDone(lookup, step);
    }
    if (parts_->gossip) parts_->gossip->Stop(step);
    if (RelayParts* relaying = Relaying()) {
      relaying->relay.Stop(step);
      relaying->requests.Stop(step);
      relaying->links.Stop(step);
    }
  }
  table_ = RoutingTable();
  ring_.Reset();
  parts_.Reset();
}

// To those who are sure to hold this peer as a contact: the closest, and all that are linked.
void Peer::SayGoodbye(const PartStep& step) {
  std::array<PeerRef, kMaxListed> closest;
  const std::size_t count =
      table_.Closest(id_, id_, static_cast<std::size_t>(step.config.table.k), step.ids, closest);
  for (std::size_t i = 0; i < count; ++i) step.out.Send(closest[i], Leave{});
  for (const Link& link : links()) {
    const auto end = closest.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(closest.begin(), end, link.peer) == end) step.out.Send(link.peer, Leave{});
  }
}

}  // namespace tombolo
