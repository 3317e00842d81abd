#include "node/metrics.h"

#include <gtest/gtest.h>

namespace tombolo::node {
namespace {

MetricList Sample() {
  MetricList list;
  list.Gauge("links", 3, "Links.");
  list.Counter("cpu_seconds", 0.25, "Time.");
  auto& events = list.Counters("link_events", "event", "Events.");
  events.push_back({"dials", 7});
  events.push_back({"a\"b\\c\nd", 9e15});
  return list;
}

TEST(Metrics, PrometheusTextHasHelpTypeAndValues) {
  const std::string text = PrometheusText(Sample(), "1.2\"3");
  EXPECT_NE(text.find("tombolo_build_info{version=\"1.2\\\"3\",compiler=\""), std::string::npos);
  const std::size_t rest = text.find("# HELP tombolo_links");
  ASSERT_NE(rest, std::string::npos);
  EXPECT_EQ(text.substr(rest),
            "# HELP tombolo_links Links.\n# TYPE tombolo_links gauge\ntombolo_links 3\n"
            "# HELP tombolo_cpu_seconds_total Time.\n# TYPE tombolo_cpu_seconds_total counter\n"
            "tombolo_cpu_seconds_total 0.25\n"
            "# HELP tombolo_link_events_total Events.\n# TYPE tombolo_link_events_total counter\n"
            "tombolo_link_events_total{event=\"dials\"} 7\n"
            "tombolo_link_events_total{event=\"a\\\"b\\\\c\\nd\"} 9e+15\n");
}

TEST(Metrics, JsonHasFactsAndNumbers) {
  EXPECT_EQ(StatsJson(Sample(), {{"version", "1\"\x01"}}),
            "{\n  \"version\": \"1\\\"\\u0001\",\n  \"links\": 3,\n  \"cpu_seconds\": 0.25,\n"
            "  \"link_events\": {\"dials\": 7, \"a\\\"b\\\\c\\u000ad\": 9e+15}\n}\n");
  EXPECT_EQ(StatsJson({}, {{"a", "b"}}), "{\n  \"a\": \"b\"\n}\n");
}

}  // namespace
}  // namespace tombolo::node
