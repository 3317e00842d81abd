// Results as numpy arrays without a copy: the array owns the vector through a capsule.
//
// Thread rule: call with the GIL held.
#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <utility>
#include <vector>

namespace tombolo::python {

// An array of shape (values.size(),).
template <class T>
pybind11::array_t<T> ToArray(std::vector<T>&& values) {
  auto kept = std::make_unique<std::vector<T>>(std::move(values));
  T* data = kept->data();
  const auto size = static_cast<pybind11::ssize_t>(kept->size());
  pybind11::capsule owner(kept.get(),
                          [](void* vector) { delete static_cast<std::vector<T>*>(vector); });
  kept.release();
  return pybind11::array_t<T>({size}, {static_cast<pybind11::ssize_t>(sizeof(T))}, data, owner);
}

}  // namespace tombolo::python
