#include "sim/build_ring.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "overlay/ring_interval.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kLook =
    4;  // peers looked at, per place of a list, for one that can be dialled

// The ring of one island, peer after peer in the order of ids.
class RingBuilder {
 public:
  RingBuilder(const Config& config, std::size_t turns, std::span<const PeerRef> island,
              std::vector<Peer>& peers, const Step& step)
      : config_(config),
        turns_(turns),
        island_(island),
        peers_(peers),
        step_(step),
        fingers_wanted_(config.ring.fingers && !config.has_table()) {}

  void Build() {
    for (std::size_t place = 0; place < island_.size(); ++place) BuildOne(place);
  }

 private:
  void BuildOne(std::size_t place) {
    Peer& peer = peers_[Index(island_[place])];
    if (!config_.has_table()) peer.Build(RoutingTable(), kNever);
    // A turn takes every turns_-th peer, from the first on, then from the second, and so on. None
    // counts the peers between itself and where its list would come round to it again.
    const std::size_t others = (island_.size() - 1) / turns_;
    Collect(place, others, config_.successors(), &RingBuilder::Next, successors_);
    Collect(place, others, config_.predecessors(), &RingBuilder::Previous, predecessors_);
    fingers_.clear();
    if (fingers_wanted_ && others > 0) FindFingers(peer.id(), place);
    peer.BuildRing(successors_, predecessors_, fingers_, Time{}, step_);
  }

  // The nearest on one side that can be dialled: the others are learned when their links come up.
  void Collect(std::size_t place, std::size_t others, int wanted,
               std::size_t (RingBuilder::*step)(std::size_t) const, std::vector<PeerRef>& side) {
    const auto most = static_cast<std::size_t>(wanted);
    side.clear();
    for (std::size_t i = 0; i < std::min(others, most * kLook) && side.size() < most; ++i) {
      place = (this->*step)(place);
      if (step_.ids.dialable(At(place))) side.push_back(At(place));
    }
  }

  // Past its last peer each turn goes on with the first of the next one.
  std::size_t Next(std::size_t place) const {
    return place + turns_ < island_.size() ? place + turns_ : (place % turns_ + 1) % turns_;
  }
  std::size_t Previous(std::size_t place) const {
    if (place >= turns_) return place - turns_;
    const std::size_t turn = (place + turns_ - 1) % turns_;
    return turn + (island_.size() - 1 - turn) / turns_ * turns_;
  }

  // Position of the peer past the end of the island is that of the first one, and so on.
  PeerRef At(std::size_t place) const { return island_[place % island_.size()]; }
  const NodeId& IdAt(std::size_t place) const { return step_.ids.id(At(place)); }

  // From the highest level down to those whose finger is the successor.
  void FindFingers(const NodeId& id, std::size_t place) {
    const int unused = kIdBits - config_.ring.bits;
    const std::size_t successor = Next(place);
    const NodeId& next = IdAt(successor);
    for (int level = config_.ring.bits - 1; level >= 0; --level) {
      const NodeId start = PlusPowerOfTwo(id, unused + level);
      if (InHalfOpen(id, start, next)) {
        AddFinger(0, At(successor));
        break;
      }
      const PeerRef peer = SuccessorOf(start, level, id, place);
      // Nobody from the start on up to ourselves.
      AddFinger(level, peer == At(place) ? PeerRef::kNone : peer);
    }
    std::reverse(fingers_.begin(), fingers_.end());
  }

  // Starts of one level move clockwise with the peers, so the search goes on where it ended for the
  // last one. The start itself lies after the successor of `place`.
  PeerRef SuccessorOf(const NodeId& start, int level, const NodeId& id, std::size_t place) {
    std::size_t& cursor = cursors_[static_cast<std::size_t>(level)];
    cursor = std::max(cursor, place + 1);
    while (cursor < place + island_.size() && InOpen(id, IdAt(cursor), start)) ++cursor;
    return At(cursor);
  }

  void AddFinger(int level, PeerRef peer) {
    if (!fingers_.empty() && fingers_.back().peer == peer) {
      fingers_.back().level = static_cast<std::uint8_t>(level);
    } else {
      fingers_.push_back({peer, static_cast<std::uint8_t>(level)});
    }
  }

  const Config& config_;
  const std::size_t turns_;
  std::span<const PeerRef> island_;
  std::vector<Peer>& peers_;
  const Step& step_;
  const bool fingers_wanted_;
  std::array<std::size_t, kIdBits> cursors_{};  // by level
  std::vector<PeerRef> successors_;
  std::vector<PeerRef> predecessors_;
  std::vector<Finger> fingers_;
};

}  // namespace

void BuildRings(const WorldOptions& options, const Islands& islands, std::vector<Peer>& peers,
                const Step& step) {
  for (std::size_t island = 0; island < islands.count(); ++island) {
    const std::span<const PeerRef> members = islands.members(island);
    RingBuilder(options.core, options.ring_turns, members, peers, step).Build();
  }
}

}  // namespace tombolo::sim
