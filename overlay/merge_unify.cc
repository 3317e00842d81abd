// Merging: ring unification as the whole of a merge (merge_queue.h has the procedure).
#include <algorithm>

#include "overlay/merge.h"
#include "overlay/node_id.h"
#include "overlay/ring_interval.h"

namespace tombolo {
namespace {

constexpr std::size_t kNextHops = 3;        // candidates per hop of UnifyLookup
constexpr std::uint64_t kUnifySession = 0;  // one for all: a lookup does not say between whom

}  // namespace

// `other` is of another island.
void Merge::StartMerge(PeerRef other, const MergeStep& step) {
  if (step.config.heal.strategy == MergeStrategy::kZip) return StartFirstSync(other, step);
  queue_.Ensure().Add({other, Fanout(step)}, step);
  WorkOffQueue(step);
}

std::uint8_t Merge::Fanout(const MergeStep& step) {
  const bool gossips = step.config.heal.strategy == MergeStrategy::kGossip;
  return gossips ? static_cast<std::uint8_t>(step.config.heal.fanout) : 1;
}

void Merge::WorkOffQueue(const MergeStep& step) {
  if (!queue_) return;
  while (const std::optional<MergeQueue::Detected> due = queue_->Take(step)) {
    Unify(due->peer, due->fanout, kIdBits, step);
    Send(UnifyLookup{0, step.self, due->fanout, kIdBits}, {}, std::span(&due->peer, 1), step);
  }
  if (queue_->idle()) queue_.Reset();
}

// One step of a lookup of `target` in our ring.
void Merge::Unify(PeerRef target, int fanout, int ttl, const MergeStep& step) {
  const PeerRef successor = Nearest(step.ring.successors(), step);
  const PeerRef predecessor = Nearest(step.ring.predecessors(), step);
  if (!IsSane(target, step) || target == successor) return;
  if (fanout > 1) TellRandom({target, static_cast<std::uint8_t>(--fanout)}, step);
  const NodeId& id = step.ids.id(target);
  const std::span<const PeerRef> to(&target, 1);
  if (successor == PeerRef::kNone || InOpen(step.self_id, id, step.ids.id(successor))) {
    const PeerRef next = successor == PeerRef::kNone ? step.self : successor;
    return Send(UnifyTry{0, step.self, next}, {}, to, step);
  }
  if (predecessor != PeerRef::kNone && InOpen(step.ids.id(predecessor), id, step.self_id)) {
    return Send(UnifyTry{0, predecessor, step.self}, {}, to, step);
  }
  if (ttl <= 0) return step.out.Drop(DropReason::kTtlExceeded);
  const UnifyLookup onward{0, target, static_cast<std::uint8_t>(fanout),
                           static_cast<std::uint8_t>(ttl - 1)};
  Send(onward, {}, Preceding(target, step), step, PeerRef::kNone, true);
}

// The nearest peers before `target` that we know, nearest first; own ones if there are any.
std::vector<PeerRef> Merge::Preceding(PeerRef target, const MergeStep& step) {
  const NodeId& id = step.ids.id(target);
  std::vector<PeerRef> before;
  const auto add = [&](PeerRef peer) {
    const bool precedes = IsSane(peer, step) && InOpen(step.self_id, step.ids.id(peer), id);
    if (precedes && !IsSuspect(peer, step)) before.push_back(peer);
  };
  for (int level = 0; level < step.table.levels(); ++level) {
    for (const PeerRef peer : step.table.live(level)) add(peer);
  }
  for (const PeerRef peer : step.ring.all()) add(peer);
  const auto distance = [&](PeerRef peer) { return ClockwiseDistance(step.ids.id(peer), id); };
  std::sort(before.begin(), before.end(),
            [&](PeerRef a, PeerRef b) { return distance(a) < distance(b); });
  before.erase(std::unique(before.begin(), before.end()), before.end());
  const MergeSession& session = Use(kUnifySession, step);
  std::vector<PeerRef> nearest;
  for (std::size_t i = 0; i < before.size() && nearest.size() < kNextHops; ++i) {
    if (!session.IsForeign(before[i])) nearest.push_back(before[i]);
  }
  if (!nearest.empty()) return nearest;
  before.resize(std::min(before.size(), kNextHops));
  return before;
}

// Tells a random own contact of a peer of the other island.
void Merge::TellRandom(const MergeQueue::Detected& detected, const MergeStep& step) {
  const MergeSession& session = Use(kUnifySession, step);
  std::vector<PeerRef> own;
  for (int level = 0; level < step.table.levels(); ++level) {
    for (const PeerRef peer : step.table.live(level)) {
      const bool fits = peer != detected.peer && IsSane(peer, step) && !IsSuspect(peer, step);
      if (fits && !session.IsForeign(peer)) own.push_back(peer);
    }
  }
  if (own.empty()) return;
  const PeerRef to = own[step.rng.Below(static_cast<std::uint32_t>(own.size()))];
  Send(UnifyDetected{0, detected.peer, detected.fanout}, {}, std::span(&to, 1), step,
       PeerRef::kNone, true);
}

void Merge::On(PeerRef from, const UnifyLookup& lookup, const MergeStep& step) {
  if (!step.ids.Contains(lookup.target)) return step.out.Drop(DropReason::kUnknownRpc);
  if (!Acknowledge(from, lookup.rpc, step)) return;
  NoteStranger(from, step);
  const int most = step.config.heal.fanout;
  Unify(lookup.target, std::min<int>(lookup.fanout, most), lookup.ttl, step);
}

void Merge::On(PeerRef from, const UnifyTry& found, const MergeStep& step) {
  const bool sane = step.ids.Contains(found.predecessor) && step.ids.Contains(found.successor);
  if (!sane) return step.out.Drop(DropReason::kUnknownRpc);
  if (!Acknowledge(from, found.rpc, step)) return;
  NoteStranger(from, step);
  for (const PeerRef peer : {found.successor, found.predecessor}) {
    Unify(peer, Fanout(step), kIdBits, step);
    if (Learn(peer, step)) AddForeign(peer, step);
  }
}

void Merge::On(PeerRef from, const UnifyDetected& detected, const MergeStep& step) {
  if (!step.ids.Contains(detected.target)) return step.out.Drop(DropReason::kUnknownRpc);
  if (!Acknowledge(from, detected.rpc, step)) return;
  if (step.config.heal.strategy == MergeStrategy::kZip) return;
  const int fanout = std::clamp<int>(detected.fanout, 1, step.config.heal.fanout);
  if (IsSane(detected.target, step)) {
    queue_.Ensure().Add({detected.target, static_cast<std::uint8_t>(fanout)}, step);
    WorkOffQueue(step);
  }
}

}  // namespace tombolo
