#include "node/bootstrap.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tombolo::node {
namespace {

using Outcome = Bootstrap::Outcome;
using Strings = std::vector<std::string>;

Time At(double seconds) { return Time{static_cast<std::int64_t>(seconds * 1e6)}; }

TEST(Bootstrap, DialsAllAtTheStartAndAgainWhileAlone) {
  Bootstrap bootstrap({"a:1", "b:1"}, 1);
  EXPECT_EQ(bootstrap.next_deadline(), Time{});
  EXPECT_EQ(bootstrap.Due(true, At(0)), (Strings{"a:1", "b:1"}));
  EXPECT_TRUE(bootstrap.Due(true, At(0)).empty());
  bootstrap.Done("a:1", Outcome::kNobody, At(1));
  EXPECT_FALSE(bootstrap.TakeExhausted());
  bootstrap.Done("b:1", Outcome::kNobody, At(1));
  EXPECT_TRUE(bootstrap.TakeExhausted());
  EXPECT_FALSE(bootstrap.TakeExhausted());
  EXPECT_LE(bootstrap.next_deadline(), At(1.25));
  EXPECT_EQ(bootstrap.Due(true, At(1.25)), (Strings{"a:1", "b:1"}));
}

TEST(Bootstrap, AmongOthersItTriesOnlyThoseNotReachedAndSeldom) {
  Bootstrap bootstrap({"a:1", "b:1"}, 1);
  bootstrap.Due(true, At(0));
  bootstrap.Done("a:1", Outcome::kReached, At(1));
  bootstrap.Done("b:1", Outcome::kNobody, At(1));
  EXPECT_FALSE(bootstrap.TakeExhausted());
  EXPECT_TRUE(bootstrap.Due(false, At(20)).empty());
  EXPECT_EQ(bootstrap.next_deadline(), At(25));
  EXPECT_EQ(bootstrap.Due(false, At(30)), Strings{"b:1"});
  bootstrap.Done("b:1", Outcome::kReached, At(31));
  EXPECT_TRUE(bootstrap.Due(false, At(100)).empty());
  EXPECT_EQ(bootstrap.Due(true, At(100)), (Strings{"a:1", "b:1"}));
}

TEST(Bootstrap, ForgetsItsOwnAddress) {
  Bootstrap bootstrap({"self:1"}, 1);
  bootstrap.Due(true, At(0));
  bootstrap.Done("self:1", Outcome::kSelf, At(1));
  EXPECT_TRUE(bootstrap.TakeExhausted());
  EXPECT_TRUE(bootstrap.empty());
  EXPECT_EQ(bootstrap.next_deadline(), kNever);
}

TEST(Bootstrap, NewAddressesAreDialledAtOnce) {
  Bootstrap bootstrap({}, 1);
  EXPECT_EQ(bootstrap.next_deadline(), kNever);
  bootstrap.Replace({"c:1"}, At(50));
  EXPECT_EQ(bootstrap.next_deadline(), At(50));
  EXPECT_EQ(bootstrap.Due(false, At(50)), Strings{"c:1"});
}

}  // namespace
}  // namespace tombolo::node
