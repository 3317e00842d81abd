// The configuration of tombolo-node. One table of keys serves the TOML file, the environment and
// the command line:
//
//   [links] listen = "0.0.0.0:7400"     TOMBOLO_LINKS_LISTEN=0.0.0.0:7400     --links-listen ...
//
// The command line wins over the environment, that over the file, that over the defaults. Lists are
// arrays in the file, separated by commas in the environment, repeated on the command line.
//
// Thread rule: plain values. Errors: of the file with its name and line, of the others with the
// variable or flag; an unknown key is an error that names the nearest known one.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace tombolo::node {

struct NodeConfig {
  // [node]
  std::string data_dir = "tombolo-data";
  std::string log_level = "info";
  std::int64_t drain_timeout_s = 10;
  // [links]
  std::string listen = "0.0.0.0:7400";
  std::vector<std::string> advertise;  // none: where it listens, if that is one address
  std::string dialable = "auto";       // yes, no
  std::vector<std::string> bootstrap;
  // [control]
  std::string control = "127.0.0.1:7401";  // or unix:PATH, or "off" (of embedded nodes)
  std::string control_cert;                // files
  std::string control_key;
  std::string control_token;
  // [http]
  std::string http = "127.0.0.1:7402";  // or off
  std::int64_t http_connections = 64;
  std::int64_t http_connections_per_address = 32;
  // [security]
  bool insecure = false;
  std::string network_key;  // file
  std::vector<std::string> allow;
  std::vector<std::string> deny;
  // [limits]
  std::int64_t connections = 1024;
  std::int64_t connections_per_address = 64;
  std::int64_t connections_per_prefix = 256;
  std::int64_t links = 128;
  std::int64_t peer_bytes_per_s = std::int64_t{1} << 30;
  std::int64_t peer_messages_per_s = 500'000;
  std::int64_t bytes_per_s = std::int64_t{4} << 30;
  std::int64_t messages_per_s = 2'000'000;
  std::int64_t queue_kib = 4096;
  std::int64_t records = 1024;
  std::int64_t memory_mib = 1024;
  std::int64_t channels = 4096;
  std::int64_t channels_per_peer = 1024;
  std::int64_t channel_window_kib = 1024;
  std::int64_t channel_memory_mib = 256;
  std::int64_t channel_silence_s = 20;
  // [peer_relay], the gateway for clients of peer-relay (gateway/peer_relay.h)
  std::string peer_relay_listen;  // empty: off
  std::string peer_relay_url;
  std::vector<std::string> peer_relay_bootstrap;
  bool peer_relay_transit = false;
  std::int64_t peer_relay_candidates = 1;
  std::vector<std::string> peer_relay_origins;
  std::string peer_relay_tls_certificate;
  std::string peer_relay_tls_key;
  bool peer_relay_deflate = false;
  std::int64_t peer_relay_clients = 16'384;
  std::int64_t peer_relay_clients_per_address = 1024;
  std::int64_t peer_relay_messages_per_s = 0;
  std::int64_t peer_relay_bytes_per_s = 0;
  std::int64_t peer_relay_message_bytes = 96 * 1024;
  std::int64_t peer_relay_queue_bytes = 1024 * 1024;
  std::int64_t peer_relay_handshake_s = 10;
  std::int64_t peer_relay_idle_s = 30;
};

enum class ConfigKind : std::uint8_t { kText, kList, kNumber, kFlag };

struct ConfigKey {
  std::string_view section;
  std::string_view key;
  ConfigKind kind;
  std::string_view help;
  std::string range;  // of a number: "1 to 3600"
  // Takes over one value (kList: adds one). Returns what is allowed, or nothing.
  std::function<std::string(NodeConfig&, const std::string&)> set;
  std::function<void(NodeConfig&)> clear;  // of a list, before values of a stronger source
  std::function<std::vector<std::string>(const NodeConfig&)> get;  // as `set` takes them

  std::string name() const { return std::string(section) + "." + std::string(key); }
  std::string flag() const;         // --links-listen
  std::string environment() const;  // TOMBOLO_LINKS_LISTEN
  // Help, range, default and the other two names, for --help.
  std::string description() const;
};

std::span<const ConfigKey> ConfigKeys();

// Each adds to what is there already.
absl::Status ReadConfigFile(const std::string& path, NodeConfig& config);
absl::Status ReadConfigText(std::string_view text, const std::string& name, NodeConfig& config);
absl::Status ReadEnvironment(NodeConfig& config);
// What is to be said of variables that look as if they were meant for a key, and name none. No
// error: others may have set them. `environment` is that of a process: NAME=value, then null. What
// Kubernetes sets for a service (TOMBOLO_NODE_SERVICE_HOST) is not meant for a key. No value is
// repeated.
std::vector<std::string> EnvironmentWarnings(const char* const* environment);
// `values` of one key, as given on the command line.
absl::Status SetConfig(const ConfigKey& key, const std::vector<std::string>& values,
                       const std::string& source, NodeConfig& config);

// What single keys cannot see: which of them need each other.
absl::Status CheckConfig(const NodeConfig& config);
// That the files it names can be used. Reads them.
absl::Status CheckFiles(const NodeConfig& config);

}  // namespace tombolo::node
