// What a peer does with its lookups.
#include <algorithm>
#include <array>

#include "overlay/peer.h"

namespace tombolo {
namespace {

// Whoever has lost all contacts of a bucket, as while it was cut off, tries them again when it
// refreshes: nobody asks a peer that everybody takes for dead. Writes those of the bucket `level`,
// without any live contact those of all buckets, as many as `out` holds.
std::size_t FailedContacts(const RoutingTable& table, int level, std::span<PeerRef> out) {
  const bool alone = table.live_count() == 0;
  std::size_t count = 0;
  for (int i = table.levels(); i-- > 0;) {
    if (!alone && (i != level || !table.live(i).empty())) continue;
    for (const PeerRef peer : table.failed(i)) {
      if (count < out.size()) out[count++] = peer;
    }
  }
  return count;
}

}  // namespace

void Peer::Start(const Lookup& lookup, const PartStep& step) {
  if (!step.config.has_table()) return ring_->LookUp(lookup.request, lookup.target, step);
  StartLookup({LookupPurpose::kApplication, lookup.request, lookup.target}, step);
}

void Peer::StartLookup(const LookupGoal& goal, const PartStep& step) {
  std::array<PeerRef, kMaxListed> contacts;
  const auto k = static_cast<std::size_t>(step.config.table.k);
  std::size_t count = table_.Closest(id_, goal.target, k, step.ids, contacts);
  const bool refreshes =
      goal.purpose == LookupPurpose::kRefreshSelf || goal.purpose == LookupPurpose::kRefreshBucket;
  const int level = CommonPrefixLength(id_, goal.target);
  if (refreshes) count += FailedContacts(table_, level, std::span(contacts).subspan(count));
  PeerParts& parts = EnsureParts();
  if (goal.purpose == LookupPurpose::kRefreshSelf && parts.upkeep->joining) {
    for (const PeerRef peer : parts.upkeep->bootstrap) {
      if (count < contacts.size()) contacts[count++] = peer;
    }
  }
  if (!parts.lookups.Start(goal, {contacts.data(), count}, step)) {
    step.out.Drop(DropReason::kOverload);
    return LookupRefused(goal, step);
  }
  table_.Touch(level, step.now, step.config.table.refresh_interval);
  DrainLookups(step);
}

// An answer that nobody waits for any more shows that a contact taken for dead is alive. Strangers
// teach nothing that way: anybody can send one.
void Peer::HeardLate(PeerRef from, const PartStep& step) {
  const std::span<const PeerRef> failed = table_.failed(LevelOf(from, step));
  if (std::find(failed.begin(), failed.end(), from) != failed.end()) SeenAlive(from, step);
}

void Peer::DrainLookups(const PartStep& step) {
  if (!parts_ || !parts_->lookups.HasFinished()) return;
  LookupState done;
  while (parts_ && parts_->lookups.TakeFinished(done)) LookupEnded(done, step);
}

void Peer::LookupEnded(const LookupState& done, const PartStep& step) {
  SampleIsland(done, step);
  switch (done.goal().purpose) {
    case LookupPurpose::kApplication:
      return NotifyLookupDone(done, step);
    case LookupPurpose::kRefreshSelf:
    case LookupPurpose::kRefreshBucket:
      return UpkeepLookupDone(done, step);
    case LookupPurpose::kPut:
    case LookupPurpose::kGet:
    case LookupPurpose::kRepublish:
      return KeyLookupDone(done, step);
    case LookupPurpose::kLease:
      return LeaseLookupDone(done, step);
    case LookupPurpose::kResolve:
      return ResolveDone(done, step);
  }
}

// The peer has too many lookups under way: an application hears so, upkeep tries again later.
void Peer::LookupRefused(const LookupGoal& goal, const PartStep& step) {
  if (goal.purpose == LookupPurpose::kApplication) {
    step.out.Notify(LookupDone{goal.request, goal.target, ListHandle::kEmpty, 0, 0, 0, step.now});
  } else if (goal.purpose == LookupPurpose::kPut || goal.purpose == LookupPurpose::kGet) {
    parts_->put_get->OnLookupRefused(goal.request, step);
  } else if (goal.purpose == LookupPurpose::kLease || goal.purpose == LookupPurpose::kResolve) {
    AttachLookupRefused(goal, step);
  } else if (goal.purpose != LookupPurpose::kRepublish && parts_->upkeep) {
    parts_->upkeep->phase = Upkeep::Phase::kWaiting;
    parts_->upkeep->retry_at = step.now + step.config.lookup.rpc_timeout;
  }
}

void Peer::NotifyLookupDone(const LookupState& done, const PartStep& step) {
  std::array<PeerRef, kMaxListed> closest;
  const std::size_t count =
      done.Closest({closest.data(), static_cast<std::size_t>(step.config.table.k)});
  step.out.Notify(LookupDone{done.goal().request, done.goal().target,
                             step.lists.Add({closest.data(), count}), done.hops(), done.messages(),
                             done.dead(), done.started()});
}

}  // namespace tombolo
