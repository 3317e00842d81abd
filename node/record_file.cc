#include "node/record_file.h"

#include <openssl/sha.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <utility>

namespace tombolo::node {
namespace {

constexpr std::size_t kIdSize = 20;
constexpr std::size_t kDigestSize = 8;

constexpr char kSchema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA wal_autocheckpoint = 1000;"
    "PRAGMA user_version = 1;"  // writes: a file that cannot be written is found now
    "CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, sequence INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL, value BLOB NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TEMP TABLE live (key BLOB PRIMARY KEY) WITHOUT ROWID;";

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalizer>;

Statement Prepare(sqlite3* database, const char* text) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, text, -1, &statement, nullptr);
  return Statement(statement);
}

void BindBlob(sqlite3_stmt* statement, int at, const std::string& bytes) {
  sqlite3_bind_blob(statement, at, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
}

std::string Blob(sqlite3_stmt* row, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  return bytes == nullptr
             ? std::string()
             : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
}

std::string BytesOfId(const NodeId& id) {
  std::string bytes(kIdSize, '\0');
  for (std::size_t i = 0; i < kIdSize; ++i) {
    bytes[i] = static_cast<char>(id.words[i / 4] >> (24 - 8 * (i % 4)));
  }
  return bytes;
}

NodeId IdOfBytes(const std::string& bytes) {
  NodeId id;
  for (std::size_t i = 0; i < kIdSize; ++i) {
    id.words[i / 4] = (id.words[i / 4] << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return id;
}

std::string DigestOf(const StoredRecord& record) {
  const std::string text = BytesOfId(record.key) + std::to_string(record.sequence) + ":" +
                           std::to_string(record.expires_ms) + ":" + record.value;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), kDigestSize};
}

// What is wrong with the file itself, not with the machine.
bool IsDamage(int code) {
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_READONLY;
}

bool PassesCheck(sqlite3* database) {
  const Statement check = Prepare(database, "PRAGMA integrity_check(1)");
  return check != nullptr && sqlite3_step(check.get()) == SQLITE_ROW &&
         Blob(check.get(), 0) == "ok";
}

// With the files that SQLite keeps beside it. The name it has now.
std::string SetAside(const std::string& path) {
  std::string target;
  for (int number = 1; target.empty() || std::filesystem::exists(target); ++number) {
    target = path + ".corrupt-" + std::to_string(number);
  }
  for (const char* part : {"", "-wal", "-shm"}) {
    std::rename((path + part).c_str(), (target + part).c_str());
  }
  return target;
}

}  // namespace

void RecordFile::Closer::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

absl::StatusOr<RecordFile::Database> RecordFile::OpenDatabase(const std::string& path,
                                                              bool& unusable) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database database(raw);
  const bool good = opened == SQLITE_OK && chmod(path.c_str(), 0600) == 0 &&
                    sqlite3_exec(raw, kSchema, nullptr, nullptr, nullptr) == SQLITE_OK;
  if (good && PassesCheck(raw)) return database;
  // SQLite reports a table of another shape as a plain error.
  unusable = good || IsDamage(sqlite3_errcode(raw)) || sqlite3_errcode(raw) == SQLITE_ERROR;
  return absl::UnavailableError("cannot use " + path + ": " + sqlite3_errmsg(raw));
}

absl::StatusOr<RecordFile> RecordFile::Open(const std::string& path) {
  bool unusable = false;
  absl::StatusOr<Database> database = OpenDatabase(path, unusable);
  if (database.ok()) return RecordFile(*std::move(database), path);
  if (!unusable) return database.status();
  const std::string aside = SetAside(path);
  database = OpenDatabase(path, unusable);
  if (!database.ok()) return database.status();
  RecordFile file(*std::move(database), path);
  file.set_aside_ = aside;
  return file;
}

absl::Status RecordFile::Failure(const char* what) const {
  return absl::UnavailableError(std::string("cannot ") + what + " " + path_ + ": " +
                                sqlite3_errmsg(database_.get()));
}

absl::Status RecordFile::Run(const char* statement) {
  const int code = sqlite3_exec(database_.get(), statement, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Failure("write");
}

absl::StatusOr<std::vector<StoredRecord>> RecordFile::Load(std::int64_t now_ms) {
  std::vector<StoredRecord> records;
  const Statement rows = Prepare(
      database_.get(), "SELECT key, sequence, expires_ms, value, digest FROM records ORDER BY key");
  if (rows == nullptr) return Failure("read");
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(rows.get())) == SQLITE_ROW) {
    const std::string key = Blob(rows.get(), 0);
    StoredRecord record;
    if (key.size() == kIdSize) record.key = IdOfBytes(key);
    record.sequence = static_cast<std::uint64_t>(sqlite3_column_int64(rows.get(), 1));
    record.expires_ms = sqlite3_column_int64(rows.get(), 2);
    record.value = Blob(rows.get(), 3);
    const bool good = key.size() == kIdSize && record.value.size() <= kMaxValue &&
                      Blob(rows.get(), 4) == DigestOf(record);
    if (!good) {
      ++damaged_;
    } else if (record.expires_ms > now_ms) {
      records.push_back(std::move(record));
    }
  }
  if (code != SQLITE_DONE) return Failure("read");
  return records;
}

// After a failure to open it anew, which may pass.
absl::Status RecordFile::EnsureOpen() {
  if (database_ != nullptr) return absl::OkStatus();
  absl::StatusOr<RecordFile> next = Open(path_);
  if (!next.ok()) return next.status();
  if (next->set_aside_.empty()) next->set_aside_ = set_aside_;
  *this = *std::move(next);
  return absl::OkStatus();
}

absl::Status RecordFile::Write(std::span<const StoredRecord> records) {
  if (absl::Status open = EnsureOpen(); !open.ok()) return open;
  absl::Status written = WriteOnce(records);
  if (written.ok() || !damage_) return written;
  database_.reset();
  absl::StatusOr<RecordFile> next = Open(path_);
  // What Open finds no fault with, writing did.
  if (next.ok() && next->set_aside_.empty()) {
    next->database_.reset();
    set_aside_ = SetAside(path_);
    next = Open(path_);
    if (next.ok()) next->set_aside_ = set_aside_;
  }
  if (!next.ok()) return written;
  *this = *std::move(next);  // damage_ is false again
  return WriteOnce(records);
}

absl::Status RecordFile::WriteOnce(std::span<const StoredRecord> records) {
  if (absl::Status begun = Run("BEGIN IMMEDIATE"); !begun.ok()) {
    damage_ = IsDamage(sqlite3_errcode(database_.get()));
    return begun;
  }
  const Statement insert =
      Prepare(database_.get(), "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)");
  bool good = insert != nullptr;
  for (std::size_t i = 0; good && i < records.size(); ++i) {
    BindBlob(insert.get(), 1, BytesOfId(records[i].key));
    sqlite3_bind_int64(insert.get(), 2, static_cast<std::int64_t>(records[i].sequence));
    sqlite3_bind_int64(insert.get(), 3, records[i].expires_ms);
    BindBlob(insert.get(), 4, records[i].value);
    BindBlob(insert.get(), 5, DigestOf(records[i]));
    good = sqlite3_step(insert.get()) == SQLITE_DONE;
    sqlite3_reset(insert.get());
  }
  const absl::Status written = good ? Run("COMMIT") : Failure("write");
  if (!written.ok()) damage_ = IsDamage(sqlite3_errcode(database_.get()));
  if (!written.ok()) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return written;
}

absl::Status RecordFile::Retain(std::span<const NodeId> keys) {
  if (absl::Status open = EnsureOpen(); !open.ok()) return open;
  if (absl::Status begun = Run("BEGIN IMMEDIATE; DELETE FROM live"); !begun.ok()) {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    return begun;
  }
  const Statement insert = Prepare(database_.get(), "INSERT OR IGNORE INTO live VALUES (?)");
  bool good = insert != nullptr;
  for (std::size_t i = 0; good && i < keys.size(); ++i) {
    BindBlob(insert.get(), 1, BytesOfId(keys[i]));
    good = sqlite3_step(insert.get()) == SQLITE_DONE;
    sqlite3_reset(insert.get());
  }
  const absl::Status done =
      good ? Run("DELETE FROM records WHERE key NOT IN (SELECT key FROM live); COMMIT")
           : Failure("write");
  if (!done.ok()) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

}  // namespace tombolo::node
