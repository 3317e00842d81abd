// The incoming half of a channel: puts segments in order and says what may come.
//
// Data that is in order passes to the application at once; the application says what it has dealt
// with (Consume), and only then may as much more come. Segments behind a gap are held. Bounds: the
// window, in bytes that are held or with the application; kMaxHeld segments held. Thread rule:
// plain value. Errors: whatever an honest sender cannot send is told as kBroken, and changes
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/channel_options.h"
#include "overlay/time.h"

namespace tombolo::node {

class ChannelReceiver {
 public:
  static constexpr std::size_t kMaxHeld = 64;

  enum class Outcome : std::uint8_t { kInOrder, kDuplicate, kHeld, kDropped, kBroken };

  // Adds to `ready` what is now in order.
  Outcome Take(std::uint64_t offset, std::string&& data, bool fin, std::vector<std::string>& ready);

  // The application has dealt with so many more bytes. True if the other side should hear of it:
  // the last it has heard falls short by a quarter of the window. Requires that they were ready.
  bool Consume(std::size_t bytes);
  // The window may double: it has been used up within a second.
  bool WantsMore(Time now);
  void Grow(std::size_t window) { window_ = window; }
  std::size_t window() const { return window_; }

  // To be told to the other side.
  std::uint64_t acked() const { return next_ + (ended() ? 1 : 0); }
  std::uint64_t Limit();
  std::uint32_t held() const { return static_cast<std::uint32_t>(held_.size()); }

  // All has come, to its end.
  bool ended() const { return fin_ && next_ == *fin_; }
  // Ready, and not consumed.
  std::size_t with_application() const { return static_cast<std::size_t>(next_ - consumed_); }

 private:
  bool IsBroken(std::uint64_t offset, std::size_t size, bool fin) const;
  void Deliver(std::uint64_t offset, std::string&& data, std::vector<std::string>& ready);

  std::uint64_t next_ = 0;             // the first byte that is missing
  std::uint64_t highest_ = 0;          // end of the farthest byte that has come
  std::uint64_t consumed_ = 0;         // by the application
  std::uint64_t told_ = kFirstWindow;  // the highest limit that the other side may know
  std::size_t window_ = kFirstWindow;
  std::optional<std::uint64_t> fin_;
  std::map<std::uint64_t, std::string> held_;
  std::size_t held_bytes_ = 0;
  std::uint64_t round_end_ = kFirstWindow;  // consumed by then, a window has been used up
  Time round_start_;
};

}  // namespace tombolo::node
