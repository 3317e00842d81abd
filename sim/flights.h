// What is on its way between the peers of a world, named by a number that is reused.
//
// A message is several times as large as most of its kinds. Here the small kinds take 48 bytes, the
// others the room of a whole message: of a million messages under way most of the memory stays
// unused, and a delivery touches one or two cache lines instead of three.
//
// Ownership: a flight only names lists and payloads. Bounded by the caller; up to 2^31 flights of
// each size. Thread rule: one caller at a time. Numbers that are not in use are programmer errors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "overlay/event.h"
#include "overlay/message.h"
#include "sim/slab.h"

namespace tombolo::sim {

enum class FlightKind : std::uint8_t {
  kMessage,
  kDial,
  kLinkUp,
  kLinkDown,
  kCorrupted,
  kWaiting,  // a message that a slow reader has, and takes in its turn
};

// Something on its way to a peer.
struct Flight {
  FlightKind kind = FlightKind::kMessage;
  LinkDownReason reason = LinkDownReason::kClosed;
  Message message;
};

class Flights {
 public:
  static constexpr std::size_t kSmallBytes = 45;  // kinds of up to this size are small

  std::uint32_t Add(FlightKind kind, LinkDownReason reason, const Message& message);

  Flight Get(std::uint32_t number) const {
    if (IsLarge(number)) return large_[number / 2];
    const Small& small = small_[number / 2];
    return {small.kind, small.reason, Unpack(small)};
  }

  // Gets it and frees its number.
  Flight Take(std::uint32_t number) {
    const Flight flight = Get(number);
    if (IsLarge(number)) {
      large_.Free(number / 2);
    } else {
      small_.Free(number / 2);
    }
    return flight;
  }

  // The message if it is of this small kind; cheaper than Get.
  template <class Kind>
  std::optional<Kind> Find(std::uint32_t number) const {
    static_assert(sizeof(Kind) <= kSmallBytes);
    constexpr std::size_t kIndex = Message(Kind{}).index();
    if (IsLarge(number) || small_[number / 2].index != kIndex) return std::nullopt;
    Kind body{};
    std::memcpy(&body, small_[number / 2].bytes.data(), sizeof(body));
    return body;
  }

  // A hint that the flight will be taken soon.
  void Prefetch(std::uint32_t number) const {
    return IsLarge(number) ? large_.Prefetch(number / 2) : small_.Prefetch(number / 2);
  }

  std::size_t in_use() const { return small_.in_use() + large_.in_use(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(small_, large_);
    if constexpr (Archive::kReading) {
      for (std::uint32_t i = 0; archive.ok() && i < small_.size(); ++i) {
        if (!IsPossible(small_[i])) archive.Fail("a flight of no known kind");
      }
    }
  }

 private:
  // Byte for byte one kind of message.
  struct Small {
    FlightKind kind = FlightKind::kMessage;
    LinkDownReason reason = LinkDownReason::kClosed;
    std::uint8_t index = 0;  // of the kind among those of Message
    std::array<std::byte, kSmallBytes> bytes{};
  };
  static_assert(sizeof(Small) == 48);

  static bool IsLarge(std::uint32_t number) { return number % 2 != 0; }
  static Message Unpack(const Small& small);
  static bool IsPossible(const Small& small);

  Slab<Small> small_;
  Slab<Flight> large_;
};

}  // namespace tombolo::sim
