// What a world counts while it runs: no strings, no allocation in the hot path.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "overlay/drop_reason.h"
#include "overlay/message.h"
#include "sim/faults.h"
#include "sim/histogram.h"
#include "sim/operation.h"

namespace tombolo::sim {

inline constexpr std::size_t kForwardKinds = 6;
inline constexpr std::size_t kFailReasons = 7;

// Results of one kind of operation.
struct OperationMetrics {
  std::uint64_t started = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t voided = 0;  // ended by the death of the source or the target: counts neither way
  std::array<std::uint64_t, kFailReasons> failed_by_reason{};
  std::uint64_t messages = 0;    // requests and answers of lookups and gets
  std::uint64_t dead = 0;        // contacts that did not answer lookups
  std::uint64_t closest_ok = 0;  // lookups that found the closest live peer
  HopHistogram hops;             // of the successful ones
  LatencyHistogram latency;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(started, succeeded, failed, voided, failed_by_reason, messages, dead, closest_ok, hops,
            latency);
  }
};

// How broadcasts spread.
struct BroadcastMetrics {
  std::uint64_t wanted = 0;    // live peers other than the origin, summed over ended broadcasts
  std::uint64_t reached = 0;   // of these
  std::uint64_t repeated = 0;  // handed to an application that had it: never
  HopHistogram hops;           // of every arrival
  LatencyHistogram delay;      // likewise

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(wanted, reached, repeated, hops, delay);
  }
};

struct Metrics {
  std::uint64_t events = 0;  // messages delivered, timers fired, world actions done
  std::array<std::uint64_t, kMessageKinds> messages{};  // transmissions, lost ones included
  std::array<std::uint64_t, kMessageKinds> bytes{};
  std::array<std::uint64_t, kForwardKinds>
      forwards{};  // of messages[forward], by kind; [0] = payload copies
  std::array<std::uint64_t, kDropReasons> drops{};       // input that cores ignored
  std::uint64_t lost = 0;                                // by the loss rate or a full queue
  std::array<std::uint64_t, kInjectedKinds> injected{};  // faults
  std::uint64_t cut = 0;                                 // sent across a cut
  std::uint64_t to_dead = 0;                             // arrived at a peer that is down
  std::uint64_t unreachable = 0;      // sent to a peer that cannot be dialled, without a link
  std::uint64_t dials = 0;            // kept links dialled
  std::uint64_t ephemeral_dials = 0;  // links dialled for a single exchange
  std::uint64_t joins = 0, crashes = 0, leaves = 0;
  std::array<OperationMetrics, kOperationKinds> operations;
  BroadcastMetrics broadcasts;
  std::vector<std::uint32_t> received;  // messages per peer: the load
  // The same of some kinds only; empty unless World::WatchKinds was called.
  std::array<bool, kMessageKinds> watched{};
  std::vector<std::uint32_t> received_watched;

  OperationMetrics& of(OperationKind kind) { return operations[static_cast<std::size_t>(kind)]; }
  const OperationMetrics& of(OperationKind kind) const {
    return operations[static_cast<std::size_t>(kind)];
  }

  std::uint64_t total_messages() const;
  std::uint64_t total_bytes() const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(events, messages, bytes, forwards, drops, lost, cut, injected, to_dead, unreachable,
            dials, ephemeral_dials, joins, crashes, leaves, operations, broadcasts, received,
            watched, received_watched);
  }
};

}  // namespace tombolo::sim
