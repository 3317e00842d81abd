// Island healing of one peer: what it remembers, and the merge it takes part in.
#pragma once

#include "overlay/time.h"

namespace tombolo {

struct Healing {
  bool idle() const { return true; }
  Time next_deadline() const { return kNever; }

  template <class Archive>
  void Serialize(Archive&) {}
};

}  // namespace tombolo
