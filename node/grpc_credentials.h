// Credentials of links: mutual TLS 1.3 with an Ed25519 certificate, and the verifier that takes an
// id from the other side's certificate instead of asking an authority. Included by grpc_*.cc only.
//
// Thread rule: the functions on the strand; the verifiers run on gRPC's threads.
#pragma once

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "node/grpc_transport.h"

namespace tombolo::node {

struct GrpcShared;

// What the verifier of one dial has found, for the text of its failure.
class DialVerdict {
 public:
  void Refuse(std::string reason) {
    const std::lock_guard lock(mutex_);
    reason_ = std::move(reason);
  }
  // Empty unless the identity was refused.
  std::string reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
  }

 private:
  mutable std::mutex mutex_;
  std::string reason_;
};

// To be called before the first use of gRPC in the process: no TLS below 1.3 (gRPC 1.51 lets nobody
// set the version of these credentials, but takes the cipher list of TLS 1.2 from the environment;
// one that cannot be used leaves 1.3 alone), and gRPC's log goes to ours.
void PrepareGrpcProcess();

// `shared` outlives the credentials.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(GrpcShared& shared);
// The handshake succeeds only with the node `expected` (nullopt: with any).
std::shared_ptr<grpc::ChannelCredentials> MakeDialCredentials(const GrpcShared& shared,
                                                              std::optional<NodeId> expected,
                                                              std::shared_ptr<DialVerdict> verdict);

// The id proven in the handshake of a call.
absl::StatusOr<NodeId> ProvenId(const grpc::AuthContext& context);

// Keepalive, limits, and no cleverness: no proxy, no retries, no shared subchannels.
grpc::ChannelArguments DialArguments(const GrpcTransportOptions& options);

}  // namespace tombolo::node
