#include "overlay/island_digest.h"

#include <algorithm>
#include <array>

namespace tombolo {
namespace {

constexpr std::int32_t kAgeUnit = 60;                         // seconds
constexpr std::int32_t kOldest = IslandDigest::kLostAge - 1;  // units

std::int32_t Seconds(Time at) { return static_cast<std::int32_t>(at.us / 1'000'000); }

// Of equal hashes the smaller id comes first.
bool ComesBefore(const NodeId& a, const NodeId& b) {
  const std::uint64_t a_hash = IslandDigest::Hash(a);
  const std::uint64_t b_hash = IslandDigest::Hash(b);
  return a_hash != b_hash ? a_hash < b_hash : a < b;
}

}  // namespace

std::vector<PeerRef> IslandDigest::Choose(std::span<const PeerRef> members, const Directory& ids) {
  std::vector<PeerRef> chosen(std::min(members.size(), kSketchSize));
  std::partial_sort_copy(members.begin(), members.end(), chosen.begin(), chosen.end(),
                         [&](PeerRef a, PeerRef b) { return ComesBefore(ids.id(a), ids.id(b)); });
  return chosen;
}

void IslandDigest::Settle(std::span<const PeerRef> members, const PartStep& step) {
  entries_.clear();
  for (const PeerRef member : members) Put({member, Seconds(step.now)}, step);
  Put({step.self, Seconds(step.now)}, step);
}

IslandDigest::Verdict IslandDigest::Compare(std::span<const PeerRef> sketch, const PartStep& step) {
  if (!settled() || sketch.empty()) return Verdict::kUnknown;
  Refresh(step);
  const bool shared = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return std::find(sketch.begin(), sketch.end(), entry.peer) != sketch.end();
  });
  return shared ? Verdict::kSame : Verdict::kOther;
}

void IslandDigest::Learn(std::span<const PeerRef> sketch, const SketchAges& ages,
                         const PartStep& step) {
  const std::size_t count = std::min(sketch.size(), kSketchSize);
  for (std::size_t i = 0; i < count; ++i) {
    if (sketch[i] != step.self) Put({sketch[i], Seconds(step.now) - ages[i] * kAgeUnit}, step);
  }
  if (settled()) Refresh(step);
}

ListHandle IslandDigest::Write(std::span<const PeerRef> lost, SketchAges& ages,
                               const PartStep& step) {
  ages.fill(0);
  if (!settled()) return ListHandle::kEmpty;
  Refresh(step);
  lost = lost.first(std::min(lost.size(), kLostMax));
  std::array<PeerRef, kSketchSize> peers;
  std::size_t count = std::min(entries_.size(), kSketchSize - lost.size());
  for (std::size_t i = 0; i < count; ++i) {
    peers[i] = entries_[i].peer;
    const std::int32_t age = Seconds(step.now) - entries_[i].seen_s;
    const std::int32_t units = (age + kAgeUnit - 1) / kAgeUnit;
    ages[i] = static_cast<std::uint8_t>(std::clamp(units, 0, kOldest));
  }
  for (const PeerRef peer : lost) {
    peers[count] = peer;
    ages[count++] = kLostAge;
  }
  return step.lists.Add({peers.data(), count});
}

std::size_t IslandDigest::SketchPart(std::span<const PeerRef> listed, const SketchAges& ages) {
  const std::size_t count = std::min(listed.size(), kSketchSize);
  return static_cast<std::size_t>(std::find(ages.begin(), ages.begin() + count, kLostAge) -
                                  ages.begin());
}

std::uint64_t IslandDigest::label(const NodeId& self, const Directory& ids) const {
  return Hash(settled() ? ids.id(entries_.front().peer) : self);
}

// We are here; others may have been gone for too long.
void IslandDigest::Refresh(const PartStep& step) {
  const std::int32_t oldest = Seconds(step.now - step.config.heal.sketch_ttl);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.seen_s < oldest; });
  Put({step.self, Seconds(step.now)}, step);
}

void IslandDigest::Put(const Entry& entry, const PartStep& step) {
  if (entries_.empty()) entries_.reserve(kSketchSize);
  const NodeId& id = step.ids.id(entry.peer);
  const auto before = [&](const Entry& other) { return ComesBefore(step.ids.id(other.peer), id); };
  const auto at = std::partition_point(entries_.begin(), entries_.end(), before);
  if (at != entries_.end() && at->peer == entry.peer) {
    at->seen_s = std::max(at->seen_s, entry.seen_s);
    return;
  }
  if (entries_.size() == kSketchSize) {
    if (at == entries_.end()) return;
    entries_.pop_back();
  }
  entries_.insert(at, entry);
}

}  // namespace tombolo
