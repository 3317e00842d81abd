// What an application asked of a peer of the world, and what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/event.h"
#include "overlay/node_id.h"
#include "overlay/payload.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo::sim {

enum class OperationKind : std::uint8_t {
  kLookup,
  kSend,
  kPut,
  kGet,
  kBroadcast,
  kAttach,
  kConnect,
  kResolve
};
inline constexpr std::size_t kOperationKinds = 8;
inline constexpr std::string_view kOperationNames[kOperationKinds] = {
    "lookup", "send", "put", "get", "broadcast", "attach", "connect", "resolve"};

enum class OperationStatus : std::uint8_t {
  kActive,
  kSucceeded,
  kFailed,
  kVoid,  // the source went down before the end, or the target of a send before it arrived
};

struct SendOptions {
  Duration deadline = Duration::Seconds(30);
  std::uint8_t copies = 1;  // node-disjoint copies, 1..8
  // False: fire and forget; the operation ends at once, and failed only if it was refused at once.
  bool receipt = true;
  std::string bytes;  // content, if it matters
};

struct PutOptions {
  Duration ttl = Duration::Hours(24);
  std::uint64_t sequence = 0;  // 0 = the number of the operation in the world, ever growing
};

struct BroadcastOptions {
  std::uint64_t topic = 0;                   // 0 = everybody
  Duration ttl = Duration::Minutes(1);       // of the broadcast
  Duration deadline = Duration::Minutes(1);  // the operation ends by then
  std::uint8_t max_hops = 64;
  bool acknowledge = false;  // the operation ends when the origin knows whom it has reached
  std::string bytes;         // content, if it matters
};

// Number of an operation; reused after its result was taken.
using OperationId = std::uint32_t;

struct Operation {
  OperationKind kind = OperationKind::kLookup;
  OperationStatus status = OperationStatus::kActive;
  FailReason reason = FailReason::kDeadline;  // of kFailed
  bool recorded = false;                      // the result is kept until it is taken
  // Of a lookup: the closest peer found is the closest live one in the world. Of a resolve: the
  // home found is that of the client.
  bool closest_ok = false;
  std::uint8_t generation = 0;
  PeerRef source = PeerRef::kNone;
  PeerRef target = PeerRef::kNone;  // of a send or connect, where the id is a peer's
  NodeId key;
  Time started;
  Time ended;
  std::uint16_t hops = 0;
  std::uint16_t messages = 0;    // of a lookup or get: requests and answers
  std::uint16_t dead = 0;        // of a lookup: contacts that did not answer
  std::uint16_t stored = 0;      // of a put: peers that hold the record
  std::uint64_t sequence = 0;    // of a get: of the record found
  Payload value;                 // of a get or broadcast: one share is the operation's
  std::vector<PeerRef> closest;  // of a recorded lookup: the k closest found

  // Of a broadcast.
  bool acknowledge = false;
  std::uint32_t population = 0;    // peers of the world at its start
  std::uint32_t wanted = 0;        // others that were up then
  std::uint32_t reached = 0;       // of those who were in the world
  std::uint32_t acknowledged = 0;  // reached, as the origin was told
  Time last_reached;
  std::vector<std::uint64_t> has_it;  // a bit per peer

  Duration latency() const { return ended - started; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(kind, status, reason, recorded, closest_ok, generation, source, target, key, started,
            ended, hops, messages, dead, stored, sequence, value, closest, acknowledge, population,
            wanted, reached, acknowledged, last_reached, has_it);
  }
};

}  // namespace tombolo::sim
