#include "sim/slab.h"

#include <gtest/gtest.h>

#include <string>

#include "overlay/archive.h"

namespace tombolo::sim {
namespace {

TEST(Slab, GivesTheSlotFreedLastOutFirst) {
  Slab<std::string> slab;
  for (const char* text : {"a", "b", "c"}) slab.Add(text);
  slab.Free(0);
  slab.Free(2);
  EXPECT_EQ(slab.in_use(), 1U);
  EXPECT_EQ(slab.size(), 3U);
  EXPECT_EQ(slab.Add("d"), 2U);
  EXPECT_EQ(slab.Add("e"), 0U);
  EXPECT_EQ(slab.Add("f"), 3U);
  EXPECT_EQ(slab[0] + slab[1] + slab[2] + slab[3], "ebdf");
  EXPECT_EQ(slab.IndexOf(slab[3]), 3U);
}

TEST(Slab, GivesOutTheSameSlotsAfterSavingAndLoading) {
  Slab<std::string> slab;
  for (const char* text : {"a", "b", "c"}) slab.Add(text);
  slab.Free(1);
  Writer writer;
  writer(slab);
  const auto bytes = writer.Take();
  Slab<std::string> loaded;
  Reader reader(bytes);
  reader(loaded);
  ASSERT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(loaded[2], "c");
  EXPECT_EQ(loaded.Add("x"), slab.Add("x"));
}

}  // namespace
}  // namespace tombolo::sim
