// The bytes of an application, as the core sees them.
#pragma once

#include <cstdint>

namespace tombolo {

// A handle to bytes that the host keeps, and their number.
//
// Ownership: bytes that reach a core in a received message or in a command belong to that core,
// which gives them up exactly once: with Outbox::Release, or by handing them to the application in
// an event. A message in the outbox only borrows: the host takes a share of its own for the time of
// the flight.
struct Payload {
  static constexpr std::uint32_t kNone = 0xffffffffU;

  std::uint32_t handle = kNone;
  std::uint32_t bytes = 0;

  bool empty() const { return handle == kNone; }
  bool operator==(const Payload&) const = default;
};

}  // namespace tombolo
