// What the channels to one node share: the way there, its round trip, and how much may be under
// way.
//
// Over a link TCP sees to losses and congestion; the path bounds what waits in front of other
// messages. Relayed, it goes by RFC 5681 (slow start, congestion avoidance) and RFC 6298, so that
// channels leave room for others on links that are not theirs. Sizes in bytes. Thread rule: plain
// value.
#pragma once

#include <algorithm>
#include <cstddef>

#include "node/channel_options.h"
#include "overlay/round_trip.h"
#include "overlay/time.h"

namespace tombolo::node {

class ChannelPath {
 public:
  // Below kSendHighWater (transport.h): a link is not taken for congested because of channels.
  static constexpr std::size_t kDirectBytes = 768 * 1024;
  static constexpr std::size_t kLeastBytes = 2 * kMaxFragment;
  static constexpr std::size_t kFirstBytes = 4 * kMaxFragment;
  static constexpr std::size_t kMostBytes = 4 * 1024 * 1024;

  explicit ChannelPath(bool direct) : direct_(direct) {}

  bool direct() const { return direct_; }
  std::size_t in_flight() const { return in_flight_; }
  void Move(std::size_t from, std::size_t to) { in_flight_ += to - from; }
  std::size_t window() const { return direct_ ? kDirectBytes : window_; }
  std::size_t allowance() const { return window() > in_flight_ ? window() - in_flight_ : 0; }

  // Of a segment that was sent once.
  void Sample(Duration round_trip) { SampleRoundTrip(round_trip, srtt_, rttvar_); }
  void Acknowledged(std::size_t bytes) {
    if (in_flight_ < window_ / 2) return;  // the window holds nobody back
    const std::size_t more = window_ < threshold_ ? bytes : bytes * kMaxFragment / window_;
    window_ = std::min(kMostBytes, window_ + std::min(more, window_));
  }
  // A segment was lost, the others were not.
  void LostOne() { window_ = threshold_ = std::max(in_flight_ / 2, kLeastBytes); }
  // Nothing comes back.
  void LostAll() {
    threshold_ = std::max(in_flight_ / 2, kLeastBytes);
    window_ = kLeastBytes;
  }

  // On a link what is late is not lost, but queues. It only gets lost with the link, or when that
  // has long been overfull.
  Duration timeout() const {
    if (direct_) return Duration::Seconds(5);
    if (srtt_.us == 0) return Duration::Seconds(1);
    const Duration least = Duration::Milliseconds(300);
    return std::min(srtt_ + std::max(rttvar_ * 4, least), Duration::Seconds(5));
  }
  Duration round_trip() const { return srtt_; }

 private:
  bool direct_;
  std::size_t in_flight_ = 0;
  std::size_t window_ = kFirstBytes;
  std::size_t threshold_ = kMostBytes;
  Duration srtt_;
  Duration rttvar_;
};

}  // namespace tombolo::node
