#include "overlay/remembered.h"

#include <array>
#include <cassert>

namespace tombolo {
namespace {

std::size_t PrefixOf(PeerRef peer, const Directory& ids) {
  return ids.id(peer).words[0] >> (32 - Remembered::kPrefixBits);
}

std::int32_t WholeSeconds(Duration span) { return static_cast<std::int32_t>(span.us / 1'000'000); }

}  // namespace

void Remembered::Survey(std::span<const PeerRef> contacts, bool long_known, const PartStep& step) {
  MarkSeen(contacts, step);
  AddCandidates(contacts, long_known, step);
  Promote(step);
  ChooseLongLived(step);
  Sweep(step);
}

void Remembered::Lost(PeerRef peer, bool neighbour, const PartStep& step) {
  RememberedPeer* known = Find(peer);
  if (known != nullptr) {
    known->retry_s = Seconds(step.now);
    known->in_vain = 0;
  }
  if (!neighbour) return;
  RememberedPeer& row = FindOrAdd(peer, step);
  row.reasons |= RememberedPeer::kRing;
  row.last_s = Seconds(step.now);
  LimitRing(step);
  Sweep(step);
}

void Remembered::AddRendezvous(PeerRef peer, const PartStep& step) {
  const auto count = std::count_if(rows_.begin(), rows_.end(), [](const RememberedPeer& row) {
    return (row.reasons & RememberedPeer::kRendezvous) != 0;
  });
  if (static_cast<std::size_t>(count) < kRendezvous) {
    FindOrAdd(peer, step).reasons |= RememberedPeer::kRendezvous;
  }
}

PeerRef Remembered::RandomRendezvous(Rng& rng) const {
  std::vector<PeerRef> known;
  for (const RememberedPeer& row : rows_) {
    if ((row.reasons & RememberedPeer::kRendezvous) != 0) known.push_back(row.peer);
  }
  if (known.empty()) return PeerRef::kNone;
  return known[rng.Below(static_cast<std::uint32_t>(known.size()))];
}

void Remembered::Answered(PeerRef peer, const PartStep& step) {
  RememberedPeer* row = Find(peer);
  if (row == nullptr) return;
  row->in_vain = 0;
  row->last_s = Seconds(step.now);
  row->retry_s = Seconds(step.now + step.config.heal.probe_back_off_max);
}

void Remembered::NotAnswered(PeerRef peer, const PartStep& step) {
  RememberedPeer* row = Find(peer);
  if (row == nullptr) return;
  constexpr int kMaxDoublings = 16;
  const HealConfig& config = step.config.heal;
  const int doublings = std::min<int>(row->in_vain, kMaxDoublings);
  const Duration wait =
      std::min(config.probe_interval * (std::int64_t{1} << doublings), config.probe_back_off_max);
  row->retry_s = Seconds(step.now + wait);
  if (row->in_vain < 0xffff) ++row->in_vain;
}

std::uint64_t Remembered::Priority(PeerRef peer, const Directory& ids) const {
  const NodeId& id = ids.id(peer);
  return Mix64(Mix64(id.prefix64() ^ secret_) ^ id.words[2]);
}

bool Remembered::ComesBefore(const RememberedPeer& a, const RememberedPeer& b,
                             const Directory& ids) const {
  if (a.in_vain != b.in_vain) return a.in_vain < b.in_vain;
  if (a.last_s != b.last_s) return a.last_s > b.last_s;
  return Priority(a.peer, ids) < Priority(b.peer, ids);
}

RememberedPeer* Remembered::Find(PeerRef peer) {
  const auto row = std::find_if(rows_.begin(), rows_.end(),
                                [&](const RememberedPeer& known) { return known.peer == peer; });
  return row == rows_.end() ? nullptr : &*row;
}

RememberedPeer& Remembered::FindOrAdd(PeerRef peer, const PartStep& step) {
  if (RememberedPeer* known = Find(peer)) return *known;
  const std::int32_t now = Seconds(step.now);
  return rows_.emplace_back(RememberedPeer{peer, now, now, now, 0, 0});
}

// Who is alive needs neither probes nor, on the ring, a memory of its own.
void Remembered::MarkSeen(std::span<const PeerRef> contacts, const PartStep& step) {
  for (RememberedPeer& row : rows_) {
    const bool alive = std::find(contacts.begin(), contacts.end(), row.peer) != contacts.end();
    if (alive) {
      row.last_s = row.retry_s = Seconds(step.now);
      row.in_vain = 0;
      row.reasons &= static_cast<std::uint8_t>(~RememberedPeer::kRing);
    } else {
      row.reasons &= static_cast<std::uint8_t>(~RememberedPeer::kCandidate);
    }
  }
}

// The contact of each prefix that comes before the one kept for it; not where another one waits.
void Remembered::AddCandidates(std::span<const PeerRef> contacts, bool long_known,
                               const PartStep& step) {
  std::array<std::uint64_t, kPrefixes> smallest;
  smallest.fill(~std::uint64_t{0});
  std::array<PeerRef, kPrefixes> best;
  best.fill(PeerRef::kNone);
  for (const RememberedPeer& row : rows_) {
    const std::size_t prefix = PrefixOf(row.peer, step.ids);
    if ((row.reasons & RememberedPeer::kReservoir) != 0) {
      smallest[prefix] = std::min(smallest[prefix], Priority(row.peer, step.ids));
    }
    if ((row.reasons & RememberedPeer::kCandidate) != 0) smallest[prefix] = 0;
  }
  for (const PeerRef peer : contacts) {
    const std::size_t prefix = PrefixOf(peer, step.ids);
    const std::uint64_t priority = Priority(peer, step.ids);
    if (priority >= smallest[prefix]) continue;
    smallest[prefix] = priority;
    best[prefix] = peer;
  }
  for (const PeerRef peer : best) {
    if (peer == PeerRef::kNone) continue;
    RememberedPeer& row = FindOrAdd(peer, step);
    row.reasons |= RememberedPeer::kCandidate;
    if (long_known) row.first_s = Seconds(step.now - step.config.heal.remember_after);
  }
}

// Candidates that were seen for long enough take the place of their prefix.
void Remembered::Promote(const PartStep& step) {
  const std::int32_t enough = WholeSeconds(step.config.heal.remember_after);
  for (RememberedPeer& row : rows_) {
    if ((row.reasons & RememberedPeer::kCandidate) == 0 || row.last_s - row.first_s < enough) {
      continue;
    }
    const std::size_t prefix = PrefixOf(row.peer, step.ids);
    for (RememberedPeer& other : rows_) {
      if (PrefixOf(other.peer, step.ids) == prefix) {
        other.reasons &= static_cast<std::uint8_t>(~RememberedPeer::kReservoir);
      }
    }
    row.reasons |= RememberedPeer::kReservoir;
    row.reasons &= static_cast<std::uint8_t>(~RememberedPeer::kCandidate);
  }
}

void Remembered::ChooseLongLived(const PartStep& step) {
  const std::int32_t enough = WholeSeconds(step.config.heal.remember_after);
  std::vector<RememberedPeer*> by_life;
  for (RememberedPeer& row : rows_) {
    row.reasons &= static_cast<std::uint8_t>(~RememberedPeer::kLongLived);
    if (row.last_s - row.first_s >= enough) by_life.push_back(&row);
  }
  const std::size_t count = std::min(by_life.size(), kLongLived);
  std::partial_sort(by_life.begin(), by_life.begin() + std::ptrdiff_t(count), by_life.end(),
                    [&](const RememberedPeer* a, const RememberedPeer* b) {
                      const std::int32_t a_life = a->last_s - a->first_s;
                      const std::int32_t b_life = b->last_s - b->first_s;
                      if (a_life != b_life) return a_life > b_life;
                      return step.ids.id(a->peer) < step.ids.id(b->peer);
                    });
  for (std::size_t i = 0; i < count; ++i) by_life[i]->reasons |= RememberedPeer::kLongLived;
}

// One more than kRing at most: the one lost first goes.
void Remembered::LimitRing(const PartStep& step) {
  RememberedPeer* first_lost = nullptr;
  std::size_t count = 0;
  for (RememberedPeer& row : rows_) {
    if ((row.reasons & RememberedPeer::kRing) == 0) continue;
    ++count;
    const bool earlier =
        first_lost == nullptr || row.last_s < first_lost->last_s ||
        (row.last_s == first_lost->last_s && step.ids.id(row.peer) < step.ids.id(first_lost->peer));
    if (earlier) first_lost = &row;
  }
  if (count > kRing) first_lost->reasons &= static_cast<std::uint8_t>(~RememberedPeer::kRing);
}

void Remembered::Sweep(const PartStep& step) {
  const std::int32_t oldest = Seconds(step.now - step.config.heal.remember_for);
  std::erase_if(rows_, [&](const RememberedPeer& row) {
    const bool forever = (row.reasons & RememberedPeer::kRendezvous) != 0;
    return row.reasons == 0 || (row.last_s < oldest && !forever);
  });
  assert(rows_.size() <= kMaxRows);
}

}  // namespace tombolo
