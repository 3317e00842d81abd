// A node without a control API, on a thread of its own. Included by benches only.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "node/application.h"
#include "node/asio_clock.h"
#include "node/grpc_transport.h"
#include "node/host.h"

namespace tombolo::node {

class BenchNode {
 public:
  // `denied` may not link to it.
  explicit BenchNode(const std::string& bootstrap, std::vector<NodeId> denied = {},
                     ChannelOptions channels = {})
      : identity_(Identity::Generate().value()),
        host(OptionsOf(bootstrap, channels), application),
        transport(io_.get_executor(), identity_, Trusting(std::move(denied)), host),
        clock_(MakeAsioClock(io_.get_executor())) {
    application.Use(host);
    if (!transport.Listen("127.0.0.1:0").ok()) std::abort();
    address = transport.listening();
    host.SetReachability({address}, true);
    host.Start(*clock_, transport);
    thread_ = std::thread([this] { io_.run(); });
  }
  // Runs something on the strand and waits for it.
  template <class Work>
  auto Do(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    boost::asio::post(io_, [&task] { task(); });
    return result.get();
  }
  ~BenchNode() {
    Do([this] { transport.Stop(); });
    work_.reset();
    io_.stop();
    thread_.join();
  }

  const NodeId& id() const { return identity_.id(); }
  boost::asio::io_context& executor() { return io_; }
  // Asks again until it is so.
  template <class Holds>
  void Until(Holds holds) {
    while (!Do(holds)) std::this_thread::yield();
  }
  bool IsLinkedTo(const BenchNode& other) {
    const std::optional<PeerRef> peer = host.known().ids().Find(other.id());
    return peer && host.links().IsKept(*peer);
  }

 private:
  HostOptions OptionsOf(const std::string& bootstrap, const ChannelOptions& channels) const {
    HostOptions options;
    options.core.overlay = OverlayKind::kBoth;
    options.core.relay.min_rto = Duration::Milliseconds(200);  // as tombolo-node
    options.channels = channels;
    options.self.id = identity_.id();
    options.seed = identity_.id().words[0];
    if (!bootstrap.empty()) options.bootstrap = {bootstrap};
    return options;
  }
  static GrpcTransportOptions Trusting(std::vector<NodeId> denied) {
    GrpcTransportOptions options;
    options.trust = std::make_shared<TrustList>(std::vector<NodeId>{}, std::move(denied));
    return options;
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  const Identity identity_;

 public:
  std::string address;
  Application application;
  Host host;
  GrpcTransport transport;

 private:
  std::unique_ptr<Clock> clock_;
  std::thread thread_;
};

}  // namespace tombolo::node
