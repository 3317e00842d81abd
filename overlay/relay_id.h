// How the ids of relayed messages are made up: 32 random bits, the handle of the send at its origin
// (28 bits), the attempt (4 bits). Only the origin relies on it; to others an id is a number, and
// the target leaves the attempt out to know a message again. Thread rule: pure functions.
#pragma once

#include <cstdint>

namespace tombolo {

inline constexpr int kMaxCopies = 8;  // node-disjoint copies of one message
inline constexpr int kSendHandleBits = 28;
inline constexpr std::uint64_t kAttemptMask = 15;

constexpr std::uint64_t MakeRelayId(std::uint64_t random, std::uint32_t handle) {
  return (random << 32) | (handle << 4);
}

// The handle in an id.
constexpr std::uint32_t HandleIn(std::uint64_t id) { return static_cast<std::uint32_t>(id) >> 4; }

// Copies in a set of copies. Hostile numbers fold onto lawful ones.
constexpr std::uint8_t CopyBit(int copy) {
  return static_cast<std::uint8_t>(1U << (copy % kMaxCopies));
}

}  // namespace tombolo
