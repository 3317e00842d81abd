#include "python/bind/bind.h"

#include <cmath>

namespace tombolo::python {

namespace py = pybind11;

PeerRef CheckPeer(const sim::World& world, std::int64_t index, const char* argument) {
  if (index >= 0 && index < world.peer_count()) return static_cast<PeerRef>(index);
  throw py::value_error(std::string(argument) + " = " + std::to_string(index) +
                        ": no such peer, allowed is 0 to " +
                        std::to_string(static_cast<std::int64_t>(world.peer_count()) - 1));
}

PeerRef CheckLivePeer(const sim::World& world, std::int64_t index, const char* argument) {
  const PeerRef peer = CheckPeer(world, index, argument);
  if (world.is_up(peer)) return peer;
  throw py::value_error(std::string(argument) + " = " + std::to_string(index) +
                        ": this peer is not up, allowed are peers that are");
}

NodeId IdFromBytes(const std::string& bytes) {
  constexpr std::size_t kBytes = kIdBits / 8;
  if (bytes.size() != kBytes) {
    throw py::value_error("id: " + std::to_string(bytes.size()) + " bytes, allowed are exactly 20");
  }
  NodeId id;
  for (std::size_t i = 0; i < kBytes; ++i) {
    id.words[i / 4] = (id.words[i / 4] << 8) | static_cast<std::uint8_t>(bytes[i]);
  }
  return id;
}

void AppendId(const NodeId& id, std::string& bytes) {
  for (const std::uint32_t word : id.words) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>((word >> shift) & 0xffU));
  }
}

py::bytes IdToBytes(const NodeId& id) {
  std::string bytes;
  AppendId(id, bytes);
  return py::bytes(bytes);
}

Duration SpanFromSeconds(double seconds, const char* argument) {
  constexpr double kMax = 1e9;
  if (seconds >= 0 && seconds <= kMax) return Duration{std::llround(seconds * 1e6)};
  throw py::value_error(std::string(argument) + " = " + std::to_string(seconds) +
                        " is out of range: allowed is 0 to 1e9 seconds");
}

}  // namespace tombolo::python
