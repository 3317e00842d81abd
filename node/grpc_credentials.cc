#include "node/grpc_credentials.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

#include "node/grpc_log.h"
#include "node/grpc_shared.h"

namespace tombolo::node {
namespace {

using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::TlsCustomVerificationCheckRequest;

std::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

// Judges at once, in the handshake.
class IdVerifier : public ExternalCertificateVerifier {
 public:
  using Judge = std::function<absl::Status(const absl::StatusOr<NodeId>&)>;
  explicit IdVerifier(Judge judge) : judge_(std::move(judge)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* verdict) override {
    const absl::Status judged = judge_(IdOfCertificate(View(request->peer_cert())));
    *verdict = judged.ok()
                   ? grpc::Status::OK
                   : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(judged.message()));
    return true;
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const Judge judge_;
};

std::shared_ptr<grpc::experimental::StaticDataCertificateProvider> ProviderOf(
    const Identity& identity) {
  return std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{
          {identity.key_pem(), identity.certificate_pem()}});
}

absl::Status JudgeListener(const absl::StatusOr<NodeId>& proven,
                           const std::optional<NodeId>& expected) {
  if (!proven.ok()) return proven.status();
  if (expected && *proven != *expected) {
    return absl::UnauthenticatedError("node " + proven->ToHex() + " answered instead of " +
                                      expected->ToHex());
  }
  return absl::OkStatus();
}

}  // namespace

void PrepareGrpcProcess() {
  static const bool prepared = [] {
    setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);  // nobody has a shared key
    RouteGrpcLog();
    return true;
  }();
  static_cast<void>(prepared);
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(GrpcShared& shared) {
  if (shared.options.insecure) return grpc::InsecureServerCredentials();
  grpc::experimental::TlsServerCredentialsOptions options(ProviderOf(shared.identity));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_certificate_verifier(ExternalCertificateVerifier::Create<IdVerifier>(
      [&shared](const absl::StatusOr<NodeId>& proven) {
        if (!proven.ok()) shared.counts.Add(TransportCount::kRefusedIdentity);
        return proven.status();
      }));
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> MakeDialCredentials(
    const GrpcShared& shared, std::optional<NodeId> expected,
    std::shared_ptr<DialVerdict> verdict) {
  if (shared.options.insecure) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(ProviderOf(shared.identity));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(ExternalCertificateVerifier::Create<IdVerifier>(
      [expected, verdict = std::move(verdict)](const absl::StatusOr<NodeId>& proven) {
        absl::Status judged = JudgeListener(proven, expected);
        if (!judged.ok()) verdict->Refuse(std::string(judged.message()));
        return judged;
      }));
  return grpc::experimental::TlsCredentials(options);
}

absl::StatusOr<NodeId> ProvenId(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> certificates = context.FindPropertyValues("x509_pem_cert");
  if (certificates.size() != 1) return absl::UnauthenticatedError("no certificate");
  return IdOfCertificate(View(certificates.front()));
}

grpc::ChannelArguments DialArguments(const GrpcTransportOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                   static_cast<int>(options.keepalive_interval.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(options.keepalive_timeout.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Twice our own limit, so that it is we who refuse a frame and say why.
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                   static_cast<int>(2 * options.max_frame_bytes));
  const int dial_ms = static_cast<int>(options.dial_timeout.count());
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, dial_ms);  // also bounds an attempt
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, dial_ms);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // The same for every node: names say nothing here.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "tombolo");
  if (!options.insecure) arguments.SetSslTargetNameOverride("tombolo");
  return arguments;
}

}  // namespace tombolo::node
