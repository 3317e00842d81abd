#include "node/control_guard.h"

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <utility>

#include "node/file_store.h"
#include "node/openssl_ptr.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMinToken = 16;
constexpr std::size_t kMaxToken = 1024;
constexpr std::size_t kMaxPem = 1 << 20;
constexpr std::string_view kBearer = "Bearer ";
constexpr const char* kNoPassword = "";  // else OpenSSL would ask for one at the terminal

class Processor final : public grpc::AuthMetadataProcessor {
 public:
  explicit Processor(std::shared_ptr<ControlGuard> guard) : guard_(std::move(guard)) {}

  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& given, grpc::AuthContext*, OutputMetadata* consumed,
                       OutputMetadata*) override {
    const auto found = given.find("authorization");
    const std::string header =
        found == given.end() ? "" : std::string(found->second.data(), found->second.size());
    if (found != given.end()) consumed->emplace("authorization", header);
    if (guard_->Admits(header)) return grpc::Status::OK;
    return {grpc::StatusCode::UNAUTHENTICATED, header.empty()
                                                   ? "the control API needs its token here"
                                                   : "this is not the token of the control API"};
  }

 private:
  const std::shared_ptr<ControlGuard> guard_;
};

BioPtr BioOf(const std::string& bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// The first certificate, if all the others are certificates, too: callers would notice otherwise.
absl::StatusOr<CertificatePtr> FirstOf(const std::string& chain) {
  const BioPtr bytes = BioOf(chain);
  CertificatePtr first(PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr));
  if (first == nullptr) {
    return absl::FailedPreconditionError(" is no certificate: " + OpensslError());
  }
  while (CertificatePtr(PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr)) != nullptr) {
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = OpensslError();
  if (!at_end) return absl::FailedPreconditionError(" is no chain of certificates: " + reason);
  return first;
}

}  // namespace

ControlGuard::Digest ControlGuard::DigestOf(std::string_view text) {
  Digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

void ControlGuard::SetToken(std::string_view token) {
  const Digest digest = DigestOf(token);
  const std::lock_guard lock(mutex_);
  digest_ = digest;
}

bool ControlGuard::Admits(std::string_view header) {
  const bool bearer = header.starts_with(kBearer);
  const Digest given = DigestOf(bearer ? header.substr(kBearer.size()) : "");
  const std::lock_guard lock(mutex_);
  const bool same = CRYPTO_memcmp(given.data(), digest_.data(), digest_.size()) == 0;
  if (!bearer || !same) ++refused_;
  return bearer && same;
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  const absl::StatusOr<FileContents> file = ReadSmallFile(path, kMaxToken + 2);
  if (!file.ok()) return file.status();
  if ((file->permissions & 077) != 0) {
    return absl::FailedPreconditionError("the token " + path +
                                         " can be read by others: run chmod 600 " + path);
  }
  std::string token = file->bytes.substr(0, file->bytes.find_first_of("\r\n"));
  if (token.size() < kMinToken || token.size() > kMaxToken) {
    return absl::FailedPreconditionError("the token " + path + " must have 16 to 1024 bytes");
  }
  return token;
}

absl::StatusOr<CertificatePair> ReadCertificate(const std::string& certificate,
                                                const std::string& key) {
  absl::StatusOr<FileContents> chain = ReadSmallFile(certificate, kMaxPem);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<FileContents> secret = ReadSmallFile(key, kMaxPem);
  if (!secret.ok()) return secret.status();
  const absl::StatusOr<CertificatePtr> first = FirstOf(chain->bytes);
  if (!first.ok()) {
    return absl::FailedPreconditionError(certificate + std::string(first.status().message()));
  }
  const KeyPtr own(PEM_read_bio_PrivateKey(BioOf(secret->bytes).get(), nullptr, nullptr,
                                           const_cast<char*>(kNoPassword)));
  if (own == nullptr) return absl::FailedPreconditionError(key + " is no key: " + OpensslError());
  if (X509_check_private_key(first->get(), own.get()) != 1) {
    OpensslError();
    return absl::FailedPreconditionError(key + " is not the key of " + certificate);
  }
  return CertificatePair{std::move(chain->bytes), std::move(secret->bytes)};
}

std::shared_ptr<grpc::ServerCredentials> MakeControlCredentials(
    const std::shared_ptr<grpc::experimental::CertificateProviderInterface>& certificate,
    std::shared_ptr<ControlGuard> guard) {
  grpc::experimental::TlsServerCredentialsOptions options(certificate);
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  auto credentials = grpc::experimental::TlsServerCredentials(options);
  if (guard != nullptr) {
    credentials->SetAuthMetadataProcessor(std::make_shared<Processor>(std::move(guard)));
  }
  return credentials;
}

}  // namespace tombolo::node
