// Merging: subtrees that only one island populates, and the refresh at the end.
#include <algorithm>
#include <array>
#include <iterator>

#include "overlay/contact_lists.h"
#include "overlay/merge.h"
#include "overlay/node_id.h"

namespace tombolo {
namespace {

constexpr std::size_t kThin = 2;       // contacts below which a bucket wants more
constexpr std::size_t kAskedThin = 8;  // of buckets with so few: contacts that are asked at once
constexpr std::uint32_t kMaxRefreshes = 8;  // one after the other, of those that no merge asks for
constexpr std::size_t kOfferedThin = 2;     // contacts offered per thin bucket

}  // namespace

// Our island has nobody in our bucket `level`; the other has these.
void Merge::EndBranch(MergeSession& session, std::span<const PeerRef> others, int level,
                      const MergeStep& step) {
  for (const PeerRef other : others) LearnForeign(other, session, step);
  FillSubtree(session, others, level + 1, step);
  Place(session, others.front(), kIdBits, step);
}

// To one contact in each of our buckets from `level` on, which does the same in its own.
void Merge::FillSubtree(MergeSession& session, std::span<const PeerRef> others, int level,
                        const MergeStep& step) {
  int last = step.table.levels() - 1;
  for (const PeerRef peer : step.ring.all()) {
    last = std::max(last, CommonPrefixLength(step.self_id, step.ids.id(peer)));
  }
  for (int l = level; l <= last; ++l) {
    const std::vector<PeerRef> own = Own(session, l, step);
    const MergeFill fill{0, session.id, static_cast<std::uint8_t>(l + 1), {}};
    Send(fill, others.first(std::min(others.size(), kMaxListed)), own, step);
  }
}

void Merge::On(PeerRef from, const MergeFill& fill, const MergeStep& step) {
  if (!Acknowledge(from, fill.rpc, step)) return;
  MergeSession& session = Use(fill.session, step);
  const std::span<const PeerRef> named = step.lists.Get(fill.contacts);
  std::vector<PeerRef> others(named.begin(), named.end());
  std::erase_if(others, [&](PeerRef other) { return !IsSane(other, step); });
  if (others.empty()) return;
  // A bucket that is full was not empty, nor are those of our neighbours.
  const int level = CommonPrefixLength(step.self_id, step.ids.id(others.front()));
  const bool room = step.table.live(level).size() < static_cast<std::size_t>(step.config.table.k);
  for (const PeerRef other : others) LearnForeign(other, session, step);
  if (room) FillSubtree(session, others, std::max<int>(fill.level, level + 1), step);
}

// Asks both neighbours, once things have come to rest, and whoever is in a thin bucket: it knows
// the rest of its subtree, and nobody else would notice that it is dead. Neighbours on the ring are
// looked after there. Those of thin buckets are named as well: who shares the bucket may lack them.
void Merge::Refresh(const MergeStep& step) {
  refreshes_ = step.now < next_refresh_ ? refreshes_ + 1 : 0;
  next_refresh_ = step.now + step.config.heal.session_ttl;
  refresh_at_ = kNever;
  retry_at_ = kNever;
  MergeRefresh refresh{};
  std::vector<PeerRef> thin;
  const auto usable = [&](PeerRef peer) { return !IsSuspect(peer, step); };
  for (int level = 0; level < kIdBits; ++level) {
    const std::span<const PeerRef> bucket = step.table.live(level);
    const auto count =
        static_cast<std::size_t>(std::count_if(bucket.begin(), bucket.end(), usable));
    if (count < kThin) refresh.thin = refresh.thin.WithFlippedBit(level);
    if (count > kThin) continue;
    std::copy_if(bucket.begin(), bucket.end(), std::back_inserter(thin),
                 [&](PeerRef peer) { return usable(peer) && !step.ring.Contains(peer); });
  }
  thin.resize(std::min(thin.size(), kAskedThin));
  std::vector<PeerRef> named(step.ring.all().begin(), step.ring.all().end());
  named.resize(std::min(named.size(), kMaxListed - thin.size()));
  named.insert(named.end(), thin.begin(), thin.end());
  const auto ask = [&](PeerRef peer) { Send(refresh, named, std::span(&peer, 1), step); };
  const PeerRef successor = Nearest(step.ring.successors(), step);
  const PeerRef predecessor = Nearest(step.ring.predecessors(), step);
  if (successor != PeerRef::kNone) ask(successor);
  if (predecessor != PeerRef::kNone && predecessor != successor) ask(predecessor);
  std::for_each(thin.begin(), thin.end(), ask);
}

// The bucket holds a contact that is not under suspicion.
bool Merge::HasUsable(int level, const MergeStep& step) const {
  const std::span<const PeerRef> bucket = step.table.live(level);
  return std::any_of(bucket.begin(), bucket.end(),
                     [&](PeerRef peer) { return !IsSuspect(peer, step); });
}

// Whoever was asked is silent. If nobody else is in its bucket, others are asked for somebody.
void Merge::RefreshFailed(PeerRef silent, const MergeStep& step) {
  const int level = CommonPrefixLength(step.self_id, step.ids.id(silent));
  if (HasUsable(level, step) || refreshes_ >= kMaxRefreshes) return;
  retry_at_ = step.now + step.config.heal.refresh_after;
}

// What a refresh tells. News ask for a refresh of our own if there was none of late, so that those
// whom the merge passed by are reached; later ones only if they filled an empty bucket, which those
// who share it with us may miss too, and a few times: somebody may name peers that do not exist.
void Merge::LearnAtRefresh(ListHandle contacts, const MergeStep& step) {
  const auto filled = [&] {
    int count = 0;
    for (int level = 0; level < step.table.levels(); ++level) {
      count += HasUsable(level, step) ? 1 : 0;
    }
    return count;
  };
  const Time planned = refresh_at_;
  const bool is_late = step.now < next_refresh_;
  const int before = is_late ? filled() : 0;
  for (const PeerRef peer : step.lists.Get(contacts)) {
    if (Learn(peer, step)) AddForeign(peer, step);
  }
  if (is_late && (filled() == before || refreshes_ >= kMaxRefreshes)) refresh_at_ = planned;
}

// Names neighbours, and contacts for the asker's thin buckets. Down to the bit in which our ids
// part its buckets are ours; all that we have below is in the one bucket of the asker that we are
// in; and our bucket that the asker is in holds all that it has below: only there ids are looked
// at.
void Merge::On(PeerRef from, const MergeRefresh& refresh, const MergeStep& step) {
  const NodeId& asker = step.ids.id(from);
  std::vector<PeerRef> named;
  named.reserve(kMaxListed);
  std::array<std::uint8_t, kIdBits> offered{};
  const auto is_wanted = [&](int level) {
    return level < kIdBits && refresh.thin.bit(level) &&
           offered[static_cast<std::size_t>(level)] < kOfferedThin;
  };
  const auto offer = [&](PeerRef peer, int level) {
    if (level == kIdBits || IsSuspect(peer, step)) return;
    if (std::find(named.begin(), named.end(), peer) != named.end()) return;
    ++offered[static_cast<std::size_t>(level)];
    named.push_back(peer);
  };
  const auto level_of = [&](PeerRef peer) { return CommonPrefixLength(asker, step.ids.id(peer)); };
  for (const PeerRef peer : step.ring.all()) offer(peer, level_of(peer));
  const int shared = CommonPrefixLength(asker, step.self_id);
  for (int level = 0; level < step.table.levels(); ++level) {
    if (level != shared && !is_wanted(std::min(level, shared))) continue;
    for (const PeerRef peer : step.table.live(level)) {
      const int of_asker = level == shared ? level_of(peer) : std::min(level, shared);
      if (is_wanted(of_asker)) offer(peer, of_asker);
    }
  }
  step.out.Send(from, MergeRefreshed{refresh.rpc, step.lists.Add(named)});
  LearnAtRefresh(refresh.contacts, step);
}

void Merge::On(PeerRef from, const MergeRefreshed& refreshed, const MergeStep& step) {
  if (!sends_.Acked(from, refreshed.rpc, step)) return step.out.Drop(DropReason::kUnknownRpc);
  LearnAtRefresh(refreshed.contacts, step);
}

}  // namespace tombolo
