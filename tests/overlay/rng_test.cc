// The generator is part of the contract: a change of any constant changes every published run. The
// expected values were computed by an independent implementation in Python.
#include "overlay/rng.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace tombolo {
namespace {

template <std::size_t kCount>
void ExpectSequence(Rng rng, const std::array<std::uint64_t, kCount>& expected) {
  for (const std::uint64_t value : expected) EXPECT_EQ(rng.Next(), value);
}

TEST(Rng, GivesTheSequenceOfSplitMix64) {
  ExpectSequence<5>(Rng(1234567),
                    {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
                     4593380528125082431ULL, 16408922859458223821ULL});
  ExpectSequence<3>(Rng(0), {0xe220a8397b1dcdafULL, 0x6e789e6aa1b965f4ULL, 0x06c45d188009454fULL});
}

TEST(Rng, SplitGivesAnIndependentStreamPerSeedAndStream) {
  ExpectSequence<2>(Rng::Split(1, 0), {0x19ba9cc01a315698ULL, 0x55c67d8285bfe676ULL});
  ExpectSequence<2>(Rng::Split(1, 1), {0xf9b6252fda8fa40cULL, 0xd95ac54a1a8af3efULL});
  ExpectSequence<2>(Rng::Split(2, 0), {0x8bb4c3aff6dfdf0aULL, 0x4162f8abde54bd64ULL});
}

TEST(Rng, BelowIsFixedAndInRange) {
  Rng rng(7);
  for (const std::uint32_t expected : {38U, 1U, 90U, 58U, 45U, 24U, 46U, 32U}) {
    EXPECT_EQ(rng.Below(100), expected);
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.Below(1), 0U);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(rng.Below(3), 3U);
}

TEST(Rng, BelowReachesEveryValueAboutEquallyOften) {
  Rng rng(11);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) ++counts[rng.Below(10)];
  // Five standard deviations of a binomial count: sqrt(1e5 * .1 * .9) = 95.
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 475);
}

TEST(Rng, Below64IsFixedAndInRange) {
  Rng rng(7);
  for (const std::uint64_t expected :
       {389829748391ULL, 16788294528ULL, 900760680606ULL, 582930293028ULL}) {
    EXPECT_EQ(rng.Below64(1'000'000'000'000ULL), expected);
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.Below64(1), 0U);
}

TEST(Rng, ChanceComparesTheUpperHalfOfTheWord) {
  Rng rng(7);
  for (const bool expected : {true, true, false, false, true, true, true, true}) {
    EXPECT_EQ(rng.Chance(1ULL << 31), expected);
  }
}

TEST(Rng, ChanceOfZeroNeverAndOfOneAlways) {
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(rng.Chance(0));
    EXPECT_TRUE(rng.Chance(1ULL << 32));
  }
}

TEST(Rng, EveryDrawTakesOneStep) {
  Rng next(5);
  Rng below(5);
  Rng below64(5);
  Rng chance(5);
  next.Next();
  below.Below(9);
  below64.Below64(9);
  chance.Chance(9);
  EXPECT_EQ(below.state(), next.state());
  EXPECT_EQ(below64.state(), next.state());
  EXPECT_EQ(chance.state(), next.state());
}

TEST(Rng, SerializeCarriesTheWholeState) {
  Rng rng(5);
  rng.Next();
  std::uint64_t saved = 0;
  auto save = [&saved](std::uint64_t& state) { saved = state; };
  auto load = [&saved](std::uint64_t& state) { state = saved; };
  Rng copy;
  rng.Serialize(save);
  copy.Serialize(load);
  EXPECT_EQ(copy.Next(), rng.Next());
}

}  // namespace
}  // namespace tombolo
