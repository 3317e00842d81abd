// What a world keeps many of: recorded events, running workloads. Plain values.
#pragma once

#include <cstdint>

#include "overlay/event.h"
#include "overlay/peer_ref.h"
#include "overlay/rng.h"
#include "overlay/time.h"
#include "sim/workload.h"

namespace tombolo::sim {

// An event of a peer, as recorded for an observer.
struct LoggedEvent {
  Time at;
  PeerRef peer = PeerRef::kNone;
  Event event;
};

// A workload and how far it has come.
struct RunningWorkload {
  WorkloadOptions options;
  Rng rng;
  std::uint64_t done = 0;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(options, rng, done);
  }
};

}  // namespace tombolo::sim
