// Fields of the key table (sim/scenario_keys.h) from and to the values of a dict.
//
// A Duration is a number in Python, in the unit that its name ends in (_s, _ms). Thread rule: with
// the GIL.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "overlay/time.h"
#include "sim/scenario_keys.h"

namespace tombolo::python {

// Stores what a dict holds, and says in the end what was wrong with it.
class FieldWriter {
 public:
  explicit FieldWriter(const pybind11::dict& values) : values_(values) {}

  void Write(const std::string& name, const sim::Field& field);

  // The value of a key that is in no table, for those who look into it themselves; empty if it is
  // not given.
  pybind11::object Take(const std::string& name);

  // Throws for keys that no field has, and for the rule that Validate() found broken.
  void Finish(const std::optional<std::string>& broken) const;

 private:
  std::size_t Choose(const std::string& name, const pybind11::object& given,
                     std::span<const std::string_view> names) const;
  double Number(const std::string& name, const pybind11::object& given) const;
  void Store(const std::string& name, const pybind11::object& given, bool& value) const;
  void Store(const std::string& name, const pybind11::object& given, double& value) const;
  void Store(const std::string& name, const pybind11::object& given, Duration& value) const;
  void Store(const std::string& name, const pybind11::object& given, std::string& value) const;
  template <class T>
  void Store(const std::string& name, const pybind11::object& given, std::vector<T>& value) const;

  // An integer that the type cannot hold is replaced by the nearest one that it can, so that
  // Validate() judges it; the error then shows what was given.
  template <class T>
  requires(std::is_integral_v<T> &&
           !std::is_same_v<T, bool>) void Store(const std::string& name,
                                                const pybind11::object& given, T& value) {
    constexpr auto kMin = static_cast<std::int64_t>(std::numeric_limits<T>::min());
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    value = static_cast<T>(Integer(name, given, kMin, kMax));
  }
  std::uint64_t Integer(const std::string& name, const pybind11::object& given, std::int64_t min,
                        std::uint64_t max);

  pybind11::dict values_;
  std::vector<std::string> known_;
  std::string clamped_;  // the first key whose value did not fit its type
  std::string clamped_text_, clamped_range_;
};

// Puts the value of a field into a dict; a choice that names nothing is left out.
void Read(const std::string& name, const sim::Field& field, pybind11::dict& values);

}  // namespace tombolo::python
