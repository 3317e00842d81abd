// Ids, directories and dumb answers that the tests of routing share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/archive.h"
#include "overlay/directory.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/rng.h"

namespace tombolo {

inline NodeId RandomId(Rng& rng) {
  NodeId id;
  for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng.Next() >> 32);
  return id;
}

// A random id that shares exactly `bits` leading bits with `id`. Requires bits < kIdBits.
inline NodeId RandomIdSharing(const NodeId& id, int bits, Rng& rng) {
  NodeId random = RandomId(rng);
  for (int i = 0; i <= bits; ++i) {
    if (random.bit(i) != (id.bit(i) != (i == bits))) random = random.WithFlippedBit(i);
  }
  return random;
}

// The twin of every search: sorts all and takes the first.
inline std::vector<PeerRef> DumbClosest(std::vector<PeerRef> peers, const NodeId& target,
                                        std::size_t count, const Directory& ids) {
  std::sort(peers.begin(), peers.end(),
            [&](PeerRef a, PeerRef b) { return IsCloser(ids.id(a), ids.id(b), target); });
  if (peers.size() > count) peers.resize(count);
  return peers;
}

template <class T>
std::vector<std::uint8_t> Saved(const T& value) {
  Writer writer;
  writer(value);
  return writer.Take();
}

}  // namespace tombolo
