// Joining, refreshing and leaving (Kademlia 2002, section 2.3).
#include <algorithm>
#include <array>

#include "overlay/peer.h"

namespace tombolo {
namespace {

constexpr Duration kJoinRetry = Duration::Seconds(2);   // after a join that reached nobody, doubling
constexpr int kMaxJoinDoublings = 5;                    // up to a minute

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

}  // namespace

void Peer::Start(const Join& join, const PartStep& step) {
  if (state_ == PeerState::kJoining) return;
  const std::span<const PeerRef> bootstrap = step.lists.Get(join.bootstrap);
  state_ = PeerState::kJoining;
  Upkeep& upkeep = EnsureParts().upkeep.Ensure();
  upkeep = Upkeep();
  upkeep.joining = true;
  upkeep.bootstrap.assign(bootstrap.begin(), bootstrap.end());
  std::erase(upkeep.bootstrap, self_);
  // From now on those who answer are learned as neighbours; links are opened when the join is done.
  if (step.config.links.max_links > 0) parts_->relaying.Ensure();
  StartUpkeep(step);
}

// Begins a round: a lookup of the own id, seeded with the bootstrap peers while joining.
void Peer::StartUpkeep(const PartStep& step) {
  refresh_at_ = kNever;
  Upkeep& upkeep = EnsureParts().upkeep.Ensure();
  upkeep.phase = Upkeep::Phase::kSelf;
  upkeep.retry_at = kNever;
  StartLookup({LookupPurpose::kRefreshSelf, 0, id_}, step);
}

void Peer::UpkeepLookupDone(const LookupState& done, const PartStep& step) {
  Upkeep& upkeep = *parts_->upkeep;
  if (done.goal().purpose == LookupPurpose::kRefreshBucket) {
    return ContinueUpkeep(step);
  }
  if (upkeep.joining && done.hops() == 0 && !upkeep.bootstrap.empty()) {
    const int doublings = std::min<int>(upkeep.failures++, kMaxJoinDoublings);
    upkeep.phase = Upkeep::Phase::kWaiting;
    upkeep.retry_at = step.now + kJoinRetry * (std::int64_t{1} << doublings);
    return;
  }
  upkeep.phase = Upkeep::Phase::kBuckets;
  upkeep.level = 0;
  upkeep.end = table_.CoveredFrom(step.config.table.k);
  for (int level = upkeep.end; level < table_.levels(); ++level) {
    table_.Touch(level, step.now, step.config.table.refresh_interval);
  }
  ContinueUpkeep(step);
}

// Looks up a random id in the next bucket that was not looked up of late.
void Peer::ContinueUpkeep(const PartStep& step) {
  Upkeep& upkeep = *parts_->upkeep;
  const Duration interval = step.config.table.refresh_interval;
  while (upkeep.level < upkeep.end) {
    const int level = upkeep.level++;
    if (!upkeep.joining && !table_.NeedsRefresh(level, step.now, interval)) continue;
    table_.Touch(level, step.now, interval);
    return StartLookup({LookupPurpose::kRefreshBucket, 0, RandomIdInBucket(id_, level, rng_)}, step);
  }
  EndUpkeep(step);
}

void Peer::EndUpkeep(const PartStep& step) {
  const bool joining = parts_->upkeep->joining;
  parts_->upkeep.Reset();
  // Up to a tenth earlier, so that peers that joined together do not refresh together for ever.
  const bool hidden = step.config.links.max_links > 0 && !step.ids.dialable(self_);
  const std::int64_t interval =
      (hidden ? step.config.links.hidden_refresh_interval : step.config.table.refresh_interval).us;
  const auto jitter = static_cast<std::int64_t>(rng_.Below64(static_cast<std::uint64_t>(interval / 10) + 1));
  refresh_at_ = step.now + Duration{interval - jitter};
  if (!joining) return;
  state_ = PeerState::kJoined;
  if (step.config.links.max_links > 0) StartRelaying(step).links.StartMaintenance(step.now);
  step.out.Notify(Joined{static_cast<std::uint32_t>(table_.live_count())});
}

void Peer::Start(const Depart&, const PartStep& step) {
  if (state_ == PeerState::kLeft) return;
  std::array<PeerRef, kMaxListed> closest;
  const std::size_t count =
      table_.Closest(id_, id_, static_cast<std::size_t>(step.config.table.k), step.ids, closest);
  for (std::size_t i = 0; i < count; ++i) step.out.Send(closest[i], Leave{});
  HandOverRecords(step);
  if (RelayParts* relaying = Relaying()) {
    relaying->relay.Stop(step);
    relaying->requests.Stop(step);
    relaying->links.Stop(step);
  }
  state_ = PeerState::kLeft;
  refresh_at_ = kNever;
  table_ = RoutingTable();
  parts_.Reset();
}

}  // namespace tombolo
