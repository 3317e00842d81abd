#include "overlay/lazy.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "overlay/archive.h"

namespace tombolo {
namespace {

using Text = Lazy<std::string>;

Text Holding(const char* text) {
  Text lazy;
  lazy.Emplace(text);
  return lazy;
}

TEST(Lazy, IsEmptyUntilEnsured) {
  Text lazy;
  EXPECT_FALSE(lazy);
  EXPECT_EQ(lazy.get(), nullptr);
  lazy.Ensure() += "a";
  lazy.Ensure() += "b";  // the same value
  ASSERT_TRUE(lazy);
  EXPECT_EQ(*lazy, "ab");
  EXPECT_EQ(lazy->size(), 2U);
  lazy.Reset();
  EXPECT_FALSE(lazy);
  EXPECT_EQ(lazy.Ensure(), "");
}

TEST(Lazy, CopiesTheValueNotThePointer) {
  Text original = Holding("a");
  Text copy = original;
  *copy += "b";
  EXPECT_EQ(*original, "a");
  Text assigned = Holding("other");
  assigned = copy;
  *copy = "changed";
  EXPECT_EQ(*assigned, "ab");
  const Text& alias = assigned;
  assigned = alias;
  EXPECT_EQ(*assigned, "ab");
  assigned = Text();
  EXPECT_FALSE(assigned);
  EXPECT_FALSE(Text(assigned));
}

TEST(Lazy, MovingLeavesTheSourceEmpty) {
  Text source = Holding("a");
  const std::string* value = source.get();
  Text target = std::move(source);
  EXPECT_EQ(target.get(), value);
  EXPECT_FALSE(source);  // NOLINT(bugprone-use-after-move): it is what is tested
  source = std::move(target);
  EXPECT_EQ(source.get(), value);
}

TEST(Lazy, SurvivesSaving) {
  std::vector<Text> saved(3);
  saved[1] = Holding("a");
  Writer writer;
  writer(saved);
  std::vector<Text> loaded = {Holding("stale"), Text()};
  Reader reader(writer.bytes());
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end());
  ASSERT_EQ(loaded.size(), 3U);
  EXPECT_FALSE(loaded[0]);
  EXPECT_EQ(*loaded[1], "a");
  EXPECT_FALSE(loaded[2]);
}

TEST(Lazy, ReadingAnAbsentValueEmptiesTheTarget) {
  Writer writer;
  writer(Text());
  Text target = Holding("a");
  Reader reader(writer.bytes());
  reader(target);
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(target);
}

}  // namespace
}  // namespace tombolo
