#include "node/report.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

namespace tombolo::node {
namespace {

constexpr std::array<std::string_view, 4> kStates = {"IDLE", "JOINING", "JOINED", "LEFT"};

double Seconds(const timeval& span) {
  return static_cast<double>(span.tv_sec) + static_cast<double>(span.tv_usec) / 1e6;
}

// Of this process, from /proc; 0 where there is none.
double ResidentBytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"),
                                                             std::fclose);
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (file == nullptr || std::fscanf(file.get(), "%lu %lu", &total, &resident) != 2) return 0;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void AddProcess(const ReportSources& sources, MetricList& list) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  list.Gauge("uptime_seconds", sources.uptime_s, "Since the process began.");
  list.Counter("cpu_seconds", Seconds(usage.ru_utime) + Seconds(usage.ru_stime),
               "Processor time of the process, user and system.");
  list.Gauge("resident_memory_bytes", ResidentBytes(), "Memory of the process that is in RAM.");
}

double Dialable(const Host& host) {
  return host.reach() == Reach::kUnknown ? -1 : host.reach() == Reach::kYes ? 1 : 0;
}

void AddOverlay(const ReportSources& sources, MetricList& list) {
  const Host& host = sources.host;
  const Peer& core = host.core();
  const auto count = [](std::size_t number) { return static_cast<double>(number); };
  list.Gauge("ready", ReadyObstacle(host, sources.draining).empty() ? 1 : 0, "1: /ready says 200.");
  list.Gauge("draining", sources.draining ? 1 : 0, "1: the node is leaving.");
  list.Gauge("joined", core.state() == PeerState::kJoined ? 1 : 0, "1: part of an overlay.");
  list.Gauge("dialable", Dialable(host), "1: others can dial it; 0: they cannot; -1: unknown.");
  list.Gauge("connections", count(host.links().connection_count()), "Connections to other nodes.");
  list.Gauge("links", count(host.links().kept_count()), "Connections that the overlay keeps.");
  list.Gauge("contacts", count(core.table().live_count()), "Live contacts in the routing table.");
  list.Gauge("known_peers", count(host.known().size()), "Peers of which an id is known.");
  const PeerParts* parts = core.parts();
  const bool records = parts != nullptr && parts->records;
  const bool published = parts != nullptr && parts->put_get;
  list.Gauge("records", records ? count(parts->records->size()) : 0, "Records held for others.");
  list.Gauge("records_published", published ? count(parts->put_get->published().size()) : 0,
             "Records that this node publishes.");
  list.Gauge("payloads", count(host.payloads_in_use()), "Payloads in memory.");
  list.Gauge("payload_and_queue_bytes", count(host.memory_bytes()),
             "Memory of payloads, queues and channels, which limits.memory_mib bounds.");
  list.Gauge("requests", count(sources.application.requests()), "Requests under way.");
}

template <class Values, class Names>
void AddKinds(std::string_view name, std::string_view label, std::string_view help,
              const Values& values, const Names& names, MetricList& list) {
  std::vector<MetricSample>& samples = list.Counters(name, label, help);
  for (std::size_t i = 0; i < names.size(); ++i) {
    samples.push_back({std::string(names[i]), static_cast<double>(values[i])});
  }
}

void AddTraffic(const ReportSources& sources, MetricList& list) {
  const Host& host = sources.host;
  AddKinds("link_events", "event", "What has become of connections and messages on them.",
           host.links().counters(), kLinkCountNames, list);
  std::vector<MetricSample>& samples =
      list.Counters("transport_events", "event", "What the transport has done and refused.");
  for (std::size_t i = 0; i < kTransportCountNames.size(); ++i) {
    const std::uint64_t value = sources.transport.counts()[static_cast<TransportCount>(i)];
    samples.push_back({std::string(kTransportCountNames[i]), static_cast<double>(value)});
  }
  AddKinds("messages_sent", "kind", "Messages of the core handed to links.", host.counters().sent,
           kMessageNames, list);
  AddKinds("messages_received", "kind", "Messages handed to the core.", host.counters().received,
           kMessageNames, list);
  AddKinds("messages_dropped", "reason", "What the core has dropped.", host.counters().drops,
           kDropNames, list);
  std::vector<MetricSample>& refused =
      list.Counters("refused_over_memory", "what", "Refused for lack of memory.");
  refused.push_back({"sends", static_cast<double>(host.counters().sends_refused_memory)});
  refused.push_back({"messages", static_cast<double>(host.counters().messages_refused_memory)});
  list.Counter("puts_refused", static_cast<double>(host.counters().puts_refused),
               "Puts of this node beyond limits.records.");
  AddKinds("decode_errors", "reason", "Messages of others that could not be what they said.",
           host.codec().counters().errors, kDecodeErrorNames, list);
  list.Counter("contacts_cut", static_cast<double>(host.codec().counters().contacts_cut),
               "Contacts that others listed and for which there was no room.");
  list.Counter("strange_payloads", static_cast<double>(host.counters().strange_payloads),
               "Relayed payloads of no kind that is known.");
  list.Counter("records_not_kept", static_cast<double>(host.counters().records_not_kept),
               "Answers that were not given since the disk took no record.");
  list.Counter("joins_begun", static_cast<double>(host.counters().joins_begun),
               "Attempts to join an overlay.");
}

void AddKnown(const Host& host, MetricList& list) {
  const KnownPeers::Counters& known = host.known().counters();
  std::vector<MetricSample>& samples = list.Counters(
      "known_peer_events", "event", "What the table of known peers has refused and used again.");
  samples.push_back({"names_refused", static_cast<double>(known.names_refused)});
  samples.push_back({"proofs_refused", static_cast<double>(known.proofs_refused)});
  samples.push_back({"addresses_refused", static_cast<double>(known.addresses_refused)});
  samples.push_back({"reused", static_cast<double>(known.reused)});
  samples.push_back({"sweeps", static_cast<double>(host.counters().sweeps)});
}

void AddChannels(const ChannelTable& channels, MetricList& list) {
  list.Gauge("channels", static_cast<double>(channels.size()), "Channels that are open.");
  list.Gauge("channel_memory_bytes", static_cast<double>(channels.memory()),
             "Memory of channels, which limits.channel_memory_mib bounds.");
  AddKinds("channel_events", "event", "What has become of channels and their segments.",
           channels.counters(), kChannelCountNames, list);
}

// Of gateways and whoever else has registered: no figure of the status may be missing here.
void AddParts(const Application& application, MetricList& list) {
  for (const auto& [prefix, figures] : application.ReadFigures()) {
    for (const auto& [name, value] : figures.gauges) {
      list.Gauge(prefix + name, static_cast<double>(value), "As in the status of the node.");
    }
    if (figures.counters.empty()) continue;
    std::vector<MetricSample>& samples =
        list.Counters(prefix + "events", "event", "As in the status of the node, by name.");
    for (const auto& [name, value] : figures.counters) {
      samples.push_back({name, static_cast<double>(value)});
    }
  }
}

void AddHttp(const HttpServer& http, MetricList& list) {
  list.Gauge("http_connections", static_cast<double>(http.connections()), "Open to this listener.");
  const HttpCounts& counts = http.counts();
  std::vector<MetricSample>& samples =
      list.Counters("http_events", "event", "What this listener has done and refused.");
  samples.push_back({"accepted", static_cast<double>(counts.accepted)});
  samples.push_back({"refused", static_cast<double>(counts.refused)});
  samples.push_back({"replies", static_cast<double>(counts.replies)});
  samples.push_back({"errors", static_cast<double>(counts.errors)});
  samples.push_back({"timeouts", static_cast<double>(counts.timeouts)});
}

HttpReply Overview(const ReportSources& sources) {
  const std::string obstacle = ReadyObstacle(sources.host, sources.draining);
  std::string text = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">";
  text += "<title>tombolo-node</title><h1>tombolo-node " + sources.version + "</h1><p>Node " +
          sources.host.self().id.ToHex() + ", " + (obstacle.empty() ? "ready" : obstacle) + ", " +
          std::to_string(sources.host.links().kept_count()) + " links.</p><ul>";
  for (const std::string path : {"health", "ready", "stats", "metrics", "version"}) {
    text += "<li><a href=\"/" + path + "\">" + path + "</a></li>";
  }
  return {200, "text/html; charset=utf-8", text + "</ul></html>\n"};
}

HttpReply Stats(const ReportSources& sources) {
  const Host& host = sources.host;
  const auto state = static_cast<std::size_t>(host.core().state());
  return {200, "application/json",
          StatsJson(CollectMetrics(sources), {{"version", sources.version},
                                              {"id", host.self().id.ToHex()},
                                              {"state", std::string(kStates[state])},
                                              {"listening", sources.transport.listening()}})};
}

}  // namespace

std::string ReadyObstacle(const Host& host, bool draining) {
  if (draining) return "draining";
  if (host.core().state() != PeerState::kJoined) return "joining";
  const bool linked = host.links().kept_count() > 0;
  const bool first = host.known().Latest(1).empty();
  return linked || first ? "" : "without links";
}

MetricList CollectMetrics(const ReportSources& sources) {
  MetricList list;
  AddProcess(sources, list);
  AddOverlay(sources, list);
  AddTraffic(sources, list);
  AddKnown(sources.host, list);
  AddChannels(sources.host.channels(), list);
  AddParts(sources.application, list);
  AddHttp(sources.http, list);
  list.Counter("control_refused", static_cast<double>(sources.control_refused),
               "Calls of the control API without the right token.");
  return list;
}

HttpReply PageOf(const std::string& path, const ReportSources& sources) {
  if (path == "/health") return {200, "text/plain; charset=utf-8", "ok\n"};
  if (path == "/ready") {
    const std::string obstacle = ReadyObstacle(sources.host, sources.draining);
    if (obstacle.empty()) return {200, "text/plain; charset=utf-8", "ready\n"};
    return {503, "text/plain; charset=utf-8", obstacle + "\n"};
  }
  if (path == "/stats") return Stats(sources);
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8",
            PrometheusText(CollectMetrics(sources), sources.version)};
  }
  if (path == "/version") {
    return {200, "application/json",
            StatsJson({}, {{"version", sources.version}, {"compiler", __VERSION__}})};
  }
  if (path == "/") return Overview(sources);
  return {404, "text/plain; charset=utf-8", "no such page\n"};
}

}  // namespace tombolo::node
