// What single keys cannot see.
#include <optional>

#include "node/config.h"
#include "node/control_guard.h"
#include "node/host_port.h"
#include "node/network_key.h"

namespace tombolo::node {

// Plaintext for whoever is on this machine; a password over plaintext would be none.
absl::Status CheckConfig(const NodeConfig& config) {
  const std::optional<HostPort> parsed = ParseHostPort(config.control);
  const bool elsewhere =
      !config.control.starts_with("unix:") && parsed && !IsLoopback(parsed->host);
  const bool certificate = !config.control_cert.empty() && !config.control_key.empty();
  const std::optional<HostPort> links = ParseHostPort(config.listen);
  if (config.insecure && links && !IsLoopback(links->host)) {
    return absl::InvalidArgumentError(
        "without security only a loopback address is listened at, not "
        "links.listen = \"" +
        config.listen + "\"");
  }
  if (config.peer_relay_tls_certificate.empty() != config.peer_relay_tls_key.empty()) {
    return absl::InvalidArgumentError(
        "peer_relay.tls_certificate and peer_relay.tls_key need each other");
  }
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

// What the node would read at its start.
absl::Status CheckFiles(const NodeConfig& config) {
  absl::Status good;
  if (!config.control_cert.empty()) {
    good.Update(ReadCertificate(config.control_cert, config.control_key).status());
  }
  if (!config.control_token.empty()) good.Update(ReadToken(config.control_token).status());
  if (!config.network_key.empty()) good.Update(NetworkKey::Load(config.network_key).status());
  if (!config.peer_relay_tls_certificate.empty()) {
    good.Update(
        ReadCertificate(config.peer_relay_tls_certificate, config.peer_relay_tls_key).status());
  }
  return good;
}

}  // namespace tombolo::node
