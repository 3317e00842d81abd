// Whether others can dial this node, and when to ask them to try.
//
// Whoever has dialled it has shown that it can be dialled. A node that nobody dials asks the peers
// that it is linked to, one after the other, to dial back: one success makes it dialable, kFailures
// peers that did not get through make it undialable, whatever a single liar says. Until then it is
// taken for dialable if it has addresses. What has been found is looked at again every kAgain,
// unless somebody dials it meanwhile.
//
// Thread rule: the strand. Plain values; no I/O.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/time.h"

namespace tombolo::node {

enum class Reach : std::uint8_t { kUnknown, kYes, kNo };

class Reachability {
 public:
  static constexpr std::size_t kFailures = 3;
  static constexpr Duration kNext = Duration::Seconds(5);  // between two peers that are asked
  static constexpr Duration kAgain = Duration::Minutes(10);

  // `addresses`: there are any. `fixed`: the operator says so; nobody is asked.
  void Begin(bool addresses, std::optional<bool> fixed, Time now) {
    fixed_ = fixed || !addresses;
    reach_ =
        fixed_ ? (addresses && fixed.value_or(false) ? Reach::kYes : Reach::kNo) : Reach::kUnknown;
    failed_.clear();
    next_ = fixed_ ? kNever : now;
  }

  Reach reach() const { return reach_; }
  // As a hello says it.
  bool dialable() const { return reach_ != Reach::kNo; }
  // When a peer should be asked; kNever: not at all.
  Time next_deadline() const { return next_; }

  // Of `linked` peers the one to ask now, the first of those that have not failed. It is asked.
  std::optional<PeerRef> Choose(const std::vector<PeerRef>& linked, Time now) {
    if (now < next_) return std::nullopt;
    next_ = now + kNext;
    for (const PeerRef peer : linked) {
      const bool failed = std::find(failed_.begin(), failed_.end(), peer) != failed_.end();
      if (!failed) return peer;
    }
    return std::nullopt;
  }

  // Somebody has dialled this node, or has not got through. True if that has changed `dialable`.
  bool Reached(Time now) {
    if (fixed_) return false;
    failed_.clear();
    next_ = now + kAgain;
    return Set(Reach::kYes);
  }
  bool NotReached(PeerRef by, Time now) {
    if (fixed_) return false;
    if (std::find(failed_.begin(), failed_.end(), by) == failed_.end()) failed_.push_back(by);
    if (failed_.size() < kFailures) return false;
    failed_.clear();
    next_ = now + kAgain;
    return Set(Reach::kNo);
  }

 private:
  bool Set(Reach reach) {
    const bool before = dialable();
    reach_ = reach;
    return dialable() != before;
  }

  Reach reach_ = Reach::kUnknown;
  bool fixed_ = true;
  Time next_ = kNever;
  std::vector<PeerRef> failed_;  // fewer than kFailures
};

}  // namespace tombolo::node
