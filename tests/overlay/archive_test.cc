#include "overlay/archive.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo {
namespace {

enum class Colour : std::uint8_t { kRed = 3 };

// A class with everything that the convention supports.
struct Inner {
  std::string name;
  std::vector<std::uint16_t> numbers;

  bool operator==(const Inner&) const = default;
  template <class Archive>
  void Serialize(Archive& archive) {
    archive(name, numbers);
  }
};

struct Everything {
  std::int64_t number = 0;
  double real = 0;
  bool flag = false;
  Colour colour{};
  Time time;
  std::string text;
  std::vector<Inner> inners;
  std::vector<bool> flags;
  std::vector<std::vector<std::string>> nested;
  std::optional<Inner> present;
  std::optional<int> absent = 5;
  std::array<std::uint32_t, 3> words{};
  std::array<Inner, 2> pair_of_inners;
  std::pair<std::string, int> named;
  std::tuple<int, std::string> tuple;
  std::variant<int, std::string, Inner> choice;
  std::vector<std::pair<std::uint8_t, std::string>> list;

  bool operator==(const Everything&) const = default;
  template <class Archive>
  void Serialize(Archive& archive) {
    archive(number, real, flag, colour, time, text, inners, flags, nested, present, absent, words,
            pair_of_inners, named, tuple, choice, list);
  }
};

Everything Example() {
  Everything all;
  all.number = -7;
  all.real = 0.5;
  all.flag = true;
  all.colour = Colour::kRed;
  all.time = Time{123};
  all.text = std::string("with\0zero", 9);
  all.inners = {{"a", {1, 2}}, {"", {}}};
  all.flags = {true, false, true};
  all.nested = {{"x", "y"}, {}};
  all.present = Inner{"p", {9}};
  all.absent = std::nullopt;
  all.words = {1, 2, 3};
  all.pair_of_inners = {Inner{"l", {}}, Inner{"r", {4}}};
  all.named = {"n", 6};
  all.tuple = {1, "t"};
  all.choice = Inner{"c", {}};
  all.list = {{1, "one"}, {2, "two"}};
  return all;
}

template <class T>
std::vector<std::uint8_t> Saved(const T& value) {
  Writer writer;
  writer(value);
  return writer.Take();
}

TEST(Archive, ReadsBackWhatWasWritten) {
  const Everything saved = Example();
  const std::vector<std::uint8_t> bytes = Saved(saved);
  Everything loaded;
  loaded.inners.resize(9);  // reading replaces
  Reader reader(bytes);
  reader(loaded);
  EXPECT_TRUE(reader.ok()) << reader.error() << " at " << reader.offset();
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(loaded, saved);
  EXPECT_EQ(Saved(loaded), bytes);
}

TEST(Archive, FormatIsFixed) {
  struct Case {
    const char* name;
    std::vector<std::uint8_t> actual;
    std::vector<std::uint8_t> expected;
  };
  const std::vector<Case> cases = {
      {"integer", Saved(std::uint32_t{0x01020304}), {4, 3, 2, 1}},
      {"flag", Saved(true), {1}},
      {"string", Saved(std::string("ab")), {2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b'}},
      {"vector", Saved(std::vector<std::uint16_t>{7}), {1, 0, 0, 0, 0, 0, 0, 0, 7, 0}},
      {"optional", Saved(std::optional<std::uint8_t>(9)), {1, 9}},
      {"absent", Saved(std::optional<std::uint8_t>()), {0}},
      {"array", Saved(std::array<std::uint8_t, 2>{1, 2}), {1, 2}},
      {"variant", Saved(std::variant<bool, std::uint8_t>(std::uint8_t{8})), {1, 0, 0, 0, 8}},
      {"generator", Saved(Rng(1)), {1, 0, 0, 0, 0, 0, 0, 0}},
  };
  for (const Case& c : cases) EXPECT_EQ(c.actual, c.expected) << c.name;
}

TEST(Archive, EveryTruncationIsAnErrorWithinTheBytes) {
  const std::vector<std::uint8_t> bytes = Saved(Example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::uint8_t> cut(bytes.begin(),
                                        bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Everything loaded;
    Reader reader(cut);
    reader(loaded);
    ASSERT_FALSE(reader.ok()) << size;
    ASSERT_LE(reader.offset(), size);
    ASSERT_STRNE(reader.error(), "");
  }
}

// Damage may go unnoticed here (the file's checksum finds it), but never reads or takes too much.
// What is read without an error is well formed: it can be written and read again.
TEST(Archive, EveryDamagedByteIsHarmless) {
  const std::vector<std::uint8_t> bytes = Saved(Example());
  int noticed = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int mask : {0x01, 0x40, 0x80, 0xff}) {
      std::vector<std::uint8_t> damaged = bytes;
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ mask);
      Everything loaded;
      Reader reader(damaged);
      reader(loaded);
      ASSERT_LE(reader.offset(), damaged.size());
      ASSERT_LE(loaded.inners.capacity() + loaded.nested.capacity(), 1000U);
      if (reader.ok()) {
        ASSERT_EQ(Saved(loaded).size(), reader.offset());
      } else {
        ++noticed;
      }
    }
  }
  EXPECT_GT(noticed, 0);
}

TEST(Archive, NamesTheErrorAndItsOffset) {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  struct Case {
    const char* name;
    std::vector<std::uint8_t> bytes;
    const char* error;
    std::size_t offset;
  };
  const char* const kSize = "a size exceeds the bytes that are left";
  for (const Case& c : {Case{"string", Saved(kHuge), kSize, 8},
                        Case{"string by one", Saved(std::pair(std::uint64_t{2}, true)), kSize, 8},
                        Case{"string cut", {0, 0, 0}, "the bytes end too early", 0}}) {
    std::string text = "unchanged";
    Reader reader(c.bytes);
    reader(text);
    EXPECT_STREQ(reader.error(), c.error) << c.name;
    EXPECT_EQ(reader.offset(), c.offset) << c.name;
    EXPECT_EQ(text, "unchanged") << c.name;
  }
  bool flag = false;
  const std::vector<std::uint8_t> two = {2};
  Reader flag_reader(two);
  flag_reader(flag);
  EXPECT_STREQ(flag_reader.error(), "a flag is neither 0 nor 1");
  std::variant<int, bool> choice;
  const std::vector<std::uint8_t> third = Saved(std::uint32_t{2});
  Reader choice_reader(third);
  choice_reader(choice);
  EXPECT_STREQ(choice_reader.error(), "no such alternative");
}

// The size is checked in elements: this one would overflow if it were multiplied first.
TEST(Archive, AForgedSizeTakesNoMemory) {
  for (const std::uint64_t size :
       {std::uint64_t{1} << 61, (std::uint64_t{1} << 61) + 1, ~std::uint64_t{0}}) {
    const std::vector<std::uint8_t> bytes = Saved(std::pair(size, std::uint64_t{7}));
    std::vector<std::uint64_t> plain;
    Reader plain_reader(bytes);
    plain_reader(plain);
    EXPECT_FALSE(plain_reader.ok());
    EXPECT_EQ(plain.capacity(), 0U);
    std::vector<Inner> inners;
    Reader inner_reader(bytes);
    inner_reader(inners);
    EXPECT_FALSE(inner_reader.ok());
    EXPECT_EQ(inners.capacity(), 0U);
  }
}

TEST(Archive, TheFirstErrorSticks) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5, 6};
  Reader reader(bytes);
  std::uint32_t first = 0;
  std::uint32_t second = 77;
  std::uint8_t third = 88;
  reader(first, second, third);  // the third would fit
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(first, 0x04030201U);
  EXPECT_EQ(second, 77U);
  EXPECT_EQ(third, 88U);
  EXPECT_EQ(reader.offset(), 4U);
  reader.Fail("another");
  EXPECT_STREQ(reader.error(), "the bytes end too early");
}

struct Even {
  int value = 0;
  template <class Archive>
  void Serialize(Archive& archive) {
    archive(value);
    if constexpr (Archive::kReading) {
      if (value % 2 != 0) archive.Fail("odd");
    }
  }
};

TEST(Archive, AClassMayRefuseWhatItRead) {
  const std::vector<std::uint8_t> bytes = Saved(std::vector<Even>{{2}, {3}, {4}});
  std::vector<Even> loaded;
  Reader reader(bytes);
  reader(loaded);
  EXPECT_STREQ(reader.error(), "odd");
  EXPECT_EQ(reader.offset(), 16U);
}

}  // namespace
}  // namespace tombolo
