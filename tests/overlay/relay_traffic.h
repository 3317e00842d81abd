// Traffic between random pairs of a toy network, and what came of it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "tests/overlay/toy_net.h"

namespace tombolo {

constexpr std::uint64_t Percent(std::uint64_t share) {
  return (std::uint64_t{1} << 32) / 100 * share;
}

struct Totals {
  std::size_t sends = 0;
  std::size_t delivered = 0;
  std::size_t failed = 0;
  std::size_t hops = 0;
};

// Sends between random pairs, one after the other or some at a time, and waits for all.
inline Totals SendMany(ToyNet& net, std::size_t count, int copies = 1) {
  Rng rng(7);
  Totals totals;
  std::vector<std::size_t> origins;
  for (std::uint32_t request = 0; request < count; ++request) {
    const auto peers = static_cast<std::uint32_t>(net.toys.size());
    const std::size_t from = rng.Below(peers);
    const std::size_t to = (from + 1 + rng.Below(peers - 1)) % peers;
    origins.push_back(from);
    net.Send(from, net.toys[to].id, request, copies);
    net.Run(Duration::Milliseconds(50));
  }
  net.Run();
  for (std::uint32_t request = 0; request < count; ++request) {
    const auto end = net.EndOf(origins[request], request);
    EXPECT_TRUE(end.has_value()) << "request " << request << " ended in silence";
    if (!end) continue;
    ++totals.sends;
    if (const auto* delivered = std::get_if<Delivered>(&*end)) {
      ++totals.delivered;
      totals.hops += delivered->hops;
    } else {
      ++totals.failed;
    }
  }
  return totals;
}

}  // namespace tombolo
