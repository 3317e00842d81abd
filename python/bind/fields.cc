#include "python/bind/fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tombolo::python {

namespace py = pybind11;

namespace {

std::string Repr(const py::handle& value) { return py::str(py::repr(value)); }

[[noreturn]] void WrongType(const char* name, const py::object& given, const char* wanted) {
  throw py::type_error(std::string(name) + " = " + Repr(given) + ": must be " + wanted);
}

// The key as Validate() names it: without unit.
std::string WithoutUnit(const std::string& name) {
  for (const std::string_view unit : {"_ms", "_s"}) {
    if (name.ends_with(unit)) return name.substr(0, name.size() - unit.size());
  }
  return name;
}

}  // namespace

double MicrosecondsPerUnit(std::string_view name) { return name.ends_with("_ms") ? 1e3 : 1e6; }

py::object FieldWriter::Take(const char* name) {
  known_.emplace_back(name);
  return values_.contains(name) ? py::reinterpret_borrow<py::object>(values_[name]) : py::object();
}

std::size_t FieldWriter::Choose(const char* name, const py::object& given, Names names) const {
  if (!py::isinstance<py::str>(given)) WrongType(name, given, "a string");
  const auto* found = std::find(names.begin(), names.end(), given.cast<std::string>());
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string allowed;
  for (const std::string_view option : names) {
    allowed += (allowed.empty() ? "'" : ", '") + std::string(option) + "'";
  }
  throw py::value_error(std::string(name) + " = " + Repr(given) + ": allowed are " + allowed);
}

double FieldWriter::Number(const char* name, const py::object& given) const {
  // Integers and floats, numpy's included; no strings, no bools.
  if (!PyBool_Check(given.ptr()) && !py::isinstance<py::str>(given) &&
      PyNumber_Check(given.ptr()) != 0) {
    const double number = PyFloat_AsDouble(given.ptr());
    if (PyErr_Occurred() == nullptr) return number;
    PyErr_Clear();
  }
  WrongType(name, given, "a number");
}

void FieldWriter::Write(const char* name, const py::object& given, bool& value) const {
  if (!PyBool_Check(given.ptr())) WrongType(name, given, "True or False");
  value = given.cast<bool>();
}

void FieldWriter::Write(const char* name, const py::object& given, double& value) const {
  value = Number(name, given);
}

void FieldWriter::Write(const char* name, const py::object& given, Duration& value) const {
  const double us = Number(name, given) * MicrosecondsPerUnit(name);
  // Far beyond every limit, and still no overflow.
  constexpr double kMaxUs = 4e18;
  if (std::isnan(us)) throw py::value_error(std::string(name) + " = nan: must be a number");
  value = Duration{static_cast<std::int64_t>(std::round(std::clamp(us, -kMaxUs, kMaxUs)))};
}

void FieldWriter::Write(const char* name, const py::object& given, std::string& value) const {
  if (!py::isinstance<py::str>(given)) WrongType(name, given, "a string");
  value = given.cast<std::string>();
}

void FieldWriter::Write(const char* name, const py::object& given,
                        std::vector<std::uint32_t>& value) const {
  try {
    value = given.cast<std::vector<std::uint32_t>>();
  } catch (const py::cast_error&) {
    WrongType(name, given, "a list of integers, 0 to 4294967295");
  }
}

std::uint64_t FieldWriter::Integer(const char* name, const py::object& given, std::int64_t min,
                                   std::uint64_t max) {
  if (PyBool_Check(given.ptr()) || PyIndex_Check(given.ptr()) == 0)
    WrongType(name, given, "an integer");
  const py::int_ number = py::reinterpret_steal<py::int_>(PyNumber_Index(given.ptr()));
  const bool below = number < py::int_(min);
  if (!below && !(number > py::int_(max))) {
    return number < py::int_(0) ? static_cast<std::uint64_t>(number.cast<std::int64_t>())
                                : number.cast<std::uint64_t>();
  }
  if (clamped_.empty()) {
    clamped_ = name;
    clamped_text_ = Repr(number);
    clamped_range_ = std::to_string(min) + " to " + std::to_string(max);
  }
  return below ? static_cast<std::uint64_t>(min) : max;
}

void FieldWriter::Finish(const std::optional<std::string>& broken) const {
  for (const auto& [key, value] : values_) {
    const std::string name = py::str(key);
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::string section =
        name.substr(0, name.find('.') == std::string::npos ? 0 : name.find('.') + 1);
    std::string allowed;
    for (const std::string& other : known_) {
      const bool same =
          section.empty() ? other.find('.') == std::string::npos : other.starts_with(section);
      if (same) allowed += (allowed.empty() ? "" : ", ") + other;
    }
    throw py::value_error("unknown key '" + name + "'; allowed here are: " +
                          (allowed.empty() ? "none with this prefix" : allowed));
  }
  if (!clamped_.empty()) {
    std::string range = clamped_range_;
    constexpr std::string_view kMark = "allowed is ";
    if (broken && broken->starts_with(WithoutUnit(clamped_)) &&
        broken->find(kMark) != std::string::npos) {
      range = broken->substr(broken->find(kMark) + kMark.size());
    }
    throw py::value_error(clamped_ + " = " + clamped_text_ + " is out of range: allowed is " +
                          range);
  }
  if (broken) throw py::value_error(*broken);
}

}  // namespace tombolo::python
