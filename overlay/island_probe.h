// When a peer asks others about their islands, and which of its questions are open.
//
// Two kinds of questions, the same message: probes of remembered peers that are lost, and the
// exchange of sketches with a live contact. Both at times that scatter by half of the interval
// around it, so that peers that lost each other at once do not ask at once.
//
// Probes: one per `heal.probe_interval` at most. A tenth of that for `heal.boost_time` after the
// size estimate has dropped. But all peers of an island probe, and the island as a whole needs to
// find the other one only once: of n peers each waits n times `heal.probe_spread`, if that is
// longer, up to `heal.probe_back_off_max`. Thus a mass failure, which looks like a split, costs
// every survivor next to nothing, and a split is found within seconds in an island of any size.
// Nobody is probed while nobody is lost.
//
// Bounds: kMaxOpen questions are open at once; then none are asked until one is answered or its
// time is over. Thread rule: one caller at a time. Errors: answers that nobody waits for are the
// caller's to count.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class IslandProber {
 public:
  static constexpr std::size_t kMaxOpen = 8;

  // Mean time between two probes in an island of about `size` peers.
  static Duration Interval(std::uint32_t size, bool boosted, const HealConfig& config);

  // Somebody is lost: probes from now on, first after a random part of the interval. `size`: of
  // the island, here and below.
  void StartProbing(std::uint32_t size, const PartStep& step);
  void StopProbing() { probe_at_ = kNever; }
  bool probing() const { return probe_at_ != kNever; }
  bool ProbeIsDue(Time now) const { return probe_at_ <= now; }
  // Puts off the next probe. Requires that one is due.
  void Probed(std::uint32_t size, const PartStep& step);
  // The island has become smaller: more probes for a while. To be followed by Adjust.
  void Boost(const PartStep& step) { boosted_until_ = step.now + step.config.heal.boost_time; }
  // If the interval is shorter by now, the wait for the next probe shrinks with it.
  void Adjust(std::uint32_t size, const PartStep& step);

  void StartExchange(Time first) { exchange_at_ = first; }
  bool ClaimExchange(const PartStep& step);

  bool CanAsk() const { return open_.size() < kMaxOpen; }
  // Opens a question and returns its number. Requires CanAsk().
  std::uint32_t Ask(PeerRef peer, const PartStep& step);
  // True if `peer` was asked that.
  bool Answered(PeerRef peer, std::uint32_t rpc);
  // Gives up on questions whose time is over and appends who was asked to `silent`.
  void Expire(const PartStep& step, std::vector<PeerRef>& silent);

  Time next_deadline() const {
    Time next = std::min(probe_at_, exchange_at_);
    for (const Question& question : open_) next = std::min(next, question.deadline);
    return next;
  }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(open_, probe_at_, interval_, exchange_at_, boosted_until_, next_rpc_);
  }

 private:
  struct Question {
    PeerRef peer;
    std::uint32_t rpc;
    Time deadline;
  };

  Duration IntervalNow(std::uint32_t size, const PartStep& step) const {
    return Interval(size, step.now < boosted_until_, step.config.heal);
  }

  std::vector<Question> open_;  // oldest first
  Time probe_at_ = kNever;
  Duration interval_;  // that the wait for it was drawn from
  Time exchange_at_ = kNever;
  Time boosted_until_;
  std::uint32_t next_rpc_ = 0;
};

}  // namespace tombolo
