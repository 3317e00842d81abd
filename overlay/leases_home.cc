// Leases and their placing; leases_holders.cc has what is said to holders.
#include "overlay/leases_home.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace tombolo {
namespace {

constexpr std::uint64_t kLastSequence = std::numeric_limits<std::uint64_t>::max();

// Give or take an eighth, so that homes that started together do not stay together.
Duration Jittered(Duration interval, Rng& rng) {
  const std::int64_t quarter = interval.us / 4;
  return interval - Duration{quarter / 2} +
         Duration{static_cast<std::int64_t>(rng.Below64(static_cast<std::uint64_t>(quarter) + 1))};
}

}  // namespace

bool HomeLeases::Attach(std::uint32_t request, const NodeId& client, std::uint64_t sequence,
                        const PartStep& step) {
  const LeaseKey key{LeaseKind::kClient, client};
  auto at = leases_.find(key);
  const bool is_new = at == leases_.end();
  if (is_new && clients_ >= static_cast<std::uint32_t>(step.config.attach.max_clients)) {
    step.out.Drop(DropReason::kOverload);
    return false;
  }
  const auto now = static_cast<std::uint64_t>(step.now.us);
  const std::uint64_t wanted = sequence != 0 ? sequence : std::max<std::uint64_t>(now, 1);
  if (is_new) {
    Add(key, wanted, step);
    at = leases_.find(key);
  }
  Lease& lease = at->second;
  // Each command gets an answer of its own: who asks again waits for the second one.
  if (lease.attaching && lease.request != request)
    step.out.Notify(ClientAttached{lease.request, false, client, lease.sequence, 0, lease.started});
  lease.request = request;
  lease.started = step.now;
  lease.attaching = true;
  lease.bids = sequence == 0 ? kMaxBids : 0;
  if (!is_new && wanted > lease.sequence) Raise(key, lease, wanted, step);
  if (lease.stage == Stage::kPlaced) EndAttaching(key, lease, step);
  return true;
}

void HomeLeases::EnterRoom(const NodeId& room, const PartStep& step) {
  const LeaseKey key{LeaseKind::kRoom, room};
  if (!leases_.contains(key)) Add(key, static_cast<std::uint64_t>(step.now.us) + 1, step);
}

HomeLeases::Lease& HomeLeases::Add(const LeaseKey& key, std::uint64_t sequence,
                                   const PartStep& step) {
  Lease& lease = leases_[key];
  lease.sequence = sequence;
  lease.back_off = step.config.attach.renew_interval;
  if (key.kind == LeaseKind::kClient) ++clients_;
  if (renew_at_ == kNever)
    renew_at_ = step.now + Jittered(step.config.attach.renew_interval, step.rng);
  if (check_at_ == kNever) check_at_ = step.now + Jittered(step.config.attach.ttl, step.rng);
  deadline_ = std::min({deadline_, renew_at_, check_at_});
  wanting_.push_back(key);
  return lease;
}

// Puts a placed lease into the queue for lookups.
void HomeLeases::Want(const LeaseKey& key, Lease& lease) {
  if (lease.stage != Stage::kPlaced) return;
  lease.stage = Stage::kWaiting;
  wanting_.push_back(key);
}

void HomeLeases::End(const LeaseKey& key, const PartStep& step) {
  if (const auto at = leases_.find(key); at != leases_.end()) Erase(at, step);
}

void HomeLeases::Erase(Leases::iterator at, const PartStep& step) {
  const LeaseKey key = at->first;
  Lease& lease = at->second;
  while (lease.count > 0) Unassign(key, lease, lease.holders[lease.count - 1U], true, step);
  if (key.kind == LeaseKind::kClient) --clients_;
  leases_.erase(at);
}

void HomeLeases::EndAll(const PartStep& step) {
  while (!leases_.empty()) Erase(leases_.begin(), step);
}

std::optional<std::uint64_t> HomeLeases::Find(const NodeId& client) const {
  const auto at = leases_.find({LeaseKind::kClient, client});
  if (at == leases_.end()) return std::nullopt;
  return at->second.sequence;
}

std::span<const PeerRef> HomeLeases::HoldersOf(const LeaseKey& key) const {
  const auto at = leases_.find(key);
  if (at == leases_.end()) return {};
  return at->second.list();
}

bool HomeLeases::Yields(const NodeId& client, PeerRef claimant, std::uint64_t sequence,
                        const PartStep& step) {
  const auto at = leases_.find({LeaseKind::kClient, client});
  if (at == leases_.end()) return false;
  const std::uint64_t own = at->second.sequence;
  const bool newer = sequence != own ? sequence > own : step.ids.id(claimant) > step.self_id;
  if (newer) {
    Lose(at, claimant, sequence, step);
  } else {
    step.out.Send(claimant, LeaseMoved{client, step.self, own});
  }
  return newer;
}

bool HomeLeases::OnMoved(PeerRef from, const LeaseMoved& moved, const PartStep& step) {
  const auto at = leases_.find({LeaseKind::kClient, moved.client});
  const bool known = at != leases_.end() && step.ids.Contains(moved.home);
  if (!known) {
    step.out.Drop(DropReason::kUnknownRpc);
    return false;
  }
  Lease& lease = at->second;
  // Only a holder, or the home that it is about, can know.
  const bool entitled = from == moved.home || std::ranges::count(lease.list(), from) > 0;
  const bool newer = moved.sequence != lease.sequence ? moved.sequence > lease.sequence
                                                      : step.ids.id(moved.home) > step.self_id;
  if (!entitled || !newer) {
    step.out.Drop(DropReason::kUnknownRpc);
    return false;
  }
  const bool own = moved.home == step.self;  // of an earlier life
  const bool outbids = own || (lease.attaching && lease.bids > 0);
  if (outbids && moved.sequence != kLastSequence) {
    if (!own) --lease.bids;
    Raise(at->first, lease, moved.sequence + 1, step);
    return false;
  }
  Lose(at, moved.home, moved.sequence, step);
  return true;
}

void HomeLeases::Lose(Leases::iterator at, PeerRef home, std::uint64_t sequence,
                      const PartStep& step) {
  const LeaseKey key = at->first;
  Lease& lease = at->second;
  step.out.Notify(LeaseLost{key.id, home, sequence});
  // Holders that have heard of the newer lease have forgotten this one; the others will.
  while (lease.count > 0) Unassign(key, lease, lease.holders[lease.count - 1U], true, step);
  --clients_;
  leases_.erase(at);
}

// Gives a lease a higher sequence and tells all its holders.
void HomeLeases::Raise(const LeaseKey& key, Lease& lease, std::uint64_t sequence,
                       const PartStep& step) {
  const std::uint64_t old = lease.sequence;
  lease.sequence = sequence;
  lease.confirmed = 0;
  for (const PeerRef peer : lease.list()) {
    Row& row = rows_.at(step.ids.id(peer));
    row.digest += LeaseHash(key, sequence) - LeaseHash(key, old);
    Tell(key, peer, step);
  }
}

// The attaching ends once every holder has taken the lease.
void HomeLeases::EndAttaching(const LeaseKey& key, Lease& lease, const PartStep& step) {
  const auto all = static_cast<std::uint16_t>((1U << lease.count) - 1U);
  if (!lease.attaching || lease.stage != Stage::kPlaced || lease.confirmed != all) return;
  lease.attaching = false;
  step.out.Notify(
      ClientAttached{lease.request, true, key.id, lease.sequence, lease.count, lease.started});
}

std::optional<LeaseKey> HomeLeases::TakeLookup() {
  while (!wanting_.empty() && lookups_ < kMaxLookups) {
    const LeaseKey key = wanting_.back();
    wanting_.pop_back();
    const auto at = leases_.find(key);
    if (at == leases_.end() || at->second.stage != Stage::kWaiting) continue;
    at->second.stage = Stage::kLookup;
    ++lookups_;
    return key;
  }
  return std::nullopt;
}

void HomeLeases::OnLookupRefused(const LeaseKey& key, const PartStep& step) {
  assert(lookups_ > 0);
  --lookups_;
  const auto at = leases_.find(key);
  if (at == leases_.end() || at->second.stage != Stage::kLookup) return;
  // The next round of renewals asks again.
  at->second.stage = Stage::kPlaced;
  at->second.again = step.now;
}

void HomeLeases::OnLookupDone(const LeaseKey& key, std::span<const PeerRef> closest,
                              const PartStep& step) {
  assert(lookups_ > 0);
  --lookups_;
  const auto at = leases_.find(key);
  if (at == leases_.end() || at->second.stage != Stage::kLookup) return;
  Lease& lease = at->second;
  lease.stage = Stage::kPlaced;
  auto replicas = static_cast<std::size_t>(step.config.attach.replicas);
  if (closest.size() >= replicas &&
      IsCloser(step.self_id, step.ids.id(closest[replicas - 1]), key.id)) {
    --replicas;  // this peer, which answers for itself, is one of them
  }
  const auto chosen = closest.first(std::min(replicas, closest.size()));
  bool changed = false;
  const std::vector<PeerRef> before(lease.list().begin(), lease.list().end());
  for (const PeerRef peer : before) {
    if (std::ranges::count(chosen, peer) > 0) continue;
    Unassign(key, lease, peer, true, step);
    changed = true;
  }
  for (const PeerRef peer : chosen) {
    if (std::ranges::count(before, peer) == 0) {
      Assign(key, lease, peer, step);
      changed = true;
    } else if (lease.tell_all) {
      Tell(key, peer, step);
    }
  }
  lease.tell_all = false;
  const Duration interval = step.config.attach.renew_interval;
  lease.back_off =
      changed ? interval : std::min(lease.back_off * 2, std::max(interval, kMaxBackOff));
  lease.again = step.now + lease.back_off;
  EndAttaching(key, lease, step);
}

void HomeLeases::OnMerge(const PartStep& step) {
  for (auto& [key, lease] : leases_) {
    lease.tell_all = key.kind == LeaseKind::kRoom;
    lease.back_off = step.config.attach.renew_interval;
    Want(key, lease);
  }
}

void HomeLeases::OnCrowded(PeerRef from, const LeaseCrowded& crowded, const PartStep& step) {
  const std::size_t count = std::min<std::size_t>(crowded.count, LeaseCrowded::kMaxEntries);
  for (std::size_t i = 0; i < count; ++i) {
    const LeaseKey key{crowded.kind(i), crowded.keys[i]};
    const auto at = leases_.find(key);
    if (at == leases_.end() || std::ranges::count(at->second.list(), from) == 0) {
      step.out.Drop(DropReason::kUnknownRpc);
    } else if (at->second.again <= step.now) {
      Want(key, at->second);
    }
  }
}

bool HomeLeases::IsPlaceable(const Lease& lease, std::size_t contacts, const PartStep& step) const {
  const auto replicas = static_cast<std::size_t>(step.config.attach.replicas);
  // One less than wanted is enough: this peer may be among the closest itself.
  return lease.stage == Stage::kPlaced && lease.again <= step.now &&
         lease.count + 1U < std::min(replicas, contacts + 1);
}

void HomeLeases::OnTimer(std::size_t contacts, const PartStep& step, std::vector<PeerRef>& silent) {
  if (step.now < deadline_) return;
  RetryOverdue(step, silent);
  if (renew_at_ <= step.now) Renew(contacts, step);
  if (check_at_ <= step.now) CheckRooms(step);
  FindDeadline();
}

// A round: holders that have not agreed lately are asked to.
void HomeLeases::Renew(std::size_t contacts, const PartStep& step) {
  const Duration interval = step.config.attach.renew_interval;
  renew_at_ = leases_.empty() ? kNever : step.now + Jittered(interval, step.rng);
  for (auto& [id, row] : rows_) {
    if (!row.in_flight.empty() || row.agreed > step.now - interval / 2) continue;
    Send(row, row.in_flight.emplace_back(), step);
  }
  for (auto& [key, lease] : leases_) {
    if (IsPlaceable(lease, contacts, step)) Want(key, lease);
  }
}

// Asks one holder of each room for other homes, by telling it of the lease once more.
void HomeLeases::CheckRooms(const PartStep& step) {
  check_at_ = leases_.empty() ? kNever : step.now + Jittered(step.config.attach.ttl, step.rng);
  for (auto at = leases_.lower_bound({LeaseKind::kRoom, NodeId{}}); at != leases_.end(); ++at) {
    const std::span<const PeerRef> holders = at->second.list();
    if (holders.empty()) continue;
    Tell(at->first, holders[step.rng.Below(static_cast<std::uint32_t>(holders.size()))], step);
  }
}

bool HomeLeases::IsConsistent() const {
  const auto clients = std::ranges::count_if(
      leases_, [](const auto& row) { return row.first.kind == LeaseKind::kClient; });
  const bool counts = std::ranges::all_of(
      leases_, [](const auto& row) { return row.second.count <= kMaxReplicas; });
  return clients == static_cast<std::int64_t>(clients_) && counts;
}

}  // namespace tombolo
