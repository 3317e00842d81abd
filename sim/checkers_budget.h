// What healing and upkeep may cost: I9, I10 and I11.
//
// Thread rule: pure functions of a world and of counts taken from it earlier. Errors: none.
#pragma once

#include <cstdint>

#include "overlay/time.h"
#include "sim/finding.h"
#include "sim/world.h"

namespace tombolo::sim {

// I9, what a peer holds: buckets, links, and neighbours within the limits of the configuration.
Finding CheckMemory(const World& world);

// I9, what was said since World::ResetMetrics.
struct MessageBudget {
  double per_peer = 0;        // messages sent, on average over the live peers
  std::uint32_t busiest = 0;  // messages received by one peer
};
Finding CheckMessages(const World& world, const MessageBudget& budget);

// I10, once everybody has had the time to notice: nobody keeps a link to a peer that is down,
// or counts one among its ring neighbours, to whom it would go on talking. Buckets may hold
// dead contacts; they are asked only when they are needed.
Finding CheckNoDeadTraffic(const World& world);

// A moment from which traffic is measured.
struct TrafficMark {
  Time at;
  std::uint64_t messages = 0;
};
TrafficMark MarkTraffic(const World& world);
// Messages per second of simulated time since the mark. Requires that time has passed.
double TrafficSince(const World& world, const TrafficMark& mark);

// I11: the traffic since `mark`, which is to lie twice the time of the healing after it began,
// is at most `kTrafficSlack` times the baseline, given in messages per second, and one message
// per peer and minute more.
inline constexpr double kTrafficSlack = 1.5;
Finding CheckTermination(const World& world, double baseline, const TrafficMark& mark);

}  // namespace tombolo::sim
