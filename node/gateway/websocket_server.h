// WebSockets over TCP and TLS for a gateway (websocket.h): one listener, any number of calls.
//
// Thread rule: constructed, used and destroyed on the strand of `executor`. Stop ends all
// connections with kGoingAway; Closed of each follows. Leave does so at random times, so that those
// who lose a connection do not all come to another node at once. Errors: of Start, with what to do
// about them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "node/gateway/websocket.h"

namespace tombolo::node {

class WebSocketServer final : public WebSockets {
 public:
  // `seed`: of masks and keys of calls.
  WebSocketServer(boost::asio::any_io_executor executor, WebSocketOptions options,
                  WebSocketEvents& events, std::uint64_t seed);
  WebSocketServer(const WebSocketServer&) = delete;
  WebSocketServer& operator=(const WebSocketServer&) = delete;
  ~WebSocketServer() override;

  // `address`: numeric host and port; port 0 takes a free one.
  absl::Status Start(const std::string& address);
  std::string listening() const;
  // Reads the files of TLS anew, if there are any; nothing changes until UseTls. Errors: which file
  // cannot be used, and why.
  absl::Status ReadTls();
  // What ReadTls has read is for connections from now on. True if the certificate is another.
  bool UseTls();
  // Takes nobody in any more; ends the connections between a quarter and the whole of `span` from
  // now, and stops, which it tells `gone`: from within if there is nobody.
  void Leave(Duration span, std::function<void()> gone);
  void Stop();

  void Dial(const std::string& url) override;
  void EndTurnSoon() override;
  Time now() const override;
  const Counts& counts() const override;
  std::size_t connections() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tombolo::node
