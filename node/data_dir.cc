#include "node/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>

#include "node/address.h"
#include "node/file_store.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMaxPeersFile = 1 << 20;

absl::Status Failure(const std::string& what, const std::string& reason) {
  return absl::FailedPreconditionError(what + ": " + reason);
}

// The process that holds the lock has written its number into the file.
std::string HolderOf(const std::string& lock_path) {
  const absl::StatusOr<FileContents> file = ReadSmallFile(lock_path, 32);
  if (!file.ok() || file->bytes.empty()) return "another process";
  return "process " + file->bytes.substr(0, file->bytes.find('\n'));
}

std::optional<RememberedPeer> ParsePeer(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  const std::optional<NodeId> id = NodeId::FromHex(word);
  if (!id) return std::nullopt;
  RememberedPeer peer{*id, {}};
  while (words >> word && peer.addresses.size() < kMaxAddresses) {
    if (IsAddress(word)) peer.addresses.push_back(word);
  }
  if (peer.addresses.empty()) return std::nullopt;
  return peer;
}

}  // namespace

absl::StatusOr<DataDir> DataDir::Open(const std::string& path) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Failure("cannot make the data folder " + path, std::strerror(errno));
  }
  const std::string lock_path = path + "/lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return Failure("cannot use the data folder " + path, std::strerror(errno));
  DataDir directory(path, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return Failure("the data folder " + path + " is in use by " + HolderOf(lock_path),
                   "give each node a folder of its own (--data-dir)");
  }
  const std::string number = std::to_string(getpid()) + "\n";
  if (ftruncate(lock, 0) != 0 ||
      write(lock, number.data(), number.size()) != static_cast<ssize_t>(number.size())) {
    return Failure("cannot write " + lock_path, std::strerror(errno));
  }
  return directory;
}

DataDir::~DataDir() {
  if (lock_ >= 0) close(lock_);
}

std::vector<RememberedPeer> DataDir::LoadPeers() const {
  std::vector<RememberedPeer> peers;
  const absl::StatusOr<FileContents> file = ReadSmallFile(path_ + "/peers", kMaxPeersFile);
  if (!file.ok()) return peers;
  std::istringstream lines(file->bytes);
  for (std::string line; std::getline(lines, line);) {
    if (const std::optional<RememberedPeer> peer = ParsePeer(line)) peers.push_back(*peer);
  }
  return peers;
}

absl::Status DataDir::SavePeers(const std::vector<RememberedPeer>& peers) const {
  std::string text;
  for (const RememberedPeer& peer : peers) {
    text += peer.id.ToHex();
    for (const std::string& address : peer.addresses) text += " " + address;
    text += "\n";
  }
  return WriteFileAtomically(path_ + "/peers", text, 0600);
}

}  // namespace tombolo::node
