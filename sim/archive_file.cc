#include "sim/archive_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string_view>
#include <system_error>
#include <utility>

#include "overlay/rng.h"

namespace tombolo::sim {
namespace {

constexpr std::string_view kMagic = "TOMBOLO1";

struct Header {
  std::array<char, 8> magic{};
  std::uint32_t version = kArchiveVersion;
  std::uint32_t reserved = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t checksum = 0;
};
static_assert(sizeof(Header) == 32, "written as it is");

LoadedArchive Failed(const std::string& path, const std::string& what) {
  return {{}, path + ": " + what};
}

// What is wrong with the header of a file of `file_bytes`; empty if nothing is.
std::string Check(const Header& header, std::uint64_t file_bytes) {
  if (!std::equal(kMagic.begin(), kMagic.end(), header.magic.begin())) {
    return "not a saved world (it does not begin with TOMBOLO1)";
  }
  if (header.version != kArchiveVersion) {
    return "format version " + std::to_string(header.version) + ", this program reads version " +
           std::to_string(kArchiveVersion);
  }
  if (header.reserved != 0) return "damaged header (the reserved field is not 0)";
  const std::uint64_t payload_bytes = file_bytes - sizeof(Header);
  if (header.payload_bytes != payload_bytes) {
    return "cut or damaged: " + std::to_string(payload_bytes) +
           " bytes of payload, the header says " + std::to_string(header.payload_bytes);
  }
  return {};
}

}  // namespace

std::uint64_t Checksum(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = Mix64(bytes.size() + 0x9e3779b97f4a7c15ULL);
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    hash = Mix64(hash + 0x9e3779b97f4a7c15ULL) ^ word;
  }
  return Mix64(hash);
}

std::optional<std::string> SaveArchive(const std::string& path,
                                       std::span<const std::uint8_t> payload) {
  Header header;
  std::copy(kMagic.begin(), kMagic.end(), header.magic.begin());
  header.payload_bytes = payload.size();
  header.checksum = Checksum(payload);

  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  if (!file) return path + ": cannot write " + temporary;
  file.write(reinterpret_cast<const char*>(&header), sizeof(header));
  file.write(reinterpret_cast<const char*>(payload.data()),
             static_cast<std::streamsize>(payload.size()));
  file.close();
  std::error_code error;
  if (!file) {
    std::filesystem::remove(temporary, error);
    return path + ": writing failed, is the disk full?";
  }
  std::filesystem::rename(temporary, path, error);
  if (!error) return std::nullopt;
  const std::string what = path + ": cannot rename " + temporary + ": " + error.message();
  std::filesystem::remove(temporary, error);
  return what;
}

LoadedArchive LoadArchive(const std::string& path) {
  std::error_code error;
  const std::uint64_t file_bytes = std::filesystem::file_size(path, error);
  if (error) return Failed(path, error.message());
  std::ifstream file(path, std::ios::binary);
  if (!file) return Failed(path, "cannot be opened for reading");
  if (file_bytes < sizeof(Header)) {
    return Failed(path, "not a saved world (shorter than its header)");
  }
  Header header;
  file.read(reinterpret_cast<char*>(&header), sizeof(header));
  if (!file) return Failed(path, "reading failed");
  if (const std::string what = Check(header, file_bytes); !what.empty()) return Failed(path, what);
  std::vector<std::uint8_t> payload(header.payload_bytes);  // as large as the file: checked
  file.read(reinterpret_cast<char*>(payload.data()), static_cast<std::streamsize>(payload.size()));
  if (!file) return Failed(path, "reading failed");
  if (Checksum(payload) != header.checksum) return Failed(path, "damaged: the checksum differs");
  return {std::move(payload), {}};
}

}  // namespace tombolo::sim
