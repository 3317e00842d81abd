// Figures of a node by name, and how they are written: as the text format that Prometheus scrapes,
// and as JSON. One list serves both, so that no page knows a figure that another does not.
//
// Names are snake_case and end in their unit (`_seconds`, `_bytes`); a count of nothing but things
// has none. In Prometheus they begin with `tombolo_`, and counters end in `_total`. A family has at
// most one label, whose values come from a closed list of the program: never an id, an address or
// anything else that comes from outside, since each value costs the collector memory for ever.
//
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tombolo::node {

struct MetricSample {
  std::string label_value;  // of a closed list; empty: the family has no label
  double value = 0;
};

struct MetricFamily {
  std::string name;
  std::string_view help;  // one line; static, as the label is
  bool counter = false;   // only ever grows; else a gauge
  std::string_view label;
  std::vector<MetricSample> samples;
};

class MetricList {
 public:
  void Gauge(std::string_view name, double value, std::string_view help) {
    families_.push_back({std::string(name), help, false, {}, {{{}, value}}});
  }
  void Counter(std::string_view name, double value, std::string_view help) {
    families_.push_back({std::string(name), help, true, {}, {{{}, value}}});
  }
  // Counters of one kind each; add samples to what is returned.
  std::vector<MetricSample>& Counters(std::string_view name, std::string_view label,
                                      std::string_view help) {
    families_.push_back({std::string(name), help, true, label, {}});
    return families_.back().samples;
  }
  std::span<const MetricFamily> families() const { return families_; }

 private:
  std::vector<MetricFamily> families_;
};

// Version 0.0.4 of the text format, with build_info of `version` first.
std::string PrometheusText(const MetricList& metrics, const std::string& version);

// One object: `facts` as texts, then every family as a number, or as an object of numbers by the
// value of its label.
std::string StatsJson(const MetricList& metrics,
                      const std::vector<std::pair<std::string, std::string>>& facts);

}  // namespace tombolo::node
