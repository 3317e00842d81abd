// Records with an expiry and a time to be republished, sorted by key: what the records that a peer
// holds for others (record_store.h) and those that it publishes itself (put_get.h) have in common.
//
// Ownership: the table owns one share of the payload of each record; DropExpired, Remove and Clear
// give it up. Deadlines: next_deadline() may be earlier than needed, never later. Lookups are O(log
// n), changes and timers O(n) over 56 bytes a record, which is little for the thousand records of a
// peer. Thread rule: one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "overlay/message.h"
#include "overlay/node_id.h"
#include "overlay/outbox.h"
#include "overlay/payload.h"
#include "overlay/time.h"

namespace tombolo {

struct HeldRecord {
  std::uint64_t sequence = 0;
  Time expires;
  Time republish_at = kNever;
  NodeId key;
  Payload payload;

  // As it travels at `now`: with the time left to live. Borrows the payload.
  Record ToRecord(Time now) const { return {key, payload, sequence, expires - now}; }

  // Member by member: as plain bytes the padding would make saved files differ.
  template <class Archive>
  void Serialize(Archive& archive) {
    archive(sequence, expires, republish_at, key, payload);
  }
};

class RecordTable {
 public:
  // Republished keys are at least this far apart, since each costs a lookup: a table whose records
  // fall due together is republished at 10 keys per second, overdue ones first.
  static constexpr Duration kRepublishSpacing = Duration::Milliseconds(100);

  // nullptr if absent. A record whose expiry has passed stays visible here until DropExpired. After
  // a change through the pointer, call Schedule.
  const HeldRecord* Find(const NodeId& key) const;
  HeldRecord* Find(const NodeId& key);

  // The record as it travels, nullopt if absent or expired. Borrows the payload.
  std::optional<Record> Live(const NodeId& key, Time now) const;

  // Takes over the share of the payload. Requires that the key is absent.
  void Insert(const HeldRecord& record);

  // Requires that the key is present.
  void Remove(const NodeId& key, Outbox& out);

  // Brings next_deadline() forward to a record that was changed.
  void Schedule(const HeldRecord& record);

  // Drops what has expired if the deadline has come.
  void DropExpired(Time now, Outbox& out);

  // The key that is most overdue to be republished, now due again after `again`; nullopt if none is
  // due or the spacing forbids it. Of keys equally overdue the lowest comes first.
  std::optional<NodeId> TakeDue(Time now, Duration again);

  void Clear(Outbox& out);

  Time next_deadline() const { return deadline_; }
  std::size_t size() const { return records_.size(); }
  std::span<const HeldRecord> records() const { return records_; }  // ascending by key

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(records_, deadline_, republish_from_);
    if constexpr (Archive::kReading) {
      if (!IsSorted()) archive.Fail("records are not in the order of their keys");
    }
  }

 private:
  bool IsSorted() const;
  std::size_t LowerBound(const NodeId& key) const;
  Time DeadlineOf(const HeldRecord& record) const;
  void FindDeadline();

  std::vector<HeldRecord> records_;
  Time deadline_ = kNever;
  Time republish_from_;  // no key is republished before
};

// The record with the higher sequence, the first if they are equal.
std::optional<Record> Newest(const std::optional<Record>& a, const std::optional<Record>& b);

}  // namespace tombolo
