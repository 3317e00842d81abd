// How much may come in per second: token buckets of bytes and of messages, for one peer or for all.
//
// A bucket holds a quarter of a second's worth at most. What has arrived is always taken, so a
// bucket may go into debt; the owner stops reading until the debt is paid, and the sender is held
// back by the flow control of the transport: nothing is dropped, and in the long run no more than
// the rate comes in.
//
// Thread rule: one caller at a time. Time is given, in microseconds of any steady clock.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tombolo::node {

class TokenBucket {
 public:
  // Full at the first use. 0: no limit.
  explicit TokenBucket(std::int64_t per_second) : rate_(per_second), level_(Capacity()) {}

  // What is there stays there, up to the new capacity.
  void SetRate(std::int64_t per_second) {
    rate_ = per_second;
    level_ = std::min(level_, Capacity());
  }

  void Take(std::int64_t amount, std::int64_t now_us) {
    if (rate_ == 0) return;
    Fill(now_us);
    level_ -= amount * kMicros;
  }

  // Until the debt is paid; 0: there is none.
  std::int64_t WaitUs(std::int64_t now_us) {
    if (rate_ == 0) return 0;
    Fill(now_us);
    return level_ >= 0 ? 0 : (-level_ + rate_ - 1) / rate_;
  }

 private:
  static constexpr std::int64_t kMicros = 1'000'000;

  // Levels are in millionths of a token, so that no fraction is lost.
  std::int64_t Capacity() const { return rate_ * (kMicros / 4); }
  void Fill(std::int64_t now_us) {
    const std::int64_t gone = std::clamp<std::int64_t>(now_us - filled_us_, 0, 3600 * kMicros);
    filled_us_ = std::max(filled_us_, now_us);
    // By as much as is missing at most: a long silence must not overflow.
    const std::int64_t missing = Capacity() - level_;
    level_ += gone > missing / rate_ ? missing : gone * rate_;
  }

  std::int64_t rate_;
  std::int64_t level_;
  std::int64_t filled_us_ = 0;
};

// 0: no limit.
struct RateLimits {
  std::int64_t bytes_per_s = 0;
  std::int64_t messages_per_s = 0;
};

class RateGate {
 public:
  explicit RateGate(RateLimits limits)
      : bytes_(limits.bytes_per_s), messages_(limits.messages_per_s) {}

  void SetLimits(RateLimits limits) {
    bytes_.SetRate(limits.bytes_per_s);
    messages_.SetRate(limits.messages_per_s);
  }
  void Take(std::int64_t bytes, std::int64_t messages, std::int64_t now_us) {
    bytes_.Take(bytes, now_us);
    messages_.Take(messages, now_us);
  }
  std::int64_t WaitUs(std::int64_t now_us) {
    return std::max(bytes_.WaitUs(now_us), messages_.WaitUs(now_us));
  }

 private:
  TokenBucket bytes_;
  TokenBucket messages_;
};

}  // namespace tombolo::node
