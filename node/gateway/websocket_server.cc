#include "node/gateway/websocket_server.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "node/accept_limits.h"
#include "node/endpoint.h"
#include "node/gateway/websocket_connection.h"
#include "node/host_port.h"

namespace tombolo::node {
namespace {

using Tcp = boost::asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTick{1};
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kMaxCalls = 64;  // that have not come about

Time SteadyNow() {
  const auto since = SteadyClock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

}  // namespace

class WebSocketServer::Impl final : public WebSocketOwner,
                                    public std::enable_shared_from_this<WebSocketServer::Impl> {
 public:
  Impl(boost::asio::any_io_executor executor, WebSocketOptions options, WebSocketEvents& events,
       std::uint64_t seed)
      : executor_(std::move(executor)),
        options_(std::move(options)),
        acceptor_(executor_),
        resolver_(executor_),
        timer_(executor_),
        leaving_(executor_),
        limits_({options_.max_connections, options_.per_address, options_.max_connections}),
        shared_{options_, events, {}, {}, std::string(kReadBytes, '\0'), Rng(seed), SteadyNow()} {}

  absl::Status Start(const std::string& address);
  void Leave(Duration span, std::function<void()> gone);
  void Stop();
  void Dial(const std::string& url);
  void EndTurnSoon();
  std::string listening() const;
  absl::Status ReadTls();
  bool UseTls();
  void FlushSoon(WebSocketConnection& connection) override;
  void Ended(WebSocketConnection& connection) override;

  const Counts& counts() const { return shared_.counts; }
  std::size_t connections() const { return connections_.size(); }

 private:
  using Connection = std::shared_ptr<WebSocketConnection>;

  void Accept();
  void Accepted(Tcp::socket socket);
  void Connect(const std::string& url, const Tcp::resolver::results_type& ends);
  void CallFailed(const std::string& url);
  void Add(Tcp::socket socket, std::unique_ptr<ByteStream> stream, const Tcp::endpoint& remote,
           std::optional<std::string> call);
  void EndNext();
  void TickSoon();
  void Tick();
  void FlushAll();

  boost::asio::any_io_executor executor_;
  const WebSocketOptions options_;
  Tcp::acceptor acceptor_;
  Tcp::resolver resolver_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer leaving_;
  std::unique_ptr<TlsFiles> tls_;
  std::unique_ptr<TlsFiles> next_tls_;  // until UseTls
  AcceptCounts limits_;
  WebSocketShared shared_;
  std::map<const WebSocketConnection*, Connection> connections_;
  std::vector<Connection> to_flush_;
  std::size_t calls_ = 0;
  std::multimap<Time, std::weak_ptr<WebSocketConnection>> to_end_;  // of Leave
  std::function<void()> gone_;
  bool accepting_ = false;
  bool turn_ending_ = false;
  bool stopped_ = false;
};

absl::Status WebSocketServer::Impl::Start(const std::string& address) {
  if (absl::Status tls = ReadTls(); !tls.ok()) return tls;
  UseTls();
  const absl::StatusOr<Tcp::endpoint> end = EndpointOf(address);
  if (!end.ok()) return end.status();
  boost::system::error_code error;
  acceptor_.open(end->protocol(), error);
  if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*end, error);
  if (!error) acceptor_.listen(4096, error);
  if (error) {
    return absl::UnavailableError("cannot listen at " + address + ": " + error.message());
  }
  Accept();
  TickSoon();
  return absl::OkStatus();
}

absl::Status WebSocketServer::Impl::ReadTls() {
  next_tls_.reset();
  if (options_.tls_certificate.empty()) return absl::OkStatus();
  auto tls = TlsFiles::Load(options_.tls_certificate, options_.tls_key);
  if (tls.ok()) next_tls_ = *std::move(tls);
  return tls.status();
}

bool WebSocketServer::Impl::UseTls() {
  if (next_tls_ == nullptr) return false;
  const bool other = tls_ == nullptr || tls_->certificate() != next_tls_->certificate();
  tls_ = std::move(next_tls_);
  return other;
}

std::string WebSocketServer::Impl::listening() const {
  boost::system::error_code error;
  const auto end = acceptor_.local_endpoint(error);
  return error ? "" : HostPort{end.address().to_string(), end.port()}.ToString();
}

void WebSocketServer::Impl::Leave(Duration span, std::function<void()> gone) {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  gone_ = std::move(gone);
  const std::int64_t first = span.us / 4;
  const auto rest = static_cast<std::uint64_t>(span.us - first + 1);
  for (const auto& [key, connection] : connections_) {
    const auto drawn = static_cast<std::int64_t>(shared_.rng.Below64(rest));
    to_end_.emplace(SteadyNow() + Duration::Microseconds(first + drawn), connection);
  }
  EndNext();
}

// Those whose time has come; then waits for the next one.
void WebSocketServer::Impl::EndNext() {
  while (!to_end_.empty() && to_end_.begin()->first <= SteadyNow()) {
    const auto next = to_end_.extract(to_end_.begin());
    if (const Connection connection = next.mapped().lock()) {
      connection->Close(CloseCode::kGoingAway, "");
    }
  }
  if (to_end_.empty()) {
    const std::function<void()> gone = std::move(gone_);
    Stop();
    return gone();
  }
  leaving_.expires_at(
      SteadyClock::time_point(std::chrono::microseconds(to_end_.begin()->first.us)));
  leaving_.async_wait([self = shared_from_this()](const auto& error) {
    if (!error && !self->stopped_) self->EndNext();
  });
}

void WebSocketServer::Impl::Stop() {
  if (std::exchange(stopped_, true)) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  resolver_.cancel();
  timer_.cancel();
  leaving_.cancel();
  while (!connections_.empty()) {
    const Connection connection = connections_.begin()->second;
    connection->Close(CloseCode::kGoingAway, "");
    connection->Flush();
    connection->End();
  }
}

// ---- Connections.

void WebSocketServer::Impl::Accept() {
  accepting_ = true;
  acceptor_.async_accept([self = shared_from_this()](const auto& error, Tcp::socket socket) {
    self->accepting_ = false;
    if (self->stopped_) return;
    if (!error) self->Accepted(std::move(socket));
    // Otherwise out of descriptors, most likely: the next tick tries again.
    if (!error || error == boost::asio::error::connection_aborted) self->Accept();
  });
}

void WebSocketServer::Impl::Accepted(Tcp::socket socket) {
  boost::system::error_code error;
  const Tcp::endpoint end = Unmapped(socket.remote_endpoint(error));
  if (error) return;
  const bool counted = !end.address().is_loopback();
  if (connections_.size() >= options_.max_connections)
    return shared_.Count(WebSocketCount::kRefusedFull);
  if (counted && limits_.Admit(end.address()) != AcceptCounts::Verdict::kAdmitted)
    return shared_.Count(WebSocketCount::kRefusedAddress);
  socket.set_option(Tcp::no_delay(true), error);
  const int native = socket.native_handle();
  Add(std::move(socket), tls_ != nullptr ? tls_->Accept(native) : MakePlainStream(native), end,
      std::nullopt);
}

void WebSocketServer::Impl::Add(Tcp::socket socket, std::unique_ptr<ByteStream> stream,
                                const Tcp::endpoint& remote, std::optional<std::string> call) {
  boost::system::error_code error;
  socket.non_blocking(true, error);
  shared_.now = SteadyNow();
  const auto connection = std::make_shared<WebSocketConnection>(
      *this, shared_, std::move(socket), std::move(stream), remote, std::move(call));
  connections_.emplace(connection.get(), connection);
  connection->Start();
}

void WebSocketServer::Impl::Ended(WebSocketConnection& connection) {
  connections_.erase(&connection);
  if (!connection.dialed() && !connection.remote().is_loopback())
    limits_.Release(connection.remote());
}

void WebSocketServer::Impl::Dial(const std::string& url) {
  const std::optional<WebSocketUrl> parsed = ParseWebSocketUrl(url);
  if (stopped_ || !parsed || calls_ >= kMaxCalls) {
    return boost::asio::post(executor_, [self = shared_from_this(), url] {
      ++self->calls_;
      self->CallFailed(url);
    });
  }
  ++calls_;
  resolver_.async_resolve(
      parsed->host, parsed->port,
      [self = shared_from_this(), url](const auto& error, Tcp::resolver::results_type ends) {
        if (error || self->stopped_) return self->CallFailed(url);
        self->Connect(url, ends);
      });
}

void WebSocketServer::Impl::Connect(const std::string& url,
                                    const Tcp::resolver::results_type& ends) {
  const auto socket = std::make_shared<Tcp::socket>(executor_);
  boost::asio::async_connect(
      *socket, ends,
      [self = shared_from_this(), url, socket](const auto& error, const Tcp::endpoint& end) {
        if (error || self->stopped_) return self->CallFailed(url);
        --self->calls_;
        boost::system::error_code ignored;
        socket->set_option(Tcp::no_delay(true), ignored);
        const int native = socket->native_handle();
        self->Add(std::move(*socket), MakePlainStream(native), end, url);
      });
}

void WebSocketServer::Impl::CallFailed(const std::string& url) {
  --calls_;
  shared_.Count(WebSocketCount::kDialFailed);
  if (!stopped_) shared_.events.DialFailed(url);
}

// ---- Turns and seconds.

void WebSocketServer::Impl::FlushSoon(WebSocketConnection& connection) {
  to_flush_.push_back(connection.shared_from_this());
  EndTurnSoon();
}

void WebSocketServer::Impl::EndTurnSoon() {
  if (std::exchange(turn_ending_, true)) return;
  boost::asio::post(executor_, [self = shared_from_this()] {
    self->turn_ending_ = false;
    if (!self->stopped_) self->shared_.events.TurnEnded();
    self->FlushAll();
  });
}

void WebSocketServer::Impl::FlushAll() {
  std::vector<Connection> now;
  now.swap(to_flush_);
  for (const Connection& connection : now) connection->Flush();
}

void WebSocketServer::Impl::TickSoon() {
  timer_.expires_after(kTick);
  timer_.async_wait([self = shared_from_this()](const auto& error) {
    if (error || self->stopped_) return;
    self->Tick();
    self->TickSoon();
  });
}

void WebSocketServer::Impl::Tick() {
  const Time before = std::exchange(shared_.now, SteadyNow());
  std::vector<Connection> all;
  all.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  for (const Connection& connection : all) connection->Tick(shared_.now - before);
  if (!accepting_) Accept();
  shared_.events.Ticked();
}

WebSocketServer::WebSocketServer(boost::asio::any_io_executor executor, WebSocketOptions options,
                                 WebSocketEvents& events, std::uint64_t seed)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options), events, seed)) {}

WebSocketServer::~WebSocketServer() { impl_->Stop(); }

absl::Status WebSocketServer::Start(const std::string& address) { return impl_->Start(address); }
std::string WebSocketServer::listening() const { return impl_->listening(); }
absl::Status WebSocketServer::ReadTls() { return impl_->ReadTls(); }
bool WebSocketServer::UseTls() { return impl_->UseTls(); }
void WebSocketServer::Leave(Duration span, std::function<void()> gone) {
  impl_->Leave(span, std::move(gone));
}
void WebSocketServer::Stop() { impl_->Stop(); }
void WebSocketServer::Dial(const std::string& url) { impl_->Dial(url); }
void WebSocketServer::EndTurnSoon() { impl_->EndTurnSoon(); }
Time WebSocketServer::now() const { return SteadyNow(); }
const WebSockets::Counts& WebSocketServer::counts() const { return impl_->counts(); }
std::size_t WebSocketServer::connections() const { return impl_->connections(); }

}  // namespace tombolo::node
