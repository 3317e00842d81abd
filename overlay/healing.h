// Island healing of one peer: what it remembers, and the merge it takes part in. The parts meet in
// peer_heal.cc. Thread rule: one caller at a time.
#pragma once

#include <algorithm>

#include "overlay/island_watch.h"
#include "overlay/lazy.h"
#include "overlay/merge.h"
#include "overlay/time.h"

namespace tombolo {

struct Healing {
  Lazy<Merge> merge;  // while there is one
  Lazy<IslandWatch> watch;

  bool idle() const { return !merge && !watch; }
  Time next_deadline() const {
    const Time merging = merge ? merge->next_deadline() : kNever;
    return watch ? std::min(merging, watch->next_deadline()) : merging;
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(merge, watch);
  }
};

}  // namespace tombolo
