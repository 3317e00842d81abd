// The file around an archive: says what it is, in which version, and whether it arrived whole.
//
//   8 bytes "TOMBOLO1" | u32 format version | u32 0 | u64 payload bytes | u64 checksum | payload
//
// Numbers are little-endian. The checksum finds accidents (a cut or damaged file), not forgery:
// load files of your own only. Thread rule: free functions; one writer per path.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tombolo::sim {

// Raised with every change of what any Serialize writes.
inline constexpr std::uint32_t kArchiveVersion = 4;

// 64 bits over the length and all bytes.
std::uint64_t Checksum(std::span<const std::uint8_t> bytes);

// Writes PATH.tmp, then renames it, so that PATH holds the old or the new state, never a part of
// one. Returns what went wrong, beginning with the path, or nullopt.
std::optional<std::string> SaveArchive(const std::string& path,
                                       std::span<const std::uint8_t> payload);

struct LoadedArchive {
  std::vector<std::uint8_t> payload;  // empty after an error
  std::string error;                  // begins with the path; empty if all is well

  bool ok() const { return error.empty(); }
};

LoadedArchive LoadArchive(const std::string& path);

}  // namespace tombolo::sim
