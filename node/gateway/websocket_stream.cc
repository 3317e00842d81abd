#include "node/gateway/websocket_stream.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "node/file_store.h"
#include "node/openssl_ptr.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMaxPem = 1 << 20;

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

using SslPtr = std::unique_ptr<SSL, OpensslFree<SSL_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;

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

  SslPtr ssl_;
};

class LoadedTls final : public TlsFiles {
 public:
  LoadedTls(ContextPtr context, std::string certificate)
      : context_(std::move(context)), certificate_(std::move(certificate)) {}
  std::unique_ptr<ByteStream> Accept(int socket) override {
    return std::make_unique<TlsStream>(context_.get(), socket);
  }
  const std::string& certificate() const override { return certificate_; }

 private:
  ContextPtr context_;
  std::string certificate_;
};

BioPtr BytesOf(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Nobody is there to be asked for one.
int NoPassword(char*, int, int, void*) { return -1; }

KeyPtr KeyOf(const std::string& pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(BytesOf(pem).get(), nullptr, NoPassword, nullptr));
}

// The certificate, then those that vouch for it. False: OpenSSL's error says why not.
bool UseChain(SSL_CTX* context, const std::string& pem) {
  const BioPtr bytes = BytesOf(pem);
  const CertificatePtr own(PEM_read_bio_X509_AUX(bytes.get(), nullptr, NoPassword, nullptr));
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1) return false;
  while (const CertificatePtr next{PEM_read_bio_X509(bytes.get(), nullptr, NoPassword, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) return false;
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return false;
  ERR_clear_error();  // the end of the text is one, too
  return true;
}

}  // namespace

std::unique_ptr<ByteStream> MakePlainStream(int socket) {
  return std::make_unique<PlainStream>(socket);
}

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Load(const std::string& certificate,
                                                         const std::string& key) {
  // OpenSSL says of a file that cannot be read neither which one nor why.
  absl::StatusOr<FileContents> text = ReadSmallFile(certificate, kMaxPem);
  if (!text.ok()) return text.status();
  const absl::StatusOr<FileContents> secret = ReadSmallFile(key, kMaxPem);
  if (!secret.ok()) return secret.status();

  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return absl::InternalError("cannot prepare TLS: " + OpensslError());
  }
  if (!UseChain(context.get(), text->bytes)) {
    return absl::InvalidArgumentError(certificate + " is no certificate: " + OpensslError());
  }
  const KeyPtr own = KeyOf(secret->bytes);
  if (own == nullptr) return absl::InvalidArgumentError(key + " is no key: " + OpensslError());
  if (SSL_CTX_use_PrivateKey(context.get(), own.get()) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return absl::InvalidArgumentError(key + " is not the key of " + certificate + ": " +
                                      OpensslError());
  }
  return std::make_unique<LoadedTls>(std::move(context), std::move(text->bytes));
}

}  // namespace tombolo::node
