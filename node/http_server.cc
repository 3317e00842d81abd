#include "node/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <set>
#include <utility>

#include "node/endpoint.h"

namespace tombolo::node {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kRetryAccept{100};

// What a request that cannot be read is answered with; nullopt: nothing, the client is gone.
std::optional<HttpReply> ReplyTo(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return HttpReply{431, "text/plain; charset=utf-8", "the request head is too long\n"};
  }
  if (error == http::error::unexpected_body || error == http::error::body_limit) {
    return HttpReply{413, "text/plain; charset=utf-8", "no page takes a body\n"};
  }
  const bool gone = error == http::error::end_of_stream || error == http::error::partial_message;
  if (gone || error.category() != http::make_error_code(http::error::bad_method).category()) {
    return std::nullopt;
  }
  return HttpReply{400, "text/plain; charset=utf-8", "this is no HTTP request\n"};
}

std::string PathOf(std::string_view target) {
  return std::string(target.substr(0, target.find_first_of("?#")));
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  Impl(asio::any_io_executor strand, Pages pages, HttpLimits limits)
      : strand_(std::move(strand)),
        pages_(std::move(pages)),
        limits_(limits),
        acceptor_(strand_),
        retry_(strand_),
        places_(limits.accept) {}

  absl::Status Start(const std::string& address);
  void Stop();
  HttpReply Answer(const http::request<http::empty_body>& request);

  void AcceptNext();
  void OnAccepted(const error_code& error, tcp::socket socket);
  void Released(const asio::ip::address& address) { places_.Release(address); }

  asio::any_io_executor strand_;
  Pages pages_;
  HttpLimits limits_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;  // after the system had no descriptor left
  AcceptCounts places_;
  std::set<beast::tcp_stream*> streams_;  // open, to be closed by Stop
  std::string listening_;
  HttpCounts counts_;
};

class HttpServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Impl> server, tcp::socket socket, const asio::ip::address& address)
      : server_(std::move(server)),
        stream_(std::move(socket)),
        address_(address),
        buffer_(server_->limits_.header_bytes) {
    server_->streams_.insert(&stream_);
  }
  ~Session() {
    server_->streams_.erase(&stream_);
    server_->Released(address_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void Read() {
    parser_.emplace();
    parser_->header_limit(server_->limits_.header_bytes);
    parser_->body_limit(0);
    stream_.expires_after(server_->limits_.head_timeout);
    http::async_read(stream_, buffer_, *parser_,
                     beast::bind_front_handler(&Session::OnRead, shared_from_this()));
  }

 private:
  void OnRead(const error_code& error, std::size_t) {
    if (error == beast::error::timeout) ++server_->counts_.timeouts;
    if (error) {
      if (const auto reply = ReplyTo(error)) Write(*reply, 11, false, false);
      return;
    }
    const auto& request = parser_->get();
    const bool more = request.keep_alive() && ++requests_ < server_->limits_.max_requests;
    Write(server_->Answer(request), request.version(), more, request.method() == http::verb::head);
  }

  void Write(const HttpReply& reply, unsigned version, bool more, bool head_only) {
    ++(reply.status / 100 == 2 ? server_->counts_.replies : server_->counts_.errors);
    response_ = {};
    response_.version(version);
    response_.result(reply.status);
    response_.set(http::field::content_type, reply.type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    if (reply.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.keep_alive(more);
    response_.body() = reply.body;
    response_.prepare_payload();
    if (head_only) response_.body().clear();  // the length stays
    stream_.expires_after(server_->limits_.reply_timeout);
    http::async_write(stream_, response_,
                      beast::bind_front_handler(&Session::OnWritten, shared_from_this()));
  }

  void OnWritten(const error_code& error, std::size_t) {
    if (error == beast::error::timeout) ++server_->counts_.timeouts;
    if (!error && response_.keep_alive()) return Read();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  std::shared_ptr<Impl> server_;
  beast::tcp_stream stream_;
  asio::ip::address address_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  std::uint32_t requests_ = 0;
};

absl::Status HttpServer::Impl::Start(const std::string& address) {
  const absl::StatusOr<tcp::endpoint> endpoint = EndpointOf(address);
  if (!endpoint.ok()) return endpoint.status();
  error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
    return absl::UnavailableError("cannot listen at " + address +
                                  " for HTTP (http.listen): " + error.message());
  }
  listening_ = NameOf(acceptor_.local_endpoint());
  AcceptNext();
  return absl::OkStatus();
}

void HttpServer::Impl::Stop() {
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  listening_.clear();
  for (beast::tcp_stream* stream : streams_) stream->cancel();
  pages_ = [](const std::string&) { return HttpReply{503, "text/plain", "stopped\n"}; };
}

HttpReply HttpServer::Impl::Answer(const http::request<http::empty_body>& request) {
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return {405, "text/plain; charset=utf-8", "GET and HEAD only\n"};
  }
  const auto target = request.target();
  const std::string path = PathOf({target.data(), target.size()});
  if (!path.starts_with('/')) return {400, "text/plain; charset=utf-8", "no path\n"};
  return pages_(path);
}

void HttpServer::Impl::AcceptNext() {
  acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
    self->OnAccepted(error, std::move(socket));
  });
}

void HttpServer::Impl::OnAccepted(const error_code& error, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (error) {
    // Out of descriptors, mostly: trying again at once would only burn the processor.
    retry_.expires_after(kRetryAccept);
    retry_.async_wait([self = shared_from_this()](const error_code& ended) {
      if (!ended && self->acceptor_.is_open()) self->AcceptNext();
    });
    return;
  }
  error_code gone;
  const tcp::endpoint from = socket.remote_endpoint(gone);
  if (!gone) {
    if (places_.Admit(from.address()) == AcceptCounts::Verdict::kAdmitted) {
      ++counts_.accepted;
      std::make_shared<Session>(shared_from_this(), std::move(socket), from.address())->Read();
    } else {
      ++counts_.refused;  // the socket closes
    }
  }
  AcceptNext();
}

HttpServer::HttpServer(asio::any_io_executor strand, Pages pages, HttpLimits limits)
    : impl_(std::make_shared<Impl>(std::move(strand), std::move(pages), limits)) {}
HttpServer::~HttpServer() { Stop(); }
absl::Status HttpServer::Start(const std::string& address) { return impl_->Start(address); }
const std::string& HttpServer::listening() const { return impl_->listening_; }
void HttpServer::Stop() { impl_->Stop(); }
void HttpServer::SetLimits(const AcceptLimits& limits) { impl_->places_.set_limits(limits); }
std::size_t HttpServer::connections() const { return impl_->places_.total(); }
const HttpCounts& HttpServer::counts() const { return impl_->counts_; }

}  // namespace tombolo::node
