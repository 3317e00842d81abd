#include "overlay/leases_held.h"

#include <algorithm>
#include <array>

namespace tombolo {
namespace {

constexpr NodeId kFirstId{};

}  // namespace

void HeldLeases::Accept(PeerRef from, const LeaseUpdate& update, const PartStep& step) {
  LeaseAck ack{.rpc = update.rpc, .agreed = false, .refused = 0, .outdated = 0};
  const std::size_t count = std::min<std::size_t>(update.count, LeaseUpdate::kMaxEntries);
  for (std::size_t i = 0; i < count; ++i) {
    const LeaseKey key{update.kind(i), update.keys[i]};
    if (update.is_end(i)) {
      const auto row = leases_.find({key, step.ids.id(from)});
      if (row != leases_.end()) Remove(row);
      continue;
    }
    const Verdict verdict = Store(from, key, update.sequences[i], step);
    const auto bit = static_cast<std::uint8_t>(1U << i);
    if (verdict == Verdict::kRefused) ack.refused = ack.refused | bit;
    if (verdict == Verdict::kOutdated) ack.outdated = ack.outdated | bit;
  }
  const auto home = homes_.find(step.ids.id(from));
  ack.agreed = update.digest == (home == homes_.end() ? 0 : home->second.digest);
  if (ack.agreed && home != homes_.end())
    home->second.agreed_until = step.now + step.config.attach.ttl;
  step.out.Send(from, ack);
}

HeldLeases::Verdict HeldLeases::Store(PeerRef from, const LeaseKey& key, std::uint64_t sequence,
                                      const PartStep& step) {
  const Key row{key, step.ids.id(from)};
  return key.kind == LeaseKind::kRoom ? StoreRoom(from, row, sequence, step)
                                      : StoreClient(from, row, sequence, step);
}

HeldLeases::Verdict HeldLeases::StoreClient(PeerRef from, const Key& key, std::uint64_t sequence,
                                            const PartStep& step) {
  auto row = leases_.lower_bound({key.lease, kFirstId});
  const bool held = row != leases_.end() && row->first.lease == key.lease;
  if (held && IsLive(*row, step.now)) {
    const Held& old = row->second;
    const bool newer =
        sequence != old.sequence ? sequence > old.sequence : key.home >= row->first.home;
    if (!newer) {
      step.out.Send(from, LeaseMoved{key.lease.id, old.home, old.sequence});
      return Verdict::kOutdated;
    }
    if (old.home != from) step.out.Send(old.home, LeaseMoved{key.lease.id, from, sequence});
  }
  if (held) {
    Remove(row);
  } else if (IsFull(step)) {
    return Verdict::kRefused;
  }
  Take(key, {from, sequence, step.now + step.config.attach.ttl}, step);
  return Verdict::kTaken;
}

void HeldLeases::EndOlder(const NodeId& client, std::uint64_t sequence, const PartStep& step) {
  const LeaseKey key{LeaseKind::kClient, client};
  const auto row = leases_.lower_bound({key, kFirstId});
  if (row == leases_.end() || row->first.lease != key) return;
  step.out.Send(row->second.home, LeaseMoved{client, step.self, sequence});
  Remove(row);
}

HeldLeases::Verdict HeldLeases::StoreRoom(PeerRef from, const Key& key, std::uint64_t sequence,
                                          const PartStep& step) {
  const auto row = leases_.find(key);
  if (row != leases_.end()) {
    Remove(row);
  } else {
    std::size_t homes = 0;
    for (auto at = FirstOf(key.lease); at != leases_.end() && at->first.lease == key.lease; ++at)
      ++homes;
    const bool crowd = homes >= static_cast<std::size_t>(step.config.attach.max_homes);
    if (crowd) step.out.Drop(DropReason::kOverload);
    if (crowd || IsFull(step)) return Verdict::kRefused;
  }
  Take(key, {from, sequence, step.now + step.config.attach.ttl}, step);
  TellHomes(from, key.lease.id, step);
  return Verdict::kTaken;
}

// The other homes of a room, to one that has just come.
void HeldLeases::TellHomes(PeerRef from, const NodeId& room, const PartStep& step) const {
  std::array<PeerRef, kMaxListed> others;
  std::size_t count = 0;
  const LeaseKey key{LeaseKind::kRoom, room};
  for (auto row = FirstOf(key); row != leases_.end() && row->first.lease == key; ++row) {
    if (row->second.home == from || !IsLive(*row, step.now)) continue;
    if (count < others.size()) others[count++] = row->second.home;
  }
  if (count > 0) step.out.Send(from, RoomHomes{room, step.lists.Add({others.data(), count})});
}

bool HeldLeases::IsFull(const PartStep& step) const {
  if (leases_.size() < static_cast<std::size_t>(step.config.attach.max_held)) return false;
  step.out.Drop(DropReason::kOverload);
  return true;
}

std::optional<LeaseAt> HeldLeases::Find(const NodeId& client, Time now) const {
  const LeaseKey key{LeaseKind::kClient, client};
  const auto row = FirstOf(key);
  if (row == leases_.end() || row->first.lease != key || !IsLive(*row, now)) return std::nullopt;
  return LeaseAt{row->second.home, row->second.sequence};
}

HeldLeases::Rows::const_iterator HeldLeases::FirstOf(const LeaseKey& key) const {
  return leases_.lower_bound({key, kFirstId});
}

Time HeldLeases::ExpiryOf(const Rows::value_type& row) const {
  return std::max(row.second.expires, homes_.at(row.first.home).agreed_until);
}

void HeldLeases::Take(const Key& key, const Held& held, const PartStep& step) {
  leases_.emplace(key, held);
  Home& home = homes_[key.home];
  home.digest += LeaseHash(key.lease, held.sequence);
  home.leases.insert(key.lease);
  deadline_ = std::min(deadline_, step.now + step.config.attach.ttl);
}

HeldLeases::Rows::iterator HeldLeases::Remove(Rows::iterator row) {
  const auto home = homes_.find(row->first.home);
  home->second.digest -= LeaseHash(row->first.lease, row->second.sequence);
  home->second.leases.erase(row->first.lease);
  if (home->second.leases.empty()) homes_.erase(home);
  return leases_.erase(row);
}

void HeldLeases::OnTimer(const PartStep& step) {
  if (step.now < deadline_) return;
  deadline_ = kNever;
  for (auto row = leases_.begin(); row != leases_.end();) {
    if (IsLive(*row, step.now)) {
      deadline_ = std::min(deadline_, ExpiryOf(*row));
      ++row;
    } else {
      row = Remove(row);
    }
  }
}

// Files the rows under their homes. False if the digests are not those of the rows.
bool HeldLeases::Restore() {
  for (auto& [id, home] : homes_) home.leases.clear();
  std::map<NodeId, std::uint64_t> digests;
  for (const auto& [key, held] : leases_) {
    digests[key.home] += LeaseHash(key.lease, held.sequence);
    if (const auto home = homes_.find(key.home); home != homes_.end())
      home->second.leases.insert(key.lease);
  }
  return std::ranges::equal(digests, homes_, [](const auto& a, const auto& b) {
    return a.first == b.first && a.second == b.second.digest;
  });
}

}  // namespace tombolo
