// One node as a process: puts the parts together, runs them on one strand and takes them down
// again. tombolo-node is this and a command line; EmbeddedNode is this on a thread.
//
// Life: Start (listens, begins to join), Run until a signal, Drain or that of the control API,
// then the host leaves the overlay, links and control calls end, and Run returns; at the latest
// drain_timeout after the signal. SIGHUP, or Reload of the control API, reads the configuration
// anew: what can change while the node runs does, the rest is named; a bad one changes nothing. The
// remembered peers are saved every minute and at the end.
//
// Thread rule: the thread that calls Run is the strand. Errors: of Start, with what to do about
// them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/application.h"
#include "node/config.h"
#include "node/control_service.h"
#include "node/data_dir.h"
#include "node/gateway/gateways.h"
#include "node/grpc_transport.h"
#include "node/host.h"
#include "node/http_server.h"
#include "node/link_log.h"
#include "node/record_keeper.h"

namespace tombolo::node {

class Daemon {
 public:
  // Reads what is in the data folder; nothing is listening yet.
  // `reread` makes the configuration anew from all its sources.
  using Reread = std::function<absl::StatusOr<NodeConfig>()>;
  static absl::StatusOr<std::unique_ptr<Daemon>> Make(const NodeConfig& config,
                                                      const std::string& version,
                                                      Reread reread = {});
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  absl::Status Start();
  // The process is this node: SIGTERM and SIGINT drain it, the service manager is told. After
  // Start.
  void BeProcess();
  void Run();

  // On the strand, which any thread may post to. Of Drain the second call does nothing.
  void Drain();
  Application& application() { return application_; }
  boost::asio::any_io_executor strand() { return io_.get_executor(); }
  std::string listening() const { return transport_.listening(); }

 private:
  Daemon(const NodeConfig& config, const std::string& version, Reread reread, DataDir data,
         RecordFile records, Identity identity, GrpcTransportOptions transport);

  ControlOptions MakeControlOptions(const std::string& version);
  HttpReply Page(const std::string& path) const;
  std::vector<std::string> Advertised() const;
  void SetReachability();
  void ResolveAdvertised();
  void TellAdvertised(const std::string& trouble);
  // daemon_reload.cc
  absl::StatusOr<ReloadOutcome> Reload();
  void Apply(const NodeConfig& next);
  void ReloadOnSignal();

  void OnSignal();
  void EndTransport();
  void SavePeers();
  void SaveLater();

  NodeConfig config_;
  const Reread reread_;
  const std::string version_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  DataDir data_;
  boost::asio::thread_pool disk_{1};  // where the remembered peers are written
  boost::asio::io_context io_{1};
  Application application_;
  RecordFile record_file_;  // until the keeper has it
  Host host_;
  RecordKeeper records_;
  const std::shared_ptr<TrustList> trust_;
  const std::unique_ptr<Clock> clock_;  // outlives the transport, which reports to the end
  LinkLog link_log_;
  GrpcTransport transport_;
  ControlServer control_;
  HttpServer http_;
  Gateways gateways_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set reload_signal_;
  boost::asio::ip::tcp::resolver resolver_;
  std::string advertised_trouble_;  // with the name that others are told, as last said
  boost::asio::steady_timer save_timer_;
  boost::asio::steady_timer drain_timer_;
  bool is_process_ = false;
  bool draining_ = false;
  bool ended_ = false;
};

}  // namespace tombolo::node
