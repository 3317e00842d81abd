// Records: what a peer holds for others, publishes itself, puts and gets (Kademlia 2002,
// section 2.3).
#include <algorithm>
#include <array>

#include "overlay/peer.h"

namespace tombolo {

// The newest record of a key that this peer holds or publishes. Borrows the payload.
std::optional<Record> Peer::LocalRecord(const NodeId& key, Time now) const {
  if (!parts_) return std::nullopt;
  std::optional<Record> held;
  std::optional<Record> published;
  if (parts_->records) held = parts_->records->Find(key, now);
  if (parts_->put_get) published = parts_->put_get->Find(key, now);
  return Newest(held, published);
}

void Peer::Handle(PeerRef from, const FindValue& find, const PartStep& step) {
  SeenAlive(from, step);
  if (const std::optional<Record> record = LocalRecord(find.key, step.now)) {
    step.out.Send(from, Value{find.rpc, *record});
  } else {
    step.out.Send(from, Nodes{find.rpc, ClosestList(from, find.key, 0, step)});
  }
}

void Peer::Handle(PeerRef from, const Value& value, const PartStep& step) {
  const std::optional<std::uint32_t> operation =
      parts_ ? parts_->lookups.OnValue(from, value, step) : std::nullopt;
  if (!operation) {
    if (!parts_) step.out.Drop(DropReason::kUnknownRpc);
    step.out.Release(value.record.payload);
    HeardLate(from, step);
    return DrainLookups(step);  // a wrong answer may have been the last one awaited
  }
  SeenAlive(from, step);
  parts_->put_get->OnValue(*operation, value.record, step);
  DrainLookups(step);
}

void Peer::Handle(PeerRef from, const Store& store, const PartStep& step) {
  SeenAlive(from, step);
  PeerParts& parts = EnsureParts();
  std::optional<StoreStatus> status;
  if (parts.put_get) status = parts.put_get->Answer(store.record, step);
  if (!status) status = parts.records.Ensure().Accept(store.record, step);
  step.out.Send(from, StoreAck{store.rpc, *status});
}

void Peer::Restore(const Record& record, const Step& step) {
  EnsureParts().records.Ensure().Accept(record, Part(step));
  Settle();
}

void Peer::Handle(PeerRef from, const StoreAck& ack, const PartStep& step) {
  if (!parts_ || !parts_->put_get || !PutGet::OwnsRpc(ack.rpc))
    return step.out.Drop(DropReason::kUnknownRpc);
  SeenAlive(from, step);
  parts_->put_get->OnStoreAck(from, ack, step);
}

void Peer::Start(const Put& put, const PartStep& step) {
  if (const auto lookup = EnsureParts().put_get.Ensure().OnPut(put, step))
    StartKeyLookup(*lookup, step);
}

void Peer::Start(const Get& get, const PartStep& step) {
  const auto lookup = EnsureParts().put_get.Ensure().OnGet(get, step);
  if (!lookup) return;
  if (const std::optional<Record> local = LocalRecord(get.key, step.now)) {
    step.out.Share(local->payload);
    parts_->put_get->OnValue(lookup->operation, *local, step);
  }
  StartKeyLookup(*lookup, step);
}

void Peer::StartKeyLookup(const KeyLookup& lookup, const PartStep& step) {
  constexpr std::array<LookupPurpose, 3> kPurposes = {LookupPurpose::kPut, LookupPurpose::kGet,
                                                      LookupPurpose::kRepublish};
  StartLookup({kPurposes[static_cast<std::size_t>(lookup.use)], lookup.operation, lookup.key},
              step);
}

void Peer::KeyLookupDone(const LookupState& done, const PartStep& step) {
  std::array<PeerRef, kMaxListed> closest;
  const std::size_t count =
      done.Closest({closest.data(), static_cast<std::size_t>(step.config.table.k)});
  if (done.goal().purpose != LookupPurpose::kRepublish) {
    return parts_->put_get->OnLookupDone(
        done.goal().request,
        {{closest.data(), count}, done.closest_without_value(), done.hops(), done.messages()},
        step);
  }
  if (const std::optional<Record> record = LocalRecord(done.goal().target, step.now)) {
    EnsureParts().put_get.Ensure().Republish(*record, {closest.data(), count}, step);
  }
}

// Expiry, acknowledgements that are overdue, and records to be republished.
void Peer::TickStore(const PartStep& step) {
  if (parts_->records) {
    if (const auto key = parts_->records->OnTimer(step)) {
      StartKeyLookup({KeyLookup::Use::kRepublish, 0, *key}, step);
    }
  }
  if (parts_->put_get) {
    if (const auto lookup = parts_->put_get->OnTimer(step)) StartKeyLookup(*lookup, step);
  }
}

// On departure every record passes to the closest peer known, which republishes it in its time.
void Peer::HandOverRecords(const PartStep& step) {
  const auto hand_over = [&](std::span<const HeldRecord> records) {
    for (const HeldRecord& held : records) {
      std::array<PeerRef, 1> closest;
      const auto record = LocalRecord(held.key, step.now);
      if (record && table_.Closest(id_, held.key, 1, step.ids, closest) == 1) {
        step.out.Send(closest[0], Store{PutGet::kRpcTag, *record});
      }
    }
  };
  if (parts_->records) hand_over(parts_->records->records());
  if (parts_->put_get) {
    hand_over(parts_->put_get->published());
    parts_->put_get->Close(step);
  }
  if (parts_->records) parts_->records->Clear(step.out);
}

}  // namespace tombolo
