// What a home says to the holders of its leases; leases_home.cc has the leases themselves.
#include <algorithm>
#include <utility>

#include "overlay/leases_home.h"

namespace tombolo {
namespace {

constexpr std::uint16_t Bit(std::size_t i) { return static_cast<std::uint16_t>(1U << i); }

bool IsNewer(std::uint32_t rpc, std::uint32_t than) {
  return static_cast<std::int32_t>(rpc - than) > 0;
}

}  // namespace

void HomeLeases::Assign(const LeaseKey& key, Lease& lease, PeerRef peer, const PartStep& step) {
  Row& row = rows_[step.ids.id(peer)];
  row.peer = peer;
  row.digest += LeaseHash(key, lease.sequence);
  ++row.leases;
  lease.holders[lease.count++] = peer;
  Tell(key, peer, step);
}

// The last holder takes the place of the one that goes. `tell`: that one is still there to hear.
void HomeLeases::Unassign(const LeaseKey& key, Lease& lease, PeerRef peer, bool tell,
                          const PartStep& step) {
  const auto i =
      static_cast<std::size_t>(std::ranges::find(lease.list(), peer) - lease.list().begin());
  const std::size_t last = --lease.count;
  lease.holders[i] = lease.holders[last];
  const bool confirmed = (lease.confirmed & Bit(last)) != 0;
  lease.confirmed = static_cast<std::uint16_t>(lease.confirmed & ~(Bit(i) | Bit(last)));
  if (confirmed && i != last)
    lease.confirmed = static_cast<std::uint16_t>(lease.confirmed | Bit(i));
  Row& row = rows_.at(step.ids.id(peer));
  row.digest -= LeaseHash(key, lease.sequence);
  --row.leases;
  if (tell) Tell(key, peer, step);
}

void HomeLeases::Tell(const LeaseKey& key, PeerRef peer, const PartStep& step) {
  Row& row = rows_.at(step.ids.id(peer));
  row.queue.push_back(key);
  Pump(row, step);
}

void HomeLeases::Pump(Row& row, const PartStep& step) {
  while (!row.queue.empty() && row.in_flight.size() < kWindow) {
    InFlight update;
    while (!row.queue.empty() && update.count < update.keys.size()) {
      update.keys[update.count++] = row.queue.back();
      row.queue.pop_back();
    }
    row.in_flight.push_back(update);
    Send(row, row.in_flight.back(), step);
  }
}

// Says what is true now: a lease that this holder should no longer have is given up.
void HomeLeases::Send(Row& row, InFlight& update, const PartStep& step) {
  LeaseUpdate message{};
  message.rpc = update.rpc = ++last_rpc_;
  message.digest = row.digest;
  message.count = update.count;
  for (std::size_t i = 0; i < update.count; ++i) {
    const LeaseKey& key = update.keys[i];
    const auto at = leases_.find(key);
    const bool ours = at != leases_.end() && std::ranges::count(at->second.list(), row.peer) > 0;
    const auto bit = static_cast<std::uint8_t>(Bit(i));
    message.keys[i] = key.id;
    if (key.kind == LeaseKind::kRoom) message.rooms = message.rooms | bit;
    if (ours) {
      message.sequences[i] = at->second.sequence;
    } else {
      message.ends = message.ends | bit;
    }
  }
  update.deadline = step.now + step.config.lookup.rpc_timeout;
  deadline_ = std::min(deadline_, update.deadline);
  step.out.Send(row.peer, message);
}

void HomeLeases::OnAck(PeerRef from, const LeaseAck& ack, const PartStep& step) {
  const auto at = rows_.find(step.ids.id(from));
  if (at == rows_.end()) return step.out.Drop(DropReason::kUnknownRpc);
  Row& row = at->second;
  const auto sent = std::ranges::find(row.in_flight, ack.rpc, &InFlight::rpc);
  if (sent == row.in_flight.end()) return step.out.Drop(DropReason::kUnknownRpc);
  const InFlight update = *sent;
  row.in_flight.erase(sent);
  if (IsNewer(ack.rpc, row.answered)) {
    row.answered = ack.rpc;
    row.agrees = ack.agreed;
  }
  Confirm(row, update, ack, step);
  Pump(row, step);
  if (row.in_flight.empty()) Judge(row, step);
  EraseIfDone(at);
}

void HomeLeases::Confirm(const Row& row, const InFlight& update, const LeaseAck& ack,
                         const PartStep& step) {
  for (std::size_t i = 0; i < update.count; ++i) {
    const auto at = leases_.find(update.keys[i]);
    if (at == leases_.end()) continue;
    Lease& lease = at->second;
    const auto holder = std::ranges::find(lease.list(), row.peer);
    if (holder == lease.list().end()) continue;
    if ((ack.refused & Bit(i)) != 0) {
      Unassign(at->first, lease, row.peer, false, step);
    } else if ((ack.outdated & Bit(i)) == 0) {
      const auto index = static_cast<std::size_t>(holder - lease.list().begin());
      lease.confirmed = static_cast<std::uint16_t>(lease.confirmed | Bit(index));
    }
    EndAttaching(at->first, lease, step);
  }
}

// Nothing is under way: does the holder have what it should? A difference is looked at twice,
// since a LeaseMoved may still explain it.
void HomeLeases::Judge(Row& row, const PartStep& step) {
  if (row.agrees) {
    row.differed = false;
    row.agreed = step.now;
    return;
  }
  if (step.now < row.resend_from || row.leases == 0) return;
  if (!std::exchange(row.differed, !row.differed)) {
    row.in_flight.emplace_back();
    return Send(row, row.in_flight.back(), step);
  }
  Resend(row, step);
}

// All that the holder should have. What it has beyond that ends by itself.
void HomeLeases::Resend(Row& row, const PartStep& step) {
  row.resend_from = step.now + step.config.attach.renew_interval / 2;
  for (const auto& [key, lease] : leases_) {
    if (std::ranges::count(lease.list(), row.peer) > 0) row.queue.push_back(key);
  }
  Pump(row, step);
}

void HomeLeases::RetryOverdue(const PartStep& step, std::vector<PeerRef>& silent) {
  for (auto at = rows_.begin(); at != rows_.end();) {
    Row& row = at->second;
    bool lost = false;
    for (InFlight& update : row.in_flight) {
      if (update.deadline > step.now) continue;
      lost = update.tries++ >= kTries;
      if (lost) break;
      Send(row, update, step);
    }
    if (lost) silent.push_back(row.peer);
    at = lost ? LoseHolder(at, step) : EraseIfDone(at);
  }
}

// The holder is dead or cut off.
HomeLeases::Rows::iterator HomeLeases::LoseHolder(Rows::iterator at, const PartStep& step) {
  const PeerRef peer = at->second.peer;
  for (auto& [key, lease] : leases_) {
    if (std::ranges::count(lease.list(), peer) == 0) continue;
    Unassign(key, lease, peer, false, step);
    if (lease.count < step.config.attach.replicas / 2) Want(key, lease);
    EndAttaching(key, lease, step);
  }
  return rows_.erase(at);
}

HomeLeases::Rows::iterator HomeLeases::EraseIfDone(Rows::iterator at) {
  const Row& row = at->second;
  const bool done = row.leases == 0 && row.queue.empty() && row.in_flight.empty();
  return done ? rows_.erase(at) : std::next(at);
}

void HomeLeases::FindDeadline() {
  deadline_ = std::min(renew_at_, check_at_);
  for (const auto& [id, row] : rows_) {
    for (const InFlight& update : row.in_flight) deadline_ = std::min(deadline_, update.deadline);
  }
}

}  // namespace tombolo
