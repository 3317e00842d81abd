// How the plan of a swarm seed is drawn: small draws that its parts share, and one class of faults
// after the other.
//
// Thread rule: pure functions of a generator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "overlay/node_id.h"
#include "overlay/rng.h"
#include "overlay/time.h"
#include "sim/swarm_plan.h"

namespace tombolo::sim {

// Means of exponential times; none is longer than kTail of them but once in half a million.
inline constexpr Duration kLongestDown = Duration::Seconds(4);
inline constexpr std::int64_t kTail = 13;

template <class T, std::size_t N>
T Pick(Rng& rng, const std::array<T, N>& values) {
  return values[rng.Below(static_cast<std::uint32_t>(N))];
}

inline NodeId RandomKey(Rng& rng) {
  NodeId key;
  for (std::uint32_t& word : key.words) word = static_cast<std::uint32_t>(rng.Next() >> 32);
  return key;
}

inline std::uint32_t Between(Rng& rng, std::uint32_t low, std::uint32_t high) {
  return low + rng.Below(high - low + 1);
}

inline Duration SecondsBetween(Rng& rng, std::uint32_t low, std::uint32_t high) {
  return Duration::Milliseconds(Between(rng, low * 1000, high * 1000));
}

inline double Share(Rng& rng, std::uint32_t low, std::uint32_t high) {
  return Between(rng, low, high) / 256.0;
}

// What the drawing of one class needs.
struct Draw {
  Rng& rng;
  SwarmPlan& plan;

  // Any time before the last fault.
  Time When() const {
    return Time{} + Duration{static_cast<std::int64_t>(
                        rng.Below64(static_cast<std::uint64_t>(plan.faults_end.us)))};
  }
  SwarmStep Step(StepKind kind) const {
    SwarmStep step;
    step.at = When();
    step.kind = kind;
    step.who = rng.Below(1U << 16);
    step.other = rng.Below(1U << 16);
    return step;
  }
  void Add(StepKind kind, std::uint32_t count) const {
    for (std::uint32_t i = 0; i < count; ++i) plan.steps.push_back(Step(kind));
  }
};

// A few clients that come, move, turn up at two homes at once, enter rooms and leave them, and are
// looked for.
void AddClients(const Draw& draw);

// A few broadcasts; half of them live until long after the faults.
void AddNews(const Draw& draw);

// Two or three islands, of at least two peers each.
void StartAsStrangers(const Draw& draw);

// Lets the world of the plan suffer a class of faults.
void AddFault(FaultClass fault, const Draw& draw);

}  // namespace tombolo::sim
