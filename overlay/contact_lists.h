// The pool of peer lists that messages and events refer to by handle, so that every message is a
// small trivially copyable struct.
//
// Ownership: a list belongs to the message or event that carries its handle. The core takes lists
// when it writes an output; the host releases them once the message was delivered, encoded or lost,
// or the event was handled. A core that receives a message only borrows its list for the call.
// Releasing twice or reading a released list is a programmer error (asserted).
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/peer_ref.h"

namespace tombolo {

enum class ListHandle : std::uint32_t { kEmpty = 0xffffffffU };

inline constexpr std::size_t kMaxListed = 64;  // the longest list: k contacts of a reply, k <= 64

class ContactLists {
 public:
  // Copies `peers` into the pool. Lists beyond kMaxListed are cut; the empty list takes no entry.
  ListHandle Add(std::span<const PeerRef> peers);

  // The list behind a handle; valid until the next Add or Release.
  std::span<const PeerRef> Get(ListHandle handle) const {
    if (handle == ListHandle::kEmpty) return {};
    const List& list = lists_[static_cast<std::uint32_t>(handle)];
    assert(list.size <= kMaxListed);
    return {list.peers.data(), list.size};
  }

  // Inlined, because most messages carry no list.
  void Release(ListHandle handle) {
    if (handle != ListHandle::kEmpty) GiveBack(handle);
  }

  // Lists in use; a host that releases properly returns to zero when nothing is in flight.
  std::size_t in_use() const { return lists_.size() - free_.size(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(lists_, free_);
  }

 private:
  void GiveBack(ListHandle handle);

  static constexpr std::uint32_t kReleased = 0xffffffffU;

  struct List {
    std::uint32_t size = 0;  // kReleased while on the free list
    std::array<PeerRef, kMaxListed> peers{};
  };

  std::vector<List> lists_;
  std::vector<std::uint32_t> free_;  // last released first: its memory is still in the cache
};

}  // namespace tombolo
