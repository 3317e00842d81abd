#include "overlay/nearest_word.h"

#include <gtest/gtest.h>

namespace tombolo {
namespace {

TEST(NearestWord, DistanceCountsInsertionsDeletionsChangesAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("listen", "listen"), 0U);
  EXPECT_EQ(EditDistance("lisen", "listen"), 1U);
  EXPECT_EQ(EditDistance("listen", "lisen"), 1U);
  EXPECT_EQ(EditDistance("ab", "ba"), 1U);
  EXPECT_EQ(EditDistance("sedes", "seeds"), 1U);
  EXPECT_EQ(EditDistance("abc", "cab"), 2U);
}

TEST(NearestWord, IsTheFirstOfTheNearestWithinTheDistance) {
  EXPECT_EQ(NearestWord("pee", {"put", "peers", "pees"}, 2), "pees");
  EXPECT_EQ(NearestWord("cat", {"rat", "bat"}, 1), "rat");
  EXPECT_EQ(NearestWord("cat", {"dog"}, 2), "");
  EXPECT_EQ(NearestWord("cat", {}, 9), "");
}

TEST(NearestWord, AnUnknownArgumentIsNamedWithTheFlagThatWasMeant) {
  const std::vector<std::string> flags = {"--help", "--listen", "--json"};
  const struct {
    std::vector<std::string> unknown;
    const char* text;
  } kCases[] = {
      {{"--lisen"}, "unknown argument '--lisen'; did you mean '--listen'?"},
      {{"127.0.0.1:0", "--lisen"}, "unknown argument '--lisen'; did you mean '--listen'?"},
      {{"--josn"}, "unknown argument '--josn'; did you mean '--json'?"},
      {{"--jsn=3"}, "unknown argument '--jsn=3'; did you mean '--json'?"},
      {{"--control"}, "unknown argument '--control'; see --help"},
      {{"more"}, "unknown argument 'more'; see --help"},
      {{"--"}, "unknown argument '--'; see --help"},
      {{""}, "unknown argument ''; see --help"},
  };
  for (const auto& [unknown, text] : kCases) EXPECT_EQ(UnknownArgument(unknown, flags), text);
  EXPECT_EQ(UnknownArgument({"x"}, {}), "unknown argument 'x'; see --help");
}

}  // namespace
}  // namespace tombolo
