#include "node/bootstrap.h"

#include <algorithm>
#include <utility>

#include "node/back_off.h"

namespace tombolo::node {

Bootstrap::Bootstrap(const std::vector<std::string>& addresses, std::uint64_t seed)
    : rng_(Rng::Split(seed, 0x626f6f74)) {
  Replace(addresses, Time{});
}

void Bootstrap::Replace(const std::vector<std::string>& addresses, Time now) {
  targets_.clear();
  for (const std::string& address : addresses) targets_.push_back({address, now, kNever});
  deadline_ = targets_.empty() ? kNever : now;
}

bool Bootstrap::IsDue(const Target& target, bool alone, Time now) {
  if (target.dialling) return false;
  if (target.tried_at == kNever) return true;
  if (alone) return target.next <= now;
  return target.failures > 0 && target.tried_at + kReviewInterval <= now;
}

std::vector<std::string> Bootstrap::Due(bool alone, Time now) {
  std::vector<std::string> due;
  for (Target& target : targets_) {
    if (!IsDue(target, alone, now)) continue;
    target.dialling = true;
    target.tried_at = now;
    due.push_back(target.address);
  }
  if (alone) {
    UpdateDeadline(now);
  } else {
    deadline_ = targets_.empty() ? kNever : now + kCheckInterval;
  }
  return due;
}

void Bootstrap::Done(const std::string& address, Outcome outcome, Time now) {
  if (outcome == Outcome::kSelf) {
    std::erase_if(targets_, [&](const Target& target) { return target.address == address; });
    exhausted_ = exhausted_ || targets_.empty();
  }
  for (Target& target : targets_) {
    if (target.address != address || !target.dialling) continue;
    target.dialling = false;
    target.failures = outcome == Outcome::kReached ? 0 : target.failures + 1;
    target.next = now + (target.failures > 0 ? DrawBackOff(target.failures, rng_) : kCheckInterval);
  }
  if (outcome == Outcome::kNobody) {
    exhausted_ = std::all_of(targets_.begin(), targets_.end(), [](const Target& target) {
      return target.failures > 0 && !target.dialling;
    });
  }
  UpdateDeadline(now);
}

bool Bootstrap::TakeExhausted() { return std::exchange(exhausted_, false); }

void Bootstrap::UpdateDeadline(Time now) {
  deadline_ = targets_.empty() ? kNever : now + kCheckInterval;
  for (const Target& target : targets_) {
    if (!target.dialling) deadline_ = std::min(deadline_, target.next);
  }
}

}  // namespace tombolo::node
