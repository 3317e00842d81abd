#include "overlay/gossip_missing.h"

#include <algorithm>

#include "overlay/message.h"

namespace tombolo {
namespace {

// Puts what is asked of one peer together, in the order of asking.
class Grafts {
 public:
  void Ask(PeerRef peer, std::uint64_t key, const PartStep& step) {
    auto found = std::find_if(open_.begin(), open_.end(),
                              [&](const auto& entry) { return entry.first == peer; });
    if (found == open_.end()) found = open_.insert(open_.end(), {peer, GossipGraft{}});
    GossipGraft& graft = found->second;
    graft.keys[graft.count++] = key;
    if (graft.count < kMaxGrafted) return;
    step.out.Send(peer, graft);
    open_.erase(found);
  }

  void Flush(const PartStep& step) {
    for (const auto& [peer, graft] : open_) step.out.Send(peer, graft);
  }

 private:
  std::vector<std::pair<PeerRef, GossipGraft>> open_;
};

}  // namespace

GossipMissing::Row* GossipMissing::Find(std::uint64_t key) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.key == key; });
  return found == rows_.end() ? nullptr : &*found;
}

void GossipMissing::OnAnnounced(std::uint64_t key, PeerRef from, const PartStep& step) {
  if (Row* known = Find(key)) {
    const auto end = known->announcers.begin() + known->announced;
    const bool again = std::find(known->announcers.begin(), end, from) != end;
    if (known->announced < kMaxAnnouncers && !again) known->announcers[known->announced++] = from;
    return;
  }
  const auto limit = static_cast<std::size_t>(step.config.gossip.max_missing);
  const auto share = static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [&](const Row& row) { return row.announcers[0] == from; }));
  if (rows_.size() >= limit || share >= (limit + 3) / 4) {
    return step.out.Drop(DropReason::kOverload);
  }
  Row row;
  row.key = key;
  row.due = step.now + step.config.gossip.graft_timeout;
  row.announcers[row.announced++] = from;
  rows_.push_back(row);
  due_ = std::min(due_, row.due);
}

void GossipMissing::OnArrived(std::uint64_t key) {
  std::erase_if(rows_, [&](const Row& row) { return row.key == key; });
  if (rows_.empty()) due_ = kNever;
}

void GossipMissing::OnTooFast(std::uint64_t key, PeerRef from, const PartStep& step) {
  OnAnnounced(key, from, step);
  Row* row = Find(key);
  if (row == nullptr) return;
  row->asked = 0;
  row->due = step.now + step.config.gossip.heartbeat;
  due_ = std::min(due_, row->due);
}

// Picks whom to ask next and sets when to go on; kNone if nobody may be asked now. Never goes on
// (kNever) if nobody is left.
PeerRef GossipMissing::Ask(Row& row, GossipLinks& links, const PartStep& step) {
  const GossipConfig& config = step.config.gossip;
  for (; row.asked < row.announced * kRounds; ++row.asked) {
    GossipLink* link = links.Find(row.announcers[row.asked % row.announced], step);
    if (link == nullptr) continue;
    if (!link->Spend(GossipCost::kAsk, 1, config.origin_broadcasts, step)) {
      row.due = step.now + config.heartbeat;
      return PeerRef::kNone;
    }
    ++row.asked;
    row.due = step.now + config.graft_timeout;
    link->eager = true;
    return link->peer;
  }
  row.due = kNever;
  return PeerRef::kNone;
}

void GossipMissing::Tick(GossipLinks& links, const PartStep& step) {
  if (step.now < due_) return;
  Grafts grafts;
  due_ = kNever;
  for (Row& row : rows_) {
    if (row.due <= step.now) {
      const PeerRef asked = Ask(row, links, step);
      if (asked != PeerRef::kNone) grafts.Ask(asked, row.key, step);
    }
    due_ = std::min(due_, row.due);
  }
  std::erase_if(rows_, [](const Row& row) { return row.due == kNever; });
  grafts.Flush(step);
}

}  // namespace tombolo
