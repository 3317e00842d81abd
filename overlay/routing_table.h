// The k-buckets of one peer (Maymounkov & Mazieres, "Kademlia", IPTPS 2002, sections 2.2 and 4.1).
//
// Bucket i holds contacts that share exactly i leading bits with the owner's id. Inside a bucket
// contacts lie in the order [failed | live, least recently seen first | replacements, oldest
// first].
//
// Guarantee wanted by the overlay: no false-empty bucket. If the network has a peer in a subtree,
// the owner holds a live contact there; refreshing a bucket restores it.
//
// Differences from the paper:
//  - Buckets are never split or merged: one per prefix length, which is the fully split tree along
//  the
//    owner's path. Empty ones cost no contact slot.
//  - A contact that fails once is kept, unused, until it fails again, answers, or a newcomer takes
//  its
//    place: one lost packet must not cost a live contact. While no contact of its bucket is live
//    it is kept however often it fails: there may be no other way back into that subtree.
//  - The ping of the least recently seen contact is limited to one per bucket and check interval.
//
// Memory: one block per peer, sized to use: 4 bytes per contact and 5 bytes per level. Ownership:
// the table owns the block; copies are deep. Thread rule: one caller at a time. Errors: none;
// limits are met by dropping the contact of least value.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "overlay/config.h"
#include "overlay/directory.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/prefetch.h"
#include "overlay/time.h"

namespace tombolo {

// What became of a peer that was seen alive.
enum class SeenResult : std::uint8_t { kKnown, kInserted, kCached, kIgnored };

class RoutingTable {
 public:
  RoutingTable() = default;
  RoutingTable(const RoutingTable& other);
  RoutingTable& operator=(const RoutingTable& other);
  RoutingTable(RoutingTable&& other) noexcept;
  RoutingTable& operator=(RoutingTable&& other) noexcept;
  ~RoutingTable() = default;

  // Notes that `peer`, which shares `level` bits with the owner, is alive: moves it to the most
  // recently seen end, inserts it where there is room, or remembers it as a replacement. Requires
  // level < kIdBits.
  SeenResult Seen(PeerRef peer, int level, const TableConfig& config, const Directory& ids);

  // Notes that `peer` did not answer. A replacement takes its place if there is one. Who has failed
  // before is forgotten, unless nobody in its bucket is live.
  void Failed(PeerRef peer, int level);

  // Forgets `peer` at once; a replacement takes its place if there is one.
  void Remove(PeerRef peer, int level);

  // Writes the `count` live contacts that are XOR-closest to `target` into `out` (or all, if fewer)
  // and returns how many. The set is exact; its order is by bucket, not by distance. Requires
  // out.size() >= count.
  std::size_t Closest(const NodeId& owner, const NodeId& target, std::size_t count,
                      const Directory& ids, std::span<PeerRef> out) const;

  // Levels in use: every non-empty bucket has an index below this.
  int levels() const { return levels_; }
  std::size_t live_count() const;

  // Contacts of one bucket, least recently seen first; empty beyond levels(). Valid until the next
  // change.
  std::span<const PeerRef> live(int level) const;
  std::span<const PeerRef> failed(int level) const;
  std::span<const PeerRef> replacements(int level) const;

  // The level from which on the k closest contacts of the owner cover every bucket: these are
  // refreshed by a lookup of the owner's own id, the ones above by lookups of their own
  // (section 2.3).
  int CoveredFrom(int k) const;

  // A lookup has covered `level`: it needs no refresh for one refresh interval.
  void Touch(int level, Time now, Duration refresh_interval);
  bool NeedsRefresh(int level, Time now, Duration refresh_interval) const;
  // When the first bucket needs a refresh, never earlier than now; one interval from now without
  // buckets.
  Time RefreshDue(Time now, Duration refresh_interval) const;

  // True at most once per bucket and interval: the moment to ping the least recently seen contact.
  bool ClaimCheck(int level, Time now, Duration check_interval);

  // Sets the contacts of an empty bucket, least recently seen first. Requires levels in ascending
  // order and at most kMaxListed contacts. For pre-built worlds.
  void Fill(int level, std::span<const PeerRef> contacts);

  // Hints that the table, or one bucket of it, will be used soon.
  void Prefetch() const {
    if (levels_ == 0) return;
    // The rows of counters decide what else is read.
    PrefetchLine(rows());
    PrefetchLine(rows() + kCacheLine);
  }
  void PrefetchBucket(int level) const;

  // Makes room in one step, for a table that is about to be filled.
  void Reserve(std::size_t contacts, int levels);

  std::size_t memory_bytes() const;

  template <class Archive>
  void Serialize(Archive& archive) {
    std::vector<std::uint32_t> contacts;
    std::vector<std::uint8_t> counts;
    if constexpr (!Archive::kReading) Export(contacts, counts);
    archive(contacts, counts);
    if constexpr (Archive::kReading) {
      if (archive.ok() && !Import(contacts, counts))
        archive.Fail("routing table: counts do not add up");
    }
  }

 private:
  // The five counters of a level, each stored as its own row of bytes so that offsets are sums of
  // neighbouring bytes. Stamps count coarse units and wrap; a wrap delays one check or refresh.
  enum Row : std::size_t { kSlots, kFailed, kCached, kChecked, kTouched, kRows };

  struct Region {
    std::size_t begin;
    std::uint8_t failed, live, cached;
  };

  std::uint8_t& At(Row row, int level) {
    return rows()[row * level_capacity_ + static_cast<std::size_t>(level)];
  }
  std::uint8_t At(Row row, int level) const {
    return rows()[row * level_capacity_ + static_cast<std::size_t>(level)];
  }
  std::uint8_t* rows() { return reinterpret_cast<std::uint8_t*>(block_.get() + capacity_); }
  const std::uint8_t* rows() const {
    return reinterpret_cast<const std::uint8_t*>(block_.get() + capacity_);
  }

  Region RegionOf(int level) const;
  std::size_t FindIn(const Region& region, PeerRef peer) const;
  void EnsureLevel(int level);
  void Grow(std::size_t capacity, std::size_t level_capacity);
  void InsertAt(std::size_t position, PeerRef peer);
  void EraseAt(std::size_t position);
  void MoveWithin(std::size_t from, std::size_t to);
  SeenResult Newcomer(PeerRef peer, int level, const TableConfig& config, const Directory& ids);
  void RemoveLiveOrFailed(const Region& region, std::size_t position, int level);
  bool GroupIsFull(const Region& region, PeerRef peer, int group_max, const Directory& ids) const;
  void Export(std::vector<std::uint32_t>& contacts, std::vector<std::uint8_t>& counts) const;
  bool Import(const std::vector<std::uint32_t>& contacts, const std::vector<std::uint8_t>& counts);
  std::size_t block_words() const { return BlockWords(capacity_, level_capacity_); }
  static std::size_t BlockWords(std::size_t capacity, std::size_t level_capacity) {
    return capacity + (level_capacity * kRows + 3) / 4;
  }

  std::unique_ptr<PeerRef[]>
      block_;               // capacity_ contacts, then kRows rows of level_capacity_ bytes
  std::uint16_t used_ = 0;  // contacts of all regions
  std::uint16_t capacity_ = 0;
  std::uint8_t levels_ = 0;
  std::uint8_t level_capacity_ = 0;
};

}  // namespace tombolo
