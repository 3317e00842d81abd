// What the world itself does at set times: sessions that end, peers that arrive, workloads that
// fire.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/time.h"

namespace tombolo::sim {

struct Action {
  enum class Kind : std::uint8_t {
    kJoinNext,
    kArrival,
    kSessionEnd,
    kRate,
    kWorkload,
    kBroadcastEnd,
    kSilence,     // links of a peer across a cut time out
    kSilenceAll,  // of all peers from the subject on
    kFault,       // the next injected fault of a kind
    kFlap,        // a flapping link goes down or comes back
    kEndIslands,  // an injected partition is over
    kReturn,      // an injected crash begins or ends
    kReattach,    // a client looks for a new home
    kFlood,       // a flooding peer sends
  };

  Time at;
  std::uint64_t order = 0;  // of scheduling; settles ties
  Kind kind = Kind::kJoinNext;
  std::uint32_t subject = 0;  // peer, kind of rate, workload or operation
};

// A binary heap ordered by (time, order of scheduling). Thread rule: one caller at a time.
class ActionQueue {
 public:
  void Schedule(Time at, Action::Kind kind, std::uint32_t subject) {
    heap_.push_back({at, next_order_++, kind, subject});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }

  Time next_time() const { return heap_.empty() ? kNever : heap_.front().at; }

  // Requires an action: next_time() != kNever.
  Action Pop() {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    const Action action = heap_.back();
    heap_.pop_back();
    return action;
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(heap_, next_order_);
  }

 private:
  static bool Later(const Action& a, const Action& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  std::vector<Action> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace tombolo::sim
