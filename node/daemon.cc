#include "node/daemon.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <utility>

#include "node/asio_clock.h"
#include "node/host_port.h"
#include "node/service_manager.h"

namespace tombolo::node {
namespace {

constexpr std::chrono::minutes kSaveInterval{1};
constexpr std::size_t kRemembered = 256;
// Simulated peers answer at once, processes when the system lets them: on a busy machine a hop of
// microseconds takes tens of milliseconds, and every early repetition makes it busier.
constexpr Duration kMinRto = Duration::Milliseconds(200);

HostOptions MakeHostOptions(const NodeConfig& config, const std::string& version, const NodeId& id,
                            const DataDir& data) {
  HostOptions options;
  options.core.overlay = OverlayKind::kBoth;
  options.core.relay.min_rto = kMinRto;
  options.core.links.max_links = static_cast<int>(config.links);
  // The share that the core's defaults have: few links must not all be kept free.
  options.core.links.reserved = options.core.links.max_links / 4;
  options.links.max_connections = static_cast<std::size_t>(config.connections);
  options.channels.max_channels = static_cast<std::size_t>(config.channels);
  options.channels.max_per_peer = static_cast<std::size_t>(config.channels_per_peer);
  options.channels.max_window = static_cast<std::size_t>(config.channel_window_kib) << 10;
  options.channels.max_memory = static_cast<std::size_t>(config.channel_memory_mib) << 20;
  options.channels.silence = Duration::Seconds(config.channel_silence_s);
  options.self.id = id;
  options.self.agent = "tombolo " + version;
  options.bootstrap = config.bootstrap;
  options.remembered = data.LoadPeers();
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
  std::vector<NodeId> allow;
  std::vector<NodeId> deny;
  for (const std::string& id : config.allow) allow.push_back(*NodeId::FromHex(id));
  for (const std::string& id : config.deny) deny.push_back(*NodeId::FromHex(id));
  options.trust = std::make_shared<TrustList>(std::move(allow), std::move(deny));
  options.accept.total = static_cast<std::size_t>(config.connections);
  options.accept.per_address = static_cast<std::size_t>(config.connections_per_address);
  options.accept.per_prefix = static_cast<std::size_t>(config.connections_per_prefix);
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Make(const NodeConfig& config,
                                                     const std::string& version) {
  absl::StatusOr<GrpcTransportOptions> transport = MakeTransportOptions(config);
  if (!transport.ok()) return transport.status();
  absl::StatusOr<DataDir> data = DataDir::Open(config.data_dir);
  if (!data.ok()) return data.status();
  absl::StatusOr<Identity> identity = Identity::LoadOrCreate(data->key_path());
  if (!identity.ok()) return identity.status();
  return std::unique_ptr<Daemon>(
      new Daemon(config, version, *std::move(data), *std::move(identity), *std::move(transport)));
}

Daemon::Daemon(const NodeConfig& config, const std::string& version, DataDir data,
               Identity identity, GrpcTransportOptions transport)
    : config_(config),
      data_(std::move(data)),
      host_(MakeHostOptions(config, version, identity.id(), data_), application_),
      transport_(io_.get_executor(), std::move(identity), std::move(transport), host_),
      clock_(MakeAsioClock(io_.get_executor())),
      control_(io_.get_executor(), application_, transport_,
               {config.control, version, [this] { Drain(); }, [this] { return clock_->now(); }}),
      gateways_(io_.get_executor(), application_, config_),
      signals_(io_),
      save_timer_(io_),
      drain_timer_(io_) {
  application_.Use(host_);
  application_.set_on_stopped([this] { EndTransport(); });
}

// What others are told: what the operator says, else where it listens if that is one address.
std::vector<std::string> Daemon::Advertised() const {
  if (!config_.advertise.empty()) return config_.advertise;
  const std::string listening = transport_.listening();
  const std::optional<HostPort> parsed = ParseHostPort(listening);
  if (!parsed || parsed->host == "0.0.0.0" || parsed->host == "::") return {};
  return {listening};
}

absl::Status Daemon::Start() {
  if (absl::Status listens = transport_.Listen(config_.listen); !listens.ok()) return listens;
  if (config_.control != "off") {
    if (absl::Status serves = control_.Start(); !serves.ok()) return serves;
  }
  if (absl::Status serves = gateways_.Start(); !serves.ok()) return serves;
  const std::vector<std::string> addresses = Advertised();
  if (addresses.empty()) {
    spdlog::warn("links.advertise is not set: others cannot dial this node, which opens its links");
  }
  host_.SetReachability(addresses, !addresses.empty());
  host_.Start(*clock_, transport_);
  SaveLater();
  spdlog::info("node {} listens at {}, control {}", host_.self().id.ToHex(), transport_.listening(),
               control_.address().empty() ? "off" : "at " + control_.address());
  return absl::OkStatus();
}

void Daemon::BeProcess() {
  is_process_ = true;
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) OnSignal();
  });
  NotifyServiceManager("READY=1");
}

void Daemon::Run() { io_.run(); }

// The second one means it.
void Daemon::OnSignal() {
  Drain();
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) EndTransport();
  });
}

void Daemon::Drain() {
  if (std::exchange(draining_, true)) return;
  spdlog::info("draining");
  if (is_process_) NotifyServiceManager("STOPPING=1");
  control_.SetServing(false);
  gateways_.Stop();
  SavePeers();
  host_.Stop();
  drain_timer_.expires_after(std::chrono::seconds(config_.drain_timeout_s));
  drain_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    spdlog::warn("drain_timeout is over");
    EndTransport();
  });
}

// All links have ended, or must.
void Daemon::EndTransport() {
  if (std::exchange(ended_, true)) return;
  application_.GiveUp();
  // In a turn of its own: the host may be in the middle of one.
  boost::asio::post(io_, [this] {
    transport_.Stop();
    control_.Stop([this] {
      drain_timer_.cancel();
      spdlog::info("ended");
      io_.stop();
    });
  });
}

void Daemon::SavePeers() {
  // Whom the last life knew is worth more than nobody.
  const std::vector<RememberedPeer> peers = host_.Remember(kRemembered);
  if (peers.empty()) return;
  if (const absl::Status saved = data_.SavePeers(peers); !saved.ok()) {
    spdlog::error("{}", std::string(saved.message()));
  }
}

void Daemon::SaveLater() {
  save_timer_.expires_after(kSaveInterval);
  save_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || draining_) return;
    SavePeers();
    SaveLater();
  });
}

}  // namespace tombolo::node
