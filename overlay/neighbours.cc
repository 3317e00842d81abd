#include "overlay/neighbours.h"

#include <algorithm>

#include "overlay/node_id.h"
#include "overlay/ring_interval.h"

namespace tombolo {
namespace {

// Where on a side (nearest first) a peer belongs; `known` if it stands there already.
struct Place {
  std::size_t index;
  bool known;
};

// Most calls name somebody who is listed, or far away: neither is worth a search, which reads an id
// in memory at every step.
template <class IsNearer>
bool IsNoNews(std::span<const PeerRef> side, std::size_t max, PeerRef peer, const Directory& ids,
              const IsNearer& is_nearer) {
  if (std::find(side.begin(), side.end(), peer) != side.end()) return true;
  return side.size() >= max && (side.empty() || is_nearer(ids.id(side.back())));
}

template <class IsNearer>
Place PlaceOf(std::span<const PeerRef> side, PeerRef peer, const Directory& ids,
              const IsNearer& is_nearer) {
  const auto at = std::partition_point(side.begin(), side.end(),
                                       [&](PeerRef other) { return is_nearer(ids.id(other)); });
  return {static_cast<std::size_t>(at - side.begin()),
          at != side.end() && ids.id(*at) == ids.id(peer)};
}

}  // namespace

bool Neighbours::Learn(PeerRef peer, const PartStep& step) {
  const bool after = LearnSuccessor(peer, step);
  const bool before = LearnPredecessor(peer, step);
  return after || before;
}

bool Neighbours::LearnSuccessor(PeerRef peer, const PartStep& step) {
  if (peer == step.self) return false;
  const auto max = static_cast<std::size_t>(step.config.successors());
  const NodeId& id = step.ids.id(peer);
  const auto nearer = [&](const NodeId& other) { return InOpen(step.self_id, other, id); };
  if (IsNoNews(successors(), max, peer, step.ids, nearer)) return false;
  const Place place = PlaceOf(successors(), peer, step.ids, nearer);
  if (place.known || place.index >= max) return false;
  if (successors_ >= max) refs_.erase(refs_.begin() + --successors_);
  refs_.insert(refs_.begin() + place.index, peer);
  ++successors_;
  return true;
}

bool Neighbours::LearnPredecessor(PeerRef peer, const PartStep& step) {
  if (peer == step.self) return false;
  const auto max = static_cast<std::size_t>(step.config.predecessors());
  const NodeId& id = step.ids.id(peer);
  const auto nearer = [&](const NodeId& other) { return InOpen(id, other, step.self_id); };
  if (IsNoNews(predecessors(), max, peer, step.ids, nearer)) return false;
  const Place place = PlaceOf(predecessors(), peer, step.ids, nearer);
  if (place.known || place.index >= max) return false;
  if (predecessors().size() >= max) refs_.pop_back();
  refs_.insert(refs_.begin() + successors_ + place.index, peer);
  return true;
}

bool Neighbours::Forget(PeerRef peer) {
  const std::size_t before = refs_.size();
  successors_ = static_cast<std::uint16_t>(
      successors_ - std::count(refs_.begin(), refs_.begin() + successors_, peer));
  refs_.erase(std::remove(refs_.begin(), refs_.end(), peer), refs_.end());
  return refs_.size() != before;
}

bool Neighbours::Contains(PeerRef peer) const {
  return std::find(refs_.begin(), refs_.end(), peer) != refs_.end();
}

}  // namespace tombolo
