#include "overlay/short_vector.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "overlay/archive.h"
#include "overlay/rng.h"

namespace tombolo {
namespace {

using Short = ShortVector<std::uint32_t, 2>;

std::vector<std::uint32_t> Contents(const Short& values) { return {values.begin(), values.end()}; }

TEST(ShortVector, DoesWhatAVectorDoes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    Short values;
    std::vector<std::uint32_t> twin;
    for (std::uint32_t step = 0; step < 400; ++step) {
      const auto place = rng.Below(static_cast<std::uint32_t>(twin.size()) + 1);
      const bool some = place < twin.size();
      switch (rng.Below(6)) {
        case 0:
          values.push_back(step);
          twin.push_back(step);
          break;
        case 1:
          values.insert(values.begin() + place, step);
          twin.insert(twin.begin() + place, step);
          break;
        case 2:
          if (some) values.erase(values.begin() + place);
          if (some) twin.erase(twin.begin() + place);
          break;
        case 3:
          values.erase(values.begin() + place, values.end());
          twin.erase(twin.begin() + place, twin.end());
          break;
        case 4:
          if (some) values.pop_back();
          if (some) twin.pop_back();
          break;
        default:
          values.push_back(step + 1);
          twin.push_back(step + 1);
      }
      ASSERT_EQ(Contents(values), twin) << seed << " " << step;
      ASSERT_EQ(values.empty(), twin.empty());
      if (twin.empty()) continue;
      ASSERT_EQ(values.front(), twin.front());
      ASSERT_EQ(values.back(), twin.back());
      ASSERT_EQ(values[twin.size() / 2], twin[twin.size() / 2]);
    }
  }
}

TEST(ShortVector, AnElementOfItselfCanBeAdded) {
  Short values;
  for (std::uint32_t i = 0; i < 20; ++i) {
    values.push_back(i);
    values.push_back(values.front());
    values.insert(values.begin(), values.back());
    EXPECT_EQ(values.front(), 0U);
    EXPECT_EQ(values.back(), 0U);
  }
}

TEST(ShortVector, IsAValue) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 40U}) {
    Short first;
    for (std::uint32_t i = 0; i < size; ++i) first.push_back(i);
    const std::vector<std::uint32_t> contents = Contents(first);
    Short copy(first);
    copy.push_back(99);
    EXPECT_EQ(Contents(first), contents);
    copy = first;
    EXPECT_EQ(Contents(copy), contents);
    const Short& same = copy;
    copy = same;
    EXPECT_EQ(Contents(copy), contents);
    Short moved(std::move(first));
    EXPECT_EQ(Contents(moved), contents);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): empty is what it promises
    first.push_back(7);
    moved = std::move(first);
    EXPECT_EQ(Contents(moved), std::vector<std::uint32_t>{7});
    moved.clear();
    EXPECT_TRUE(moved.empty());
  }
}

TEST(ShortVector, IsStoredAsAVectorIs) {
  Short values;
  for (std::uint32_t i = 0; i < 5; ++i) values.push_back(i * i);
  Writer writer;
  writer(values);
  Writer twin;
  twin(Contents(values));
  EXPECT_EQ(writer.bytes(), twin.bytes());
  Short loaded;
  loaded.push_back(3);
  Reader reader(writer.bytes());
  reader(loaded);
  EXPECT_TRUE(reader.ok() && reader.at_end());
  EXPECT_EQ(Contents(loaded), Contents(values));
}

TEST(ShortVector, MoreThanItHoldsIsAnErrorOfTheFile) {
  Writer writer;
  writer(std::vector<std::uint32_t>(Short::kMaxSize + 1, 7));
  Short loaded;
  Reader reader(writer.bytes());
  reader(loaded);
  EXPECT_FALSE(reader.ok());
}

TEST(ShortVector, ABrokenFileLeavesItAsItWas) {
  Short values;
  values.push_back(4);
  Writer writer;
  writer(values);
  std::vector<std::uint8_t> bytes = writer.Take();
  bytes.pop_back();
  Reader reader(bytes);
  reader(values);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(Contents(values), std::vector<std::uint32_t>{4});
}

}  // namespace
}  // namespace tombolo
