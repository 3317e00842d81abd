#include "sim/validate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "overlay/rng.h"
#include "sim/greedy_route.h"

namespace tombolo::sim {
namespace {

TEST(Validate, RowsAreJudgedByTheirRule) {
  const struct {
    double measured;
    bool within;
    bool at_most;
    bool at_least;
  } kCases[] = {{10, true, true, true},     {10.5, true, true, true},
                {10.6, false, false, true}, {9.5, true, true, true},
                {9.4, false, true, false},  {std::nan(""), false, false, false}};
  for (const auto& [measured, within, at_most, at_least] : kCases) {
    EXPECT_EQ((ValidateRow{"t", "r", "m", 10, measured, 0.5, Rule::kWithin}.ok()), within)
        << measured;
    EXPECT_EQ((ValidateRow{"t", "r", "m", 10, measured, 0.5, Rule::kAtMost}.ok()), at_most)
        << measured;
    EXPECT_EQ((ValidateRow{"t", "r", "m", 10, measured, 0.5, Rule::kAtLeast}.ok()), at_least)
        << measured;
  }
}

TEST(Validate, OneBadRowIsABadVerdict) {
  Validation validation;
  validation.rows.push_back({"1.2", "good", "hops_mean", 1, 1, 0, Rule::kWithin});
  EXPECT_TRUE(validation.ok());
  validation.rows.push_back({"1.2", "bad", "hops_mean", 1, 2, 0, Rule::kWithin});
  EXPECT_FALSE(validation.ok());
  EXPECT_NE(ValidateText(validation).find("FAILED"), std::string::npos);
  EXPECT_NE(ValidateText(validation).find("2 rows, 1 failed"), std::string::npos);
}

TEST(Validate, ReportHasTheContractsRows) {
  Validation validation;
  validation.rows.push_back({"1.2", "n=2^10 k=1", "hops_mean", 4.95, 4.9, 0.1, Rule::kWithin});
  const nlohmann::ordered_json report = ValidateReport(validation, Usage{}, Usage{});
  ASSERT_EQ(report["rows"].size(), 1U);
  for (const char* field : {"table", "row", "metric", "expected", "measured", "tolerance", "ok"}) {
    EXPECT_TRUE(report["rows"][0].contains(field)) << field;
  }
  EXPECT_EQ(report["rows"][0]["ok"], true);
  EXPECT_EQ(report["rows"][0]["rule"], "within");
  EXPECT_TRUE(report.contains("trace_hash"));
}

TEST(Validate, WhatNeedsLargeIsNamed) {
  Validation validation;
  validation.skipped.emplace_back("1.1    chord r=20");
  EXPECT_NE(ValidateText(validation).find("1.1    chord r=20  only with --large\n"),
            std::string::npos);
  EXPECT_EQ(ValidateReport(validation, Usage{}, Usage{})["rows_skipped"][0], "1.1    chord r=20");
}

// The whole validation, with a twentieth of the samples: only that each table is there and
// measured.
TEST(Validate, EveryTableIsMeasured) {
  Progress progress(false, "test");
  ValidateOptions options;
  options.scale = 0.05;
  const Interrupts interrupts;
  const ValidateWatch watch{progress, interrupts};
  Validation validation;
  ValidateResilience(options, watch, validation);
  EXPECT_EQ(validation.rows.size(), 32U);
  double last = 0;
  for (const ValidateRow& row : validation.rows) {
    EXPECT_TRUE(row.ok()) << row.row << " measured " << row.measured;
    if (row.row.ends_with("k=1")) {
      EXPECT_GT(row.measured, last) << "more dead, more failures";
      last = row.measured;
    }
  }
}

TEST(GreedyRoute, CountsTheDeliveryHopAndSeesDeadEnds) {
  Directory ids;
  TableConfig config;
  std::vector<RoutingTable> tables(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    NodeId id;
    id.words[0] = (i + 1) << 29;  // 001, 010, 011
    ids.Add(id);
  }
  const auto ref = [](std::uint32_t i) { return static_cast<PeerRef>(i); };
  const auto know = [&](std::uint32_t owner, std::uint32_t contact) {
    const int level = CommonPrefixLength(ids.id(ref(owner)), ids.id(ref(contact)));
    tables[owner].Seen(ref(contact), level, config, ids);
  };
  const auto table_of = [&](PeerRef peer) -> const RoutingTable& { return tables[Index(peer)]; };
  EXPECT_EQ(GreedyHops(ids, table_of, ref(0), ref(0)), 0U);
  EXPECT_EQ(GreedyHops(ids, table_of, ref(0), ref(2)), std::nullopt)
      << "an empty table leads nowhere";
  know(0, 1);
  EXPECT_EQ(GreedyHops(ids, table_of, ref(0), ref(2)), std::nullopt) << "stuck at the second";
  know(1, 2);
  EXPECT_EQ(GreedyHops(ids, table_of, ref(0), ref(2)), 2U);
  know(1, 0);
  EXPECT_EQ(GreedyHops(ids, table_of, ref(1), ref(0)), 1U);
}

}  // namespace
}  // namespace tombolo::sim
