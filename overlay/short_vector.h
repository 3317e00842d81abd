// A vector of few elements: the first kInside of them lie in the object itself, more of them in a
// block of their own. For parts of which a world holds millions: where a std::vector takes 24 bytes
// and a second cache line for its first element, this takes 4 bytes beside the elements.
//
// A value: copies are deep, a moved-from one is empty. Iterators and references are valid until the
// next change. Bounded: at most kMaxSize elements (asserted). The block grows by half and is given
// back when the vector ends or is assigned from a temporary. Thread rule: one caller at a time.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace tombolo {

template <class T, std::size_t kInside>
class ShortVector {
 public:
  static_assert(std::is_trivially_copyable_v<T>, "elements are moved as bytes");
  static_assert(kInside > 0);
  static constexpr std::size_t kMaxSize = 0xffff;

  ShortVector() : inside_{} {}
  ShortVector(const ShortVector& other) : ShortVector() { Assign(other); }
  ShortVector(ShortVector&& other) noexcept : ShortVector() { Take(other); }
  ShortVector& operator=(const ShortVector& other) {
    if (this != &other) Assign(other);
    return *this;
  }
  ShortVector& operator=(ShortVector&& other) noexcept {
    if (this == &other) return *this;
    GiveBack();
    Take(other);
    return *this;
  }
  ~ShortVector() { GiveBack(); }

  T* data() { return is_outside() ? outside_ : inside_; }
  const T* data() const { return is_outside() ? outside_ : inside_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

  // Require an element there.
  T& operator[](std::size_t index) { return data()[index]; }
  const T& operator[](std::size_t index) const { return data()[index]; }
  T& front() { return data()[0]; }
  const T& front() const { return data()[0]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  // `value` may be an element of this vector.
  void push_back(const T& value) { emplace_back(value); }
  // Put together in its place.
  template <class... Parts>
  void emplace_back(Parts... parts) {
    if (size_ == capacity_) Grow(size_ + size_ / 2U + 1U);
    new (data() + size_++) T{parts...};  // an assignment would copy what was put together elsewhere
  }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }

  void insert(const T* before, const T& value) {
    const auto index = static_cast<std::size_t>(before - data());
    const T copy = value;
    if (size_ == capacity_) Grow(size_ + size_ / 2U + 1U);
    T* const at = data() + index;
    std::copy_backward(at, end(), end() + 1);
    *at = copy;
    ++size_;
  }

  void erase(const T* at) { erase(at, at + 1); }
  void erase(const T* first, const T* last) {
    T* const to = data() + (first - data());
    std::copy(data() + (last - data()), end(), to);
    size_ = static_cast<std::uint16_t>(size_ - (last - first));
  }

  // Elements of another place than this vector.
  void Assign(std::span<const T> values) {
    if (values.size() > capacity_) Grow(values.size());
    std::copy(values.begin(), values.end(), data());
    size_ = static_cast<std::uint16_t>(values.size());
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    std::vector<T> values;
    if constexpr (!Archive::kReading) values.assign(begin(), end());
    archive(values);
    if constexpr (Archive::kReading) {
      if (!archive.ok()) return;
      if (values.size() > kMaxSize) return archive.Fail("too many elements");
      Assign(values);
    }
  }

 private:
  bool is_outside() const { return capacity_ > kInside; }

  void GiveBack() {
    if (is_outside()) std::allocator<T>().deallocate(outside_, capacity_);
  }

  // What the other one has; our own block has been given back.
  void Take(ShortVector& other) {
    if (other.is_outside()) {
      outside_ = other.outside_;
    } else {
      std::copy(std::begin(other.inside_), std::end(other.inside_), inside_);
    }
    size_ = std::exchange(other.size_, std::uint16_t{0});
    capacity_ = std::exchange(other.capacity_, std::uint16_t{kInside});
  }

  void Grow(std::size_t capacity) {
    assert(capacity <= kMaxSize);
    T* const block = std::allocator<T>().allocate(capacity);
    std::uninitialized_copy(begin(), end(), block);
    GiveBack();
    outside_ = block;
    capacity_ = static_cast<std::uint16_t>(capacity);
  }

  union {
    T inside_[kInside];
    T* outside_;  // while capacity_ > kInside
  };
  std::uint16_t size_ = 0;
  std::uint16_t capacity_ = kInside;
};

}  // namespace tombolo
