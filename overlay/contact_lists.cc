#include "overlay/contact_lists.h"

#include <algorithm>

namespace tombolo {

ListHandle ContactLists::Add(std::span<const PeerRef> peers) {
  if (peers.empty()) return ListHandle::kEmpty;
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(lists_.size());
    lists_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  List& list = lists_[index];
  list.size = static_cast<std::uint32_t>(std::min(peers.size(), kMaxListed));
  std::copy_n(peers.begin(), list.size, list.peers.begin());
  return static_cast<ListHandle>(index);
}

void ContactLists::GiveBack(ListHandle handle) {
  List& list = lists_[static_cast<std::uint32_t>(handle)];
  assert(list.size != kReleased);
  list.size = kReleased;
  free_.push_back(static_cast<std::uint32_t>(handle));
}

}  // namespace tombolo
