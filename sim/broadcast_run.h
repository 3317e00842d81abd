// Broadcasts of one sender and measures how they spread: the experiment behind `tombolo-sim bench
// broadcast`.
//
// One broadcast a second. The first `settling` make the tree and are not measured; the next
// `measured` are. Then a share of the peers dies at once, and the very next broadcast, for which no
// link has been noticed to be dead, is followed for up to a minute.
//
// Thread rule: one caller; the world runs on. Errors: none.
#pragma once

#include <cstdint>
#include <functional>

#include "overlay/time.h"
#include "sim/metrics.h"
#include "sim/world.h"

namespace tombolo::sim {

struct BroadcastRunOptions {
  std::uint32_t settling = 19;
  std::uint32_t measured = 20;
  std::uint32_t senders = 1;  // that many peers take turns
  double deaths = 0.5;        // share of the peers
};

struct BroadcastFigures {
  std::uint32_t broadcasts = 0;
  Metrics stable;         // of the measured ones
  HopHistogram last_hop;  // of each of them: hops to the peer farthest away
  Metrics failed;         // of the one after the deaths
  std::uint32_t survivors = 0;
  Duration reached_after;  // until its last delivery
  std::uint64_t trace_hash = 0;
  Duration simulated;  // of the measured broadcasts
};

// Called after every broadcast; false ends the run.
BroadcastFigures MeasureBroadcasts(World& world, const BroadcastRunOptions& options,
                                   const std::function<bool()>& go_on);

}  // namespace tombolo::sim
