// The gateways of a node, as its configuration wants them: listeners that speak the wire of other
// systems to their unmodified clients. Off unless configured.
//
// Thread rule: the strand. Ownership: borrows application and configuration. Errors: of Start.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "absl/status/status.h"
#include "node/application.h"
#include "node/config.h"

namespace tombolo::node {

class Gateways {
 public:
  Gateways(boost::asio::any_io_executor strand, Application& application, const NodeConfig& config);
  Gateways(const Gateways&) = delete;
  Gateways& operator=(const Gateways&) = delete;
  ~Gateways();

  absl::Status Start();
  // Says goodbye to all clients and listens no more. Requires that the host still runs.
  void Stop();

 private:
  struct PeerRelay;

  absl::Status StartPeerRelay();

  boost::asio::any_io_executor strand_;
  Application& application_;
  const NodeConfig& config_;
  std::unique_ptr<PeerRelay> peer_relay_;
};

}  // namespace tombolo::node
