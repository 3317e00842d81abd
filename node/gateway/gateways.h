// The gateways of a node, as its configuration wants them: listeners that speak the wire of other
// systems to their unmodified clients. Off unless configured.
//
// Thread rule: the strand. Ownership: borrows application and configuration. Errors: of Start.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  // Reads certificates and keys anew; they hold from UseFiles on. Errors: which file, and why.
  absl::Status ReadFiles();
  // The keys whose files are others than before. Whoever is connected stays so.
  std::vector<std::string> UseFiles();
  // Tells clients where else to go, and parts with them within `span`, at random times. `gone` is
  // called when that is done: at once if there is nobody. The host has to run until then.
  void Leave(Duration span, std::function<void()> gone);
  // Says goodbye to all clients and listens no more.
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
