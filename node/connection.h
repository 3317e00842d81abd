// One connection of the transport, as the link table sees it. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "node/hello.h"
#include "node/transport.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo::node {

enum class ConnectionState : std::uint8_t {
  kDialling,  // not up yet
  kGreeting,  // up; our hello is on its way, the other's awaited
  kReady,     // carries messages
  kParting,   // our goodbye is on its way; what the other still sends is heard
  kClosed,    // given back to the transport, whose Closed is awaited
};

struct Connection {
  ConnectionId id{};
  ConnectionState state = ConnectionState::kDialling;
  bool outbound = false;
  NodeId remote;                  // from kGreeting on
  PeerRef peer = PeerRef::kNone;  // dialled, or greeted
  std::string address;            // dialled; else where the other calls from
  std::uint64_t dial = 0;         // number of the connection at the side that dialled
  std::uint64_t life = 0;         // of the other side, once greeted
  bool greeted = false;           // its hello was good
  RemoteDescription says;         // in its hello
  std::string ending;             // why it ends, and who has said so; for people
  Time since;                     // the state
  Time deadline = kNever;         // of the state
  Time used;                      // by a message, either way

  bool asked_dial_back = false;  // and waits for the result
  Time dial_back_after;          // no dial back is made for the other side before

  Frame batch;                  // what this turn has for the other side
  std::size_t batch_bytes = 0;  // of its messages
  bool dirty = false;           // the batch is to be sent when the turn ends
  std::size_t queued = 0;       // bytes at the transport after the last frame
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;  // in frames that were written
};

// Which of two connections of a pair ends: both sides find the same. `self` is this side. The later
// one stays if the other side has been restarted in between, if the same side has dialled both, or
// if the earlier one is `settled`: whoever dials then has lost it. Else the two dials have crossed:
// the one of the smaller id stays.
inline bool LaterStays(const Connection& earlier, const Connection& later, const NodeId& self,
                       bool settled) {
  if (earlier.life != later.life) return true;
  if (earlier.outbound == later.outbound) return later.dial > earlier.dial;
  return settled || later.outbound == (self < later.remote);
}

}  // namespace tombolo::node
