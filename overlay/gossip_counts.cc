#include "overlay/gossip_counts.h"

#include <algorithm>
#include <limits>

#include "overlay/event.h"
#include "overlay/message.h"

namespace tombolo {
namespace {

constexpr std::uint32_t kMostCounted = 1U << 30;  // lies do not overflow the sum of a few hundred

// From an announcement to the answer that follows it, with some slack: the quiet after which a
// complete count is final.
Duration QuietSpan(const GossipConfig& config) {
  return config.lazy_interval * 2 + config.graft_timeout * 2;
}

}  // namespace

std::uint32_t GossipCounts::Row::Total() const {
  std::uint64_t total = self;
  for (const Child& child : children) total += child.total;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(total, kMostCounted));
}

bool GossipCounts::Row::Complete() const {
  return std::all_of(children.begin(), children.end(),
                     [](const Child& child) { return child.answered; });
}

Time GossipCounts::Row::NextDeadline() const {
  if (parent == PeerRef::kNone) return Complete() ? std::min(quiet_at, ends) : ends;
  return reports == 0 ? std::min(report_at, ends) : ends;
}

GossipCounts::Row* GossipCounts::Find(std::uint64_t key) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.key == key; });
  return found == rows_.end() ? nullptr : &*found;
}

const GossipCounts::Row* GossipCounts::Find(std::uint64_t key) const {
  return const_cast<GossipCounts*>(this)->Find(key);
}

void GossipCounts::Add(const Row& row) {
  rows_.push_back(row);
  next_ = std::min(next_, row.NextDeadline());
}

bool GossipCounts::BeginOwn(std::uint64_t key, std::uint32_t request, Duration deadline,
                            const PartStep& step) {
  if (rows_.size() >= static_cast<std::size_t>(step.config.gossip.max_counts)) return false;
  Row row;
  row.key = key;
  row.request = request;
  row.started = step.now;
  row.ends = step.now + deadline;
  row.report_at = row.ends;
  row.quiet_at = row.ends;  // until somebody was asked
  Add(row);
  return true;
}

void GossipCounts::Begin(std::uint64_t key, PeerRef parent, std::uint32_t self, Duration span,
                         const PartStep& step) {
  if (rows_.size() >= static_cast<std::size_t>(step.config.gossip.max_counts)) {
    step.out.Drop(DropReason::kOverload);
    return step.out.Send(parent, GossipCount{key, self});
  }
  Row row;
  row.key = key;
  row.parent = parent;
  row.self = self;
  row.started = step.now;
  row.report_at = step.now + span;
  row.ends = row.report_at + span;
  Add(row);
}

std::uint32_t GossipCounts::TimeBelow(std::uint64_t key, const PartStep& step) const {
  const Row* row = Find(key);
  if (row == nullptr) return 0;
  const std::int64_t left = (row->report_at - step.now).us / 1000 * 7 / 8;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(left, 0, std::numeric_limits<std::uint32_t>::max()));
}

void GossipCounts::Expect(std::uint64_t key, PeerRef peer) {
  Row* row = Find(key);
  if (row == nullptr) return;
  const auto known = std::find_if(row->children.begin(), row->children.end(),
                                  [&](const Child& child) { return child.peer == peer; });
  if (known == row->children.end()) {
    row->children.push_back({peer, 0, false});
  } else {
    known->answered = false;
  }
}

void GossipCounts::Settle(std::uint64_t key, const PartStep& step) {
  if (Row* row = Find(key)) Changed(*row, step);
}

bool GossipCounts::OnTotal(std::uint64_t key, PeerRef from, std::uint32_t total,
                           const PartStep& step) {
  Row* row = Find(key);
  if (row == nullptr) return false;
  const auto child = std::find_if(row->children.begin(), row->children.end(),
                                  [&](const Child& c) { return c.peer == from; });
  if (child == row->children.end()) return false;
  child->answered = true;
  child->total = std::max(child->total, std::min(total, kMostCounted));
  Changed(*row, step);
  return true;
}

void GossipCounts::OnPruned(std::uint64_t key, PeerRef from, const PartStep& step) {
  OnTotal(key, from, 0, step);
}

void GossipCounts::OnLinkDown(PeerRef peer, const PartStep& step) {
  for (Row& row : rows_) {
    for (Child& child : row.children) {
      if (child.peer != peer || child.answered) continue;
      child.answered = true;
      Changed(row, step);
    }
  }
}

void GossipCounts::Changed(Row& row, const PartStep& step) {
  if (row.parent == PeerRef::kNone) {
    row.quiet_at = row.children.empty() ? row.ends : step.now + QuietSpan(step.config.gossip);
  } else if (row.Complete() && (row.reports == 0 || row.Total() > row.reported)) {
    Report(row, step);
  }
  next_ = std::min(next_, row.NextDeadline());
}

void GossipCounts::Report(Row& row, const PartStep& step) {
  if (row.reports == kMaxReports) return;
  ++row.reports;
  row.reported = row.Total();
  step.out.Send(row.parent, GossipCount{row.key, row.reported});
}

void GossipCounts::ReportDone(const Row& row, bool linked, const PartStep& step) {
  const std::uint32_t total = row.Total();
  if (total > 0) {
    step.out.Notify(BroadcastDone{row.request, total, row.Complete(), row.started});
  } else {
    const FailReason reason = linked ? FailReason::kDeadline : FailReason::kNoLinks;
    step.out.Notify(Failed{row.request, reason, row.started});
  }
}

void GossipCounts::Tick(bool linked, const PartStep& step) {
  if (step.now < next_) return;
  next_ = kNever;
  for (Row& row : rows_) {
    if (row.parent != PeerRef::kNone && row.reports == 0 && row.report_at <= step.now) {
      Report(row, step);
    }
    if (row.NextDeadline() <= step.now) {
      if (row.parent == PeerRef::kNone) ReportDone(row, linked, step);
      row.ends = Time{};  // done with
    } else {
      next_ = std::min(next_, row.NextDeadline());
    }
  }
  std::erase_if(rows_, [](const Row& row) { return row.ends == Time{}; });
}

void GossipCounts::Stop(const PartStep& step) {
  for (const Row& row : rows_) {
    if (row.parent == PeerRef::kNone) {
      step.out.Notify(Failed{row.request, FailReason::kLeft, row.started});
    }
  }
  *this = GossipCounts();
}

}  // namespace tombolo
