// A monotone priority queue for simulated time: a hierarchical timing wheel addressed like a radix
// heap.
//
// Time is cut into slots of 64 us. An entry lies at the level of the highest 8-bit digit in which
// its slot differs from the open one, in the bucket of that digit. Advancing takes the first bucket
// of the lowest level that is in use, jumps to the slot of its earliest entry (each bucket knows
// it), moves the entries of that slot into the `ready` run, spreads the others over the lower
// levels and sorts the run: by microsecond with one counting pass, then the ties. Many ties, as a
// constant delay makes them, are sorted by the digits of their ranks. Later pops only walk the run.
// Entries pushed into the slot that is already open go to a small binary heap beside it.
//
// Why this one: an entry is written at most once per level that its delay spans (twice for a
// network delay, whatever the number pending), always at the end of a 512-byte chunk, and compared
// only with the few entries of its own microsecond. A binary heap compares log2(n) times in as many
// cache lines; a flat wheel is as fast at one density and range of delays but needs a second
// structure beyond its end; a binary radix heap moves each entry 4-6 times. Figures:
// tests/bench/queue_bench.cc. Delays from 1 us to years and a million entries at one instant cost
// O(n log n) at worst.
//
// Memory: chunks come from a pool in pages that is as large as the most entries ever pending (plus
// one part-filled chunk per bucket in use) and is reused; Clear returns it. Buffers of huge runs
// are returned when the next slot opens.
//
// Entry is trivially copyable and has `std::int64_t time() const` in microseconds, in [0,
// kTimeEnd), `std::uint32_t rank() const`, and a total operator< that orders by time first, then by
// rank. Copyable by value. One caller at a time. Pushing before the last popped entry is a
// programmer error (asserted).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "overlay/prefetch.h"
#include "sim/sort_by_rank.h"

namespace tombolo::sim {

template <class Entry>
class RadixWheel {
 public:
  static_assert(std::is_trivially_copyable_v<Entry>);

  // Entries must be earlier; leaves room for the end of the last slot.
  static constexpr std::int64_t kTimeEnd = std::int64_t{1} << 62;
  static constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::max();

  [[gnu::always_inline]] void Push(const Entry& entry) {
    assert(entry.time() >= last_us_ && entry.time() < kTimeEnd);
    ++size_;
    next_us_ = std::min(next_us_, entry.time());
    if (entry.time() < ready_end_us_) [[unlikely]]
      PushLate(entry);
    else
      Insert(entry);
  }

  // Takes the first entry out if it is earlier than `end_us`. Returns false and leaves `out` alone
  // otherwise.
  bool PopBefore(std::int64_t end_us, Entry& out) {
    if (next_us_ >= end_us) return false;
    if (!has_ready() && late_.empty()) Open();
    if (late_.empty() || (has_ready() && ready_[head_] < late_.front())) {
      out = ready_[head_++];
    } else {
      out = PopLate();
    }
    last_us_ = out.time();
    --size_;
    next_us_ = FindNext();
    return true;
  }

  // What is left of the sorted run, the next one first. A hint for prefetching: entries pushed into
  // the open slot later may come in between.
  std::span<const Entry> Ahead() const { return {ready_.data() + head_, ready_end()}; }

  // Calls `visit` with entries of the slot that lies `slots` after the open one, in no order, at
  // most kVisitMax of them. A hint for prefetching; finds nothing where that slot is not laid out
  // yet.
  template <class Visit>
  void VisitAhead(std::int64_t slots, Visit&& visit) const {
    const std::int64_t digit = ((open_us_ >> kSlotBits) & (kDigits - 1)) + slots;
    if (digit >= kDigits) return;
    const Bucket& bucket = buckets_[static_cast<std::size_t>(digit)];
    if (bucket.newest == kNone) return;
    const Chunk& newest = chunk(bucket.newest);
    const std::uint32_t count = std::min(bucket.used, kVisitMax);
    for (std::uint32_t i = 0; i < count; ++i) visit(newest.entries[i]);
  }

  // Start of the open slot; changes when the next one is opened.
  std::int64_t open_us() const { return open_us_; }

  // Time of the first entry, kNoTime if there is none.
  std::int64_t next_us() const { return next_us_; }

  // Time of the last popped entry; nothing may be pushed before it.
  std::int64_t last_us() const { return last_us_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Forgets all entries, returns the memory, and restarts at `now_us`.
  void Clear(std::int64_t now_us) {
    *this = RadixWheel();
    last_us_ = now_us;
    open_us_ = now_us & ~(kSlotUs - 1);
    ready_end_us_ = open_us_;
  }

  // All entries in order.
  std::vector<Entry> Sorted() const {
    std::vector<Entry> entries(ready_.begin() + static_cast<std::ptrdiff_t>(head_), ready_.end());
    entries.reserve(size_);
    entries.insert(entries.end(), late_.begin(), late_.end());
    for (const Bucket& bucket : buckets_) {
      ForEachChunk(bucket, [&](const Chunk& chunk, std::uint32_t count) {
        entries.insert(entries.end(), chunk.entries.begin(), chunk.entries.begin() + count);
      });
    }
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  std::size_t memory_bytes() const {
    return pages_.size() * sizeof(Page) +
           (ready_.capacity() + scratch_.capacity() + dealt_.capacity() + late_.capacity()) *
               sizeof(Entry);
  }

 private:
  // Measured against slots of 32 and 128 us and digits of 6, 10 and 12 bits: equal within 20 % at
  // most densities, and the smallest table of those that never fall behind.
  static constexpr int kSlotBits = 6;
  static constexpr int kDigitBits = 8;
  static constexpr std::int64_t kSlotUs = std::int64_t{1} << kSlotBits;
  static constexpr int kDigits = 1 << kDigitBits;
  static constexpr int kLevels = (62 - kSlotBits + kDigitBits - 1) / kDigitBits;
  static constexpr std::uint32_t kNone = 0xffffffffU;
  static constexpr std::uint32_t kChunkEntries = 508 / sizeof(Entry);
  static constexpr std::uint32_t kVisitMax = 16;
  static constexpr std::uint32_t kPageChunks = 64;
  static constexpr std::size_t kKeptRun = 1 << 16;  // entries whose buffer is worth keeping

  struct Chunk {
    std::array<Entry, kChunkEntries> entries;
    std::uint32_t next;
  };
  using Page = std::array<Chunk, kPageChunks>;

  // Chunks in the order in which they were filled, all but the newest full. Each names the one
  // after it, the newest names the oldest.
  struct Bucket {
    std::int64_t first_us = kNoTime;
    std::uint32_t newest = kNone;
    std::uint32_t used = kChunkEntries;  // of the newest chunk
  };

  // By addresses: a size would be a division.
  const Entry* ready_end() const { return ready_.data() + ready_.size(); }
  bool has_ready() const { return ready_.data() + head_ != ready_end(); }

  static bool After(const Entry& a, const Entry& b) { return b < a; }

  Chunk& chunk(std::uint32_t index) { return pages_[index / kPageChunks][0][index % kPageChunks]; }
  const Chunk& chunk(std::uint32_t index) const {
    return pages_[index / kPageChunks][0][index % kPageChunks];
  }

  template <class Visit>
  void ForEachChunk(const Bucket& bucket, Visit&& visit) const {
    if (bucket.newest == kNone) return;
    for (std::uint32_t at = chunk(bucket.newest).next; at != bucket.newest; at = chunk(at).next)
      visit(chunk(at), kChunkEntries);
    visit(chunk(bucket.newest), bucket.used);
  }

  // By value: an entry whose address is taken would be put together in memory (see Insert).
  [[gnu::noinline]] void PushLate(Entry entry) {
    late_.push_back(entry);
    std::push_heap(late_.begin(), late_.end(), After);
  }

  [[gnu::noinline]] Entry PopLate() {
    std::pop_heap(late_.begin(), late_.end(), After);
    const Entry first = late_.back();
    late_.pop_back();
    return first;
  }

  // Requires entry.time() >= open_us_. Inlined: an entry that has just been put together passes
  // through registers; read back from memory it would wait for its own parts to be stored.
  [[gnu::always_inline]] void Insert(const Entry& entry) {
    const std::int64_t time_us = entry.time();
    const auto differing = static_cast<std::uint64_t>(time_us ^ open_us_) >> kSlotBits;
    const int level = (static_cast<int>(std::bit_width(differing | 1)) - 1) / kDigitBits;
    const auto digit =
        static_cast<std::size_t>(time_us >> (kSlotBits + level * kDigitBits)) & (kDigits - 1);
    const std::size_t index = static_cast<std::size_t>(level) * kDigits + digit;
    Bucket& bucket = buckets_[index];
    if (bucket.used == kChunkEntries) [[unlikely]]
      AddChunk(index);
    bucket.first_us = std::min(bucket.first_us, time_us);
    chunk(bucket.newest).entries[bucket.used++] = entry;
  }

  [[gnu::noinline]] void AddChunk(std::size_t index) {
    Bucket& bucket = buckets_[index];
    const std::uint32_t fresh = AllocateChunk();
    if (bucket.newest == kNone) {
      in_use_[index / 64] |= std::uint64_t{1} << (index % 64);
      levels_ |= 1U << (index / kDigits);
      chunk(fresh).next = fresh;
    } else {
      chunk(fresh).next = std::exchange(chunk(bucket.newest).next, fresh);
    }
    bucket.newest = fresh;
    bucket.used = 0;
  }

  std::uint32_t AllocateChunk() {
    if (free_ == kNone) AddPage();
    const std::uint32_t index = free_;
    free_ = chunk(index).next;
    return index;
  }

  void AddPage() {
    const auto first = static_cast<std::uint32_t>(pages_.size()) * kPageChunks;
    pages_.emplace_back(1);
    for (std::uint32_t i = kPageChunks; i-- > 0;) {
      chunk(first + i).next = free_;
      free_ = first + i;
    }
  }

  // Requires levels_ != 0. Lower levels share more digits with the open slot, so they come first.
  std::size_t FirstIndex() const {
    const auto level = static_cast<std::size_t>(std::countr_zero(levels_));
    std::size_t word = level * kDigits / 64;
    while (in_use_[word] == 0) ++word;
    return word * 64 + static_cast<std::size_t>(std::countr_zero(in_use_[word]));
  }
  const Bucket& FirstBucket() const { return buckets_[FirstIndex()]; }

  void MarkUnused(std::size_t index) {
    in_use_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
    const std::size_t level = index / kDigits;
    for (std::size_t word = level * kDigits / 64; word < (level + 1) * kDigits / 64; ++word) {
      if (in_use_[word] != 0) return;
    }
    levels_ &= ~(1U << level);
  }

  std::int64_t FindNext() const {
    const std::int64_t late = late_.empty() ? kNoTime : late_.front().time();
    if (has_ready()) return std::min(late, ready_[head_].time());
    if (!late_.empty() || levels_ == 0) return late;
    return FirstBucket().first_us;
  }

  // Makes the slot of the earliest entry the open one. Requires an exhausted run, no late entries,
  // and an entry that is about to be popped: a slot opened too far ahead would send what is pushed
  // meanwhile into the heap.
  [[gnu::noinline]] void Open() {
    const std::size_t index = FirstIndex();
    const Bucket bucket = buckets_[index];
    buckets_[index] = Bucket();
    MarkUnused(index);
    open_us_ = bucket.first_us & ~(kSlotUs - 1);
    ready_end_us_ = open_us_ + kSlotUs;
    if (ready_.capacity() > kKeptRun) ready_ = std::vector<Entry>();
    if (dealt_.capacity() > kKeptRun) dealt_ = std::vector<Entry>();
    ready_.clear();
    head_ = 0;
    Spread(bucket);
    SortReady();
  }

  // In the order in which the entries came: what was pushed by ascending ranks, as timers often
  // are, needs no sorting.
  void Spread(const Bucket& bucket) {
    std::uint32_t next = chunk(bucket.newest).next;
    for (std::uint32_t at = kNone; at != bucket.newest;) {
      at = next;
      const Chunk& source = chunk(at);  // stays in place: pages do not move
      next = source.next;
      PrefetchLine(&chunk(next));
      SpreadChunk(source, at == bucket.newest ? bucket.used : kChunkEntries);
      chunk(at).next = free_;
      free_ = at;
    }
  }

  void SpreadChunk(const Chunk& source, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const Entry& entry = source.entries[i];
      if (entry.time() < ready_end_us_) {
        ready_.push_back(entry);
      } else {
        Insert(entry);
      }
    }
  }

  // One counting pass by microsecond, then the ties of each.
  void SortReady() {
    if (ready_.size() <= kFewEntries) return SortFew(ready_.data(), ready_.size());
    std::array<std::size_t, kSlotUs + 1> starts{};
    for (const Entry& entry : ready_) ++starts[Offset(entry) + 1];
    if (std::find(starts.begin(), starts.end(), ready_.size()) != starts.end()) {
      return SortByRank(ready_.data(), ready_.size(), dealt_);  // all at one instant
    }
    for (std::size_t i = 1; i <= kSlotUs; ++i) starts[i] += starts[i - 1];
    std::array<std::size_t, kSlotUs + 1> ends = starts;
    scratch_.resize(ready_.size());
    for (const Entry& entry : ready_) scratch_[ends[Offset(entry)]++] = entry;
    ready_.swap(scratch_);
    if (scratch_.capacity() > kKeptRun) scratch_ = std::vector<Entry>();
    for (std::size_t i = 0; i < kSlotUs; ++i)
      SortByRank(ready_.data() + starts[i], ends[i] - starts[i], dealt_);
  }

  std::size_t Offset(const Entry& entry) const {
    return static_cast<std::size_t>(entry.time() - open_us_);
  }

  std::int64_t last_us_ = 0;
  std::int64_t open_us_ = 0;       // start of the open slot
  std::int64_t ready_end_us_ = 0;  // its end; equal to the start before the first one is opened
  std::int64_t next_us_ = kNoTime;
  std::size_t size_ = 0;
  std::size_t head_ = 0;  // next entry of ready_
  std::vector<Entry> ready_;
  std::vector<Entry> scratch_;
  std::vector<Entry> dealt_;  // room for SortByRank; nothing in between
  std::vector<Entry> late_;   // binary heap
  std::uint32_t levels_ = 0;  // bit i: level i has a bucket in use
  std::uint32_t free_ = kNone;
  std::array<std::uint64_t, std::size_t{kLevels} * kDigits / 64> in_use_{};
  std::array<Bucket, std::size_t{kLevels} * kDigits> buckets_{};
  std::vector<std::vector<Page>> pages_;  // each inner vector holds one page: pages never move
};

}  // namespace tombolo::sim
