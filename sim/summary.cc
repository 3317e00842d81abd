// The report of a run as text to read.
#include <array>
#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/report.h"

namespace tombolo::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string Format(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

// 1234567 as "1,234,567".
std::string Count(const Json& number) {
  std::string text = std::to_string(number.get<std::uint64_t>());
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string Bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"%.0f B", "%.1f kB", "%.1f MB", "%.1f GB",
                                                 "%.1f TB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  return Format(kUnits[unit], bytes);
}

std::string Percent(const Json& share) { return Format("%.2f %%", share.get<double>() * 100); }

// "  label            value".
std::string Line(const std::string& label, const std::string& value) {
  constexpr std::size_t kWidth = 20;
  const std::size_t gap = label.size() < kWidth ? kWidth - label.size() : 1;
  return "  " + label + std::string(gap, ' ') + value + "\n";
}

// "name 12, other 3": the entries of an object of counts that are not 0.
std::string List(const Json& counts) {
  std::string text;
  for (const auto& [name, count] : counts.items()) {
    if (count != 0) text += (text.empty() ? "" : ", ") + name + " " + Count(count);
  }
  return text;
}

std::string InBrackets(const std::string& text) { return text.empty() ? text : "  (" + text + ")"; }

std::string Quantiles(const Json& figures, const char* format) {
  std::string text;
  for (const auto& [name, value] : figures.items()) {
    text += (text.empty() ? "" : "   ") + name + " " + Format(format, value.get<double>());
  }
  return text;
}

std::string OperationText(const std::string& kind, const Json& operation) {
  std::string text = "\n" + kind + "\n";
  text += Line("started", Count(operation["started"]));
  text += Line("succeeded",
               Count(operation["succeeded"]) + "  (" + Percent(operation["success_ratio"]) + ")");
  if (operation["failed"] != 0) {
    text += Line("failed",
                 Count(operation["failed"]) + "  (" + List(operation["failed_by_reason"]) + ")");
  }
  if (operation["void"] != 0)
    text += Line("void", Count(operation["void"]) + "  (an end died meanwhile)");
  if (operation.contains("closest_found"))
    text += Line("closest found", Percent(operation["closest_found"]));
  // 0: a ring counts none for its own lookups.
  if (operation.value("messages_each", 0.0) > 0) {
    text += Line("messages each", Format("%.2f", operation["messages_each"].get<double>()));
  }
  if (operation.contains("hops")) text += Line("hops", Quantiles(operation["hops"], "%.4g"));
  return text + Line("latency, ms", Quantiles(operation["latency_ms"], "%.1f"));
}

std::string WorldText(const Json& report) {
  std::string text = "tombolo-sim " + report["version"].get<std::string>() + "\n";
  text += Line("seed", std::to_string(report["seed"].get<std::uint64_t>()));
  text += Line("peers", Count(report["peers"]) + ", " + Count(report["live_peers"]) +
                            " live at the end  (joins " + Count(report["joins"]) + ", crashes " +
                            Count(report["crashes"]) + ", leaves " + Count(report["leaves"]) + ")");
  text += Line("simulated", Format("%.3f s", report["simulated_seconds"].get<double>()));
  text += Line("events", Count(report["events"]) + "  (" +
                             Format("%.2f M per CPU second)",
                                    report["events_per_second"].get<double>() * 1e-6));
  text +=
      Line("messages", Count(report["messages"]) + InBrackets(List(report["messages_by_kind"])));
  text += Line("bytes", Bytes(report["bytes"].get<double>()));
  const Json& load = report["messages_per_peer"];
  text += Line("load per peer", Quantiles(load, "%.4g") + "  messages received");
  text += Line("lost", Count(report["lost"]) + ", to dead peers " + Count(report["to_dead"]) +
                           ", to undialable peers " + Count(report["unreachable"]));
  text += Line("links dialled", Count(report["dials"]) + " kept, " +
                                    Count(report["ephemeral_dials"]) + " ephemeral");
  if (report.contains("run_until")) {
    const Json& until = report["run_until"];
    text += Line("run until",
                 until["condition"].get<std::string>() + ": " +
                     (until["reached"].get<bool>() ? "reached after " : "not reached in ") +
                     Format("%g s", until["seconds"].get<double>()));
  }
  if (!report["drops_by_reason"].empty())
    text += Line("dropped input", List(report["drops_by_reason"]));
  return text;
}

std::string ChecksText(const Json& report) {
  const Json& checks = report["checks"];
  std::string text;
  if (checks.contains("buckets")) {
    const Json& buckets = checks["buckets"];
    text += Line("buckets", Count(buckets["false_empty"]) + " false-empty of " +
                                Count(buckets["buckets"]) + " in " + Count(buckets["peers"]) +
                                " peers");
    if (buckets.contains("first")) {
      text += Line("", "first: bucket " + std::to_string(buckets["first"]["bucket"].get<int>()) +
                           " of peer " + buckets["first"]["peer"].get<std::string>());
    }
  }
  if (checks.contains("lookups")) {
    const Json& lookups = checks["lookups"];
    text +=
        Line("lookups", Count(lookups["exact"]) + " of " + Count(lookups["lookups"]) +
                            " found all true k closest  (" + Percent(lookups["k_closest_found"]) +
                            " of contacts), " + Count(lookups["failed"]) + " failed");
  }
  for (const Json& broken : report["expectations_broken"])
    text += Line("FAILED", broken.get<std::string>());
  return text.empty() ? text : "\nchecks\n" + text;
}

}  // namespace

std::string Summary(const Json& report) {
  std::string text = report.contains("interrupted") ? "interrupted: the report so far\n" : "";
  text += WorldText(report);
  for (const auto& [kind, operation] : report["operations"].items())
    text += OperationText(kind, operation);
  text += ChecksText(report);
  text += "\ncosts\n";
  text += Line("set-up", Format("%.2f s", report["setup_seconds"].get<double>()));
  text += Line("run", Format("%.2f s", report["wall_seconds"].get<double>()) + "  (" +
                          Format("%.2f s CPU)", report["cpu_seconds"].get<double>()));
  text += Line("memory", Bytes(report["peak_rss_bytes"].get<double>()) + " at most, " +
                             Bytes(report["bytes_per_peer"].get<double>()) + " per peer");
  return text + Line("trace hash", report["trace_hash"].get<std::string>());
}

}  // namespace tombolo::sim
