// What a host of the core is configured with, and what it counts. Plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/channel_options.h"
#include "node/durable_records.h"
#include "node/hello.h"
#include "node/known_peers.h"
#include "node/link_options.h"
#include "overlay/config.h"
#include "overlay/drop_reason.h"
#include "overlay/message.h"
#include "overlay/node_id.h"

namespace tombolo::node {

// Somebody met in an earlier life of the node.
struct RememberedPeer {
  NodeId id;
  std::vector<std::string> addresses;  // at most kMaxAddresses
};

struct HostOptions {
  Config core;
  LinkOptions links;
  ChannelOptions channels;
  SelfDescription self;                // its life is drawn from the seed
  std::vector<std::string> bootstrap;  // none: the node founds an overlay, or rejoins
  std::vector<RememberedPeer>
      remembered;                       // the latest first; those beyond kMaxListed are not asked
  std::vector<DurableRecord> restored;  // held in an earlier life
  // Whether others can dial it: as the operator says; nullopt: found out (reachability.h).
  std::optional<bool> dialable = std::nullopt;
  std::size_t max_peers = KnownPeers::kDefaultLimit;
  // Of payloads and queues. Beyond it newcomers, sends with a payload and messages of others that
  // are not small are refused; what is held already stays.
  std::size_t memory_bytes = std::size_t{1} << 30;
  std::uint64_t seed = 0;  // of all random choices; different at every start of a real node
};

// What an operator may change while the node runs.
struct HostLimits {
  std::size_t connections = 0;
  int links = 0;
  std::size_t queue_bytes = 0;
  int records = 0;
  std::size_t memory_bytes = 0;
};

// The last byte of a relayed payload.
inline constexpr char kApplicationPayload = 0;
inline constexpr char kChannelPayload = 1;  // the rest is a Segment of link.proto

struct HostCounters {
  std::array<std::uint64_t, kMessageKinds> sent{};      // handed to links
  std::array<std::uint64_t, kMessageKinds> received{};  // handed to the core
  std::array<std::uint64_t, kDropReasons> drops{};      // by the core
  std::uint64_t joins_begun = 0;
  std::uint64_t sends_refused_memory = 0;     // commands, for lack of memory
  std::uint64_t puts_refused = 0;             // beyond the records that the node keeps alive
  std::uint64_t messages_refused_memory = 0;  // of others
  std::uint64_t records_not_kept = 0;  // answers that were not given: the disk took no record
  std::uint64_t sweeps = 0;            // of known peers
  std::uint64_t strange_payloads = 0;  // relayed ones of no kind that is known
};

}  // namespace tombolo::node
