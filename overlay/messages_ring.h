// What peers say to each other about the ring (Stoica et al., "Chord", SIGCOMM 2001, section 4).
//
// `rpc` is chosen by the asker and repeated in the answer. Plain values; see message.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "overlay/contact_lists.h"
#include "overlay/message_family.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"

namespace tombolo {

// Asks for the successor of a key; forwarded from finger to finger, answered to the asker.
struct FindSuccessor {
  static constexpr std::string_view kName = "find_successor";
  static constexpr std::uint32_t kFieldBytes = 4 + 2 + 26 + 20;

  std::uint32_t rpc;
  PeerRef asker;
  NodeId key;
  std::uint16_t hops;  // transmissions of this request, this one included
};

struct SuccessorFound {
  static constexpr std::string_view kName = "successor_found";
  static constexpr std::uint32_t kFieldBytes = 4 + 2 + 26;

  std::uint32_t rpc;
  PeerRef successor;
  std::uint16_t hops;
};

// Asks for the neighbours of the receiver; also a sign of life.
struct AskNeighbours {
  static constexpr std::string_view kName = "ask_neighbours";
  static constexpr std::uint32_t kFieldBytes = 4;

  std::uint32_t rpc;
};

struct RingNeighbours {
  static constexpr std::string_view kName = "ring_neighbours";
  static constexpr std::uint32_t kFieldBytes = 4 + 1 + 26;

  std::uint32_t rpc;
  PeerRef predecessor;      // kNone if it has none
  ListHandle contacts;      // `successors` successors, nearest first, then other predecessors
  std::uint8_t successors;  // how many of the list are successors
};

// "I might be your predecessor" (SIGCOMM 2001, figure 7).
struct Notify {
  static constexpr std::string_view kName = "notify";
  static constexpr std::uint32_t kFieldBytes = 0;
};

// The sender leaves; these are its neighbours.
struct RingLeave {
  static constexpr std::string_view kName = "ring_leave";
  static constexpr std::uint32_t kFieldBytes = 1;

  ListHandle contacts;      // successors, then predecessors, nearest first
  std::uint8_t successors;  // how many of the list are successors
};

using RingMessages =
    MessageFamily<FindSuccessor, SuccessorFound, AskNeighbours, RingNeighbours, Notify, RingLeave>;

}  // namespace tombolo
