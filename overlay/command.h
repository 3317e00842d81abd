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

// Finds the k closest live peers to `target`; in an overlay that is nothing but a ring its
// successor. Ends in LookupDone.
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

// Sends bytes to every peer, or to every peer that subscribed to `topic`; they reach whoever is
// connected at some time before `ttl` is over, once. With `acknowledge` it ends in BroadcastDone or
// Failed within `deadline`; without, in Failed if it is refused at once, and else in nothing.
struct Broadcast {
  std::uint32_t request = 0;
  std::uint64_t topic = 0;  // 0 = everybody
  Payload payload;
  Duration ttl;                // at most config.gossip.max_ttl
  std::uint8_t max_hops = 64;  // at least 1
  bool acknowledge = false;
  Duration deadline = Duration::Seconds(30);  // of the acknowledgement
};

// From now on broadcasts of the topic are handed to the application, or no longer.
struct Subscribe {
  std::uint64_t topic = 0;
};
struct Unsubscribe {
  std::uint64_t topic = 0;
};

// Makes this peer the home of a client that is no peer itself. `sequence` is the client's own, ever
// higher; 0 = the client has just come, which is newer than all that is known. Ends in
// ClientAttached once the holders of the lease have taken it, or in LeaseLost. The same client once
// more while that goes on: the earlier command ends in ClientAttached, not attached.
struct AttachClient {
  std::uint32_t request = 0;
  NodeId client;
  std::uint64_t sequence = 0;
};

// The client is gone; it leaves its rooms here.
struct DetachClient {
  NodeId client;
};

// Finds the home of a client. Ends in ClientResolved.
struct ResolveClient {
  std::uint32_t request = 0;
  NodeId client;
};

// Makes a client a member of a room (a hash of its name) at this peer. Ends in RoomJoined; from
// then on every change of the room is told in RoomChanged, the client's own joining included.
struct JoinRoom {
  std::uint32_t request = 0;
  NodeId room;
  NodeId client;
};

struct LeaveRoom {
  NodeId room;
  NodeId client;
};

using Command = std::variant<Join, Depart, Lookup, Put, Get, Send, Connect, Disconnect, Introduce,
                             Broadcast, Subscribe, Unsubscribe, AttachClient, DetachClient,
                             ResolveClient, JoinRoom, LeaveRoom>;

}  // namespace tombolo
