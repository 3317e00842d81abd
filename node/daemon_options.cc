#include "node/daemon_options.h"

#include <algorithm>
#include <random>
#include <utility>

namespace tombolo::node {
namespace {

// Simulated peers answer at once, processes when the system lets them: on a busy machine a hop of
// microseconds takes tens of milliseconds, and every early repetition makes it busier.
constexpr Duration kMinRto = Duration::Milliseconds(200);

constexpr Duration kLongestSpread = Duration::Seconds(2);

}  // namespace

std::vector<NodeId> IdsOf(const std::vector<std::string>& texts) {
  std::vector<NodeId> ids;
  for (const std::string& text : texts) ids.push_back(*NodeId::FromHex(text));
  return ids;
}

AcceptLimits AcceptLimitsOf(const NodeConfig& config) {
  return {static_cast<std::size_t>(config.connections),
          static_cast<std::size_t>(config.connections_per_address),
          static_cast<std::size_t>(config.connections_per_prefix)};
}

AcceptLimits HttpAcceptLimitsOf(const NodeConfig& config) {
  const auto total = static_cast<std::size_t>(config.http_connections);
  return {total, static_cast<std::size_t>(config.http_connections_per_address), total};
}

HostLimits HostLimitsOf(const NodeConfig& config) {
  return {static_cast<std::size_t>(config.connections), static_cast<int>(config.links),
          static_cast<std::size_t>(config.queue_kib) * 1024, static_cast<int>(config.records),
          static_cast<std::size_t>(config.memory_mib) << 20};
}

Duration CloseSpreadOf(const NodeConfig& config) {
  return std::min(Duration::Seconds(config.drain_timeout_s) / 4, kLongestSpread);
}

HostOptions MakeHostOptions(const NodeConfig& config, const std::string& version, const NodeId& id,
                            const DataDir& data, std::vector<DurableRecord> restored) {
  HostOptions options;
  options.core.overlay = OverlayKind::kBoth;
  options.core.relay.min_rto = kMinRto;
  const HostLimits limits = HostLimitsOf(config);
  options.core.links.max_links = limits.links;
  // The share that the core's defaults have: few links must not all be kept free.
  options.core.links.reserved = limits.links / 4;
  options.core.store.max_records = limits.records;
  options.links.max_connections = limits.connections;
  options.links.max_queue = limits.queue_bytes;
  options.memory_bytes = limits.memory_bytes;
  options.channels.max_channels = static_cast<std::size_t>(config.channels);
  options.channels.max_per_peer = static_cast<std::size_t>(config.channels_per_peer);
  options.channels.max_window = static_cast<std::size_t>(config.channel_window_kib) << 10;
  options.channels.max_memory = static_cast<std::size_t>(config.channel_memory_mib) << 20;
  options.channels.silence = Duration::Seconds(config.channel_silence_s);
  options.links.close_spread = CloseSpreadOf(config);
  options.self.id = id;
  options.self.agent = "tombolo " + version;
  options.bootstrap = config.bootstrap;
  options.remembered = data.LoadPeers();
  options.restored = std::move(restored);
  std::random_device random;
  options.seed = (std::uint64_t{random()} << 32) | random();
  return options;
}

absl::StatusOr<GrpcTransportOptions> MakeTransportOptions(const NodeConfig& config) {
  GrpcTransportOptions options;
  options.insecure = config.insecure;
  if (!config.network_key.empty()) {
    absl::StatusOr<NetworkKey> key = NetworkKey::Load(config.network_key);
    if (!key.ok()) return key.status();
    options.network_key = *std::move(key);
  }
  options.accept = AcceptLimitsOf(config);
  options.peer_rates = {config.peer_bytes_per_s, config.peer_messages_per_s};
  options.rates = {config.bytes_per_s, config.messages_per_s};
  return options;
}

}  // namespace tombolo::node
