// One timer per peer: the host's side of Peer::next_deadline().
//
// Deadlines change with almost every step and mostly move later, so a change costs one store: the
// queued entry stays where it is, and when it comes up early it is queued again at the deadline of
// that moment. Only a deadline that moves earlier than the queued entry pushes a new one; the old
// one is then stale and dropped when it comes up. When the stale ones exceed half the peers the
// queue is rebuilt, so there are never more than 1.5 entries per peer (plus a constant).
//
// Timers fire in order of (time, peer). A world merges them with its messages in one total order:
// at equal times messages go before timers, so that a reply that arrives at its deadline is in
// time. World::ProcessNext is that merge.
//
// Memory: 16 bytes per peer and 12 per queued entry: 29 bytes for a peer with an armed timer.
// Copyable by value; one caller at a time. Peers out of range are programmer errors (asserted).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/prefetch.h"
#include "overlay/time.h"
#include "sim/radix_wheel.h"

namespace tombolo::sim {

struct Timer {
  Time time;
  std::uint32_t peer = 0;

  bool operator==(const Timer&) const = default;
};

class TimerQueue {
 public:
  // Two words instead of one of 64 bits keep an entry at 12 bytes.
  class Entry {
   public:
    Entry() = default;
    Entry(std::int64_t time_us, std::uint32_t peer)
        : low_(static_cast<std::uint32_t>(time_us)),
          high_(static_cast<std::uint32_t>(time_us >> 32)),
          peer_(peer) {}
    std::int64_t time() const {
      return static_cast<std::int64_t>((std::uint64_t{high_} << 32) | low_);
    }
    std::uint32_t peer() const { return peer_; }
    std::uint32_t rank() const { return peer_; }
    friend bool operator<(const Entry& a, const Entry& b) {
      return a.time() != b.time() ? a.time() < b.time() : a.peer_ < b.peer_;
    }

   private:
    std::uint32_t low_ = 0;
    std::uint32_t high_ = 0;
    std::uint32_t peer_ = 0;
  };
  static_assert(sizeof(Entry) == 12);

  // Makes room for `peers` peers. Requires peers >= peer_count().
  void Resize(std::uint32_t peers);

  // Adds one peer without a deadline and returns its number.
  std::uint32_t AddPeer();

  std::uint32_t peer_count() const { return static_cast<std::uint32_t>(rows_.size()); }

  // Replaces the deadline of `peer`; kNever disarms. A deadline that has passed fires next.
  void Arm(std::uint32_t peer, Time deadline);

  // A hint that the deadline of `peer` will change soon.
  void Prefetch(std::uint32_t peer) const { PrefetchLine(rows_.data() + peer); }

  // What may come next, in order, as far as that is laid out already; some of it may be stale. A
  // hint for prefetching.
  std::span<const Entry> Ahead() const { return wheel_.Ahead(); }

  // The deadline of `peer`, kNever if it has none.
  Time armed(std::uint32_t peer) const { return rows_[peer].armed; }

  // Takes the first timer that fires before `end`, and disarms it. Returns false and leaves `out`
  // alone if there is none.
  bool PopBefore(Time end, Timer& out);

  // No timer fires before this time; kNever if none is armed. May be earlier than the first timer;
  // then PopBefore of any later time moves it on.
  Time next_time() const { return {wheel_.next_us()}; }

  std::size_t entry_count() const { return wheel_.size(); }
  std::size_t memory_bytes() const;

  // Stores the deadlines only; the queue follows from them.
  template <class Archive>
  void Serialize(Archive& archive) {
    std::int64_t last_us = wheel_.last_us();
    std::vector<Time> armed;
    if constexpr (!Archive::kReading) armed = Deadlines();
    archive(last_us, armed);
    if constexpr (Archive::kReading) {
      if (!archive.ok() || !Restore(last_us, armed)) {
        Reset();
        archive.Fail("timer queue: time out of range");
      }
    }
  }

 private:
  struct Row {
    Time armed = kNever;
    Time queued = kNever;  // of the peer's entry that counts; kNever if it has none
  };

  void Enqueue(std::uint32_t peer, Time at);
  [[gnu::noinline]] void DropStale();
  std::vector<Time> Deadlines() const;
  bool Restore(std::int64_t last_us, const std::vector<Time>& armed);
  void Reset();

  std::vector<Row> rows_;  // by peer
  std::size_t stale_ = 0;  // entries that do not count
  RadixWheel<Entry> wheel_;
};

}  // namespace tombolo::sim
