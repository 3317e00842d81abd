// Whom a node names to a peer-relay client that asks for candidates: other clients of its own.
//
// The original names up to 20, and its clients then try to connect to 15 of each other, at most two
// of which get each message that a client sends. With many direct connections the node is rarely
// among the two, and what others pass on is no proof of who said it. So a client is introduced to
// few others: `most` each, both ways. With one, the node gets a copy of everything.
//
// Bounds: one row per client, `most` ids in each. Thread rule: one caller at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "overlay/node_id.h"

namespace tombolo::node {

class PeerRelayCandidates {
 public:
  explicit PeerRelayCandidates(std::size_t most) : most_(most) {}

  void Add(const NodeId& client) {
    if (rows_.try_emplace(client).second && most_ > 0) free_.insert(client);
  }

  void Remove(const NodeId& client) {
    const auto row = rows_.extract(client);
    if (!row) return;
    free_.erase(client);
    for (const NodeId& other : row.mapped()) {
      std::erase(rows_.at(other), client);
      free_.insert(other);
    }
  }

  // The clients that this one is introduced to, closest first; new ones if there is room.
  std::vector<NodeId> For(const NodeId& client) {
    const auto row = rows_.find(client);
    if (row == rows_.end()) return {};
    for (const NodeId* other = Nearest(client); other != nullptr && row->second.size() < most_;
         other = Nearest(client)) {
      const NodeId chosen = *other;
      Pair(client, chosen);
      Pair(chosen, client);
    }
    std::vector<NodeId> named = row->second;
    std::ranges::sort(named,
                      [&](const NodeId& a, const NodeId& b) { return IsCloser(a, b, client); });
    return named;
  }

  std::size_t size() const { return rows_.size(); }

 private:
  // Of those with room that it does not know: the closer one of its neighbours in order.
  const NodeId* Nearest(const NodeId& client) const {
    const std::vector<NodeId>& known = rows_.at(client);
    const auto fits = [&](const NodeId& id) {
      return id != client && std::ranges::count(known, id) == 0;
    };
    const auto middle = free_.lower_bound(client);
    const auto above = std::find_if(middle, free_.end(), fits);
    const auto below = std::find_if(std::make_reverse_iterator(middle), free_.rend(), fits);
    if (above == free_.end()) return below == free_.rend() ? nullptr : &*below;
    if (below == free_.rend()) return &*above;
    return IsCloser(*above, *below, client) ? &*above : &*below;
  }

  void Pair(const NodeId& client, const NodeId& other) {
    std::vector<NodeId>& row = rows_.at(client);
    row.push_back(other);
    if (row.size() >= most_) free_.erase(client);
  }

  const std::size_t most_;
  std::map<NodeId, std::vector<NodeId>> rows_;
  std::set<NodeId> free_;  // with room for more
};

}  // namespace tombolo::node
