// The ring of one peer (Stoica et al., "Chord", SIGCOMM 2001, section 4).
//
// Thread rule: one caller at a time.
#pragma once

#include "overlay/neighbours.h"
#include "overlay/time.h"

namespace tombolo {

class Ring {
 public:
  Neighbours& neighbours() { return neighbours_; }
  const Neighbours& neighbours() const { return neighbours_; }

  Time next_deadline() const { return kNever; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(neighbours_);
  }

 private:
  Neighbours neighbours_;
};

}  // namespace tombolo
