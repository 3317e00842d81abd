// What single keys cannot see.
#include <optional>

#include "node/config.h"
#include "node/host_port.h"

namespace tombolo::node {

// Plaintext for whoever is on this machine; a password over plaintext would be none.
absl::Status CheckConfig(const NodeConfig& config) {
  const std::optional<HostPort> parsed = ParseHostPort(config.control);
  const bool elsewhere =
      !config.control.starts_with("unix:") && parsed && !IsLoopback(parsed->host);
  const bool certificate = !config.control_cert.empty() && !config.control_key.empty();
  if (config.control_cert.empty() != config.control_key.empty()) {
    return absl::InvalidArgumentError("control.tls_cert and control.tls_key need each other");
  }
  if (elsewhere && (!certificate || config.control_token.empty())) {
    return absl::InvalidArgumentError(
        "control.listen = \"" + config.control +
        "\" can be reached from elsewhere: it needs control.tls_cert, control.tls_key and "
        "control.token_file (a loopback address or unix:PATH does not)");
  }
  if (!config.control_token.empty() && !certificate) {
    return absl::InvalidArgumentError(
        "control.token_file needs control.tls_cert and control.tls_key: without TLS anybody on the "
        "way could read the token");
  }
  return absl::OkStatus();
}

}  // namespace tombolo::node
