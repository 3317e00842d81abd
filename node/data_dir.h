// The folder in which a node keeps what must survive it: its key and the peers that it remembers.
// One process at a time: a lock, which the system takes back when the process ends in whatever way.
//
// Thread rule: one caller at a time; blocking, so not for the strand of a node that runs. Errors
// name the folder and the cure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/host_options.h"

namespace tombolo::node {

class DataDir {
 public:
  // Makes the folder (0700) if there is none, and locks it.
  static absl::StatusOr<DataDir> Open(const std::string& path);

  DataDir(DataDir&& other) noexcept
      : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;
  ~DataDir();

  std::string key_path() const { return path_ + "/key.pem"; }
  std::string records_path() const { return path_ + "/records.db"; }
  const std::string& path() const { return path_; }

  // One line per peer: its id and its addresses. A file that cannot be read is as good as none:
  // what it says is a hint. Lines that make no sense are left out.
  std::vector<RememberedPeer> LoadPeers() const;
  absl::Status SavePeers(const std::vector<RememberedPeer>& peers) const;

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

}  // namespace tombolo::node
