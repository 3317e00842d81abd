// The seam between gateways and WebSockets: a listener with its connections, and calls that the
// gateway makes itself. node/gateway/websocket_server.h is the real one; tests have one in memory.
//
//   Opened, Received ..., Closed          of each connection, in this order
//   Ticked                                once per second
//   TurnEnded                             soon after EndTurnSoon, once for any number of calls
//
// A WebSocket is valid from Opened until Closed has returned. Sending and closing are allowed at
// any time in between, from within an event as well; events of a connection never come from within
// a call on it.
//
// Bounds: those of WebSocketOptions. A message that does not fit into the send queue of its
// connection is dropped and counted (kQueueFull): what is newer waits for what is older, and a
// reader who has gone to sleep costs max_queue bytes until the keepalive ends it. Who sends faster
// than the limits is read more slowly; nothing of that is dropped.
//
// Units: bytes, durations. Thread rule: the strand. Errors: of others, counted by reason
// (WebSocketCount); the connection ends with the code that says why.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "overlay/time.h"

namespace tombolo::node {

struct WebSocketOptions {
  std::size_t max_connections = 16'384;
  std::size_t per_address = 1024;  // not of loopback, where proxies are
  std::size_t max_message = 96 * 1024;
  std::size_t max_queue = 1024 * 1024;  // per connection
  std::size_t messages_per_second = 0;  // per connection, with bursts of one second; 0 = unlimited
  std::size_t bytes_per_second = 0;     // likewise
  Duration handshake_deadline = Duration::Seconds(10);  // from accept to the upgrade
  Duration ping_after = Duration::Seconds(30);          // without a byte from the other side
  Duration pong_deadline = Duration::Seconds(20);       // then it is dead
  bool deflate =
      false;  // permessage-deflate, without context takeover, if the other side offers it
  std::vector<std::string> origins;  // none: any; else those of browsers that may connect
  std::string tls_certificate;       // PEM files; none: no TLS
  std::string tls_key;
};

// Close codes of RFC 6455, section 7.4.1.
enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocol = 1002,
  kBadText = 1007,
  kPolicy = 1008,
  kTooBig = 1009,
};

enum class WebSocketCount : std::uint8_t {
  kOpened,
  kDialed,
  kDialFailed,
  kMessagesIn,
  kMessagesOut,
  kBytesIn,
  kBytesOut,
  kRefusedFull,       // connections: no room
  kRefusedAddress,    // connections: too many of one address
  kRefusedRequest,    // not an upgrade that may be answered
  kRefusedOrigin,     // by origin
  kHandshakeTimeout,  // connections: no upgrade in time
  kBadFrame,          // connections ended: not WebSocket
  kBadText,           // connections ended: text that is not UTF-8
  kTooBig,            // connections ended: a message beyond max_message
  kSilent,            // connections ended: no pong
  kSlowed,            // times that a connection was read more slowly
  kQueueFull,         // messages dropped
  kCount,
};

inline constexpr std::size_t kWebSocketCounts = static_cast<std::size_t>(WebSocketCount::kCount);
inline constexpr std::array<std::string_view, kWebSocketCounts> kWebSocketCountNames = {
    "opened",          "dialed",          "dial_failed",    "messages_in",
    "messages_out",    "bytes_in",        "bytes_out",      "refused_full",
    "refused_address", "refused_request", "refused_origin", "handshake_timeout",
    "bad_frame",       "bad_text",        "too_big",        "silent",
    "slowed",          "queue_full"};

enum class MessageKind : std::uint8_t { kText, kBinary };

class WebSocket {
 public:
  // Queues a message; a text must be UTF-8. False if it was dropped.
  virtual bool Send(std::string_view message, MessageKind kind) = 0;
  // Ends the connection once what is queued has been sent, but soon. Closed follows, later.
  virtual void Close(CloseCode code, std::string_view reason) = 0;
  // Asks for a sign of life: without one within pong_deadline the connection ends.
  virtual void Probe() = 0;

  // What its user wants to find again.
  std::uint64_t user() const { return user_; }
  void set_user(std::uint64_t user) { user_ = user; }

 protected:
  ~WebSocket() = default;

 private:
  std::uint64_t user_ = 0;
};

// How a connection came about.
struct WebSocketRequest {
  std::string target;  // path and query as they were sent; of a call: its url
  std::string origin;  // empty if none was sent
  std::string address;
  bool dialed = false;  // by this side
};

class WebSocketEvents {
 public:
  virtual void Opened(WebSocket& socket, const WebSocketRequest& request) = 0;
  // A text is UTF-8.
  virtual void Received(WebSocket& socket, std::string_view message, MessageKind kind) = 0;
  virtual void Closed(WebSocket& socket) = 0;
  virtual void DialFailed(const std::string& url) = 0;
  virtual void Ticked() = 0;
  virtual void TurnEnded() = 0;

 protected:
  ~WebSocketEvents() = default;
};

class WebSockets {
 public:
  using Counts = std::array<std::uint64_t, kWebSocketCounts>;

  virtual ~WebSockets() = default;

  // Ends in Opened or DialFailed, later. `url` is ws://HOST:PORT/PATH.
  virtual void Dial(const std::string& url) = 0;
  virtual void EndTurnSoon() = 0;
  virtual Time now() const = 0;
  virtual const Counts& counts() const = 0;
};

}  // namespace tombolo::node
