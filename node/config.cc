#include "node/config.h"

#include <sys/un.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "node/address.h"
#include "node/endpoint.h"
#include "node/gateway/websocket_upgrade.h"
#include "node/log.h"
#include "overlay/nearest_word.h"
#include "overlay/node_id.h"

namespace tombolo::node {
namespace {

using Setter = std::function<std::string(NodeConfig&, const std::string&)>;
using Clear = std::function<void(NodeConfig&)>;
using Check = std::string (*)(const std::string&);

constexpr std::int64_t kMaxRate = std::int64_t{1} << 40;

// ---- What values may be. Each check returns what is allowed, or nothing.

std::string Anything(const std::string& text) { return text.empty() ? "a text" : ""; }
std::string AnyText(const std::string&) { return ""; }
std::string ListenAddress(const std::string& text) {
  return EndpointOf(text).ok() ? "" : "HOST:PORT with a numeric host";
}
std::string DialAddress(const std::string& text) {
  const absl::StatusOr<boost::asio::ip::tcp::endpoint> numeric = EndpointOf(text);
  const bool anywhere = numeric.ok() && numeric->address().is_unspecified();
  return IsAddress(text) && !anywhere ? "" : "HOST:PORT that others can dial";
}
std::string ControlAddress(const std::string& text) {
  if (!text.starts_with("unix:")) {
    return EndpointOf(text).ok() ? "" : "HOST:PORT with a numeric host, or unix:PATH";
  }
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  const std::size_t length = text.size() - std::string_view("unix:").size();
  const bool fits = length > 0 && length <= kLongest;
  return fits ? "" : "unix: and a path of at most " + std::to_string(kLongest) + " bytes";
}
std::string HttpAddress(const std::string& text) {
  return text == "off" || EndpointOf(text).ok() ? "" : "HOST:PORT with a numeric host, or off";
}
std::string Reachability(const std::string& text) {
  return text == "auto" || text == "yes" || text == "no" ? "" : "auto, yes or no";
}
std::string Url(const std::string& text) {
  std::string plain = text;
  if (plain.starts_with("wss://")) plain.erase(2, 1);
  return ParseWebSocketUrl(plain) ? "" : "ws://HOST[:PORT] or wss://HOST[:PORT]";
}
std::string PlainUrl(const std::string& text) {
  return ParseWebSocketUrl(text) ? "" : "ws://HOST[:PORT]";
}
std::string Id(const std::string& text) {
  return NodeId::FromHex(text) ? "" : "an id of 40 hexadecimal digits";
}
std::string LogLevel(const std::string& text) {
  return IsLogLevel(text) ? "" : "one of trace, debug, info, warning, error, off";
}

ConfigKey Text(std::string_view section, std::string_view key, std::string NodeConfig::*member,
               Check check, std::string_view help) {
  return {section,
          key,
          ConfigKind::kText,
          help,
          "",
          [member, check](NodeConfig& config, const std::string& text) {
            std::string allowed = check(text);
            if (allowed.empty()) config.*member = text;
            return allowed;
          },
          [](NodeConfig&) {},
          [member](const NodeConfig& config) { return std::vector{config.*member}; }};
}

ConfigKey List(std::string_view section, std::string_view key,
               std::vector<std::string> NodeConfig::*member, Check check, std::string_view help) {
  return {section,
          key,
          ConfigKind::kList,
          help,
          "",
          [member, check](NodeConfig& config, const std::string& text) {
            std::string allowed = check(text);
            if (allowed.empty()) (config.*member).push_back(text);
            return allowed;
          },
          [member](NodeConfig& config) { (config.*member).clear(); },
          [member](const NodeConfig& config) { return config.*member; }};
}

ConfigKey Number(std::string_view section, std::string_view key, std::int64_t NodeConfig::*member,
                 std::int64_t least, std::int64_t most, std::string_view help) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  return {
      section,
      key,
      ConfigKind::kNumber,
      help,
      range,
      [member, least, most, range](NodeConfig& config, const std::string& text) -> std::string {
        std::int64_t value = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc() || stop != end || value < least || value > most) {
          return "a number from " + range;
        }
        config.*member = value;
        return "";
      },
      [](NodeConfig&) {},
      [member](const NodeConfig& config) { return std::vector{std::to_string(config.*member)}; }};
}

ConfigKey Flag(std::string_view section, std::string_view key, bool NodeConfig::*member,
               std::string_view help) {
  return {section,
          key,
          ConfigKind::kFlag,
          help,
          "",
          [member](NodeConfig& config, const std::string& text) -> std::string {
            if (text != "true" && text != "false") return "true or false";
            config.*member = text == "true";
            return "";
          },
          [](NodeConfig&) {},
          [member](const NodeConfig& config) {
            return std::vector<std::string>{config.*member ? "true" : "false"};
          }};
}

std::vector<ConfigKey> MakeKeys() {
  using C = NodeConfig;
  return {
      Text("node", "data_dir", &C::data_dir, Anything, "folder for key, peers and records"),
      Text("node", "log_level", &C::log_level, LogLevel, "trace, debug, info, warning, error, off"),
      Number("node", "drain_timeout_s", &C::drain_timeout_s, 1, 3600,
             "seconds from SIGTERM to the end at the latest"),
      Text("links", "listen", &C::listen, ListenAddress, "HOST:PORT for links of other nodes"),
      List("links", "advertise", &C::advertise, DialAddress, "HOST:PORT where others reach it"),
      Text("links", "dialable", &C::dialable, Reachability,
           "auto: others are asked to dial back; yes, no: as it says"),
      List("links", "bootstrap", &C::bootstrap, DialAddress, "HOST:PORT of nodes to join through"),
      Text("control", "listen", &C::control, ControlAddress, "HOST:PORT or unix:PATH"),
      Text("control", "tls_cert", &C::control_cert, AnyText, "PEM file: certificate, then chain"),
      Text("control", "tls_key", &C::control_key, AnyText, "PEM file: the certificate's key"),
      Text("control", "token_file", &C::control_token, AnyText, "file with what callers must know"),
      Text("http", "listen", &C::http, HttpAddress, "HOST:PORT of health and metrics, or off"),
      Number("http", "connections", &C::http_connections, 1, 65'536, "at once, in total"),
      Number("http", "connections_per_address", &C::http_connections_per_address, 1, 65'536,
             "at once, from one address"),
      Flag("security", "insecure", &C::insecure, "no TLS, claimed ids; loopback only"),
      Text("security", "network_key", &C::network_key, AnyText,
           "file with a private network's key"),
      List("security", "allow", &C::allow, Id, "the only ids that may link to this node"),
      List("security", "deny", &C::deny, Id, "ids that may not"),
      Number("limits", "connections", &C::connections, 1, 1'000'000, "accepted, in total"),
      Number("limits", "connections_per_address", &C::connections_per_address, 1, 1'000'000,
             "accepted from one address"),
      Number("limits", "connections_per_prefix", &C::connections_per_prefix, 1, 1'000'000,
             "accepted from one /24 (IPv6: /48)"),
      Number("limits", "links", &C::links, 8, 4096, "that the overlay keeps"),
      Number("limits", "peer_bytes_per_s", &C::peer_bytes_per_s, 65'536, kMaxRate,
             "received from one peer"),
      Number("limits", "peer_messages_per_s", &C::peer_messages_per_s, 10, kMaxRate,
             "received from one peer"),
      Number("limits", "bytes_per_s", &C::bytes_per_s, 65'536, kMaxRate, "received from all peers"),
      Number("limits", "messages_per_s", &C::messages_per_s, 10, kMaxRate,
             "received from all peers"),
      Number("limits", "queue_kib", &C::queue_kib, 64, 1024 * 1024, "that wait for one peer"),
      Number("limits", "records", &C::records, 1, 1'000'000, "held for others"),
      Number("limits", "memory_mib", &C::memory_mib, 16, 1024 * 1024,
             "of payloads, queues and channels; beyond it newcomers and sends are refused"),
      Number("limits", "channels", &C::channels, 0, 1'000'000, "streams to and from other nodes"),
      Number("limits", "channels_per_peer", &C::channels_per_peer, 1, 1'000'000,
             "of them, to and from one node"),
      Number("limits", "channel_window_kib", &C::channel_window_kib, 32, 65'536,
             "that one channel holds, each way"),
      Number("limits", "channel_memory_mib", &C::channel_memory_mib, 1, 65'536,
             "that all channels hold"),
      Number("limits", "channel_silence_s", &C::channel_silence_s, 2, 3600,
             "after which a channel is reset"),
  };
}

std::vector<ConfigKey> PeerRelayKeys() {
  using C = NodeConfig;
  constexpr std::string_view kSection = "peer_relay";
  constexpr std::int64_t kMillion = 1'000'000;
  return {
      Text(kSection, "listen", &C::peer_relay_listen, ListenAddress,
           "HOST:PORT for clients of peer-relay, usually port 7410; none: off"),
      Text(kSection, "url", &C::peer_relay_url, Url, "ws:// or wss:// where clients reach it"),
      List(kSection, "bootstrap", &C::peer_relay_bootstrap, PlainUrl,
           "ws:// of original peers whose network to join"),
      Flag(kSection, "transit", &C::peer_relay_transit,
           "take what clients pass on for others; `from` is then what they say"),
      Number(kSection, "candidates", &C::peer_relay_candidates, 0, 20,
             "other clients that each one is told of"),
      List(kSection, "origins", &C::peer_relay_origins, Anything, "of browsers that may connect"),
      Text(kSection, "tls_certificate", &C::peer_relay_tls_certificate, AnyText, "PEM file"),
      Text(kSection, "tls_key", &C::peer_relay_tls_key, AnyText, "PEM file"),
      Flag(kSection, "deflate", &C::peer_relay_deflate, "compress for clients that can"),
      Number(kSection, "clients", &C::peer_relay_clients, 1, kMillion, "connections, in total"),
      Number(kSection, "clients_per_address", &C::peer_relay_clients_per_address, 1, kMillion,
             "of them, from one address (but loopback)"),
      Number(kSection, "messages_per_s", &C::peer_relay_messages_per_s, 0, 100 * kMillion,
             "read of one client; 0 = unlimited"),
      Number(kSection, "bytes_per_s", &C::peer_relay_bytes_per_s, 0, 100'000 * kMillion,
             "read of one client; 0 = unlimited"),
      Number(kSection, "message_bytes", &C::peer_relay_message_bytes, 1024, 120 * 1024,
             "of one message"),
      Number(kSection, "queue_bytes", &C::peer_relay_queue_bytes, 64 * 1024, 1000 * kMillion,
             "waiting for one client that does not read"),
      Number(kSection, "handshake_s", &C::peer_relay_handshake_s, 1, 3600,
             "seconds to the upgrade, and from there to the id"),
      Number(kSection, "idle_s", &C::peer_relay_idle_s, 1, 86'400,
             "seconds of silence until a client is pinged"),
  };
}

// ---- Names.

std::string NearestTo(const std::string& name) {
  std::vector<std::string> names;
  for (const ConfigKey& key : ConfigKeys()) names.push_back(key.name());
  return NearestWord(name, names, kAnyDistance);
}

const ConfigKey* FindKey(const std::string& name) {
  const std::span<const ConfigKey> keys = ConfigKeys();
  const auto found =
      std::ranges::find_if(keys, [&](const auto& key) { return key.name() == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

// ---- The file.

absl::Status ErrorAt(const std::string& file, const toml::source_region& where,
                     const std::string& what) {
  return absl::InvalidArgumentError(file + ":" + std::to_string(where.begin.line) + ": " + what);
}

// The value as the text that a flag would have; nullopt: a type that no key has.
std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  return std::nullopt;
}

bool IsSection(std::string_view name) {
  return std::ranges::find(ConfigKeys(), name, &ConfigKey::section) != ConfigKeys().end();
}

bool HasKind(const toml::node& node, ConfigKind kind) {
  switch (kind) {
    case ConfigKind::kText:
    case ConfigKind::kList:
      return node.is_string();
    case ConfigKind::kNumber:
      return node.is_integer();
    case ConfigKind::kFlag:
      return node.is_boolean();
  }
  return false;
}

absl::Status ReadValue(const std::string& file, const ConfigKey& key, const toml::node& node,
                       NodeConfig& config) {
  std::vector<std::string> values;
  const toml::array* array = key.kind == ConfigKind::kList ? node.as_array() : nullptr;
  if (key.kind == ConfigKind::kList && array == nullptr) {
    return ErrorAt(file, node.source(), key.name() + " must be a list of texts");
  }
  const auto add = [&](const toml::node& value) {
    if (HasKind(value, key.kind)) values.push_back(*TextOf(value));
    return HasKind(value, key.kind);
  };
  bool good = true;
  if (array == nullptr) {
    good = add(node);
  } else {
    for (const toml::node& value : *array) good = good && add(value);
  }
  const char* kind = key.kind == ConfigKind::kNumber ? "a number"
                     : key.kind == ConfigKind::kFlag ? "true or false"
                                                     : "a text";
  if (!good) return ErrorAt(file, node.source(), key.name() + " must be " + kind);
  const absl::Status set = SetConfig(key, values, key.name(), config);
  return set.ok() ? set : ErrorAt(file, node.source(), std::string(set.message()));
}

}  // namespace

std::string ConfigKey::flag() const {
  std::string flag = "--" + std::string(section) + "-" + std::string(key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::string ConfigKey::environment() const {
  return "TOMBOLO_" + Upper(std::string(section)) + "_" + Upper(std::string(key));
}

std::string ConfigKey::description() const {
  std::string values;
  for (const std::string& value : get(NodeConfig())) {
    values += (values.empty() ? "" : ",") + value;
  }
  return std::string(help) + (range.empty() ? "" : "; " + range) + "; default " +
         (values.empty() ? "none" : values) + " [" + name() + ", " + environment() + "]";
}

std::span<const ConfigKey> ConfigKeys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all = MakeKeys();
    std::ranges::move(PeerRelayKeys(), std::back_inserter(all));
    return all;
  }();
  return keys;
}

absl::Status SetConfig(const ConfigKey& key, const std::vector<std::string>& values,
                       const std::string& source, NodeConfig& config) {
  key.clear(config);
  for (const std::string& value : values) {
    const std::string allowed = key.set(config, value);
    if (!allowed.empty()) {
      return absl::InvalidArgumentError(source + " must be " + allowed + ", not '" + value + "'");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadConfigText(std::string_view text, const std::string& name, NodeConfig& config) {
  toml::table file;
  try {
    file = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return ErrorAt(name, error.source(), std::string(error.description()));
  }
  for (const auto& [section, node] : file) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return ErrorAt(name, node.source(),
                     "'" + std::string(section.str()) + "' is outside of a section");
    }
    if (table->empty() && !IsSection(section.str())) {
      return ErrorAt(name, section.source(),
                     "unknown section '" + std::string(section.str()) + "'");
    }
    for (const auto& [word, value] : *table) {
      const std::string full = std::string(section.str()) + "." + std::string(word.str());
      const ConfigKey* key = FindKey(full);
      if (key == nullptr) {
        return ErrorAt(name, word.source(),
                       "unknown key '" + full + "'; did you mean '" + NearestTo(full) + "'?");
      }
      if (absl::Status read = ReadValue(name, *key, value, config); !read.ok()) return read;
    }
  }
  return absl::OkStatus();
}

absl::Status ReadConfigFile(const std::string& path, NodeConfig& config) {
  std::string text;
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                               std::fclose);
    if (file == nullptr) return absl::NotFoundError("cannot read " + path);
    std::array<char, 4096> block{};
    for (std::size_t got = 0; (got = std::fread(block.data(), 1, block.size(), file.get())) > 0;) {
      text.append(block.data(), got);
    }
    if (std::ferror(file.get()) != 0) return absl::UnavailableError("cannot read " + path);
  }
  return ReadConfigText(text, path, config);
}

}  // namespace tombolo::node
