// Records on disk, and what is left of them when the file is not what it was.
#include "node/record_file.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/node/scratch_dir.h"

namespace tombolo::node {
namespace {

StoredRecord Record(std::uint32_t number, std::int64_t expires_ms = 1000) {
  return {NodeId{{number, 2, 3, 4, 5}}, (std::uint64_t{1} << 63) + number, expires_ms,
          "value " + std::to_string(number) + std::string(200, 'v')};
}

void ExpectEqual(const StoredRecord& is, const StoredRecord& should) {
  EXPECT_EQ(is.key, should.key);
  EXPECT_EQ(is.sequence, should.sequence);
  EXPECT_EQ(is.expires_ms, should.expires_ms);
  EXPECT_EQ(is.value, should.value);
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// So that whoever has the file open notices at the next write.
void SpoilSchema(const std::string& path) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database,
                         "PRAGMA writable_schema = ON;"
                         "UPDATE sqlite_master SET sql = 'CREATE TABLE ' WHERE name = 'records';"
                         "PRAGMA schema_version = 1000",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
}

class RecordFileTest : public testing::Test {
 protected:
  std::string path() const { return scratch_ / "records.db"; }

  // The rows of a file that somebody has tampered with: it opens whatever it is, can be written,
  // and has no row that was not written so.
  std::vector<StoredRecord> Survivors() {
    absl::StatusOr<RecordFile> file = RecordFile::Open(path());
    EXPECT_TRUE(file.ok()) << file.status().message();
    if (!file.ok()) return {};
    std::vector<StoredRecord> rows = file->Load(0).value();
    for (const StoredRecord& row : rows) ExpectEqual(row, Record(row.key.words[0]));
    EXPECT_TRUE(file->Write({{Record(1000)}}).ok());
    return rows;
  }
  void Remove() {
    for (const auto& entry : std::filesystem::directory_iterator(scratch_ / "")) {
      std::filesystem::remove(entry.path());
    }
  }

  ScratchDir scratch_;
};

TEST_F(RecordFileTest, WhatWasWrittenIsThereInTheNextLife) {
  {
    RecordFile file = RecordFile::Open(path()).value();
    EXPECT_TRUE(file.Load(0)->empty());
    ASSERT_TRUE(file.Write({{Record(2), Record(1)}}).ok());
    StoredRecord newer = Record(2);
    newer.value = "newer";
    ASSERT_TRUE(file.Write({{newer, Record(3, 5)}}).ok());
  }
  RecordFile file = RecordFile::Open(path()).value();
  EXPECT_EQ(file.set_aside(), "");
  const std::vector<StoredRecord> rows = file.Load(5).value();  // the third has expired
  ASSERT_EQ(rows.size(), 2U);
  ExpectEqual(rows[0], Record(1));
  EXPECT_EQ(rows[1].value, "newer");
}

TEST_F(RecordFileTest, IsTheOwnersAlone) {
  RecordFile file = RecordFile::Open(path()).value();
  ASSERT_TRUE(file.Write({{Record(1)}}).ok());
  for (const auto& entry : std::filesystem::directory_iterator(scratch_ / "")) {
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
  }
}

TEST_F(RecordFileTest, RetainLeavesTheseKeysOnly) {
  RecordFile file = RecordFile::Open(path()).value();
  ASSERT_TRUE(file.Write({{Record(1), Record(2), Record(3)}}).ok());
  ASSERT_TRUE(file.Retain({{Record(9).key, Record(2).key, Record(2).key}}).ok());
  ASSERT_EQ(file.Load(0)->size(), 1U);
  ASSERT_TRUE(file.Retain({}).ok());
  EXPECT_TRUE(file.Load(0)->empty());
}

TEST_F(RecordFileTest, BytesThatAreNoDatabaseAreSetAside) {
  for (const char* bytes : {"hello", "SQLite format 3"}) {
    WriteBytes(path(), bytes + std::string(5000, '\x7f'));
    RecordFile file = RecordFile::Open(path()).value();
    ASSERT_NE(file.set_aside(), "");
    EXPECT_TRUE(ReadBytes(file.set_aside()).starts_with(bytes));
    EXPECT_TRUE(file.Load(0)->empty());
    EXPECT_TRUE(file.Write({{Record(1)}}).ok());
  }
  EXPECT_TRUE(std::filesystem::exists(path() + ".corrupt-2"));
}

TEST_F(RecordFileTest, AFolderThatCannotBeWrittenIsAnError) {
  const absl::Status refused = RecordFile::Open("/nowhere/records.db").status();
  EXPECT_NE(std::string(refused.message()).find("/nowhere/records.db"), std::string::npos);
}

// Damage that is noticed while nothing can be made anew is no reason never to write again.
TEST_F(RecordFileTest, WhatCouldNotBeOpenedAnewIsTriedAgain) {
  const std::string folder = scratch_ / "in";
  const std::string away = scratch_ / "away";
  std::filesystem::create_directory(folder);
  const std::string inside = folder + "/records.db";
  RecordFile file = RecordFile::Open(inside).value();
  ASSERT_TRUE(file.Write({{Record(1)}}).ok());
  SpoilSchema(inside);
  std::filesystem::rename(folder, away);
  EXPECT_FALSE(file.Write({{Record(2)}}).ok());
  EXPECT_FALSE(file.Write({{Record(3)}}).ok());
  std::filesystem::rename(away, folder);
  const absl::Status written = file.Write({{Record(4)}});
  EXPECT_TRUE(written.ok()) << written;
  EXPECT_EQ(file.Load(0)->size(), 1U);
}

// A crash leaves the log of SQLite cut anywhere: what remains is what some commit has left, with
// every commit that is whole.
TEST_F(RecordFileTest, ALogThatIsCutAnywhereLeavesWholeCommits) {
  std::string main;
  std::string log;
  std::vector<std::size_t> commits = {0};  // length of the log after each
  {
    RecordFile file = RecordFile::Open(path()).value();
    // The table itself reaches the file, the records only the log.
    for (std::uint32_t i = 1; i <= 6; ++i) {
      ASSERT_TRUE(file.Write({{Record(2 * i - 1), Record(2 * i)}}).ok());
      commits.push_back(std::filesystem::file_size(path() + "-wal"));
    }
    main = ReadBytes(path());
    log = ReadBytes(path() + "-wal");
  }
  for (std::size_t length = 0; length <= log.size(); length += length % 4096 < 24 ? 1 : 307) {
    Remove();
    WriteBytes(path(), main);
    WriteBytes(path() + "-wal", log.substr(0, length));
    const std::vector<StoredRecord> rows = Survivors();
    const auto whole =
        static_cast<std::size_t>(std::upper_bound(commits.begin(), commits.end(), length) -
                                 commits.begin()) -
        1;
    ASSERT_EQ(rows.size(), 2 * whole) << "cut at " << length;
  }
}

// Worse than a crash can be: the file itself is cut, or a byte of it is another.
TEST_F(RecordFileTest, AFileThatIsCutOrChangedAnywhereGivesNothingWrong) {
  {
    RecordFile file = RecordFile::Open(path()).value();
    for (std::uint32_t i = 1; i <= 20; ++i) ASSERT_TRUE(file.Write({{Record(i)}}).ok());
  }
  const std::string whole = ReadBytes(path());  // closing has emptied the log into it
  ASSERT_GT(whole.size(), 8192U);
  EXPECT_EQ(Survivors().size(), 20U);
  std::size_t survived = 0;
  for (std::size_t at = 0; at < whole.size(); at += at < 100 ? 3 : 401) {
    Remove();
    WriteBytes(path(), whole.substr(0, at));
    Survivors();
    Remove();
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    WriteBytes(path(), changed);
    survived += Survivors().size();
  }
  EXPECT_GT(survived, 0U);
}

}  // namespace
}  // namespace tombolo::node
