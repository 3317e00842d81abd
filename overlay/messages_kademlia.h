// What peers say to each other about contacts and records (Maymounkov & Mazieres, "Kademlia", IPTPS
// 2002, section 2.3).
//
// `rpc` is chosen by the asker and repeated in the answer; an answer counts only if it comes from
// the peer that was asked. Plain values; see message.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "overlay/contact_lists.h"
#include "overlay/message_family.h"
#include "overlay/node_id.h"
#include "overlay/payload.h"
#include "overlay/time.h"

namespace tombolo {

struct Ping {
  static constexpr std::string_view kName = "ping";
  static constexpr std::uint32_t kFieldBytes = 4;

  std::uint32_t rpc;
};

struct Pong {
  static constexpr std::string_view kName = "pong";
  static constexpr std::uint32_t kFieldBytes = 4;

  std::uint32_t rpc;
};

struct FindNode {
  static constexpr std::string_view kName = "find_node";
  static constexpr std::uint32_t kFieldBytes = 24;

  std::uint32_t rpc;
  NodeId target;
  // Contacts wanted beyond k: as many as the asker met dead, since others will name them too.
  std::uint32_t more = 0;
};

struct FindValue {
  static constexpr std::string_view kName = "find_value";
  static constexpr std::uint32_t kFieldBytes = 24;

  std::uint32_t rpc;
  NodeId key;
};

// Answer to FindNode, and to FindValue where the value is not held: the k closest contacts, without
// the asker.
struct Nodes {
  static constexpr std::string_view kName = "nodes";
  static constexpr std::uint32_t kFieldBytes = 4;

  std::uint32_t rpc;
  ListHandle contacts;
};

// A stored value. Of two records of one key the higher sequence wins.
struct Record {
  NodeId key;
  Payload payload;
  std::uint64_t sequence;
  Duration ttl;  // time left to live, counted from arrival
};
inline constexpr std::uint32_t kRecordBytes = 20 + 8 + 8;  // without the payload

// Answer to FindValue where the value is held.
struct Value {
  static constexpr std::string_view kName = "value";
  static constexpr std::uint32_t kFieldBytes = 4 + kRecordBytes;

  std::uint32_t rpc;
  Record record;
};

struct Store {
  static constexpr std::string_view kName = "store";
  static constexpr std::uint32_t kFieldBytes = 4 + kRecordBytes;

  std::uint32_t rpc;
  Record record;
};

enum class StoreStatus : std::uint8_t {
  kStored,    // held now, or held already with the same sequence
  kOutdated,  // a newer sequence is held
  kFull,      // the store is full of records that are closer to the peer
  kRejected,  // too large or expired
};

struct StoreAck {
  static constexpr std::string_view kName = "store_ack";
  static constexpr std::uint32_t kFieldBytes = 5;

  std::uint32_t rpc;
  StoreStatus status;
};

// The sender leaves the overlay for good; forget it at once.
struct Leave {
  static constexpr std::string_view kName = "leave";
  static constexpr std::uint32_t kFieldBytes = 0;
};

using KademliaMessages =
    MessageFamily<Ping, Pong, FindNode, FindValue, Nodes, Value, Store, StoreAck, Leave>;

}  // namespace tombolo
