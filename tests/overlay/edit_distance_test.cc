#include "overlay/edit_distance.h"

#include <gtest/gtest.h>

namespace tombolo {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsAndChanges) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("listen", "listen"), 0U);
  EXPECT_EQ(EditDistance("lisen", "listen"), 1U);
  EXPECT_EQ(EditDistance("listen", "lisen"), 1U);
  EXPECT_EQ(EditDistance("ab", "ba"), 2U);
}

}  // namespace
}  // namespace tombolo
