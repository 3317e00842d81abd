#include "overlay/record_table.h"

#include <algorithm>
#include <cassert>

namespace tombolo {

bool RecordTable::IsSorted() const {
  const auto not_below = [](const HeldRecord& a, const HeldRecord& b) { return a.key >= b.key; };
  return std::ranges::adjacent_find(records_, not_below) == records_.end();
}

std::size_t RecordTable::LowerBound(const NodeId& key) const {
  const auto found = std::ranges::lower_bound(records_, key, {}, &HeldRecord::key);
  return static_cast<std::size_t>(found - records_.begin());
}

const HeldRecord* RecordTable::Find(const NodeId& key) const {
  const std::size_t index = LowerBound(key);
  return index < records_.size() && records_[index].key == key ? &records_[index] : nullptr;
}

HeldRecord* RecordTable::Find(const NodeId& key) {
  const std::size_t index = LowerBound(key);
  return index < records_.size() && records_[index].key == key ? &records_[index] : nullptr;
}

std::optional<Record> RecordTable::Live(const NodeId& key, Time now) const {
  const HeldRecord* held = Find(key);
  if (held == nullptr || held->expires <= now) return std::nullopt;
  return held->ToRecord(now);
}

void RecordTable::Insert(const HeldRecord& record) {
  assert(Find(record.key) == nullptr);
  records_.insert(records_.begin() + static_cast<std::ptrdiff_t>(LowerBound(record.key)), record);
  Schedule(record);
}

void RecordTable::Remove(const NodeId& key, Outbox& out) {
  const std::size_t index = LowerBound(key);
  assert(index < records_.size() && records_[index].key == key);
  out.Release(records_[index].payload);
  records_.erase(records_.begin() + static_cast<std::ptrdiff_t>(index));
}

Time RecordTable::DeadlineOf(const HeldRecord& record) const {
  return std::min(record.expires, std::max(record.republish_at, republish_from_));
}

void RecordTable::Schedule(const HeldRecord& record) {
  deadline_ = std::min(deadline_, DeadlineOf(record));
}

void RecordTable::FindDeadline() {
  deadline_ = kNever;
  for (const HeldRecord& record : records_) Schedule(record);
}

void RecordTable::DropExpired(Time now, Outbox& out) {
  if (deadline_ > now) return;
  std::erase_if(records_, [&](const HeldRecord& record) {
    if (record.expires > now) return false;
    out.Release(record.payload);
    return true;
  });
  // A burst of records should not cost memory for ever.
  if (records_.capacity() > 16 && records_.capacity() / 4 > records_.size())
    records_.shrink_to_fit();
  FindDeadline();
}

std::optional<NodeId> RecordTable::TakeDue(Time now, Duration again) {
  if (deadline_ > now || republish_from_ > now) return std::nullopt;
  const auto due = std::ranges::min_element(records_, {}, &HeldRecord::republish_at);
  if (due == records_.end() || due->republish_at > now) return std::nullopt;
  due->republish_at = now + again;
  republish_from_ = now + kRepublishSpacing;
  FindDeadline();
  return due->key;
}

void RecordTable::Clear(Outbox& out) {
  for (const HeldRecord& record : records_) out.Release(record.payload);
  *this = RecordTable();
}

std::optional<Record> Newest(const std::optional<Record>& a, const std::optional<Record>& b) {
  if (!a || !b) return a ? a : b;
  return b->sequence > a->sequence ? b : a;
}

}  // namespace tombolo
