#include "overlay/gossip_window.h"

#include <algorithm>

namespace tombolo {

void GossipWindow::Add(const KeptBroadcast& kept, const PartStep& step) {
  rows_.push_back(kept);
  bytes_ += kept.push.payload.bytes;
  expires_ = std::min(expires_, kept.expires);
  while (Full(step)) ForgetOldest(step);
  if (rows_.empty()) expires_ = kNever;
}

bool GossipWindow::Full(const PartStep& step) const {
  return rows_.size() > static_cast<std::size_t>(step.config.gossip.window_messages) ||
         (bytes_ > step.config.gossip.window_bytes && !rows_.empty());
}

void GossipWindow::ForgetOldest(const PartStep& step) {
  bytes_ -= rows_.front().push.payload.bytes;
  step.out.Release(rows_.front().push.payload);
  step.out.Drop(DropReason::kGossipForgotten);
  rows_.erase(rows_.begin());
}

const KeptBroadcast* GossipWindow::Find(std::uint64_t key, Time now) const {
  // Latest first: that is what is asked for.
  const auto found = std::find_if(rows_.rbegin(), rows_.rend(),
                                  [&](const KeptBroadcast& row) { return row.key == key; });
  return found != rows_.rend() && found->expires > now ? &*found : nullptr;
}

int GossipWindow::RecentOf(const NodeId& origin, const PartStep& step) const {
  const Time since = step.now - step.config.gossip.heartbeat;
  int count = 0;
  for (auto row = rows_.rbegin(); row != rows_.rend() && row->arrived > since; ++row) {
    if (row->push.origin == origin) ++count;
  }
  return count;
}

void GossipWindow::Tick(const PartStep& step) {
  if (step.now < expires_) return;
  expires_ = kNever;
  for (const KeptBroadcast& row : rows_) {
    if (row.expires > step.now) {
      expires_ = std::min(expires_, row.expires);
      continue;
    }
    bytes_ -= row.push.payload.bytes;
    step.out.Release(row.push.payload);
  }
  std::erase_if(rows_, [&](const KeptBroadcast& row) { return row.expires <= step.now; });
}

void GossipWindow::Clear(const PartStep& step) {
  for (const KeptBroadcast& row : rows_) step.out.Release(row.push.payload);
  *this = GossipWindow();
}

}  // namespace tombolo
