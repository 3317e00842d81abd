#include "overlay/record_store.h"

#include <algorithm>
#include <cstdint>

namespace tombolo {
namespace {

Duration RepublishDelay(const PartStep& step) {
  const Duration interval = step.config.store.republish_interval;
  const auto jitter = static_cast<std::uint64_t>(interval.us / 4) + 1;
  return interval + Duration::Microseconds(static_cast<std::int64_t>(step.rng.Below64(jitter)));
}

HeldRecord ToHeld(const Record& record, const PartStep& step) {
  const Duration ttl = std::min(record.ttl, step.config.store.max_ttl);
  const bool cached = ttl <= step.config.store.cache_ttl;
  return {.sequence = record.sequence,
          .expires = step.now + ttl,
          .republish_at = cached ? kNever : step.now + RepublishDelay(step),
          .key = record.key,
          .payload = record.payload};
}

}  // namespace

StoreStatus RecordStore::Accept(const Record& record, const PartStep& step) {
  if (record.payload.bytes > step.config.store.max_value_bytes || record.ttl <= Duration{0}) {
    step.out.Release(record.payload);
    step.out.Drop(DropReason::kRecordRejected);
    return StoreStatus::kRejected;
  }
  table_.DropExpired(step.now, step.out);
  const HeldRecord incoming = ToHeld(record, step);
  HeldRecord* held = table_.Find(record.key);
  return held != nullptr ? Refresh(*held, incoming, step) : Add(incoming, step);
}

StoreStatus RecordStore::Refresh(HeldRecord& held, const HeldRecord& incoming,
                                 const PartStep& step) {
  if (incoming.sequence < held.sequence) {
    step.out.Release(incoming.payload);
    return StoreStatus::kOutdated;
  }
  if (incoming.sequence > held.sequence) {
    step.out.Release(held.payload);
    held = incoming;
  } else {
    step.out.Release(incoming.payload);
    held.expires = std::max(held.expires, incoming.expires);
    // A cached copy went to this peer alone, so it spares nobody the next republication.
    if (incoming.republish_at != kNever) held.republish_at = incoming.republish_at;
  }
  table_.Schedule(held);
  return StoreStatus::kStored;
}

StoreStatus RecordStore::Add(const HeldRecord& incoming, const PartStep& step) {
  if (table_.size() >= static_cast<std::size_t>(step.config.store.max_records)) {
    step.out.Drop(DropReason::kOverload);
    const auto distance = [&](const HeldRecord& r) { return Distance(r.key, step.self_id); };
    const auto farthest = std::ranges::max_element(table_.records(), {}, distance);
    if (farthest == table_.records().end() || distance(*farthest) < distance(incoming)) {
      step.out.Release(incoming.payload);
      return StoreStatus::kFull;
    }
    table_.Remove(NodeId(farthest->key), step.out);
  }
  table_.Insert(incoming);
  return StoreStatus::kStored;
}

std::optional<NodeId> RecordStore::OnTimer(const PartStep& step) {
  if (table_.next_deadline() > step.now) return std::nullopt;
  table_.DropExpired(step.now, step.out);
  return table_.TakeDue(step.now, RepublishDelay(step));
}

}  // namespace tombolo
