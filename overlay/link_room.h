// Room in a table of links, and who has to go when there is none.
//
// Of config.max_links, `reserved` are for peers that cannot be dialled, the rest is for anyone.
// When a link comes up beyond that, one has to go:
//   - never one that the application asked for, that is among the only per_bucket of its bucket,
//     that leads to a neighbour, or that is among the `reserved` closest (deepest buckets)
//     undialable ones;
//   - of the rest, one of the fullest bucket; there a suspect one, else the youngest, since links
//     that lasted long last longer (Kademlia 2002, section 2.1), so the newcomer itself in a bucket
//     of equals;
//   - if none may go, the newcomer is turned away.
//
// Tables are ordered as link_rows.h says. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "overlay/config.h"
#include "overlay/link.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"

namespace tombolo {

// A link to `peer` that comes up now, of our own accord or of the other side's.
Link NewLink(PeerRef peer, bool outbound, bool dialable, const PartStep& step);

// Puts the link where it belongs.
void InsertLink(std::vector<Link>& rows, const Link& link, const PartStep& step);

// How many more links there may be that are not in the reserve; negative if there are too many.
int FreeLinks(std::span<const Link> rows, const LinkConfig& config);

// Index of the link that has to go, rows.size() if none may.
std::size_t LinkToGo(std::span<const Link> rows, std::span<const PeerRef> neighbours,
                     const LinkConfig& config);

// Whether a link to `peer` would stay if it came up now, and all of `dialing` before it.
bool WouldStay(PeerRef peer, std::span<const Link> rows, std::span<const PeerRef> dialing,
               std::span<const PeerRef> neighbours, const PartStep& step);

}  // namespace tombolo
