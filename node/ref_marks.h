// Which peers of a directory the state of a core still names, found by walking through everything
// that its Serialize functions name, as an archive does (overlay/archive.h).
//
// Conservative: every four aligned bytes that could be a ref are taken for one. So none is missed,
// whatever struct it is in, and a number that happens to look like one costs the reuse of a ref
// until the next walk. Linear in the state; nothing is copied. Thread rule: one caller at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/archive.h"
#include "overlay/peer_ref.h"

namespace tombolo::node {

class RefMarks {
 public:
  static constexpr bool kReading = false;

  explicit RefMarks(std::size_t peers) : held_(peers, false) {}

  // Marks what the values name. They are not changed, though Serialize, which also reads, is not
  // const.
  template <class... Ts>
  void operator()(const Ts&... values) {
    (Mark(values), ...);
  }

  void Hold(PeerRef peer) {
    if (Index(peer) < held_.size()) held_[Index(peer)] = true;
  }

  const std::vector<bool>& held() const { return held_; }

 private:
  template <class T>
  void Mark(const T& value) {
    if constexpr (archive_internal::HasSerialize<T>) {
      const_cast<T&>(value).Serialize(*this);
    } else if constexpr (archive_internal::kPlain<T>) {
      Scan(&value, sizeof(T));
    } else {
      static_assert(std::is_same_v<T, bool>);
    }
  }

  void Mark(const std::string&) {}
  void Mark(const std::vector<bool>&) {}

  template <class T>
  void Mark(const std::vector<T>& values) {
    for (const T& value : values) Mark(value);
  }
  template <class T, std::size_t n>
  void Mark(const std::array<T, n>& values) {
    for (const T& value : values) Mark(value);
  }
  template <class T>
  void Mark(const std::optional<T>& value) {
    if (value) Mark(*value);
  }
  template <class T, class U>
  void Mark(const std::pair<T, U>& value) {
    (*this)(value.first, value.second);
  }
  template <class... Ts>
  void Mark(const std::tuple<Ts...>& value) {
    std::apply(*this, value);
  }
  template <class... Ts>
  void Mark(const std::variant<Ts...>& value) {
    std::visit(*this, value);
  }

  void Scan(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    for (std::size_t at = 0; at + sizeof(PeerRef) <= size; at += alignof(PeerRef)) {
      PeerRef peer{};
      std::memcpy(&peer, bytes + at, sizeof(peer));
      Hold(peer);
    }
  }

  std::vector<bool> held_;
};

}  // namespace tombolo::node
