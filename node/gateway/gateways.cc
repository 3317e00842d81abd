#include "node/gateway/gateways.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "node/gateway/peer_relay.h"
#include "node/gateway/websocket_server.h"
#include "node/host_port.h"

namespace tombolo::node {
namespace {

// One descriptor per client: as many as the system lets us have.
void RaiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t WallMicros() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

std::uint64_t RandomSeed() {
  std::random_device random;
  return (std::uint64_t{random()} << 32) | random();
}

PeerRelayOptions PeerRelayOptionsOf(const NodeConfig& config) {
  PeerRelayOptions options;
  options.url = config.peer_relay_url;
  options.candidates = static_cast<std::size_t>(config.peer_relay_candidates);
  options.transit = config.peer_relay_transit;
  options.bootstrap = config.peer_relay_bootstrap;
  options.greeting_deadline = Duration::Seconds(config.peer_relay_handshake_s);
  options.seed = RandomSeed();
  return options;
}

WebSocketOptions SocketOptionsOf(const NodeConfig& config) {
  WebSocketOptions options;
  options.max_connections = static_cast<std::size_t>(config.peer_relay_clients);
  options.per_address = static_cast<std::size_t>(config.peer_relay_clients_per_address);
  options.max_message = static_cast<std::size_t>(config.peer_relay_message_bytes);
  options.max_queue = static_cast<std::size_t>(config.peer_relay_queue_bytes);
  options.messages_per_second = static_cast<std::size_t>(config.peer_relay_messages_per_s);
  options.bytes_per_second = static_cast<std::size_t>(config.peer_relay_bytes_per_s);
  options.handshake_deadline = Duration::Seconds(config.peer_relay_handshake_s);
  options.ping_after = Duration::Seconds(config.peer_relay_idle_s);
  options.deflate = config.peer_relay_deflate;
  options.origins = config.peer_relay_origins;
  options.tls_certificate = config.peer_relay_tls_certificate;
  options.tls_key = config.peer_relay_tls_key;
  return options;
}

// Where it listens, if that is one address.
std::string UrlOf(const std::string& listening, bool tls) {
  const std::optional<HostPort> parsed = ParseHostPort(listening);
  if (!parsed || parsed->host == "0.0.0.0" || parsed->host == "::") return "";
  return (tls ? "wss://" : "ws://") + listening;
}

}  // namespace

struct Gateways::PeerRelay {
  PeerRelay(const boost::asio::any_io_executor& strand, Application& application,
            const NodeConfig& config)
      : gateway(application, PeerRelayOptionsOf(config), WallMicros),
        server(strand, SocketOptionsOf(config), gateway, RandomSeed()) {}

  PeerRelayGateway gateway;
  WebSocketServer server;
};

Gateways::Gateways(boost::asio::any_io_executor strand, Application& application,
                   const NodeConfig& config)
    : strand_(std::move(strand)), application_(application), config_(config) {}

Gateways::~Gateways() { Stop(); }

absl::Status Gateways::Start() {
  if (!config_.peer_relay_listen.empty()) return StartPeerRelay();
  return absl::OkStatus();
}

absl::Status Gateways::StartPeerRelay() {
  RaiseFileLimit();
  peer_relay_ = std::make_unique<PeerRelay>(strand_, application_, config_);
  if (absl::Status started = peer_relay_->server.Start(config_.peer_relay_listen); !started.ok()) {
    peer_relay_.reset();
    return started;
  }
  const std::string listening = peer_relay_->server.listening();
  peer_relay_->gateway.Start(peer_relay_->server,
                             UrlOf(listening, !config_.peer_relay_tls_certificate.empty()));
  application_.AddFigures("peer_relay_", [this] {
    const PeerRelayGateway& gateway = peer_relay_->gateway;
    return Application::Figures{gateway.Counters(), {{"clients", gateway.clients()}}};
  });
  spdlog::info("peer-relay clients at {}", listening);
  return absl::OkStatus();
}

absl::Status Gateways::ReadFiles() {
  return peer_relay_ == nullptr ? absl::OkStatus() : peer_relay_->server.ReadTls();
}

std::vector<std::string> Gateways::UseFiles() {
  if (peer_relay_ == nullptr || !peer_relay_->server.UseTls()) return {};
  return {"peer_relay.tls_certificate"};
}

void Gateways::Leave(Duration span, std::function<void()> gone) {
  if (peer_relay_ == nullptr) return gone();
  peer_relay_->gateway.TellLeaving();
  peer_relay_->server.Leave(span, std::move(gone));
}

void Gateways::Stop() {
  if (peer_relay_ != nullptr) peer_relay_->server.Stop();
}

}  // namespace tombolo::node
