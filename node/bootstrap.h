// When a node dials the addresses that it was given to join through.
//
// All of them at the start. While the node is alone, without a contact or a kept link, all of them
// again and again, with the back-off of back_off.h. While it is not, those that were not reached
// the last time, every kReviewInterval: they may be the only trace of another island. An address
// that leads back to the node itself is left out.
//
// Thread rule: one caller at a time. The caller dials what Due names and answers each with Done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::node {

class Bootstrap {
 public:
  static constexpr Duration kCheckInterval = Duration::Seconds(5);    // whether the node is alone
  static constexpr Duration kReviewInterval = Duration::Seconds(30);  // of those not reached

  enum class Outcome : std::uint8_t { kReached, kNobody, kSelf };

  Bootstrap(const std::vector<std::string>& addresses, std::uint64_t seed);

  // The addresses to dial now; to be called at next_deadline.
  std::vector<std::string> Due(bool alone, Time now);
  void Done(const std::string& address, Outcome outcome, Time now);

  // True once each time that every address has been tried in vain: the caller should join through
  // whomever else it knows.
  bool TakeExhausted();

  // Dials everything anew: the configuration has changed.
  void Replace(const std::vector<std::string>& addresses, Time now);

  Time next_deadline() const { return deadline_; }
  bool empty() const { return targets_.empty(); }

 private:
  struct Target {
    std::string address;
    Time next;      // while alone
    Time tried_at;  // the last time
    std::uint32_t failures = 0;
    bool dialling = false;
  };

  static bool IsDue(const Target& target, bool alone, Time now);
  void UpdateDeadline(Time now);

  std::vector<Target> targets_;
  Rng rng_;
  Time deadline_;
  bool exhausted_ = false;
};

}  // namespace tombolo::node
