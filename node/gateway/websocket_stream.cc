#include "node/gateway/websocket_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace tombolo::node {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(int socket) : socket_(socket) {}

  IoResult Read(std::span<char> into) override {
    return Judge(::recv(socket_, into.data(), into.size(), MSG_DONTWAIT), IoStatus::kWantRead);
  }
  IoResult Write(std::string_view bytes) override {
    return Judge(::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL),
                 IoStatus::kWantWrite);
  }

 private:
  static IoResult Judge(ssize_t done, IoStatus wait) {
    if (done > 0) return {IoStatus::kBytes, static_cast<std::size_t>(done)};
    const bool again = done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return {again ? wait : IoStatus::kEnded, 0};
  }

  int socket_;
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class TlsStream final : public ByteStream {
 public:
  TlsStream(SSL_CTX* context, int socket) : ssl_(SSL_new(context)) {
    if (ssl_ == nullptr) return;
    SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    SSL_set_fd(ssl_.get(), socket);
    SSL_set_accept_state(ssl_.get());
  }

  IoResult Read(std::span<char> into) override {
    if (ssl_ == nullptr) return {};
    ERR_clear_error();
    return Judge(SSL_read(ssl_.get(), into.data(), Size(into.size())));
  }
  IoResult Write(std::string_view bytes) override {
    if (ssl_ == nullptr) return {};
    ERR_clear_error();
    return Judge(SSL_write(ssl_.get(), bytes.data(), Size(bytes.size())));
  }
  bool holds_bytes() const override { return ssl_ != nullptr && SSL_pending(ssl_.get()) > 0; }

 private:
  static int Size(std::size_t bytes) {
    constexpr std::size_t kMost = std::numeric_limits<int>::max();
    return static_cast<int>(std::min(bytes, kMost));
  }
  IoResult Judge(int done) const {
    if (done > 0) return {IoStatus::kBytes, static_cast<std::size_t>(done)};
    switch (SSL_get_error(ssl_.get(), done)) {
      case SSL_ERROR_WANT_READ:
        return {IoStatus::kWantRead, 0};
      case SSL_ERROR_WANT_WRITE:
        return {IoStatus::kWantWrite, 0};
      default:
        ERR_clear_error();
        return {};
    }
  }

  std::unique_ptr<SSL, FreeSsl> ssl_;
};

class LoadedTls final : public TlsFiles {
 public:
  explicit LoadedTls(std::unique_ptr<SSL_CTX, FreeSsl> context) : context_(std::move(context)) {}
  std::unique_ptr<ByteStream> Accept(int socket) override {
    return std::make_unique<TlsStream>(context_.get(), socket);
  }

 private:
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
};

}  // namespace

std::unique_ptr<ByteStream> MakePlainStream(int socket) {
  return std::make_unique<PlainStream>(socket);
}

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Load(const std::string& certificate,
                                                         const std::string& key) {
  std::unique_ptr<SSL_CTX, FreeSsl> context(SSL_CTX_new(TLS_server_method()));
  const bool good =
      context != nullptr && SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
      SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1 &&
      SSL_CTX_check_private_key(context.get()) == 1;
  ERR_clear_error();
  if (!good) {
    return absl::InvalidArgumentError("cannot use the certificate " + certificate +
                                      " with the key " + key);
  }
  return std::make_unique<LoadedTls>(std::move(context));
}

}  // namespace tombolo::node
