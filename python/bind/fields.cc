#include "python/bind/fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tombolo::python {

namespace py = pybind11;

namespace {

double MicrosecondsPerUnit(const std::string& name) { return name.ends_with("_ms") ? 1e3 : 1e6; }

std::string Repr(const py::handle& value) { return py::str(py::repr(value)); }

[[noreturn]] void WrongType(const std::string& name, const py::object& given, const char* wanted) {
  throw py::type_error(name + " = " + Repr(given) + ": must be " + wanted);
}

// The key as Validate() names it: without unit.
std::string WithoutUnit(const std::string& name) {
  for (const std::string_view unit : {"_ms", "_s"}) {
    if (name.ends_with(unit)) return name.substr(0, name.size() - unit.size());
  }
  return name;
}

}  // namespace

py::object FieldWriter::Take(const std::string& name) {
  known_.push_back(name);
  const py::str key(name);
  return values_.contains(key) ? py::reinterpret_borrow<py::object>(values_[key]) : py::object();
}

void FieldWriter::Write(const std::string& name, const sim::Field& field) {
  const py::object given = Take(name);
  if (!given) return;
  if (const auto* choice = std::get_if<sim::ChoiceField>(&field))
    return choice->set(Choose(name, given, choice->names));
  if (const auto* file = std::get_if<sim::PathField>(&field))
    return Store(name, given, *file->path);
  std::visit(
      [&](const auto& value) {
        if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(value)>>)
          Store(name, given, *value);
      },
      field);
}

std::size_t FieldWriter::Choose(const std::string& name, const py::object& given,
                                std::span<const std::string_view> names) const {
  if (!py::isinstance<py::str>(given)) WrongType(name, given, "a string");
  const auto found = std::find(names.begin(), names.end(), given.cast<std::string>());
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string allowed;
  for (const std::string_view option : names) {
    if (!option.empty()) allowed += (allowed.empty() ? "'" : ", '") + std::string(option) + "'";
  }
  throw py::value_error(name + " = " + Repr(given) + ": allowed are " + allowed);
}

double FieldWriter::Number(const std::string& name, const py::object& given) const {
  // Integers and floats, numpy's included; no strings, no bools.
  if (!PyBool_Check(given.ptr()) && !py::isinstance<py::str>(given) &&
      PyNumber_Check(given.ptr()) != 0) {
    const double number = PyFloat_AsDouble(given.ptr());
    if (PyErr_Occurred() == nullptr) return number;
    PyErr_Clear();
  }
  WrongType(name, given, "a number");
}

void FieldWriter::Store(const std::string& name, const py::object& given, bool& value) const {
  if (!PyBool_Check(given.ptr())) WrongType(name, given, "True or False");
  value = given.cast<bool>();
}

void FieldWriter::Store(const std::string& name, const py::object& given, double& value) const {
  value = Number(name, given);
}

void FieldWriter::Store(const std::string& name, const py::object& given, Duration& value) const {
  const double us = Number(name, given) * MicrosecondsPerUnit(name);
  // Far beyond every limit, and still no overflow.
  constexpr double kMaxUs = 4e18;
  if (std::isnan(us)) throw py::value_error(name + " = nan: must be a number");
  value = Duration{static_cast<std::int64_t>(std::round(std::clamp(us, -kMaxUs, kMaxUs)))};
}

void FieldWriter::Store(const std::string& name, const py::object& given,
                        std::string& value) const {
  if (!py::isinstance<py::str>(given)) WrongType(name, given, "a string");
  value = given.cast<std::string>();
}

template <class T>
void FieldWriter::Store(const std::string& name, const py::object& given,
                        std::vector<T>& value) const {
  try {
    value = given.cast<std::vector<T>>();
  } catch (const py::cast_error&) {
    const bool whole = std::is_integral_v<T>;
    WrongType(name, given, whole ? "a list of integers, 0 to 4294967295" : "a list of numbers");
  }
}

std::uint64_t FieldWriter::Integer(const std::string& name, const py::object& given,
                                   std::int64_t min, std::uint64_t max) {
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

void Read(const std::string& name, const sim::Field& field, py::dict& values) {
  const py::str key(name);
  if (const auto* choice = std::get_if<sim::ChoiceField>(&field)) {
    const std::string chosen(choice->names[choice->get()]);
    if (!chosen.empty()) values[key] = chosen;
  } else if (const auto* file = std::get_if<sim::PathField>(&field)) {
    values[key] = *file->path;
  } else if (const auto* span = std::get_if<Duration*>(&field)) {
    values[key] = static_cast<double>((*span)->us) / MicrosecondsPerUnit(name);
  } else {
    std::visit(
        [&](const auto& value) {
          using T = std::remove_cvref_t<decltype(value)>;
          if constexpr (std::is_pointer_v<T> && !std::is_same_v<T, Duration*>) values[key] = *value;
        },
        field);
  }
}

}  // namespace tombolo::python
