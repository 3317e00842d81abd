#include "node/daemon.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include <chrono>
#include <csignal>
#include <utility>

#include "node/asio_clock.h"
#include "node/daemon_options.h"
#include "node/host_port.h"
#include "node/report.h"
#include "node/service_manager.h"

namespace tombolo::node {
namespace {

constexpr std::chrono::minutes kSaveInterval{1};
constexpr std::size_t kRemembered = 256;
constexpr std::size_t kAlternatives = 3;  // told to clients when the node leaves
GrpcTransportOptions Trusting(GrpcTransportOptions options, std::shared_ptr<const TrustList> list) {
  options.trust = std::move(list);
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Make(const NodeConfig& config,
                                                     const std::string& version, Reread reread) {
  absl::StatusOr<GrpcTransportOptions> transport = MakeTransportOptions(config);
  if (!transport.ok()) return transport.status();
  absl::StatusOr<DataDir> data = DataDir::Open(config.data_dir);
  if (!data.ok()) return data.status();
  absl::StatusOr<RecordFile> records = RecordFile::Open(data->records_path());
  if (!records.ok()) return records.status();
  if (!records->set_aside().empty()) {
    spdlog::error("{} was damaged: it is now {}, and this node begins without records",
                  data->records_path(), records->set_aside());
  }
  absl::StatusOr<Identity> identity = Identity::LoadOrCreate(data->key_path());
  if (!identity.ok()) return identity.status();
  return std::unique_ptr<Daemon>(new Daemon(config, version, std::move(reread), *std::move(data),
                                            *std::move(records), *std::move(identity),
                                            *std::move(transport)));
}

Daemon::Daemon(const NodeConfig& config, const std::string& version, Reread reread, DataDir data,
               RecordFile records, Identity identity, GrpcTransportOptions transport)
    : config_(config),
      reread_(std::move(reread)),
      version_(version),
      data_(std::move(data)),
      record_file_(std::move(records)),
      host_(MakeHostOptions(config, version, identity.id(), data_,
                            RecordKeeper::Restore(record_file_)),
            application_),
      records_(io_.get_executor(), std::move(record_file_),
               [this](std::uint64_t number, bool kept) { host_.Durable(number, kept); }),
      trust_(std::make_shared<TrustList>(IdsOf(config.allow), IdsOf(config.deny))),
      clock_(MakeAsioClock(io_.get_executor())),
      link_log_(application_, [this] { return clock_->now(); }),
      transport_(io_.get_executor(), std::move(identity), Trusting(std::move(transport), trust_),
                 host_),
      control_(io_.get_executor(), application_, transport_, MakeControlOptions(version)),
      http_(io_.get_executor(), [this](const std::string& path) { return Page(path); },
            {.accept = HttpAcceptLimitsOf(config)}),
      gateways_(io_.get_executor(), application_, config_),
      signals_(io_),
      reload_signal_(io_),
      resolver_(io_),
      save_timer_(io_),
      drain_timer_(io_) {
  host_.set_durable(&records_);
  application_.Use(host_);
  application_.AddFigures("disk_", [this] {
    return Application::Figures{{{"write_failures", records_.failures()}}, {}};
  });
  application_.set_on_stopped([this] { EndTransport(); });
}

ControlOptions Daemon::MakeControlOptions(const std::string& version) {
  ControlOptions options;
  options.address = config_.control;
  options.version = version;
  options.tls_cert = config_.control_cert;
  options.tls_key = config_.control_key;
  options.token_file = config_.control_token;
  options.drain = [this] { Drain(); };
  options.now = [this] { return clock_->now(); };
  options.reload = [this] { return Reload(); };
  options.http = [this] { return http_.listening(); };
  return options;
}

// What others are told: what the operator says, else where it listens if that is one address.
std::vector<std::string> Daemon::Advertised() const {
  if (!config_.advertise.empty()) return config_.advertise;
  const std::string listening = transport_.listening();
  const std::optional<HostPort> parsed = ParseHostPort(listening);
  if (!parsed || parsed->host == "0.0.0.0" || parsed->host == "::") return {};
  return {listening};
}

void Daemon::SetReachability() {
  const std::vector<std::string> addresses = Advertised();
  if (addresses.empty()) {
    spdlog::warn("links.advertise is not set: others cannot dial this node, which opens its links");
  }
  std::optional<bool> dialable;
  if (config_.dialable != "auto") dialable = config_.dialable == "yes";
  host_.SetReachability(addresses, dialable);
  ResolveAdvertised();
}

// A name that others are told is looked up here: they dial back numbers alone, and only those that
// the node calls from.
void Daemon::ResolveAdvertised() {
  const std::vector<std::string> addresses = Advertised();
  const auto named = addresses.empty() ? std::nullopt : ParseHostPort(addresses.front());
  boost::system::error_code not_numeric;
  if (named) boost::asio::ip::make_address(named->host, not_numeric);
  if (!named || !not_numeric) return advertised_trouble_.clear();
  const bool v6 = transport_.listening().starts_with('[');
  resolver_.async_resolve(
      named->host, std::to_string(named->port),
      [this, v6, host = named->host](const boost::system::error_code& error,
                                     boost::asio::ip::tcp::resolver::results_type found) {
        if (draining_) return;
        if (error) return TellAdvertised(host + " is not found: " + error.message());
        for (const auto& entry : found) {
          const auto end = entry.endpoint();
          if (end.address().is_v6() != v6) continue;
          TellAdvertised("");
          return host_.SetDialBack(HostPort{end.address().to_string(), end.port()}.ToString());
        }
        TellAdvertised(host + " has no address of " + (v6 ? "IPv6" : "IPv4") +
                       ", which this node listens on");
      });
}

// The node looks every minute, and says only what is new.
void Daemon::TellAdvertised(const std::string& trouble) {
  if (trouble == advertised_trouble_) return;
  advertised_trouble_ = trouble;
  if (trouble.empty()) return spdlog::info("links.advertise: the name is found");
  spdlog::warn("links.advertise: {}; others may not find this node either", trouble);
}

absl::Status Daemon::Start() {
  if (absl::Status listens = transport_.Listen(config_.listen); !listens.ok()) return listens;
  if (absl::Status serves = gateways_.Start(); !serves.ok()) return serves;
  if (config_.http != "off") {
    if (absl::Status serves = http_.Start(config_.http); !serves.ok()) return serves;
  }
  // The last that may fail: whoever calls waits for this strand, which runs if all has gone well.
  if (config_.control != "off") {
    if (absl::Status serves = control_.Start(); !serves.ok()) return serves;
  }
  SetReachability();
  host_.Start(*clock_, transport_);
  SaveLater();
  const auto at = [](const std::string& address) {
    return address.empty() ? "off" : "at " + address;
  };
  spdlog::info("node {} listens at {}, control {}, http {}", host_.self().id.ToHex(),
               transport_.listening(), at(control_.address()), at(http_.listening()));
  return absl::OkStatus();
}

void Daemon::BeProcess() {
  is_process_ = true;
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) OnSignal();
  });
  reload_signal_.add(SIGHUP);
  ReloadOnSignal();
  NotifyServiceManager("READY=1");
}

void Daemon::Run() {
  io_.run();
  disk_.join();  // the last save is done
}

HttpReply Daemon::Page(const std::string& path) const {
  const std::chrono::duration<double> up = std::chrono::steady_clock::now() - started_;
  return PageOf(path, {application_, host_, transport_, http_, version_, control_.refused(),
                       up.count(), draining_});
}

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
  application_.TellLeaving(host_.Remember(kAlternatives));
  gateways_.Leave(CloseSpreadOf(config_), [this] {
    SavePeers();
    host_.Stop();
  });
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
  gateways_.Stop();
  application_.GiveUp();
  // In a turn of its own: the host may be in the middle of one.
  boost::asio::post(io_, [this] {
    http_.Stop();
    transport_.Stop();
    control_.Stop([this] {
      drain_timer_.cancel();
      spdlog::info("ended");
      io_.stop();
    });
    application_.GiveUp();  // also what was asked since; the control API takes nothing more
  });
}

// On a thread of its own: a disk that is slow to sync must not hold up the strand.
void Daemon::SavePeers() {
  // Whom the last life knew is worth more than nobody.
  std::vector<RememberedPeer> peers = host_.Remember(kRemembered);
  if (peers.empty()) return;
  boost::asio::post(disk_, [this, peers = std::move(peers)] {
    if (const absl::Status saved = data_.SavePeers(peers); !saved.ok()) {
      spdlog::error("{}", std::string(saved.message()));
    }
  });
}

void Daemon::SaveLater() {
  save_timer_.expires_after(kSaveInterval);
  save_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || draining_) return;
    SavePeers();
    ResolveAdvertised();
    records_.Retain(host_.HeldKeys());
    SaveLater();
  });
}

}  // namespace tombolo::node
