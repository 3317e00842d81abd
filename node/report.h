// What a node says of itself to whoever watches over it: the figures of its parts, whether it is
// ready, and the pages of its HTTP listener.
//
//   /         a few lines for people, with the way to the others
//   /health   200 while the process works
//   /ready    200 once the node is part of an overlay: joined, and linked unless it is the first
//             node and has never met another; else 503 with the reason. Draining is not ready.
//   /stats    all figures as JSON
//   /metrics  all figures for Prometheus
//   /version  version and compiler as JSON
//
// Thread rule: the strand.
#pragma once

#include <string>

#include "node/application.h"
#include "node/grpc_transport.h"
#include "node/http_server.h"
#include "node/metrics.h"

namespace tombolo::node {

struct ReportSources {
  const Application& application;
  const Host& host;
  const GrpcTransport& transport;
  const HttpServer& http;
  std::string version;
  std::uint64_t control_refused = 0;  // calls without the token
  double uptime_s = 0;
  bool draining = false;
};

// Nothing: ready. Else why it is not.
std::string ReadyObstacle(const Host& host, bool draining);

MetricList CollectMetrics(const ReportSources& sources);

HttpReply PageOf(const std::string& path, const ReportSources& sources);

}  // namespace tombolo::node
