// How tomboloctl proves to a node elsewhere that it may use it, and checks who it talks to.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tombolo::node {

// Without `ca`: plaintext, for a node on this machine. Errors name the file, or the flag that is
// missing: a token never goes over plaintext.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const std::string& ca, const std::string& token_file);

}  // namespace tombolo::node
