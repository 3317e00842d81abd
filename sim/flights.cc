#include "sim/flights.h"

#include <cstring>
#include <utility>
#include <variant>

namespace tombolo::sim {
namespace {

using Reader = Message (*)(const std::byte* bytes);

template <class Kind>
Message Read(const std::byte* bytes) {
  Kind body{};
  std::memcpy(&body, bytes, sizeof(body));
  return body;
}

// Null for the kinds that take more than `room` bytes.
template <class... Kinds>
constexpr std::array<Reader, sizeof...(Kinds)> Readers(MessageFamily<Kinds...>, std::size_t room) {
  return {(sizeof(Kinds) <= room ? &Read<Kinds> : nullptr)...};
}

constexpr std::array<Reader, kMessageKinds> kReaders = Readers(AllMessages{}, Flights::kSmallBytes);

}  // namespace

std::uint32_t Flights::Add(FlightKind kind, LinkDownReason reason, const Message& message) {
  return std::visit(
      [&](const auto& body) {
        if constexpr (sizeof(body) <= kSmallBytes) {
          const std::uint32_t slot = small_.Reserve();
          Small& small = small_[slot];
          small.kind = kind;
          small.reason = reason;
          small.index = static_cast<std::uint8_t>(message.index());
          std::memcpy(small.bytes.data(), &body, sizeof(body));
          return 2 * slot;
        } else {
          const std::uint32_t slot = large_.Reserve();
          Flight& flight = large_[slot];
          flight.kind = kind;
          flight.reason = reason;
          flight.message = message;
          return 2 * slot + 1;
        }
      },
      message);
}

Message Flights::Unpack(const Small& small) { return kReaders[small.index](small.bytes.data()); }

bool Flights::IsPossible(const Small& small) {
  return small.index < kMessageKinds && kReaders[small.index] != nullptr;
}

}  // namespace tombolo::sim
