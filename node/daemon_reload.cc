// Reading the configuration anew while the node runs.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>

#include "node/daemon.h"
#include "node/daemon_options.h"
#include "node/log.h"
#include "node/service_manager.h"

namespace tombolo::node {
namespace {

// All others need a restart.
constexpr std::array<std::string_view, 9> kLiveKeys = {
    "node.log_level", "node.drain_timeout_s", "links.advertise",
    "links.dialable", "links.bootstrap",      "http.connections",
    "security.allow", "security.deny",        "http.connections_per_address",
};

bool IsLive(const ConfigKey& key) {
  if (key.section == "limits") return !key.key.starts_with("channel");
  return std::ranges::find(kLiveKeys, key.name()) != kLiveKeys.end();
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

void Daemon::ReloadOnSignal() {
  reload_signal_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    NotifyServiceManager("RELOADING=1");
    Reload().status().IgnoreError();  // the log has it
    if (!draining_) NotifyServiceManager("READY=1");
    ReloadOnSignal();
  });
}

absl::StatusOr<ReloadOutcome> Daemon::Reload() {
  absl::StatusOr<NodeConfig> read = reread_();
  if (read.ok()) {
    if (absl::Status files = gateways_.ReadFiles(); !files.ok()) read = files;
  }
  if (read.ok()) {
    if (absl::Status files = control_.Reload(); !files.ok()) read = files;
  }
  if (!read.ok()) {
    spdlog::error("the configuration stays as it was: {}", std::string(read.status().message()));
    return absl::InvalidArgumentError(read.status().message());
  }
  ReloadOutcome outcome;
  NodeConfig next = config_;
  for (const ConfigKey& key : ConfigKeys()) {
    const std::vector<std::string> values = key.get(*read);
    if (values == key.get(config_)) continue;
    (IsLive(key) ? outcome.changed : outcome.restart_required).push_back(key.name());
    if (!IsLive(key)) continue;
    key.clear(next);
    for (const std::string& value : values) key.set(next, value);
  }
  Apply(next);
  for (std::string& key : gateways_.UseFiles()) outcome.changed.push_back(std::move(key));
  spdlog::info("the configuration was read again; changed: {}",
               outcome.changed.empty() ? "nothing" : Joined(outcome.changed));
  if (!outcome.restart_required.empty()) {
    spdlog::warn("restart required for: {}", Joined(outcome.restart_required));
  }
  return outcome;
}

void Daemon::Apply(const NodeConfig& next) {
  const bool bootstrap = next.bootstrap != config_.bootstrap;
  config_ = next;
  SetLogLevel(next.log_level);
  host_.SetLimits(HostLimitsOf(next));
  transport_.SetLimits(AcceptLimitsOf(next), {next.peer_bytes_per_s, next.peer_messages_per_s},
                       {next.bytes_per_s, next.messages_per_s});
  http_.SetLimits(HttpAcceptLimitsOf(next));
  trust_->Replace(IdsOf(next.allow), IdsOf(next.deny));
  host_.Expel(*trust_);
  SetReachability();
  if (bootstrap) host_.SetBootstrap(next.bootstrap);
}

}  // namespace tombolo::node
