#include "overlay/neighbours.h"

#include <algorithm>

#include "overlay/node_id.h"

namespace tombolo {
namespace {

// Where on a side (first..last, nearest first) a peer belongs whose distance from us is `distance`;
// `known` if it stands there already.
struct Place {
  std::size_t index;
  bool known;
};

template <class DistanceOf>
Place PlaceOf(std::span<const PeerRef> side, const NodeId& distance,
              const DistanceOf& distance_of) {
  const auto at = std::partition_point(
      side.begin(), side.end(), [&](PeerRef other) { return distance_of(other) < distance; });
  return {static_cast<std::size_t>(at - side.begin()),
          at != side.end() && distance_of(*at) == distance};
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
  const auto distance = [&](PeerRef to) {
    return ClockwiseDistance(step.self_id, step.ids.id(to));
  };
  const Place place = PlaceOf(successors(), distance(peer), distance);
  if (place.known || place.index >= max) return false;
  if (successors_ >= max) {
    refs_.erase(refs_.begin() + static_cast<std::ptrdiff_t>(--successors_));
  }
  refs_.insert(refs_.begin() + static_cast<std::ptrdiff_t>(place.index), peer);
  ++successors_;
  return true;
}

bool Neighbours::LearnPredecessor(PeerRef peer, const PartStep& step) {
  if (peer == step.self) return false;
  const auto max = static_cast<std::size_t>(step.config.predecessors());
  const auto distance = [&](PeerRef to) {
    return ClockwiseDistance(step.ids.id(to), step.self_id);
  };
  const Place place = PlaceOf(predecessors(), distance(peer), distance);
  if (place.known || place.index >= max) return false;
  if (predecessors().size() >= max) refs_.pop_back();
  refs_.insert(refs_.begin() + static_cast<std::ptrdiff_t>(successors_ + place.index), peer);
  return true;
}

bool Neighbours::Forget(PeerRef peer) {
  const std::size_t before = refs_.size();
  successors_ -= static_cast<std::uint64_t>(
      std::count(refs_.begin(), refs_.begin() + static_cast<std::ptrdiff_t>(successors_), peer));
  std::erase(refs_, peer);
  return refs_.size() != before;
}

bool Neighbours::Contains(PeerRef peer) const {
  return std::find(refs_.begin(), refs_.end(), peer) != refs_.end();
}

}  // namespace tombolo
