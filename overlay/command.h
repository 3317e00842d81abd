// The closed list of what an application asks of its peer. `request` is chosen by the application
// and repeated in the event that ends the command.
#pragma once

#include <cstdint>
#include <variant>

#include "overlay/contact_lists.h"
#include "overlay/node_id.h"
#include "overlay/payload.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo {

// Joins through any peers that are up; an empty list founds a new overlay. Ends in Joined. The host
// releases the list.
struct Join {
  ListHandle bootstrap = ListHandle::kEmpty;
};

// Says goodbye to the closest contacts and to every link; the peer is silent afterwards.
struct Depart {};

// Finds the k closest live peers to `target`. Ends in LookupDone.
struct Lookup {
  std::uint32_t request = 0;
  NodeId target;
};

// Stores a value at the k closest peers of its key and republishes it until it expires. Ends in
// PutDone.
struct Put {
  std::uint32_t request = 0;
  NodeId key;
  Payload payload;
  std::uint64_t sequence = 0;
  Duration ttl;
};

// Finds the newest value of a key. Ends in GetDone.
struct Get {
  std::uint32_t request = 0;
  NodeId key;
};

// Relays bytes to a peer. Ends in Delivered or Failed within `deadline`; without `receipt` it is
// fire and forget: it ends in Failed if no first hop takes it, and else in nothing.
struct Send {
  std::uint32_t request = 0;
  NodeId target;
  Payload payload;
  Duration deadline;        // a day at most
  std::uint8_t copies = 1;  // node-disjoint copies, 1..8
  bool receipt = true;
};

// Negotiates a direct link through relayed messages. Ends in PeerUp or Failed.
struct Connect {
  std::uint32_t request = 0;
  NodeId target;
};

// Closes the direct link to a peer. Ends in PeerLost if there was one.
struct Disconnect {
  NodeId target;
};

// Tells the peer of another one, which may live in another island: they merge if it does. Ends in
// nothing.
struct Introduce {
  PeerRef peer = PeerRef::kNone;
};

using Command =
    std::variant<Join, Depart, Lookup, Put, Get, Send, Connect, Disconnect, Introduce>;

}  // namespace tombolo
