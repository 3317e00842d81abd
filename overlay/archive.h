// Saving and loading of state as bytes: one function per class does both.
//
//   template <class Archive> void Serialize(Archive& archive) { archive(count_, peers_, name_); }
//
//   Writer writer;  writer(world);            bytes = writer.Take();
//   Reader reader(bytes);  reader(world);     if (!reader.ok()) ... reader.error(), reader.offset()
//
// Supported: classes with Serialize, trivially copyable types (as their bytes; no pointers),
// std::vector, string, optional, array, pair, tuple and variant of them. Elements of vectors must
// be default constructible and write at least one byte. A class may ask `Archive::kReading`, and
// when reading call `archive.Fail("what is wrong")` if what it read cannot be.
//
// Format: values one after the other, little-endian, without names or alignment; sizes as 64 bits.
// Bytes from another build are recognised by the frame around them (sim/archive_file.h), not here.
//
// The reader trusts nothing: every length is checked against the bytes that are left before memory
// is taken, and the first error sticks: later reads do nothing and leave their targets as they are.
// What it cannot check is the meaning of trivially copyable structs. Thread rule: one caller at a
// time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tombolo {

static_assert(std::endian::native == std::endian::little, "archives hold values as their bytes");

class Writer;
class Reader;

namespace archive_internal {

template <class T>
concept HasSerialize = requires(T& value, Writer& writer) {
  value.Serialize(writer);
};

// What has a form of its own although it may be trivially copyable.
template <class T>
inline constexpr bool kComposite = false;
template <class T>
inline constexpr bool kComposite<std::optional<T>> = true;
template <class... T>
inline constexpr bool kComposite<std::variant<T...>> = true;
template <class T, class U>
inline constexpr bool kComposite<std::pair<T, U>> = true;
template <class... T>
inline constexpr bool kComposite<std::tuple<T...>> = true;
template <class T, std::size_t n>
inline constexpr bool kComposite<std::array<T, n>> = true;

// Copied as bytes, alone or by the thousand.
template <class T>
inline constexpr bool kPlain =
    std::is_trivially_copyable_v<T> && !HasSerialize<T> && !kComposite<T> &&
    !std::is_pointer_v<T> && !std::is_member_pointer_v<T> && !std::is_same_v<T, bool>;

}  // namespace archive_internal

class Writer {
 public:
  static constexpr bool kReading = false;

  // Appends the values. They are not changed, though Serialize, which also reads, is not const.
  template <class... Ts>
  void operator()(const Ts&... values) {
    (Put(values), ...);
  }

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  std::vector<std::uint8_t> Take() { return std::exchange(bytes_, {}); }

 private:
  template <class T>
  void Put(const T& value) {
    if constexpr (archive_internal::HasSerialize<T>) {
      const_cast<T&>(value).Serialize(*this);
    } else if constexpr (std::is_same_v<T, bool>) {
      bytes_.push_back(value ? 1 : 0);
    } else {
      static_assert(archive_internal::kPlain<T>, "no pointers; other classes need Serialize");
      PutBytes(&value, sizeof(T));
    }
  }

  void Put(const std::string& text) {
    PutSize(text.size());
    PutBytes(text.data(), text.size());
  }

  template <class T>
  void Put(const std::vector<T>& values) {
    PutSize(values.size());
    PutElements(values);
  }

  void Put(const std::vector<bool>& values) {
    PutSize(values.size());
    for (const bool value : values) Put(value);
  }

  template <class T, std::size_t n>
  void Put(const std::array<T, n>& values) {
    PutElements(values);
  }

  template <class T>
  void Put(const std::optional<T>& value) {
    Put(value.has_value());
    if (value) Put(*value);
  }

  template <class T, class U>
  void Put(const std::pair<T, U>& value) {
    (*this)(value.first, value.second);
  }

  template <class... Ts>
  void Put(const std::tuple<Ts...>& value) {
    std::apply(*this, value);
  }

  template <class... Ts>
  void Put(const std::variant<Ts...>& value) {
    Put(static_cast<std::uint32_t>(value.index()));
    std::visit(*this, value);
  }

  template <class Range>
  void PutElements(const Range& values) {
    if constexpr (archive_internal::kPlain<typename Range::value_type>) {
      PutBytes(values.data(), values.size() * sizeof(typename Range::value_type));
    } else {
      for (const auto& value : values) Put(value);
    }
  }

  void PutSize(std::size_t size) { Put(static_cast<std::uint64_t>(size)); }

  void PutBytes(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }

  std::vector<std::uint8_t> bytes_;
};

class Reader {
 public:
  static constexpr bool kReading = true;

  // `bytes` must outlive the reader.
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  template <class... Ts>
  void operator()(Ts&... values) {
    (Get(values), ...);
  }

  // Ends the reading; the first error is kept. `what` must be a literal.
  void Fail(const char* what) {
    if (ok()) error_ = what;
  }

  bool ok() const { return error_ == nullptr; }
  // What was wrong; empty if nothing was.
  const char* error() const { return ok() ? "" : error_; }
  // Bytes read so far; after an error, where it was found.
  std::size_t offset() const { return offset_; }
  bool at_end() const { return offset_ == bytes_.size(); }

 private:
  template <class T>
  void Get(T& value) {
    if (!ok()) return;
    if constexpr (archive_internal::HasSerialize<T>) {
      value.Serialize(*this);
    } else if constexpr (std::is_same_v<T, bool>) {
      GetBool(value);
    } else {
      static_assert(archive_internal::kPlain<T>, "no pointers; other classes need Serialize");
      GetBytes(&value, sizeof(T));
    }
  }

  void Get(std::string& text) {
    const std::size_t size = GetSize(1);
    if (!ok()) return;
    text.assign(size, '\0');
    GetBytes(text.data(), size);
  }

  template <class T>
  void Get(std::vector<T>& values) {
    static_assert(std::is_default_constructible_v<T>, "serialise such elements one by one");
    if constexpr (archive_internal::kPlain<T>) {
      const std::size_t size = GetSize(sizeof(T));
      if (!ok()) return;
      values.resize(size);
      GetBytes(values.data(), size * sizeof(T));
    } else {
      GetEach(values);
    }
  }

  // Element by element: a forged size can take no more memory than the bytes behind it pay for.
  template <class T>
  void GetEach(std::vector<T>& values) {
    const std::size_t size = GetSize(1);
    if (!ok()) return;
    values.clear();
    values.reserve(std::min(size, 16 + 2 * (bytes_.size() - offset_) / sizeof(T)));
    for (std::size_t i = 0; i < size && ok(); ++i) {
      T value{};
      Get(value);
      if (ok()) values.push_back(std::move(value));
    }
  }

  template <class T, std::size_t n>
  void Get(std::array<T, n>& values) {
    if constexpr (archive_internal::kPlain<T>) {
      GetBytes(values.data(), n * sizeof(T));
    } else {
      for (T& value : values) Get(value);
    }
  }

  template <class T>
  void Get(std::optional<T>& value) {
    bool present = false;
    Get(present);
    if (!ok()) return;
    value.reset();
    if (present) Get(value.emplace());
  }

  template <class T, class U>
  void Get(std::pair<T, U>& value) {
    (*this)(value.first, value.second);
  }

  template <class... Ts>
  void Get(std::tuple<Ts...>& value) {
    std::apply(*this, value);
  }

  template <class... Ts>
  void Get(std::variant<Ts...>& value) {
    std::uint32_t index = 0;
    Get(index);
    if (!ok()) return;
    if (index >= sizeof...(Ts)) return Fail("no such alternative");
    GetAlternative(value, index, std::index_sequence_for<Ts...>());
  }

  template <class Variant, std::size_t... kIndex>
  void GetAlternative(Variant& value, std::uint32_t index, std::index_sequence<kIndex...>) {
    ((kIndex == index ? Get(value.template emplace<kIndex>()) : void()), ...);
  }

  void GetBool(bool& value) {
    std::uint8_t byte = 0;
    GetBytes(&byte, 1);
    if (byte > 1) return Fail("a flag is neither 0 nor 1");
    if (ok()) value = byte != 0;
  }

  // Number of elements, each of which takes at least `element_bytes`.
  std::size_t GetSize(std::size_t element_bytes) {
    std::uint64_t size = 0;
    Get(size);
    if (size > (bytes_.size() - offset_) / element_bytes)
      Fail("a size exceeds the bytes that are left");
    return ok() ? static_cast<std::size_t>(size) : 0;
  }

  void GetBytes(void* data, std::size_t size) {
    if (!ok() || size == 0) return;
    if (size > bytes_.size() - offset_) return Fail("the bytes end too early");
    std::memcpy(data, bytes_.data() + offset_, size);
    offset_ += size;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t offset_ = 0;
  const char* error_ = nullptr;
};

}  // namespace tombolo
