// The control API (proto/control.proto) over gRPC: turns calls into commands on the strand, and
// answers and events back into messages.
//
// Bounds: those of Application; kMaxQueued events per subscriber, then the oldest are dropped and
// their number is told.
//
// Thread rule: Start and Stop on the strand; calls come on gRPC's threads and are posted there.
// Ownership: `application` and `transport` outlive the service; Stop must be called before the
// strand ends, and the strand must go on until it has called back.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/application.h"
#include "node/grpc_transport.h"

namespace tombolo::node {

// What a new reading of the configuration has changed.
struct ReloadOutcome {
  std::vector<std::string> changed;           // keys that hold now
  std::vector<std::string> restart_required;  // keys that differ from what the process runs with
};

struct ControlOptions {
  std::string address;  // "host:port" or "unix:PATH" (mode 0600)
  std::string version;
  std::function<void()> drain;                                 // what Drain does; on the strand
  std::function<Time()> now;                                   // the host's clock
  std::function<absl::StatusOr<ReloadOutcome>()> reload = {};  // what Reload does; on the strand
  std::function<std::string()> http = [] { return ""; };       // where HTTP is listened to
  // Files; none: no TLS, no token. A token needs TLS.
  std::string tls_cert = {};
  std::string tls_key = {};
  std::string token_file = {};
};

class ControlServer {
 public:
  static constexpr std::size_t kMaxQueued = 1024;

  ControlServer(boost::asio::any_io_executor strand, Application& application,
                const GrpcTransport& transport, ControlOptions options);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

  absl::Status Start();
  const std::string& address() const;  // with its port
  // Reads token, certificate and key anew. They stay as they were if one of them cannot be used,
  // which the error says. Certificate and key are also looked at every few seconds.
  absl::Status Reload();
  // Calls without the right token.
  std::uint64_t refused() const;
  // Says so to health checks.
  void SetServing(bool serving);
  // Refuses new calls, ends streams; `stopped` is called on the strand when all have ended.
  void Stop(std::function<void()> stopped);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tombolo::node
