// The parts of the table of keys, for scenario_keys*.cc alone. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/scenario_keys.h"

namespace tombolo::sim {

std::vector<std::span<const Key>> WorldKeys();  // top level, [kademlia], [links], [relay], [store]
std::vector<std::span<const Key>> AttachKeys();       // [attach]
std::vector<std::span<const Key>> RingKeys();         // [ring]
std::vector<std::span<const Key>> GossipKeys();  // [gossip]
std::vector<std::span<const Key>> EnvironmentKeys();  // [latency], [bandwidth], [churn]
std::vector<std::span<const Key>> FaultKeys();         // [faults], [[at]]
std::vector<std::span<const Key>> LoadKeys();         // [[workload]], [[at]], [expect], [report]

// Names in the order of the enumerators, which count up from 0.
template <class Enum>
ChoiceField Choose(Enum& value, std::vector<std::string_view> names) {
  return {std::move(names), [&value] { return static_cast<std::size_t>(value); },
          [&value](std::size_t index) { value = static_cast<Enum>(index); }};
}

}  // namespace tombolo::sim
