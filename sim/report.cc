#include "sim/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <system_error>

namespace tombolo::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kForwardKinds> kForwardNames = {
    "data", "receipt", "unreachable", "connect_request", "connect_accept", "connect_refuse"};
constexpr std::array<std::string_view, kFailReasons> kFailNames = {
    "deadline", "unreachable", "no_links", "undialable", "refused", "overload", "left"};

// Counts that are not zero, by name.
template <class Counts, class Names>
Json Named(const Counts& counts, const Names& names) {
  Json named = Json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) named[std::string(names[i])] = counts[i];
  }
  return named;
}

double Ended(const OperationMetrics& metrics) {
  return static_cast<double>(metrics.succeeded + metrics.failed);
}

Json OperationReport(OperationKind kind, const OperationMetrics& metrics) {
  Json report;
  report["started"] = metrics.started;
  report["succeeded"] = metrics.succeeded;
  report["failed"] = metrics.failed;
  report["void"] = metrics.voided;
  report["success_ratio"] = Ratio(static_cast<double>(metrics.succeeded), Ended(metrics));
  report["failed_by_reason"] = Named(metrics.failed_by_reason, kFailNames);
  const bool asks = kind == OperationKind::kLookup || kind == OperationKind::kGet ||
                    kind == OperationKind::kResolve;
  if (asks) report["messages_each"] = Ratio(static_cast<double>(metrics.messages), Ended(metrics));
  if (kind == OperationKind::kLookup) {
    report["closest_found"] = Ratio(static_cast<double>(metrics.closest_ok), Ended(metrics));
    report["dead_contacts_each"] = Ratio(static_cast<double>(metrics.dead), Ended(metrics));
  }
  if (kind == OperationKind::kResolve)
    report["right_home"] = Ratio(static_cast<double>(metrics.closest_ok), Ended(metrics));
  if (kind != OperationKind::kPut && kind != OperationKind::kConnect &&
      kind != OperationKind::kAttach)
    report["hops"] = HopsReport(metrics.hops);
  report["latency_ms"] = LatencyReport(metrics.latency);
  return report;
}

Json LoadReport(std::vector<std::uint32_t> received) {
  const std::uint64_t total = std::accumulate(received.begin(), received.end(), std::uint64_t{0});
  std::sort(received.begin(), received.end());
  const std::size_t count = received.size();
  const auto rank = [&](std::size_t percent) {
    return count == 0 ? 0 : received[(count - 1) * percent / 100];
  };
  return {{"mean", Ratio(static_cast<double>(total), static_cast<double>(count))},
          {"p99", rank(99)},
          {"max", rank(100)}};
}

std::string IdText(const RunResult& result, PeerRef peer) {
  return result.world->directory().id(peer).ToHex();
}

Json FirstOffender(const RunResult& result, const Finding& finding) {
  return {{"peer", IdText(result, finding.peer)},
          {"number", Index(finding.peer)},
          {"time_s", finding.at.seconds()},
          {"detail", finding.detail}};
}

Json BucketsReport(const RunResult& result, const BucketCheck& check) {
  Json report = {
      {"peers", check.peers}, {"buckets", check.buckets}, {"false_empty", check.false_empty}};
  if (check.false_empty > 0) {
    report["first"] = FirstOffender(result, FindingOf(check));
    report["first"]["bucket"] = check.first_level;
  }
  return report;
}

Json ConditionReport(const RunResult& result, const Finding& finding) {
  Json report = {{"invariant", NameOf(finding.invariant)},
                 {"checked", finding.checked},
                 {"broken", finding.broken}};
  if (!finding.ok()) report["first"] = FirstOffender(result, finding);
  return report;
}

Json LookupsReport(const RunResult& result, const LookupCheck& check) {
  Json report = {{"lookups", check.lookups},
                 {"failed", check.failed},
                 {"exact", check.exact},
                 {"k_closest_found",
                  Ratio(static_cast<double>(check.found), static_cast<double>(check.wanted))}};
  if (check.first_target) {
    report["first"] = {{"source", IdText(result, check.first_source)},
                       {"target", check.first_target->ToHex()}};
  }
  return report;
}

// What the messages of one subject cost, told by the beginning of their names: per second, and for
// each of `count` things.
Json CostReport(const RunResult& result, std::string_view subject, std::size_t count) {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
    if (!kMessageNames[kind].starts_with(subject)) continue;
    messages += result.metrics.messages[kind];
    bytes += result.metrics.bytes[kind];
  }
  const double each = static_cast<double>(count) * result.simulated.seconds();
  return {{"count", count},
          {"messages_per_second_each", Ratio(static_cast<double>(messages), each)},
          {"bytes_per_second_each", Ratio(static_cast<double>(bytes), each)}};
}

Json UntilReport(const Scenario& scenario, const Until& until) {
  const auto condition = static_cast<std::size_t>(scenario.end) - 1;
  return {{"condition", kConditionNames[condition]},
          {"reached", until.reached},
          {"seconds", until.at.seconds()}};
}

Json AttachReport(const RunResult& result) {
  std::set<NodeId> rooms;
  for (const auto& [id, client] : result.world->clients())
    rooms.insert(client.rooms.begin(), client.rooms.end());
  return {{"clients", CostReport(result, "lease_", result.world->clients().size())},
          {"rooms", CostReport(result, "room_", rooms.size())}};
}

constexpr const char* kPartEnding = ".part";

absl::Status CannotWrite(const std::string& path) {
  return absl::InvalidArgumentError(path +
                                    ": cannot be written; allowed is a file in an existing folder");
}

// True for what exists and is no plain file: a device, a pipe, a link to one like /dev/stdout.
bool IsSpecial(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
}

}  // namespace

std::string_view Version() { return TOMBOLO_VERSION; }

std::string HashText(std::uint64_t hash) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x", static_cast<unsigned>(hash >> 32),
                static_cast<unsigned>(hash & 0xffffffffU));
  return text.data();
}

double Ratio(double numerator, double denominator) {
  return denominator > 0 ? numerator / denominator : 0;
}

Json HopsReport(const HopHistogram& hops) {
  return {{"mean", hops.mean()},
          {"p50", hops.quantile(0.5)},
          {"p99", hops.quantile(0.99)},
          {"max", hops.max()}};
}

Json LatencyReport(const LatencyHistogram& latency) {
  const auto ms = [](std::int64_t us) { return static_cast<double>(us) / 1000; };
  return {{"mean", latency.mean() / 1000},
          {"p50", ms(latency.quantile(0.5))},
          {"p95", ms(latency.quantile(0.95))},
          {"p99", ms(latency.quantile(0.99))},
          {"max", ms(latency.max())}};
}

Json CommonReport(const Scenario& scenario, const RunResult& result) {
  const Metrics& metrics = result.metrics;
  const Costs& costs = result.costs;
  const std::uint64_t grown =
      costs.rss_bytes > costs.rss_empty_bytes ? costs.rss_bytes - costs.rss_empty_bytes : 0;
  Json report;
  report["version"] = Version();
  report["seed"] = scenario.world.seed;
  report["peers"] = scenario.world.peers;
  report["events"] = metrics.events;
  report["messages"] = metrics.total_messages();
  for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
    report["messages_by_kind"][std::string(kMessageNames[kind])] = metrics.messages[kind];
  }
  report["bytes"] = metrics.total_bytes();
  report["simulated_seconds"] = result.simulated.seconds();
  report["setup_seconds"] = costs.setup_seconds;
  report["cpu_seconds"] = costs.cpu_seconds;
  report["wall_seconds"] = costs.wall_seconds;
  report["peak_rss_bytes"] = costs.peak_rss_bytes;
  report["bytes_per_peer"] = Ratio(static_cast<double>(grown), scenario.world.peers);
  report["trace_hash"] = HashText(result.trace_hash);
  if (result.interrupted) report["interrupted"] = true;
  return report;
}

Json FullReport(const Scenario& scenario, const RunResult& result) {
  const Metrics& metrics = result.metrics;
  Json report = CommonReport(scenario, result);
  report["events_per_second"] =
      Ratio(static_cast<double>(metrics.events), result.costs.cpu_seconds);
  report["live_peers"] = result.live_peers;
  report["joins"] = metrics.joins;
  report["crashes"] = metrics.crashes;
  report["leaves"] = metrics.leaves;
  report["operations"] = Json::object();
  for (std::size_t kind = 0; kind < kOperationKinds; ++kind) {
    const OperationMetrics& operation = metrics.operations[kind];
    if (operation.started == 0) continue;
    report["operations"][std::string(kOperationNames[kind])] =
        OperationReport(static_cast<OperationKind>(kind), operation);
  }
  if (!result.world->clients().empty()) report["attach"] = AttachReport(result);
  report["active_operations"] = result.active_operations;
  if (result.until) report["run_until"] = UntilReport(scenario, *result.until);
  report["forwards_by_kind"] = Named(metrics.forwards, kForwardNames);
  report["messages_per_peer"] = LoadReport(metrics.received);
  report["lost"] = metrics.lost;
  report["cut"] = metrics.cut;
  report["injected_faults"] = Named(metrics.injected, kInjectedNames);
  report["to_dead"] = metrics.to_dead;
  report["unreachable"] = metrics.unreachable;
  report["dials"] = metrics.dials;
  report["ephemeral_dials"] = metrics.ephemeral_dials;
  report["drops_by_reason"] = Named(metrics.drops, kDropNames);
  report["checks"] = Json::object();
  for (std::size_t i = 0; i < kConditions; ++i) {
    if (!result.conditions[i]) continue;
    report["checks"][std::string(kConditionNames[i])] =
        ConditionReport(result, *result.conditions[i]);
  }
  if (result.buckets) report["checks"]["buckets"] = BucketsReport(result, *result.buckets);
  if (result.lookups) report["checks"]["lookups"] = LookupsReport(result, *result.lookups);
  report["expectations_broken"] = BrokenExpectations(scenario, result);
  return report;
}

std::vector<std::string> BrokenExpectations(const Scenario& scenario, const RunResult& result) {
  std::vector<std::string> broken;
  const auto least = [&](const char* key, double wanted, std::uint64_t good, double ended) {
    const double share = Ratio(static_cast<double>(good), ended);
    if (wanted < 0 || share >= wanted) return;
    broken.push_back(std::string(key) + " is " + std::to_string(share) + ", expected at least " +
                     std::to_string(wanted));
  };
  const Expectations& expect = scenario.expect;
  const OperationMetrics& lookups = result.metrics.of(OperationKind::kLookup);
  const OperationMetrics& sends = result.metrics.of(OperationKind::kSend);
  least("lookup_success", expect.lookup_success, lookups.succeeded, Ended(lookups));
  least("closest_found", expect.closest_found, lookups.closest_ok, Ended(lookups));
  least("send_success", expect.send_success, sends.succeeded, Ended(sends));
  for (std::size_t i = 0; i < kConditions; ++i) {
    const std::optional<Finding>& finding = result.conditions[i];
    if (!finding || finding->ok()) continue;
    broken.push_back(std::string(kConditionNames[i]) +
                     " does not hold at the end: " + Describe(*result.world, *finding));
  }
  if (expect.false_empty_buckets >= 0) {
    const std::uint64_t count = result.buckets ? result.buckets->false_empty : 0;
    const bool checked = result.buckets && result.buckets->peers > 0;
    if (!checked) {
      broken.push_back(
          "false_empty_buckets was not checked: check_peers is 0, or no peer has joined");
    }
    if (count > static_cast<std::uint64_t>(expect.false_empty_buckets)) {
      broken.push_back("false_empty_buckets is " + std::to_string(count) + ", expected at most " +
                       std::to_string(expect.false_empty_buckets) + ": " +
                       Describe(*result.world, FindingOf(*result.buckets)));
    }
  }
  return broken;
}

absl::Status WriteFile(const std::string& path, const std::string& text) {
  // A file appears whole or not at all; anything else must not be replaced by one.
  const bool in_place = IsSpecial(path);
  const std::string target = in_place ? path : path + kPartEnding;
  std::ofstream file(target, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  std::error_code error;
  if (file && !in_place) std::filesystem::rename(target, path, error);
  if (file && !error) return absl::OkStatus();
  if (!in_place) std::filesystem::remove(target, error);
  return CannotWrite(path);
}

absl::Status CheckWritable(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return CannotWrite(path);
  if (IsSpecial(path)) return absl::OkStatus();
  const std::string target = path + kPartEnding;
  const bool good = std::ofstream(target, std::ios::binary | std::ios::trunc).good();
  std::filesystem::remove(target, error);
  return good ? absl::OkStatus() : CannotWrite(path);
}

}  // namespace tombolo::sim
