// A step without a peer around it, for the tests of the parts that notice islands.
#pragma once

#include <cstdint>
#include <vector>

#include "overlay/config.h"
#include "overlay/directory.h"
#include "overlay/outbox.h"
#include "overlay/step.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {

struct IslandParts {
  explicit IslandParts(std::uint32_t peers, std::uint64_t seed = 1) : rng(seed) {
    config.overlay = OverlayKind::kBoth;
    Rng ids_rng = Rng::Split(seed, 1);
    for (std::uint32_t i = 0; i < peers; ++i) ids.Add(RandomId(ids_rng));
  }

  // Of peer 0.
  PartStep step() { return StepOf(PeerRef{0}); }
  PartStep StepOf(PeerRef peer) {
    return PartStep{{now, config, ids, lists, out}, peer, ids.id(peer), rng};
  }
  std::vector<PeerRef> Range(std::uint32_t first, std::uint32_t end) const {
    std::vector<PeerRef> peers;
    for (std::uint32_t i = first; i < end; ++i) peers.push_back(PeerRef{i});
    return peers;
  }

  Config config;
  Directory ids;
  ContactLists lists;
  Outbox out;
  Time now;
  Rng rng;
};

}  // namespace tombolo
