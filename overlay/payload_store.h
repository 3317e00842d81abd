// The bytes behind the payload handles of a host, shared by count (payload.h states the rule).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "overlay/payload.h"

namespace tombolo {

// Thread rule: one caller at a time. Sizes without bytes are allowed: a simulation need not carry
// content.
class PayloadStore {
 public:
  // A new payload with one share. `size` is what counts for the network; `bytes` may be empty.
  Payload Add(std::uint32_t size, std::string bytes = {}) {
    std::uint32_t handle = 0;
    if (free_.empty()) {
      handle = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      handle = free_.back();
      free_.pop_back();
    }
    bytes_ += bytes.size();
    entries_[handle] = {1, std::move(bytes)};
    return {handle, size};
  }

  void Share(const Payload& payload) {
    if (payload.empty()) return;
    assert(entries_[payload.handle].shares > 0);
    ++entries_[payload.handle].shares;
  }

  void Release(const Payload& payload) {
    if (payload.empty()) return;
    Entry& entry = entries_[payload.handle];
    assert(entry.shares > 0);
    if (--entry.shares > 0) return;
    bytes_ -= entry.bytes.size();
    std::string().swap(entry.bytes);  // gives the memory back
    free_.push_back(payload.handle);
  }

  // Requires a payload with a share left.
  std::string_view bytes(const Payload& payload) const { return entries_[payload.handle].bytes; }

  // Gives up a share for the bytes: moved out if it was the last one, copied otherwise. The empty
  // payload has none.
  std::string Take(const Payload& payload) {
    if (payload.empty()) return {};
    Entry& entry = entries_[payload.handle];
    std::string bytes;
    if (entry.shares == 1) {
      bytes_ -= entry.bytes.size();
      bytes.swap(entry.bytes);
    } else {
      bytes = entry.bytes;
    }
    Release(payload);
    return bytes;
  }

  // Payloads in use; zero when nothing is in flight, stored or held by the application.
  std::size_t in_use() const { return entries_.size() - free_.size(); }
  // That they hold in memory; a simulation without content holds none.
  std::size_t bytes_in_use() const { return bytes_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(entries_, free_);
    if constexpr (Archive::kReading) {
      bytes_ = 0;
      for (const Entry& entry : entries_) bytes_ += entry.bytes.size();
    }
  }

 private:
  struct Entry {
    std::uint32_t shares = 0;
    std::string bytes;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(shares, bytes);
    }
  };

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::size_t bytes_ = 0;
};

}  // namespace tombolo
