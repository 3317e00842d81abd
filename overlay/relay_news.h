// What the negotiation of links (connect.h) hears from the relay (relay.h). Plain data.
#pragma once

#include <cstdint>

#include "overlay/event.h"
#include "overlay/node_id.h"

namespace tombolo {

struct RelayNews {
  enum class Kind : std::uint8_t {
    kRequest,   // `peer` asks us for a link
    kAccepted,  // `peer` agrees to our request
    kRefused,   // `peer` does not
    kFailed,    // our request did not arrive
  };

  Kind kind = Kind::kRequest;
  FailReason reason = FailReason::kDeadline;  // of kFailed
  std::uint32_t request = 0;                  // number of our own request
  std::uint64_t subject = 0;                  // of kRequest: its id, which the answer names
  NodeId peer;                                // the other side
};

}  // namespace tombolo
