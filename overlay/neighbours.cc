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
  const auto successors_max = static_cast<std::size_t>(step.config.successors());
  const auto predecessors_max = static_cast<std::size_t>(step.config.predecessors());
  if (peer == step.self) return false;
  const auto clockwise = [&](PeerRef to) {
    return ClockwiseDistance(step.self_id, step.ids.id(to));
  };
  const auto counter = [&](PeerRef to) { return ClockwiseDistance(step.ids.id(to), step.self_id); };

  bool learned = false;
  if (const Place place = PlaceOf(successors(), clockwise(peer), clockwise);
      !place.known && place.index < successors_max) {
    if (successors_ >= successors_max)
      refs_.erase(refs_.begin() + static_cast<std::ptrdiff_t>(--successors_));
    refs_.insert(refs_.begin() + static_cast<std::ptrdiff_t>(place.index), peer);
    ++successors_;
    learned = true;
  }
  if (const Place place = PlaceOf(predecessors(), counter(peer), counter);
      !place.known && place.index < predecessors_max) {
    if (predecessors().size() >= predecessors_max) refs_.pop_back();
    refs_.insert(refs_.begin() + static_cast<std::ptrdiff_t>(successors_ + place.index), peer);
    learned = true;
  }
  return learned;
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
