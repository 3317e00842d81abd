// What peers say to each other to broadcast (gossip.h has the procedure). Plain values; see
// message.h.
#pragma once

#include "overlay/message_family.h"

namespace tombolo {

using GossipMessages = MessageFamily<>;

}  // namespace tombolo
