// One direct connection to another peer, as its owner sees it.
#pragma once

#include <cstdint>

#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo {

// What a host tells about a link that came up. Capabilities beyond these belong to the host.
struct LinkAttributes {
  bool outbound = false;  // this side dialled
  bool dialable = true;   // the other side can be dialled
};

// How full the host's send queue of a link is.
enum class LinkPressure : std::uint8_t { kNone, kHigh };

struct Link {
  PeerRef peer = PeerRef::kNone;
  std::uint8_t bucket = 0;  // common prefix length of our ids
  bool outbound = false;
  bool dialable = true;
  bool requested = false;  // the application asked for it with Connect; never evicted
  bool suspect = false;    // a hop over it timed out and nothing was heard since
  LinkPressure pressure = LinkPressure::kNone;
  Time up_since;
  Duration srtt;  // smoothed round trip of hop acknowledgements, RFC 6298; 0 = no sample yet
  Duration rttvar;
};

}  // namespace tombolo
