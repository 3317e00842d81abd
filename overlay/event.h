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
  kRefused,      // connect: the other side declined
  kOverload,     // too many requests under way at this peer
  kLeft,         // this peer has left the overlay
};

// A Send or Connect has ended without success.
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

using Event = std::variant<Joined, LookupDone, PutDone, GetDone, PeerUp, PeerLost, MessageArrived,
                           Delivered, Failed, Evicted>;

}  // namespace tombolo
