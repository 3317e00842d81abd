// Where a relayed message goes next: a pure choice among the links of one peer.
//
// 1. Links strictly closer to the target than this peer (while detouring: than the place where it
//    got stuck): healthy ones first, then those under pressure, then suspect ones; among equals the
//    closest. A healthy peer that is closer but not closest beats a suspect closest. Closer is a
//    matter of XOR where there are k-buckets; on a ring alone, of the way clockwise, so that
//    successors always lead on and fingers shorten the way.
// 2. Else, if detours are left, links in the same order of health, by turns the closest by XOR
//    and the closest on the ring: next to a gap in the buckets one of the two leads on. On a ring
//    alone the latter.
//
// Answers first try the way back (PickBack).
//
// Thread rule: pure functions. Distances are compared in full except with `stuck_at`, 64 bits wide:
// ids made to agree in more bits cost detours, never correctness.
#pragma once

#include <cstdint>
#include <span>

#include "overlay/link.h"
#include "overlay/message.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"

namespace tombolo {

enum class RouteKind : std::uint8_t {
  kCloser,    // strictly closer
  kDetour,    // past a local minimum
  kHandBack,  // to where it came from: no way onward here
};

struct Route {
  PeerRef next = PeerRef::kNone;  // kNone: no way onward
  RouteKind kind = RouteKind::kCloser;
};

// `message` is as it arrived at this peer. Peers in `excluded` and the origin are not chosen.
Route PickRoute(const PartStep& step, std::span<const Link> links, const Forward& message,
                std::span<const PeerRef> excluded);

// Over the link to `previous`, as a detour unless it leads closer; no way if there is no such link
// in good health, or it is excluded.
Route PickBack(const PartStep& step, std::span<const Link> links, const Forward& message,
               std::span<const PeerRef> excluded, PeerRef previous);

// The message as it leaves this peer over `route`, its `hop` still to be set.
Forward Departing(const PartStep& step, const Forward& message, RouteKind route);

// The message as this peer sees it on arrival: limits of our own configuration hold, and a detour
// that has come under the distance where it began is over.
Forward Arriving(const PartStep& step, const Forward& message);

}  // namespace tombolo
