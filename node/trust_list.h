// Which ids may link to this node: those of the allow list, if there is one, but for those of the
// deny list. Thread rule: any thread; the lists may be replaced while in use.
#pragma once

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "overlay/node_id.h"

namespace tombolo::node {

class TrustList {
 public:
  TrustList() = default;
  TrustList(std::vector<NodeId> allow, std::vector<NodeId> deny) {
    Replace(std::move(allow), std::move(deny));
  }

  // An empty allow list admits everybody. Links that are up stay up.
  void Replace(std::vector<NodeId> allow, std::vector<NodeId> deny) {
    std::sort(allow.begin(), allow.end());
    std::sort(deny.begin(), deny.end());
    const std::lock_guard lock(mutex_);
    allow_ = std::move(allow);
    deny_ = std::move(deny);
  }

  bool Admits(const NodeId& id) const {
    const std::lock_guard lock(mutex_);
    if (std::binary_search(deny_.begin(), deny_.end(), id)) return false;
    return allow_.empty() || std::binary_search(allow_.begin(), allow_.end(), id);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<NodeId> allow_;  // sorted
  std::vector<NodeId> deny_;   // sorted
};

}  // namespace tombolo::node
