// The records that a peer holds for others (Maymounkov & Mazieres, "Kademlia", IPTPS 2002,
// sections 2.3 and 2.5). Sequences, times to live and sizes come from strangers; all of them are
// checked here.
//
// Rules of Accept, in this order:
//   too large or time to live <= 0      kRejected; a time to live over max_ttl counts as max_ttl,
//   since
//                                       peers may be configured differently
//   held with a higher sequence         kOutdated
//   held with a lower sequence          kStored: bytes and expiry are replaced, the expiry even by
//   an
//                                       earlier one, since the newest record wins
//   held with the same sequence         kStored: the bytes held stay, the expiry is the later of
//   the two not held and the store is full      the record whose key is XOR-farthest from this peer
//   makes room if
//                                       it is farther than the newcomer; otherwise kFull
// kRejected counts as kRecordRejected; kFull and an eviction count as kOverload.
//
// Cached copies: a Store message does not say why it was sent, but copies cached on the path of a
// lookup live for cache_ttl at most. So a record that arrives with so little to live is taken for
// one, and never republished. A peer that publishes something so short-lived republishes it itself.
//
// Republishing: a record is due one republish_interval plus up to a quarter of it, at random, after
// it was last stored here or republished from here. Its origin republishes without the random part
// and so comes first; if the origin is gone, the first holder that wakes up spares all the others
// the work (section 2.5). Each republication lengthens a life by the way of one message.
//
// Ownership: the share of every payload handed to Accept passes to the store, whatever the answer.
// Find lends. Thread rule: one caller at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "overlay/message.h"
#include "overlay/node_id.h"
#include "overlay/record_table.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class RecordStore {
 public:
  StoreStatus Accept(const Record& record, const PartStep& step);

  // The record with the time that it has left, nullopt if none is alive. Borrows the payload.
  std::optional<Record> Find(const NodeId& key, Time now) const { return table_.Live(key, now); }

  // Drops expired records. Returns the next key to be republished, if one is due; the others follow
  // at later deadlines (RecordTable::kRepublishSpacing).
  std::optional<NodeId> OnTimer(const PartStep& step);

  Time next_deadline() const { return table_.next_deadline(); }

  // Gives up every record, as on departure.
  void Clear(Outbox& out) { table_.Clear(out); }

  bool idle() const { return size() == 0; }
  std::size_t size() const { return table_.size(); }
  std::span<const HeldRecord> records() const { return table_.records(); }  // ascending by key

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(table_);
  }

 private:
  StoreStatus Refresh(HeldRecord& held, const HeldRecord& incoming, const PartStep& step);
  StoreStatus Add(const HeldRecord& incoming, const PartStep& step);

  RecordTable table_;
};

}  // namespace tombolo
