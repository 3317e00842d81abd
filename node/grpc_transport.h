// The transport over gRPC: service Links of proto/link.proto, one bidirectional stream, one TCP
// connection and one channel per link.
//
// Security: TLS 1.3 on both sides with the certificates of their identities; a verifier in the
// handshake proves the id (and on the dialling side that it is the expected one) before anything is
// delivered. With a network key both sides prove that they know it (network_key.h) before Opened.
// Without security (`insecure`) ids are merely claimed, and only loopback addresses are taken.
//
// Procedure: the dialling side opens the stream; the accepting side admits it and answers with its
// initial metadata, which is what makes Opened there. One write is out per stream; frames that wait
// meanwhile are merged into the next write, in order. gRPC's threads parse and serialise; events go
// to the strand in batches, always in a later turn than the call that caused them (but for Stop,
// which delivers every Closed itself).
//
// Bounds: AcceptLimits on TCP connections; max_frame_bytes per frame received; inbox_bytes parsed
// but not yet delivered per connection, then reading pauses and HTTP/2 holds the sender back; the
// send queue is as long as the caller lets it become; RateLimits on what is received, from each
// connection and from all: beyond them reading pauses until the rate is kept again, and counts;
// what has been read by then is delivered. A dead peer is noticed within keepalive_interval +
// keepalive_timeout. A channel never reconnects by itself and shares nothing with another dial, so
// gRPC's back-off plays no part.
//
// Thread rule: everything on the strand; Stop blocks it until all is closed. Ownership: `events`
// outlives the transport.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "node/accept_limits.h"
#include "node/identity.h"
#include "node/network_key.h"
#include "node/rate_limit.h"
#include "node/transport.h"
#include "node/transport_counts.h"
#include "node/trust_list.h"

namespace tombolo::node {

struct GrpcTransportOptions {
  bool insecure = false;  // ids are claimed, not proven; loopback only
  std::optional<NetworkKey> network_key;
  std::shared_ptr<const TrustList> trust;  // null: everybody

  std::chrono::milliseconds dial_timeout{5000};       // until Opened
  std::chrono::milliseconds handshake_timeout{5000};  // TLS; then again until the first frame
  std::chrono::milliseconds close_timeout{2000};      // for what is queued when Close is called
  std::chrono::milliseconds keepalive_interval{5000};
  std::chrono::milliseconds keepalive_timeout{5000};

  std::size_t max_frame_bytes = 1 << 20;   // received
  std::size_t max_merge_bytes = 64 << 10;  // of frames put into one write; 0: one frame per write
  std::size_t inbox_bytes = 1 << 20;
  AcceptLimits accept;
  RateLimits peer_rates;  // of what is received on one connection; a pair keeps one
  RateLimits rates;       // on all of them together
};

class GrpcListener;
class GrpcStream;
struct GrpcEvent;
struct GrpcShared;

class GrpcTransport final : public Transport {
 public:
  GrpcTransport(boost::asio::any_io_executor strand, Identity identity,
                GrpcTransportOptions options, TransportEvents& events);
  GrpcTransport(const GrpcTransport&) = delete;
  GrpcTransport& operator=(const GrpcTransport&) = delete;
  ~GrpcTransport() override;

  ConnectionId Dial(const std::string& address, std::optional<NodeId> expected) override;
  std::size_t Send(ConnectionId connection, Frame frame) override;
  void Close(ConnectionId connection) override;
  absl::Status Listen(const std::string& address) override;
  std::string listening() const override;
  void Stop() override;

  std::size_t queued(ConnectionId connection) const override;
  std::size_t buffered() const override;

  const TransportCounts& counts() const;
  // From now on; connections that are open stay.
  void SetLimits(const AcceptLimits& accept, RateLimits peer_rates, RateLimits rates);

 private:
  using Clock = std::chrono::steady_clock;

  struct Connection {
    std::unique_ptr<GrpcStream> stream;  // null: a dial that could not even begin
    bool outbound = false;
    bool open = false;     // Opened has been delivered
    bool closing = false;  // Close has been called
    std::string peer;      // of an accepted one, as the listener knows it
    std::optional<Clock::time_point> deadline;
    RateGate gate{RateLimits()};
    bool paused = false;  // until its time in resumes_
  };
  using Connections = std::map<ConnectionId, Connection>;

  // Why a dial to `address` cannot begin; nullopt if it can.
  std::optional<std::string> Obstacle(const std::string& address) const;

  void Deliver();
  void Handle(GrpcEvent event);
  void HandleAccepted(ConnectionId id, std::unique_ptr<GrpcStream> stream);
  void HandleOpened(ConnectionId id, const RemoteNode& remote);
  void HandleFrame(ConnectionId id, std::unique_ptr<Frame> frame, std::size_t bytes);
  void HandleClosed(ConnectionId id, CloseCause cause, const std::string& detail);

  Connection& Add(ConnectionId id);
  void Charge(ConnectionId id, Connection& connection, std::size_t bytes, int messages);
  void ResumeDue(Clock::time_point now);
  void SetDeadline(ConnectionId id, Connection& connection, std::chrono::milliseconds delay);
  void ClearDeadline(ConnectionId id, Connection& connection);
  void ArmTimer();
  void OnTimer();

  boost::asio::any_io_executor strand_;
  TransportEvents& events_;
  std::shared_ptr<GrpcShared> shared_;  // with the streams, which may outlive a turn
  std::unique_ptr<GrpcListener> listener_;
  std::deque<GrpcEvent> batch_;  // being delivered
  Connections connections_;
  std::set<std::pair<Clock::time_point, ConnectionId>> deadlines_;
  std::set<std::pair<Clock::time_point, ConnectionId>> resumes_;  // of paused connections
  RateLimits peer_rates_;
  RateGate gate_;
  boost::asio::steady_timer timer_;
  Clock::time_point armed_{};  // when it goes off
  bool stopped_ = false;
  // Turns that are posted when the transport ends find this gone, and do nothing.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace tombolo::node
