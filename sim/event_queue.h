// The pending messages of a simulated world, in the order that makes a run reproducible: by time,
// then receiver, then sender, then the sender's sequence number. The order depends on nothing else,
// so it is the same for every number of threads and every history of pushes.
//
// An entry is a key of 20 bytes and `slot`, an opaque handle to the message, which the caller keeps
// in a slab of its own: entries move several times before they are popped. Keys are unique; entries
// that share one would come in order of their slots.
//
// Time in whole microseconds, at least 0 and below RadixWheel::kTimeEnd. Monotone: pushing before
// the last popped entry is a programmer error (asserted). Copyable by value; one caller at a time.
// The structure, its cost and why it was chosen: sim/radix_wheel.h.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/time.h"
#include "sim/radix_wheel.h"

namespace tombolo::sim {

struct QueueEntry {
  std::int64_t time_us = 0;
  std::uint32_t to = 0;
  std::uint32_t from = 0;
  std::uint32_t sequence = 0;
  std::uint32_t slot = 0;

  std::int64_t time() const { return time_us; }
  std::uint32_t rank() const { return to; }

  bool operator==(const QueueEntry&) const = default;

  // Two comparisons of words where a defaulted operator would branch on each field.
  friend bool operator<(const QueueEntry& a, const QueueEntry& b) {
    if (a.time_us != b.time_us) return a.time_us < b.time_us;
    if (a.to != b.to || a.from != b.from) return Word(a.to, a.from) < Word(b.to, b.from);
    return Word(a.sequence, a.slot) < Word(b.sequence, b.slot);
  }

 private:
  static constexpr std::uint64_t Word(std::uint32_t high, std::uint32_t low) {
    return (std::uint64_t{high} << 32) | low;
  }
};
static_assert(sizeof(QueueEntry) == 24);

class EventQueue {
 public:
  [[gnu::always_inline]] void Push(const QueueEntry& entry) { wheel_.Push(entry); }

  // Takes the first entry out if it is earlier than `end`. Returns false and leaves `out` alone
  // otherwise. kNever means no bound.
  bool PopBefore(Time end, QueueEntry& out) { return wheel_.PopBefore(end.us, out); }

  // The entries after the last one popped, as far as they are sorted already. A hint for
  // prefetching: later pushes may come in between. Valid until the next Push or PopBefore.
  std::span<const QueueEntry> Ahead() const { return wheel_.Ahead(); }

  // Hints for prefetching: some entries that are due `slots` slots of 64 us after the open one, and
  // the start of that, which changes when the loop gets to the next slot.
  template <class Visit>
  void VisitAhead(std::int64_t slots, Visit&& visit) const {
    wheel_.VisitAhead(slots, visit);
  }
  std::int64_t open_us() const { return wheel_.open_us(); }

  // Time of the first entry, kNever if there is none.
  Time next_time() const { return {wheel_.next_us()}; }

  std::size_t size() const { return wheel_.size(); }
  bool empty() const { return wheel_.empty(); }
  std::size_t memory_bytes() const { return wheel_.memory_bytes(); }

  // Stores the entries in order, so that equal contents give equal bytes whatever their history.
  template <class Archive>
  void Serialize(Archive& archive) {
    std::int64_t last_us = wheel_.last_us();
    std::vector<QueueEntry> entries;
    if constexpr (!Archive::kReading) entries = wheel_.Sorted();
    archive(last_us, entries);
    if constexpr (Archive::kReading) {
      if (!archive.ok()) return;
      if (!Restore(last_us, entries)) archive.Fail("event queue: time out of range");
    }
  }

 private:
  bool Restore(std::int64_t last_us, const std::vector<QueueEntry>& entries);

  RadixWheel<QueueEntry> wheel_;
};

}  // namespace tombolo::sim
