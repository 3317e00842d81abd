// Finding rows in a table of links, as every part that is handed one does it.
//
// A table of links is ordered by bucket, and inside a bucket by id; so the links of a bucket lie
// side by side, and those that share more bits with the owner follow behind. Thread rule: pure
// functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "overlay/directory.h"
#include "overlay/link.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"

namespace tombolo {

// Index of the first link whose bucket is `bucket` or a later one.
inline std::size_t FirstOfBucket(std::span<const Link> links, int bucket) {
  const auto first = std::partition_point(links.begin(), links.end(),
                                          [&](const Link& link) { return link.bucket < bucket; });
  return static_cast<std::size_t>(first - links.begin());
}

inline int CountLinks(std::span<const Link> links, int bucket) {
  return static_cast<int>(FirstOfBucket(links, bucket + 1) - FirstOfBucket(links, bucket));
}

// Index of the link to `peer`, links.size() if there is none. `self_id` owns the table.
inline std::size_t FindLink(std::span<const Link> links, const NodeId& self_id, PeerRef peer,
                            const Directory& ids) {
  if (links.empty() || !ids.Contains(peer)) return links.size();
  const int bucket = CommonPrefixLength(self_id, ids.id(peer));
  for (std::size_t i = FirstOfBucket(links, bucket); i < links.size(); ++i) {
    if (links[i].peer == peer) return i;
    if (links[i].bucket != bucket) break;
  }
  return links.size();
}

}  // namespace tombolo
