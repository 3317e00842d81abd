// The parts of the table of keys, for scenario_keys*.cc alone. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/scenario_keys.h"

namespace tombolo::sim {

using KeyLists = std::vector<std::span<const Key>>;

KeyLists TopKeys();          // top level, as far as the world goes
KeyLists RoutingKeys();      // [kademlia], [links], [relay], [store]
KeyLists RingKeys();         // [ring]
KeyLists GossipKeys();       // [gossip]
KeyLists AttachKeys();       // [attach]
KeyLists HealKeys();         // [heal]
KeyLists EnvironmentKeys();  // [latency], [bandwidth], [churn]
KeyLists FaultKeys();        // [faults]
KeyLists RunKeys();          // top level: the length of the run
KeyLists CutKeys();          // [[at]]: what cuts and heals the network
KeyLists LoadKeys();         // [[workload]], [[at]], [expect], [report]

// Names in the order of the enumerators, which count up from 0.
template <class Enum>
ChoiceField Choose(Enum& value, std::vector<std::string_view> names) {
  return {std::move(names), [&value] { return static_cast<std::size_t>(value); },
          [&value](std::size_t index) { value = static_cast<Enum>(index); }};
}

}  // namespace tombolo::sim
