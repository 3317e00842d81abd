// The seam between the node and whatever carries its links: connections to other nodes, each of
// which carries frames (proto/link.proto) in order, both ways, between two nodes whose ids are
// proven.
//
// A transport authenticates and moves frames; it does not know what they mean. Which of two
// connections of a pair survives, the hello, and what to dial is the business of the link table.
//
// Thread rule: all calls and all events on the strand of the node; a transport may use threads of
// its own behind that. Nothing but Stop blocks, and events always arrive in a later turn of the
// strand than the call that caused them. Ownership: frames pass with the call. Errors: a connection
// that fails in any way ends in exactly one Closed; calls on a closed connection do nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "link.pb.h"
#include "overlay/node_id.h"

namespace tombolo::node {

using Frame = link::v1::Frame;

// Of the bytes that a connection has queued; Drained says when they have fallen from above the one
// to below the other.
inline constexpr std::size_t kSendHighWater = 1024 * 1024;
inline constexpr std::size_t kSendLowWater = 256 * 1024;

// Names one connection of one transport; never used twice.
enum class ConnectionId : std::uint64_t {};

enum class CloseCause : std::uint8_t {
  kLocal,       // this side closed it
  kRemote,      // the other side closed it, or its process ended
  kDialFailed,  // never came up
  kIdentity,    // the other side could not prove the id that it has or that was expected
  kTimeout,     // keepalive unanswered
  kProtocol,    // bytes that are no frame, or a frame beyond the limit
};

// Who is at the other end of a connection that has come up.
struct RemoteNode {
  NodeId id;            // proven, unless the transport runs without security
  bool outbound;        // this side dialled
  std::string address;  // "host:port" as this side sees it
};

class TransportEvents {
 public:
  virtual void Opened(ConnectionId connection, const RemoteNode& remote) = 0;
  virtual void Received(ConnectionId connection, std::unique_ptr<Frame> frame) = 0;
  // Queued bytes fell below kSendLowWater after Send had reported more than kSendHighWater.
  virtual void Drained(ConnectionId connection) = 0;
  // `detail` is for the log.
  virtual void Closed(ConnectionId connection, CloseCause cause, const std::string& detail) = 0;

 protected:
  ~TransportEvents() = default;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Ends in Opened or Closed. `expected` is the id that the other side has to prove; nullopt: any
  // (a bootstrap address).
  virtual ConnectionId Dial(const std::string& address, std::optional<NodeId> expected) = 0;

  // Queues a frame and returns the bytes now queued. The caller watches the amount: a transport
  // never drops a frame of an open connection.
  virtual std::size_t Send(ConnectionId connection, Frame frame) = 0;

  // Bytes that wait to be sent: now, on one connection; and on all of them, with those received
  // that the strand has not seen yet.
  virtual std::size_t queued(ConnectionId connection) const = 0;
  virtual std::size_t buffered() const = 0;

  // Closes once what is queued is on its way, or after a deadline of the transport's. Closed is the
  // only event that still follows.
  virtual void Close(ConnectionId connection) = 0;

  // Accepts connections at "host:port"; port 0 takes a free one. Returns the error of the bind.
  virtual absl::Status Listen(const std::string& address) = 0;
  virtual std::string listening() const = 0;  // the address with its port; empty while not

  // Refuses new connections, closes all others and ends its threads. Every connection has had its
  // Closed when this returns: the one call that blocks, and the one whose events come within it.
  virtual void Stop() = 0;
};

}  // namespace tombolo::node
