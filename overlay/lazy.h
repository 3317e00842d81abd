// An owning pointer with the value semantics of what it points to, made on first use: a part that a
// run does not use costs 8 bytes in its owner.
//
// Copying copies the value, moving leaves the source empty, constness reaches through. Not a
// std::optional, which would take the room of the value at once. Thread rule: plain value.
#pragma once

#include <memory>
#include <utility>

namespace tombolo {

template <class T>
class Lazy {
 public:
  Lazy() = default;
  Lazy(const Lazy& other) : value_(other ? std::make_unique<T>(*other) : nullptr) {}
  Lazy(Lazy&&) noexcept = default;
  Lazy& operator=(const Lazy& other) { return *this = Lazy(other); }
  Lazy& operator=(Lazy&&) noexcept = default;
  ~Lazy() = default;

  // The value, made from no arguments if there was none.
  T& Ensure() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }

  // Replaces the value by one made from `args`.
  template <class... Args>
  T& Emplace(Args&&... args) {
    value_ = std::make_unique<T>(std::forward<Args>(args)...);
    return *value_;
  }

  void Reset() { value_.reset(); }

  explicit operator bool() const { return value_ != nullptr; }

  // nullptr if there is no value.
  T* get() { return value_.get(); }
  const T* get() const { return value_.get(); }

  // Require a value.
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    bool present = value_ != nullptr;
    archive(present);
    if constexpr (Archive::kReading) {
      if (!present || !archive.ok()) return Reset();
      archive(Ensure());
    } else {
      if (present) archive(*value_);
    }
  }

 private:
  std::unique_ptr<T> value_;
};

static_assert(sizeof(Lazy<int>) == sizeof(void*));

}  // namespace tombolo
