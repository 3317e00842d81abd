// Points in time and spans of time, in whole microseconds.
//
// The core never reads a clock: every call carries `now`. A 64-bit count keeps events and timers
// small (absl::Duration is 128 bits wide), and integers keep runs equal on every machine.
//
// Thread rule: plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace tombolo {

// A span of time. May be negative as the difference of two times; configuration requires positive
// ones.
struct Duration {
  std::int64_t us = 0;

  static constexpr Duration Microseconds(std::int64_t n) { return {n}; }
  static constexpr Duration Milliseconds(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration Seconds(std::int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration Minutes(std::int64_t n) { return Seconds(n * 60); }
  static constexpr Duration Hours(std::int64_t n) { return Seconds(n * 3600); }

  constexpr double seconds() const { return static_cast<double>(us) * 1e-6; }
  constexpr double milliseconds() const { return static_cast<double>(us) * 1e-3; }

  auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration other) const { return {us + other.us}; }
  constexpr Duration operator-(Duration other) const { return {us - other.us}; }
  constexpr Duration operator*(std::int64_t factor) const { return {us * factor}; }
  constexpr Duration operator/(std::int64_t divisor) const { return {us / divisor}; }
};

// A point in time since the origin of the host: the start of a simulation, the start of a process.
struct Time {
  std::int64_t us = 0;

  constexpr double seconds() const { return static_cast<double>(us) * 1e-6; }

  auto operator<=>(const Time&) const = default;
  constexpr Time operator+(Duration span) const { return {us + span.us}; }
  constexpr Time operator-(Duration span) const { return {us - span.us}; }
  constexpr Duration operator-(Time other) const { return {us - other.us}; }
};

// Later than every real time: "no deadline".
inline constexpr Time kNever{std::numeric_limits<std::int64_t>::max()};

}  // namespace tombolo
