// Who may use the control API from elsewhere: whoever knows the token, over TLS. Included by
// control_*.cc only, but for the token itself.
//
// A token is compared in constant time, as digests, so that neither its length
// nor how much of it was right can be measured. Refusals are counted.
//
// Thread rule: any thread. Errors name the file and the cure; they never quote the token.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tombolo::node {

class ControlGuard {
 public:
  explicit ControlGuard(std::string_view token) { SetToken(token); }

  void SetToken(std::string_view token);
  // `header` is the value of `authorization`: "Bearer " and the token.
  bool Admits(std::string_view header);
  std::uint64_t refused() const { return refused_; }

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest DigestOf(std::string_view text);

  std::mutex mutex_;
  Digest digest_{};
  std::atomic<std::uint64_t> refused_{0};
};

// The first line of a file of mode 0600 or stricter, of 16 to 1024 bytes.
absl::StatusOr<std::string> ReadToken(const std::string& path);

// PEM: the certificate with those that lead from it to an authority, and its key.
struct CertificatePair {
  std::string chain;
  std::string key;

  friend bool operator==(const CertificatePair&, const CertificatePair&) = default;
};

// Both files, if they can be served and belong together.
absl::StatusOr<CertificatePair> ReadCertificate(const std::string& certificate,
                                                const std::string& key);

// `guard` null: TLS without a token.
std::shared_ptr<grpc::ServerCredentials> MakeControlCredentials(
    const std::shared_ptr<grpc::experimental::CertificateProviderInterface>& certificate,
    std::shared_ptr<ControlGuard> guard);

}  // namespace tombolo::node
