#include "node/file_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace tombolo::node {
namespace {

// Closes on the way out; Close tells whether that worked, since a full disk may show only there.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool Close() {
    const int fd = fd_;
    fd_ = -1;
    return close(fd) == 0;
  }

 private:
  int fd_;
};

absl::Status Failure(const std::string& what, const std::string& path) {
  const int error = errno;
  const std::string text = "cannot " + what + " " + path + ": " + std::strerror(error);
  return error == ENOENT ? absl::NotFoundError(text) : absl::FailedPreconditionError(text);
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

absl::Status SyncDirectoryOf(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  const Descriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) return Failure("sync the directory", directory);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FileContents> ReadSmallFile(const std::string& path, std::size_t limit) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (fd.get() < 0 || fstat(fd.get(), &status) != 0) return Failure("read", path);
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(path + " is not a regular file");
  }
  FileContents contents{"", status.st_mode & 0777};
  contents.bytes.resize(limit + 1);
  std::size_t filled = 0;
  while (filled < contents.bytes.size()) {
    const ssize_t got =
        read(fd.get(), contents.bytes.data() + filled, contents.bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure("read", path);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled > limit) {
    return absl::FailedPreconditionError(path + " is longer than " + std::to_string(limit) +
                                         " bytes");
  }
  contents.bytes.resize(filled);
  contents.bytes.shrink_to_fit();  // who keeps a few KiB keeps no more
  return contents;
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string temporary = path + ".new";
  // One left behind by a crash may have other permissions, which opening it would keep.
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) return Failure("remove", temporary);
  Descriptor fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (fd.get() < 0) return Failure("create", temporary);
  if (fchmod(fd.get(), mode) != 0 || !WriteAll(fd.get(), bytes) || fsync(fd.get()) != 0 ||
      !fd.Close()) {
    return Failure("write", temporary);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return Failure("create", path);
  return SyncDirectoryOf(path);
}

}  // namespace tombolo::node
