// What a peer knows about islands: its own, and whom to ask for others. Exists from the first lost
// contact or from the join on; Peer ties the parts together (peer_islands.cc). Thread rule: one
// caller at a time.
#pragma once

#include <algorithm>

#include "overlay/island_digest.h"
#include "overlay/island_probe.h"
#include "overlay/remembered.h"
#include "overlay/size_estimate.h"
#include "overlay/time.h"

namespace tombolo {

struct IslandWatch {
  Remembered remembered;
  IslandProber prober;
  IslandDigest digest;
  SizeEstimate size;
  Time survey_at = kNever;
  bool long_known = false;  // until the first survey: the contacts were seen for long before it

  Time next_deadline() const { return std::min(survey_at, prober.next_deadline()); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(remembered, prober, digest, size, survey_at, long_known);
  }
};

}  // namespace tombolo
