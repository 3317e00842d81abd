// When a node dials the addresses that it was given to join through.
//
// All of them at the start. While the node is alone, without a contact or a kept link, those that
// were not reached again and again, with the back-off of back_off.h; while it is not, none, but it
// is asked every kCheckInterval. An address that leads back to the node itself is left out.
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
  static constexpr Duration kCheckInterval = Duration::Seconds(5);

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
    Time next;
    std::uint32_t failures = 0;
    bool dialling = false;
  };

  void UpdateDeadline(Time now);

  std::vector<Target> targets_;
  Rng rng_;
  Time deadline_;
  bool exhausted_ = false;
};

}  // namespace tombolo::node
