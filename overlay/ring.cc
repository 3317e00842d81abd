// The tasks of the ring: when they run, and what they ask.
#include "overlay/ring.h"

#include <algorithm>
#include <bit>

#include "overlay/ring_interval.h"

namespace tombolo {

// ---- Life.

void Ring::Join(std::span<const PeerRef> bootstrap, const PartStep& step) {
  Rare& rare = rare_.Ensure();
  rare.bootstrap.assign(bootstrap.begin(), bootstrap.end());
  std::erase(rare.bootstrap, step.self);
  rare.next_bootstrap = 0;
  const auto joins = [](const Pending& pending) {
    return pending.purpose == Purpose::kJoin || pending.purpose == Purpose::kCopy;
  };
  pending_.erase(std::remove_if(pending_.begin(), pending_.end(), joins), pending_.end());
  if (rare.bootstrap.empty()) {
    BecomeMember(step);
  } else {
    AskToJoin(step);
  }
  UpdateDeadline(step);
}

// In turn, since those that we were told may all be dead: also whoever has answered meanwhile.
void Ring::AskToJoin(const PartStep& step) {
  Rare& rare = *rare_;
  const std::size_t turn = rare.next_bootstrap++ % rare.bootstrap.size();
  SendFind(step.self_id, rare.bootstrap[turn], Purpose::kJoin, step);
}

void Ring::Start(const PartStep& step) {
  BecomeMember(step);
  for (const Task task : {kStabilise, kCheck}) {
    if (due_[task] != kNever) due_[task] = step.now;
  }
  RunDue(step);
}

void Ring::JoinThrough(PeerRef peer) {
  if (!rare_ || rare_->bootstrap.empty() || rare_->bootstrap.size() >= kMaxListed) return;
  std::vector<PeerRef>& known = rare_->bootstrap;
  if (std::find(known.begin(), known.end(), peer) == known.end()) known.push_back(peer);
}

void Ring::BecomeMember(const PartStep& step) {
  if (rare_) rare_->bootstrap.clear();
  TidyUp();
  if (member_) return;
  member_ = true;
  for (const Task task : {kStabilise, kFix, kCheck, kProbe}) {
    if (IsOn(task, step.config)) End(task, step);
  }
}

void Ring::Build(std::span<const PeerRef> successors, std::span<const PeerRef> predecessors,
                 std::span<const Finger> fingers, Time start, const PartStep& step) {
  neighbours_.Assign(successors, predecessors);
  fingers_.Assign(fingers);
  member_ = true;
  for (const Task task : {kStabilise, kFix, kCheck, kProbe}) {
    if (!IsOn(task, step.config)) continue;
    const auto interval = static_cast<std::uint64_t>(IntervalOf(task, step.config.ring).us);
    due_[task] = start + Duration{static_cast<std::int64_t>(step.rng.Below64(interval))};
  }
  UpdateDeadline(step);
}

void Ring::Depart(const PartStep& step) {
  std::vector<PeerRef> told;
  for (const PeerRef peer : neighbours_.all()) {
    if (std::find(told.begin(), told.end(), peer) != told.end()) continue;
    told.push_back(peer);
    const auto count = static_cast<std::uint8_t>(neighbours_.successors().size());
    step.out.Send(peer, RingLeave{step.lists.Add(neighbours_.all()), count});
  }
  for (const Pending& asked : ShortVector(pending_)) {
    if (asked.purpose == Purpose::kApplication) EndKeyFind(asked, PeerRef::kNone, 0, step);
  }
  *this = Ring();
}

// ---- Tasks.

Duration Ring::IntervalOf(Task task, const RingConfig& config) {
  switch (task) {
    case kStabilise:
      return config.stabilise_interval;
    case kFix:
      return config.fix_interval;
    case kCheck:
      return config.check_interval;
    default:
      return config.lookup_interval;
  }
}

// Beside k-buckets nobody looks up keys through the ring.
bool Ring::IsOn(Task task, const Config& config) {
  if (task == kFix) return config.ring.fingers && !config.has_table();
  if (task == kProbe) return config.ring.lookup_interval > Duration{0} && !config.has_table();
  return true;
}

// Upkeep may have `outstanding` requests under way; those of the application do not count.
bool Ring::MayAsk(const PartStep& step) const {
  const auto most = static_cast<std::size_t>(step.config.ring.outstanding);
  if (pending_.size() < most) return true;
  const auto upkeep = std::count_if(pending_.begin(), pending_.end(), [](const Pending& pending) {
    return pending.purpose != Purpose::kApplication;
  });
  return static_cast<std::size_t>(upkeep) < most;
}

void Ring::RunDue(const PartStep& step) {
  // Found without branches: which task is due, a processor cannot foresee.
  std::uint32_t due = 0;
  for (std::uint8_t task = 0; task < kTasks; ++task) {
    due |= std::uint32_t{due_[task] <= step.now} << task;
  }
  for (; due != 0 && MayAsk(step); due &= due - 1) {
    Run(static_cast<Task>(std::countr_zero(due)), step);
  }
  UpdateDeadline(step);
}

void Ring::Run(Task task, const PartStep& step) {
  due_[task] = kNever;
  switch (task) {
    case kStabilise:
      return Stabilise(step);
    case kFix:
      return FixSome(step);
    case kCheck:
      return Check(step);
    default:
      return ProbeKey(step);
  }
}

void Ring::End(Task task, const PartStep& step) {
  due_[task] = step.now + IntervalOf(task, step.config.ring);
}

void Ring::Stabilise(const PartStep& step) {
  if (!neighbours_.successors().empty()) {
    Request(neighbours_.successors().front(), Purpose::kStabilise, step);
    return;
  }
  // Whoever is known follows us somewhere; going round in a circle, so does a predecessor.
  for (const Finger& finger : fingers_.runs()) {
    if (finger.peer != PeerRef::kNone) neighbours_.LearnSuccessor(finger.peer, step);
  }
  for (const PeerRef peer :
       std::vector<PeerRef>(neighbours_.predecessors().begin(), neighbours_.predecessors().end())) {
    neighbours_.LearnSuccessor(peer, step);
  }
  End(kStabilise, step);
}

void Ring::EndStabilise(const PartStep& step) {
  if (!neighbours_.successors().empty()) {
    step.out.Send(neighbours_.successors().front(), tombolo::Notify{});
  }
  End(kStabilise, step);
}

void Ring::Check(const PartStep& step) {
  if (neighbours_.predecessors().empty()) return End(kCheck, step);
  Request(neighbours_.predecessors().front(), Purpose::kCheck, step);
}

// Where only one predecessor is kept there is nothing to learn from the one we have.
std::uint32_t Ring::Request(PeerRef to, Purpose purpose, const PartStep& step) {
  const auto rpc = static_cast<std::uint32_t>(step.rng.Next() >> 33);
  pending_.emplace_back(step.now, to, rpc, purpose);
  Ask(pending_.back(), step);
  return rpc;
}

void Ring::Ask(const Pending& pending, const PartStep& step) {
  const bool sign = pending.purpose == Purpose::kSign || pending.purpose == Purpose::kRevive ||
                    (pending.purpose == Purpose::kCheck && step.config.predecessors() == 1);
  if (sign) {
    step.out.Send(pending.to, Ping{pending.rpc});
  } else {
    step.out.Send(pending.to, AskNeighbours{pending.rpc});
  }
}

// False if the silence has lasted long enough. The number stays: a late answer counts as well.
bool Ring::AskAgain(Pending& pending, const PartStep& step) {
  const bool once = IsFind(pending.purpose) || pending.purpose == Purpose::kRevive;
  const bool again = step.config.ring.corrected && !once;
  if (!again || pending.tries >= kMaxTries) return false;
  ++pending.tries;
  pending.sent = step.now;
  Ask(pending, step);
  return true;
}

// ---- Time.

Time Ring::DeadlineOf(const Pending& pending, const RingConfig& config) {
  if (IsFind(pending.purpose)) return pending.sent + config.find_timeout;
  return pending.sent + (pending.tries == 1 ? config.rpc_timeout : config.rpc_timeout / 2);
}

void Ring::Expire(const PartStep& step, std::vector<PeerRef>& silent) {
  for (std::size_t i = 0; i < pending_.size();) {
    if (DeadlineOf(pending_[i], step.config.ring) > step.now || AskAgain(pending_[i], step)) {
      ++i;
      continue;
    }
    const Pending pending = pending_[i];
    pending_[i] = pending_.back();
    pending_.pop_back();
    GiveUp(pending, step, silent);
  }
}

// A task that is due but has to wait is woken by the end of what it waits for. It looks again after
// an interval, as if it had run: for the host that is a deadline that moves later, when it has, and
// such a move costs nothing.
void Ring::UpdateDeadline(const PartStep& step) {
  Time next = kNever;
  for (const Pending& pending : pending_) {
    next = std::min(next, DeadlineOf(pending, step.config.ring));
  }
  for (std::uint8_t task = 0; task < kTasks; ++task) {
    Time due = due_[task];
    if (due <= step.now) [[unlikely]]
      due = step.now + IntervalOf(static_cast<Task>(task), step.config.ring);
    next = std::min(next, due);
  }
  deadline_ = next;
}

}  // namespace tombolo
