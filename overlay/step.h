// Everything a peer may see or touch during one call. Borrowed for the call, never stored.
#pragma once

#include "overlay/config.h"
#include "overlay/contact_lists.h"
#include "overlay/directory.h"
#include "overlay/outbox.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo {

// What a host hands in.
struct Step {
  Time now;  // never earlier than in the previous step of the same peer
  const Config& config;
  const Directory& ids;
  ContactLists& lists;
  Outbox& out;  // appended to, never read
};

// What Peer hands to its parts: the step, and who they work for.
struct PartStep : Step {
  PeerRef self;
  const NodeId& self_id;
  Rng& rng;
};

}  // namespace tombolo
