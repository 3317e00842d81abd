// Everything that reaches the core of a node, in one closed list: what a recording of a node holds
// beside the times. Plain values.
#pragma once

#include <variant>

#include "overlay/command.h"
#include "overlay/event.h"
#include "overlay/link.h"
#include "overlay/message.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo::node {

struct MessageInput {
  PeerRef from;
  Message message;
};
struct CommandInput {
  Command command;
};
struct LinkUpInput {
  PeerRef peer;
  LinkAttributes attributes;
};
struct LinkDownInput {
  PeerRef peer;
  LinkDownReason reason;
};
struct PressureInput {
  PeerRef peer;
  LinkPressure pressure;
};
struct TickInput {};
struct RestoreInput {
  Record record;
};

using CoreInput = std::variant<MessageInput, CommandInput, LinkUpInput, LinkDownInput,
                               PressureInput, TickInput, RestoreInput>;

// Sees every input right before the core does. Lists and payloads in it can be read during the
// call.
class InputRecorder {
 public:
  virtual void Record(Time now, const CoreInput& input) = 0;

 protected:
  ~InputRecorder() = default;
};

}  // namespace tombolo::node
