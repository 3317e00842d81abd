// The seam between the node and time: what time it is, one timer, and the end of a turn.
//
// Turns: everything that reaches the node while its strand is busy belongs to one turn. What the
// node wants to do once per turn (writing one frame per peer) it does in TurnEnded.
//
// Thread rule: all calls and events on the strand of the node. No event comes from within a call.
#pragma once

#include "overlay/time.h"

namespace tombolo::node {

class ClockEvents {
 public:
  // The time that Arm was given has come.
  virtual void TimeCame() = 0;
  virtual void TurnEnded() = 0;

 protected:
  ~ClockEvents() = default;
};

class Clock {
 public:
  virtual ~Clock() = default;

  // Since the start of the clock; never goes back.
  virtual Time now() const = 0;

  // Where events go. To be called once, before anything else.
  virtual void Start(ClockEvents& events) = 0;

  // Replaces what was armed before; kNever disarms. A time in the past comes at once.
  virtual void Arm(Time when) = 0;

  // Asks for one TurnEnded, after what is waiting already. Repeated before it comes: still one.
  virtual void EndTurnSoon() = 0;
};

}  // namespace tombolo::node
