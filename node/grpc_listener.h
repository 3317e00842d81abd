// The accepting half of the gRPC transport: a socket of our own, so that limits hold before a
// handshake costs anything and a port is never shared with another process; accepted connections
// are handed to a gRPC server. Included by grpc_*.cc only.
//
// A connection counts from its acceptance until its stream has ended, or until gRPC has closed it
// for want of one: a handshake and some seconds of idleness later. After its stream it is closed
// within the same seconds, uncounted: who has no stream is no load.
//
// Thread rule: the strand; Stop blocks until the server's calls have ended.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "node/accept_limits.h"

namespace tombolo::node {

struct GrpcShared;

// "ipv4:1.2.3.4:5" and "ipv6:%5B::1%5D:5" of gRPC as "1.2.3.4:5" and "[::1]:5".
std::string PeerName(const std::string& uri);

class GrpcListener {
 public:
  GrpcListener(boost::asio::any_io_executor strand, std::shared_ptr<GrpcShared> shared);
  GrpcListener(const GrpcListener&) = delete;
  GrpcListener& operator=(const GrpcListener&) = delete;
  ~GrpcListener();

  absl::Status Listen(const std::string& address);
  const std::string& listening() const { return listening_; }

  // A stream has begun on the connection of `peer`; false: one too many.
  bool Adopt(const std::string& peer);
  // The stream has ended.
  void Release(const std::string& peer);
  // Gives up the places of connections that brought no stream.
  void Sweep();

  void SetLimits(const AcceptLimits& limits) { counts_.set_limits(limits); }

  // No new connections; the server's calls are cancelled and have ended on return.
  void Refuse();
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;
  class Server;
  struct Place {
    boost::asio::ip::address address;
    std::optional<Clock::time_point> expiry;  // nullopt: it has a stream
  };

  void AcceptNext();
  void OnAccepted(const boost::system::error_code& error, boost::asio::ip::tcp::socket socket);
  void HandOver(boost::asio::ip::tcp::socket socket, const boost::asio::ip::tcp::endpoint& from);
  bool TakePlace(const std::string& peer, const boost::asio::ip::address& address,
                 std::optional<Clock::time_point> expiry);

  boost::asio::any_io_executor strand_;
  const std::shared_ptr<GrpcShared> shared_;
  std::unique_ptr<Server> server_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;  // after the system had no descriptor left
  std::string listening_;
  AcceptCounts counts_;
  std::map<std::string, Place> places_;  // by peer
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace tombolo::node
