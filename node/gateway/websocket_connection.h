// One WebSocket connection of websocket_server.h, from its first byte to its last.
//
// Small when idle: it holds no buffer, no timer and no object of its own beside the socket. It
// waits for the socket to become readable, reads into the buffer that all connections share, and
// keeps a copy only of what is incomplete. What it sends collects in one string until the turn
// ends, and leaves in one write. One wheel for all, Tick, watches the deadlines.
//
// Life: kUpgrading, kOpen, kClosing (what is queued leaves, then the close frame), kEnded. Thread
// rule: the strand. Ownership: shared by the server and the waits under way.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "node/gateway/websocket.h"
#include "node/gateway/websocket_deflate.h"
#include "node/gateway/websocket_frame.h"
#include "node/gateway/websocket_stream.h"
#include "node/gateway/websocket_upgrade.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::node {

class WebSocketConnection;

// What connections share.
struct WebSocketShared {
  const WebSocketOptions& options;
  WebSocketEvents& events;
  WebSockets::Counts counts{};
  MessageDeflate deflate;
  std::string buffer;  // of reading
  Rng rng;             // of masks
  Time now;

  void Count(WebSocketCount which, std::uint64_t by = 1) {
    counts[static_cast<std::size_t>(which)] += by;
  }
};

class WebSocketOwner {
 public:
  // Flush will be called when the turn ends.
  virtual void FlushSoon(WebSocketConnection& connection) = 0;
  virtual void Ended(WebSocketConnection& connection) = 0;

 protected:
  ~WebSocketOwner() = default;
};

class WebSocketConnection final : public WebSocket,
                                  public std::enable_shared_from_this<WebSocketConnection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // Of a listener, or (with `call`) of a connection that this side makes, which has come about.
  // `remote` is the other end as it was let in: a socket that was reset knows none any longer.
  WebSocketConnection(WebSocketOwner& owner, WebSocketShared& shared, Socket socket,
                      std::unique_ptr<ByteStream> stream, const Socket::endpoint_type& remote,
                      std::optional<std::string> call);
  ~WebSocketConnection() = default;

  void Start();
  bool Send(std::string_view message, MessageKind kind) override;
  void Close(CloseCode code, std::string_view reason) override;
  void Probe() override;

  void Flush();
  void Tick(Duration since_last);
  // At once, without a word.
  void End();

  const boost::asio::ip::address& remote() const { return remote_; }
  bool dialed() const { return call_ != nullptr; }

 private:
  enum class State : std::uint8_t { kUpgrading, kOpen, kClosing, kEnded };
  struct Call {
    std::string url;
    std::string key;
  };

  void WaitRead();
  void WaitWrite();
  void OnReadable();
  void Take(std::span<char> bytes);
  std::size_t TakeSome(std::span<char> bytes);
  std::size_t TakeUpgrade(std::string_view bytes);
  std::size_t TakeRequest(std::string_view bytes, std::size_t size);
  std::size_t TakeResponse(std::string_view bytes, std::size_t size);
  void Refuse(int status, WebSocketCount why);
  std::size_t TakeFrame(std::span<char> bytes);
  void TakeData(const FrameHeader& header, std::span<char> payload);
  void TakeControl(const FrameHeader& header, std::string_view payload);
  void Deliver(std::string_view message);
  void Open(WebSocketRequest request);
  void Fail(CloseCode code, WebSocketCount why);
  void Append(FrameOpcode opcode, bool compressed, std::string_view payload);
  bool may_read() const { return credit_messages_ > 0 && credit_bytes_ > 0; }
  void Spend(std::size_t bytes);

  WebSocketOwner& owner_;
  WebSocketShared& shared_;
  Socket socket_;
  std::unique_ptr<ByteStream> stream_;
  boost::asio::ip::address remote_;
  std::unique_ptr<Call> call_;
  std::unique_ptr<WebSocketRequest> request_;  // until it is open
  std::string in_;                             // of a frame that is not complete
  std::string message_;                        // of a message that is not complete
  std::string out_;                            // not sent yet, from out_begin_ on
  std::size_t out_begin_ = 0;
  std::int64_t credit_messages_ = 0;
  std::int64_t credit_bytes_ = 0;
  Time since_;  // the last byte came, or the state was entered
  State state_ = State::kUpgrading;
  bool deflate_ = false;
  bool text_ = false;        // the incomplete message
  bool in_message_ = false;  // there is one
  bool compressed_ = false;  // likewise
  bool pinged_ = false;      // since then
  bool told_ = false;        // Opened was called
  bool reading_ = false;     // a wait is under way
  bool writing_ = false;     // likewise
  bool slowed_ = false;      // reads again when a second has brought new credit
  bool finished_ = false;    // the close frame of the other side has come
  bool flushing_ = false;    // Flush has been asked for
};

}  // namespace tombolo::node
