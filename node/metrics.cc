#include "node/metrics.h"

#include <array>
#include <charconv>
#include <cmath>

namespace tombolo::node {
namespace {

bool IsWhole(double value) { return std::floor(value) == value && std::abs(value) < 9e15; }

// Counts without a fraction, others as short as reads back the same.
std::string NumberText(double value) {
  if (IsWhole(value)) return std::to_string(static_cast<std::int64_t>(value));
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

// Of a label: backslash, quote and line end are the only ones that the format escapes.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void AppendFamily(const MetricFamily& family, std::string& out) {
  const std::string name = "tombolo_" + family.name + (family.counter ? "_total" : "");
  out += "# HELP " + name + " " + std::string(family.help) + "\n";
  out += "# TYPE " + name + (family.counter ? " counter\n" : " gauge\n");
  for (const MetricSample& sample : family.samples) {
    out += name;
    if (!family.label.empty()) {
      out += "{" + std::string(family.label) + "=\"" + Escaped(sample.label_value) + "\"}";
    }
    out += " " + NumberText(sample.value) + "\n";
  }
}

// A text of JSON; bytes from 0x80 on are taken for UTF-8.
std::string Quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4];
      quoted += kHex[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string JsonOf(const std::vector<MetricSample>& samples) {
  std::string text;
  for (const MetricSample& sample : samples) {
    text +=
        (text.empty() ? "" : ", ") + Quoted(sample.label_value) + ": " + NumberText(sample.value);
  }
  return "{" + text + "}";
}

}  // namespace

std::string PrometheusText(const MetricList& metrics, const std::string& version) {
  std::string text =
      "# HELP tombolo_build_info The program; always 1.\n# TYPE tombolo_build_info gauge\n";
  text += "tombolo_build_info{version=\"" + Escaped(version) + "\",compiler=\"" +
          Escaped(__VERSION__) + "\"} 1\n";
  for (const MetricFamily& family : metrics.families()) AppendFamily(family, text);
  return text;
}

std::string StatsJson(const MetricList& metrics,
                      const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string text;
  const auto add = [&text](std::string_view name, const std::string& value) {
    text += (text.empty() ? "{\n  " : ",\n  ") + Quoted(name) + ": " + value;
  };
  for (const auto& [name, value] : facts) add(name, Quoted(value));
  for (const MetricFamily& family : metrics.families()) {
    add(family.name,
        family.label.empty() ? NumberText(family.samples.front().value) : JsonOf(family.samples));
  }
  return text + "\n}\n";
}

}  // namespace tombolo::node
