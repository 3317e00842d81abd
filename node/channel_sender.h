// The outgoing half of a channel: bytes of the application until the other side has them.
//
// Offsets count the bytes of the stream from 0; its end, once the application has finished, counts
// as one more. Bounds: `limit` bytes; Append takes no more. Thread rule: plain value. Errors: an
// acknowledgement of what was never sent is told, and changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "node/channel_options.h"

namespace tombolo::node {

class ChannelSender {
 public:
  struct Piece {
    std::uint64_t offset;
    std::size_t size;
    bool fin;    // the stream ends behind it
    bool again;  // some of it has been sent before
  };

  // ---- The application.

  // Takes as many bytes from the front as there is room for.
  std::size_t Append(std::string_view bytes);
  // Nothing more will be appended.
  void Finish() { finished_ = true; }
  bool finished() const { return finished_; }
  std::size_t room() const { return limit_ > buffered() ? limit_ - buffered() : 0; }
  std::size_t buffered() const { return static_cast<std::size_t>(end_ - acked_); }
  std::size_t limit() const { return limit_; }
  void Grow(std::size_t limit) { limit_ = limit; }

  // ---- The wire.

  // What goes next, at most `most` bytes of it; nullopt: nothing may go.
  std::optional<Piece> Next(std::size_t most) const;
  // The first bytes that are not acknowledged, to be sent again.
  Piece First() const;
  void Copy(const Piece& piece, std::string& out) const;
  void Sent(const Piece& piece);
  // False: nobody can have that.
  bool Acknowledge(std::uint64_t acked);
  void Credit(std::uint64_t credit) { credit_ = credit > credit_ ? credit : credit_; }
  // Everything that is not acknowledged is to be sent again.
  void Rewind() { next_ = acked_; }

  // The first byte that the other side lacks, as far as is known.
  std::uint64_t acked() const { return acked_; }
  std::uint64_t next() const { return next_; }
  std::size_t in_flight() const { return static_cast<std::size_t>(next_ - acked_); }
  // What the other side would take beyond what it has.
  std::size_t credit() const {
    return credit_ > acked_ ? static_cast<std::size_t>(credit_ - acked_) : 0;
  }
  // There is data, and the other side takes none.
  bool is_held_back() const { return next_ < end_ && next_ >= credit_; }
  // The other side has all, and the end.
  bool done() const { return finished_ && acked_ == end_ + 1; }

 private:
  void Drop(std::uint64_t until);

  std::deque<std::string> chunks_;  // from acked_ on, but for skip_ bytes of the first
  std::size_t skip_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t sent_ = 0;  // the most that next_ has been
  std::uint64_t end_ = 0;   // of what was appended
  std::uint64_t credit_ = kFirstWindow;
  std::size_t limit_ = kFirstWindow;
  bool finished_ = false;
};

}  // namespace tombolo::node
