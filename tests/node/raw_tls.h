// Bare TLS ends for tests, through OpenSSL alone: what a node must refuse is what gRPC would not
// send. Blocking, with time-outs of five seconds; run them with std::async beside the io_context.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <string>

#include "node/openssl_ptr.h"
#include "tests/node/certificates.h"

namespace tombolo::node {

struct TlsContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};

struct TlsEnd {
  std::string certificate_pem;  // empty: none
  std::string key_pem;
  int max_version = TLS1_3_VERSION;
};

// OpenSSL checks that a certificate and a key belong together; a liar does not.
inline std::unique_ptr<SSL_CTX, TlsContextFree> MakeContext(const SSL_METHOD* method,
                                                            const TlsEnd& end) {
  std::unique_ptr<SSL_CTX, TlsContextFree> context(SSL_CTX_new(method));
  SSL_CTX_set_max_proto_version(context.get(), end.max_version);
  if (!end.certificate_pem.empty()) {
    const BioPtr certificate_in(BIO_new_mem_buf(end.certificate_pem.data(), -1));
    const CertificatePtr certificate(
        PEM_read_bio_X509(certificate_in.get(), nullptr, nullptr, nullptr));
    const BioPtr key_in(BIO_new_mem_buf(end.key_pem.data(), -1));
    const KeyPtr key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_certificate(context.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), key.get());
  }
  return context;
}

// And no signal if the other side has hung up.
inline void SetTimeouts(int fd) {
  std::signal(SIGPIPE, SIG_IGN);
  const timeval limit{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

inline sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Shakes hands with a node; true if the node goes on to speak HTTP/2, which it does unasked.
inline bool NodeAccepts(std::uint16_t port, const TlsEnd& end) {
  const auto context = MakeContext(TLS_client_method(), end);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  SetTimeouts(fd);
  const sockaddr_in address = Loopback(port);
  bool accepted = false;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const std::unique_ptr<SSL, TlsContextFree> session(SSL_new(context.get()));
    SSL_set_fd(session.get(), fd);
    constexpr std::array<unsigned char, 3> kH2 = {2, 'h', '2'};
    SSL_set_alpn_protos(session.get(), kH2.data(), kH2.size());
    char byte = 0;
    accepted = SSL_connect(session.get()) == 1 && SSL_read(session.get(), &byte, 1) == 1;
  }
  close(fd);
  ERR_clear_error();
  return accepted;
}

// A listener that shakes hands once with the certificate and key of `end`.
class RogueListener {
 public:
  RogueListener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    SetTimeouts(fd_);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
    listen(fd_, 4);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  RogueListener(const RogueListener&) = delete;
  RogueListener& operator=(const RogueListener&) = delete;
  ~RogueListener() { close(fd_); }

  const std::string& address() const { return address_; }

  void ServeOne(const TlsEnd& end) const {
    const auto context = MakeContext(TLS_server_method(), end);
    SSL_CTX_set_alpn_select_cb(
        context.get(),
        [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
           unsigned int, void*) {
          *out = offered + 1;
          *size = offered[0];
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    const int fd = accept(fd_, nullptr, nullptr);
    if (fd < 0) return;
    SetTimeouts(fd);
    const std::unique_ptr<SSL, TlsContextFree> session(SSL_new(context.get()));
    SSL_set_fd(session.get(), fd);
    char byte = 0;
    if (SSL_accept(session.get()) == 1) SSL_read(session.get(), &byte, 1);
    close(fd);
    ERR_clear_error();
  }

 private:
  const int fd_;
  std::string address_;
};

}  // namespace tombolo::node
