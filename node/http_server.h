// A small HTTP/1.1 listener for the node's own pages: health, statistics, metrics. GET and HEAD of
// whole pages, nothing else; one translation unit has Boost.Beast.
//
// Procedure: accept, read one request head, ask `pages`, write the reply, and again until the
// client or the limit of requests ends the connection. A request with a body is refused: no page
// takes one.
//
// Bounds: AcceptLimits on connections, beyond which a newcomer is closed at once; header_bytes per
// request (431); head_timeout from the first wait for a request to its last byte, so that a client
// that trickles does not stay; reply_timeout until the client has read the reply; max_requests per
// connection. All refusals are counted.
//
// Thread rule: the strand; `pages` is called there and must not block. Ownership: `pages` may not
// destroy the server. Errors: of the bind. Whatever a client sends ends in a reply or a closed
// connection.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "node/accept_limits.h"

namespace tombolo::node {

struct HttpReply {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

struct HttpLimits {
  AcceptLimits accept{64, 32, 64};
  std::uint32_t header_bytes = 8 * 1024;
  std::uint32_t max_requests = 1000;
  std::chrono::milliseconds head_timeout{5000};
  std::chrono::milliseconds reply_timeout{5000};
};

struct HttpCounts {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;   // connections beyond a limit
  std::uint64_t replies = 0;   // 2xx
  std::uint64_t errors = 0;    // replies of any other kind
  std::uint64_t timeouts = 0;  // heads or replies that took too long
};

class HttpServer {
 public:
  // The page at `path`, which begins with '/' and has no query; status 404 if there is none.
  using Pages = std::function<HttpReply(const std::string& path)>;

  HttpServer(boost::asio::any_io_executor strand, Pages pages, HttpLimits limits = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // "host:port" with a numeric host; port 0 takes a free one.
  absl::Status Start(const std::string& address);
  const std::string& listening() const;  // with its port; empty while not
  // Closes everything at once. Nothing of it is called afterwards.
  void Stop();

  void SetLimits(const AcceptLimits& limits);
  std::size_t connections() const;
  const HttpCounts& counts() const;

 private:
  class Impl;
  class Session;
  std::shared_ptr<Impl> impl_;  // shared with the calls under way
};

}  // namespace tombolo::node
