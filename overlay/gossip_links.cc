#include "overlay/gossip_links.h"

#include <algorithm>

namespace tombolo {

bool GossipLink::Spend(GossipCost what, std::uint32_t amount, int limit, const PartStep& step) {
  const std::int64_t now = step.now.us / step.config.gossip.heartbeat.us;
  if (beat != now) {
    beat = now;
    spent.fill(0);
  }
  std::uint32_t& used = spent[static_cast<std::size_t>(what)];
  if (used + amount > static_cast<std::uint32_t>(limit)) return false;
  used += amount;
  return true;
}

void GossipLink::Announce(const Announcement& announcement, const PartStep& step) {
  if (waiting.size() >= static_cast<std::size_t>(step.config.gossip.window_messages)) {
    if (waiting.empty()) return;
    waiting.erase(waiting.begin());
    step.out.Drop(DropReason::kGossipForgotten);
  }
  waiting.push_back(announcement);
}

void GossipLink::Forget(std::uint64_t key) {
  std::erase_if(waiting, [&](const Announcement& a) { return a.key == key; });
}

std::vector<GossipLink>::iterator GossipLinks::Position(PeerRef peer, const PartStep& step) {
  const NodeId& id = step.ids.id(peer);
  return std::lower_bound(
      rows_.begin(), rows_.end(), id,
      [&](const GossipLink& row, const NodeId& wanted) { return step.ids.id(row.peer) < wanted; });
}

void GossipLinks::Add(PeerRef peer, const PartStep& step) {
  const auto at = Position(peer, step);
  if (at != rows_.end() && at->peer == peer) return;
  const auto eager =
      std::count_if(rows_.begin(), rows_.end(), [](const GossipLink& row) { return row.eager; });
  GossipLink row;
  row.peer = peer;
  row.eager = eager < step.config.gossip.eager_links;
  rows_.insert(at, std::move(row));
}

void GossipLinks::Remove(PeerRef peer, const PartStep& step) {
  const auto at = Position(peer, step);
  if (at != rows_.end() && at->peer == peer) rows_.erase(at);
}

GossipLink* GossipLinks::Find(PeerRef peer, const PartStep& step) {
  if (!step.ids.Contains(peer)) return nullptr;
  const auto at = Position(peer, step);
  return at != rows_.end() && at->peer == peer ? &*at : nullptr;
}

GossipLink& GossipLinks::Random(const PartStep& step) {
  return rows_[step.rng.Below(static_cast<std::uint32_t>(rows_.size()))];
}

}  // namespace tombolo
