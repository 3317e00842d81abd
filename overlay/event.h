// The closed list of what a peer tells its application.
//
// Lists in an event belong to the event: the host releases them when it has been handled. Payloads
// in an event pass to the application.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "overlay/contact_lists.h"
#include "overlay/message.h"
#include "overlay/node_id.h"
#include "overlay/payload.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo {

// The peer has looked itself up and refreshed its buckets, or has nobody to ask.
struct Joined {
  std::uint32_t contacts;  // live contacts in the table
};

struct LookupDone {
  std::uint32_t request;
  NodeId target;
  ListHandle closest;      // the k closest live peers, closest first
  std::uint16_t hops;      // depth of the closest: 1 = it was in the asker's own table; 0 = none
  std::uint16_t messages;  // requests sent plus answers received
  std::uint16_t dead;      // contacts that did not answer in time
  Time started;
};

// A lookup that the peer made of its own accord has ended (RingConfig::lookup_interval).
struct KeyProbed {
  NodeId key;
  PeerRef successor;  // kNone: nobody answered
  std::uint16_t hops;
  Time started;
};

struct PutDone {
  std::uint32_t request;
  std::uint16_t stored;    // peers that hold the record now
  std::uint16_t rejected;  // peers that refused it, hold a newer one or did not answer
  Time started;
};

struct GetDone {
  std::uint32_t request;
  bool found;
  Record record;  // of the highest sequence seen; only if found
  std::uint16_t hops;
  std::uint16_t messages;
  Time started;
};

// A direct link is up.
struct PeerUp {
  PeerRef peer;
};

enum class LinkDownReason : std::uint8_t {
  kClosed,      // the other side hung up
  kHungUp,      // this side hung up
  kTimeout,     // keepalive unanswered
  kDialFailed,  // never came up
};

// A direct link is gone.
struct PeerLost {
  PeerRef peer;
  LinkDownReason reason;
};

// Bytes from another peer have arrived. `origin` is as proven as the relays on the path.
struct MessageArrived {
  NodeId origin;
  Payload payload;
  std::uint8_t hops;
};

struct Delivered {
  std::uint32_t request;
  std::uint8_t hops;  // hops of the copy that arrived first
  Time started;
};

enum class FailReason : std::uint8_t {
  kDeadline,     // no receipt in time
  kUnreachable,  // no route to the target
  kNoLinks,      // this peer held no link at all until the deadline, or may hold none
  kUndialable,   // connect: neither side can be dialled, or the dial failed
  kRefused,      // connect: the other side declined; broadcast: too large
  kOverload,     // too many requests under way at this peer, or too fast
  kLeft,         // this peer has left the overlay
};

// A Send, Connect or Broadcast has ended without success.
struct Failed {
  std::uint32_t request;
  FailReason reason;
  Time started;
};

// Another peer closed our link for lack of room and named others.
struct Evicted {
  PeerRef by;
  HangupReason reason;
  std::uint8_t count;
  std::array<PeerRef, kMaxAlternatives> alternatives;
};

// A broadcast of another peer. In no particular order; (origin, sequence) names it and never comes
// twice.
struct BroadcastArrived {
  NodeId origin;
  std::uint64_t sequence;
  std::uint64_t topic;
  Payload payload;
  std::uint8_t hops;
};

// An acknowledged broadcast has ended.
struct BroadcastDone {
  std::uint32_t request;
  std::uint32_t delivered;  // other peers known to have handed it to their applications, at least 1
  bool complete;            // nobody who was asked failed to answer
  Time started;
};

// A client that was to be attached is: `holders` other peers know where it is.
struct ClientAttached {
  std::uint32_t request;
  bool attached;  // false: this peer has no room for it, is outside the overlay, or was asked anew
  NodeId client;
  std::uint64_t sequence;
  std::uint8_t holders;
  Time started;
};

struct ClientResolved {
  std::uint32_t request;
  bool found;
  std::uint16_t hops;      // of the lookup, as in LookupDone; 0: attached here
  std::uint16_t messages;  // requests sent plus answers received
  PeerRef home;            // kNone if not found
  NodeId client;
  std::uint64_t sequence;
  Time started;
};

// A client that was attached here has a newer lease at another home. It has left its rooms here.
struct LeaseLost {
  NodeId client;
  PeerRef home;
  std::uint64_t sequence;
};

struct RoomJoined {
  std::uint32_t request;
  bool joined;  // false: too many rooms or members here, or outside the overlay
  NodeId room;
};

// A client has become a member of a room that has members here, or is none any more.
struct RoomChanged {
  NodeId room;
  NodeId client;
  PeerRef home;  // where it is or was
  bool joined;
};

using Event = std::variant<Joined, LookupDone, PutDone, GetDone, PeerUp, PeerLost, MessageArrived,
                           Delivered, Failed, Evicted, KeyProbed, BroadcastArrived, BroadcastDone,
                           ClientAttached, ClientResolved, LeaseLost, RoomJoined, RoomChanged>;

}  // namespace tombolo
