// Small files that must be whole or absent: read with a limit, written atomically (temporary file,
// fsync, rename, fsync of the directory). Thread rule: none; blocking, for start-up and shutdown.
// Errors name the file and the system's reason.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tombolo::node {

struct FileContents {
  std::string bytes;
  mode_t permissions = 0;  // the lowest nine bits
};

// NotFound if there is none; FailedPrecondition if it is no regular file or longer than `limit`.
absl::StatusOr<FileContents> ReadSmallFile(const std::string& path, std::size_t limit);

// Whoever looks sees the old file or the new one, also after a crash. The temporary file is `path`
// with ".new" behind it.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes, mode_t mode);

}  // namespace tombolo::node
