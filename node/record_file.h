// Records on disk: one SQLite file in WAL mode, written with full synchronisation, so that what a
// returned Write has written survives kill -9 and a power cut, and a torn write is as good as none.
//
// Each row carries a digest of what it says; a row whose digest is wrong is left out and counted. A
// file that SQLite cannot make sense of is set aside (`.corrupt-N` behind its name) and a new one
// begun: a node starts whatever it finds, and its records come back from the other holders.
//
// Thread rule: one caller at a time, any thread; blocking. Errors name the file and SQLite's
// reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "overlay/node_id.h"

struct sqlite3;

namespace tombolo::node {

struct StoredRecord {
  NodeId key;
  std::uint64_t sequence = 0;
  std::int64_t expires_ms = 0;  // of the Unix clock
  std::string value;
};

class RecordFile {
 public:
  static constexpr std::size_t kMaxValue = 128 * 1024;

  // Makes the file (0600) if there is none.
  static absl::StatusOr<RecordFile> Open(const std::string& path);

  // Those that have not expired, in the order of their keys.
  absl::StatusOr<std::vector<StoredRecord>> Load(std::int64_t now_ms);
  // All of them or, with an error, none; durable on return. Later ones of a key win. Damage that
  // shows only now has the file set aside, too.
  absl::Status Write(std::span<const StoredRecord> records);
  // Leaves only the rows of these keys.
  absl::Status Retain(std::span<const NodeId> keys);

  // Rows left out by Load.
  std::size_t damaged() const { return damaged_; }
  // Where an unusable file was moved last; empty: there was none.
  const std::string& set_aside() const { return set_aside_; }

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  using Database = std::unique_ptr<sqlite3, Closer>;

  RecordFile(Database database, std::string path)
      : database_(std::move(database)), path_(std::move(path)) {}
  static absl::StatusOr<Database> OpenDatabase(const std::string& path, bool& unusable);
  absl::Status Run(const char* statement);
  absl::Status EnsureOpen();
  absl::Status WriteOnce(std::span<const StoredRecord> records);
  absl::Status Failure(const char* what) const;

  Database database_;
  std::string path_;
  std::string set_aside_;
  std::size_t damaged_ = 0;
  bool damage_ = false;  // the last Write found some
};

}  // namespace tombolo::node
