#include "sim/archive_file.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tombolo::sim {
namespace {

using Bytes = std::vector<std::uint8_t>;

class ArchiveFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        std::filesystem::path(::testing::TempDir()) / (std::string("archive_file_") + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "world").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Bytes FileBytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void SetFileBytes(const Bytes& bytes) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    for (const std::uint8_t byte : bytes) file.put(static_cast<char>(byte));
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(ArchiveFile, LoadsWhatWasSavedAndLeavesNoTemporaryFile) {
  for (const Bytes& payload :
       {Bytes{}, Bytes{1}, Bytes(1000, 7), Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9}}) {
    ASSERT_EQ(SaveArchive(path_, payload), std::nullopt);
    const LoadedArchive loaded = LoadArchive(path_);
    EXPECT_EQ(loaded.error, "");
    EXPECT_EQ(loaded.payload, payload);
  }
  const std::filesystem::directory_iterator files(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(ArchiveFile, EveryTruncationAndEveryFlippedByteIsNoticed) {
  ASSERT_EQ(SaveArchive(path_, Bytes{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 0}), std::nullopt);
  const Bytes good = FileBytes();
  for (std::size_t i = 0; i < good.size(); ++i) {
    SetFileBytes(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i)));
    ASSERT_FALSE(LoadArchive(path_).ok()) << "cut to " << i;
    Bytes flipped = good;
    flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ 0x10);
    SetFileBytes(flipped);
    ASSERT_FALSE(LoadArchive(path_).ok()) << "flipped " << i;
    ASSERT_TRUE(LoadArchive(path_).payload.empty());
  }
  Bytes longer = good;
  longer.push_back(0);
  SetFileBytes(longer);
  EXPECT_FALSE(LoadArchive(path_).ok());
}

TEST_F(ArchiveFile, ErrorsSayWhatIsWrong) {
  ASSERT_EQ(SaveArchive(path_, Bytes(20, 1)), std::nullopt);
  const Bytes good = FileBytes();
  struct Case {
    std::size_t at;
    const char* error;
  };
  for (const Case& c :
       {Case{0, "not a saved world (it does not begin with TOMBOLO1)"},
        Case{8, "format version 5, this program reads version 4"},
        Case{12, "damaged header (the reserved field is not 0)"},
        Case{16, "cut or damaged: 20 bytes of payload, the header says 21"},
        Case{24, "damaged: the checksum differs"}, Case{40, "damaged: the checksum differs"}}) {
    Bytes bad = good;
    bad[c.at] = static_cast<std::uint8_t>(bad[c.at] ^ 1);
    SetFileBytes(bad);
    EXPECT_EQ(LoadArchive(path_).error, path_ + ": " + c.error);
  }
  SetFileBytes({1, 2, 3});
  EXPECT_EQ(LoadArchive(path_).error, path_ + ": not a saved world (shorter than its header)");
  std::filesystem::remove(path_);
  EXPECT_EQ(LoadArchive(path_).error, path_ + ": No such file or directory");
}

TEST_F(ArchiveFile, AFailedSaveKeepsTheOldFile) {
  ASSERT_EQ(SaveArchive(path_, Bytes{1, 2, 3}), std::nullopt);
  std::filesystem::create_directories(path_ + ".tmp");  // the temporary file cannot be written
  EXPECT_EQ(SaveArchive(path_, Bytes{4}), path_ + ": cannot write " + path_ + ".tmp");
  EXPECT_EQ(LoadArchive(path_).payload, (Bytes{1, 2, 3}));
}

TEST_F(ArchiveFile, SavingOverAFolderFailsAndCleansUp) {
  std::filesystem::create_directories(path_);
  const std::optional<std::string> error = SaveArchive(path_, Bytes{4});
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->find(path_ + ": cannot rename "), 0U) << *error;
  EXPECT_FALSE(std::filesystem::exists(path_ + ".tmp"));
  EXPECT_FALSE(LoadArchive(path_).ok());
}

TEST(Checksum, DependsOnEveryByteAndTheLength) {
  EXPECT_NE(Checksum(Bytes{}), Checksum(Bytes{0}));
  EXPECT_NE(Checksum(Bytes{0}), Checksum(Bytes{0, 0}));
  EXPECT_NE(Checksum(Bytes{1, 0}), Checksum(Bytes{0, 1}));
  EXPECT_EQ(Checksum(Bytes{1, 2}), Checksum(Bytes{1, 2}));
}

}  // namespace
}  // namespace tombolo::sim
