// Two visitors of a list of (name, value): one writes the values of a dict, one reads them into a
// dict.
//
// A Duration is a number in Python, in the unit that its name ends in (_s, _ms). Thread rule: with
// the GIL.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "overlay/time.h"

namespace tombolo::python {

using Names =
    std::initializer_list<std::string_view>;  // of an enum, in the order of its values from 0

double MicrosecondsPerUnit(std::string_view name);

class FieldWriter {
 public:
  explicit FieldWriter(const pybind11::dict& values) : values_(values) {}

  template <class T>
  void operator()(const char* name, T& value) {
    if (const pybind11::object given = Take(name)) Write(name, given, value);
  }
  template <class Enum>
  void operator()(const char* name, Enum& value, Names names) {
    if (const pybind11::object given = Take(name))
      value = static_cast<Enum>(Choose(name, given, names));
  }

  // Throws for keys that no field has, and for the rule that Validate() found broken.
  void Finish(const std::optional<std::string>& broken) const;

 private:
  pybind11::object Take(const char* name);
  std::size_t Choose(const char* name, const pybind11::object& given, Names names) const;
  double Number(const char* name, const pybind11::object& given) const;
  void Write(const char* name, const pybind11::object& given, bool& value) const;
  void Write(const char* name, const pybind11::object& given, double& value) const;
  void Write(const char* name, const pybind11::object& given, Duration& value) const;
  void Write(const char* name, const pybind11::object& given, std::string& value) const;
  void Write(const char* name, const pybind11::object& given,
             std::vector<std::uint32_t>& value) const;
  // For those who look into it themselves.
  void Write(const char*, const pybind11::object& given, pybind11::object& value) const {
    value = given;
  }

  // An integer that the type cannot hold is replaced by the nearest one that it can, so that
  // Validate() judges it; the error then shows what was given.
  template <class T>
  requires(std::is_integral_v<T> &&
           !std::is_same_v<T, bool>) void Write(const char* name, const pybind11::object& given,
                                                T& value) {
    constexpr auto kMin = static_cast<std::int64_t>(std::numeric_limits<T>::min());
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    value = static_cast<T>(Integer(name, given, kMin, kMax));
  }
  std::uint64_t Integer(const char* name, const pybind11::object& given, std::int64_t min,
                        std::uint64_t max);

  pybind11::dict values_;
  std::vector<std::string> known_;
  std::string clamped_;  // the first key whose value did not fit its type
  std::string clamped_text_, clamped_range_;
};

class FieldReader {
 public:
  template <class T>
  void operator()(const char* name, T& value) {
    if constexpr (std::is_same_v<T, Duration>) {
      values_[name] = static_cast<double>(value.us) / MicrosecondsPerUnit(name);
    } else {
      values_[name] = value;
    }
  }
  template <class Enum>
  void operator()(const char* name, Enum& value, Names names) {
    values_[name] = std::string(names.begin()[static_cast<std::size_t>(value)]);
  }

  pybind11::dict Take() { return std::move(values_); }

 private:
  pybind11::dict values_;
};

}  // namespace tombolo::python
