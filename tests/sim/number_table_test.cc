#include "sim/number_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tombolo::sim {
namespace {

TEST(NumberTable, ReadsEverySeparatorAndSkipsCommentsAndEmptyLines) {
  const NumberTable table = ParseNumbers("# title\n1\t2,3\n\nnode 7\r\n 4 , 5 # five\n6e1", "t");
  ASSERT_TRUE(table.ok()) << table.error;
  EXPECT_EQ(table.numbers, (std::vector<double>{1, 2, 3, 4, 5, 60}));
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[1].line, 5U);
  EXPECT_EQ(table.row(1)[1], 5);
  EXPECT_TRUE(table.has_node_lines);
  EXPECT_EQ(table.ErrorAt(2, "odd"), "t:6: odd");
}

TEST(NumberTable, NamesTheLineOfWhatIsNoNumber) {
  for (const char* bad : {"x", "1e999", "nan", "inf", "0x10", "1;2", "--1"}) {
    const NumberTable table = ParseNumbers("1 2\n3 " + std::string(bad) + "\n", "file.tsv");
    EXPECT_EQ(table.error,
              "file.tsv:2: '" + std::string(bad) +
                  "' is no number, expected numbers separated by tabs, commas or spaces");
  }
}

TEST(NumberTable, RefusesEmptyAndMissingFiles) {
  EXPECT_EQ(ParseNumbers("# nothing\n", "t").error, "t:1: no numbers, expected at least one row");
  EXPECT_EQ(ReadNumbers("no/such/file").error,
            "no/such/file:1: cannot be read, expected a text file of numbers");
}

TEST(NumberTable, WritesNumbersBriefly) {
  EXPECT_EQ(NumberText(0.5), "0.5");
  EXPECT_EQ(NumberText(0), "0");
  EXPECT_EQ(NumberText(100000), "100000");
  EXPECT_EQ(NumberText(-2e20), "-2e+20");
}

}  // namespace
}  // namespace tombolo::sim
