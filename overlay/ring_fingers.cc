#include "overlay/ring_fingers.h"

#include <algorithm>

#include "overlay/ring_interval.h"

namespace tombolo {
namespace {

constexpr std::size_t kNoRun = ~std::size_t{0};

}  // namespace

NodeId RingFingers::StartOf(int level, const PartStep& step) {
  return PlusPowerOfTwo(step.self_id, kIdBits - step.config.ring.bits + level);
}

// The run that the level belongs to, kNoRun below the first.
std::size_t RingFingers::RunOf(int level) const {
  std::size_t run = runs_.size();
  while (run > 0 && runs_[run - 1].level > level) --run;
  return run - 1;
}

PeerRef RingFingers::At(int level) const {
  const std::size_t run = RunOf(level);
  return run == kNoRun ? PeerRef::kNone : runs_[run].peer;
}

void RingFingers::Set(int level, PeerRef peer, const PartStep& step) {
  const NodeId start = StartOf(level, step);
  const bool possible =
      peer != PeerRef::kNone && peer != step.self &&
      (step.ids.id(peer) == start || InOpen(start, step.ids.id(peer), step.self_id));
  if (!possible) peer = PeerRef::kNone;
  const PeerRef before = At(level);
  if (before == peer) return;
  // The level becomes a run of its own, then equal neighbours are joined.
  std::size_t run = RunOf(level) + 1;  // the first run above the level
  const int next = level + 1;
  const bool last =
      next == step.config.ring.bits || (run < runs_.size() && runs_[run].level == next);
  const auto at = [&](std::size_t i) { return runs_.begin() + static_cast<std::ptrdiff_t>(i); };
  if (!last) runs_.insert(at(run), {before, static_cast<std::uint8_t>(next)});
  if (run > 0 && runs_[run - 1].level == level) {
    runs_[--run].peer = peer;
  } else {
    runs_.insert(at(run), {peer, static_cast<std::uint8_t>(level)});
  }
  MergeFrom(run > 0 ? run - 1 : 0);
}

// Joins equal neighbours from `first` on, and drops unknown ones at the bottom.
void RingFingers::MergeFrom(std::size_t first) {
  const auto begin = runs_.begin() + static_cast<std::ptrdiff_t>(first);
  runs_.erase(std::unique(begin, runs_.end(),
                          [](const Finger& a, const Finger& b) { return a.peer == b.peer; }),
              runs_.end());
  if (!runs_.empty() && runs_.front().peer == PeerRef::kNone) runs_.erase(runs_.begin());
}

PeerRef RingFingers::NextHop(const NodeId& key, PeerRef avoid, const PartStep& step) const {
  if (runs_.empty()) return PeerRef::kNone;
  const int unused = kIdBits - step.config.ring.bits;
  // Our own id is as far away as can be.
  const int highest = key == step.self_id ? kIdBits : DistanceExponent(step.self_id, key) - unused;
  for (std::size_t run = runs_.size(); run-- > 0;) {
    const auto& [peer, level] = runs_[run];
    if (level > highest || peer == PeerRef::kNone || peer == avoid) continue;
    if (InOpen(step.self_id, step.ids.id(peer), key)) return peer;
  }
  return PeerRef::kNone;
}

void RingFingers::Forget(PeerRef peer) {
  bool found = false;
  for (Finger& run : runs_) {
    if (run.peer != peer) continue;
    run.peer = PeerRef::kNone;
    found = true;
  }
  if (found) MergeFrom(0);
}

}  // namespace tombolo
