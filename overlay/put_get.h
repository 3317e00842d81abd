// What an origin does for its application's Put and Get, and the records that it publishes
// (Maymounkov & Mazieres, "Kademlia", IPTPS 2002, sections 2.3 and 2.5). The holders' side is
// record_store.h.
//
// A command asks for a lookup of its key (KeyLookup), which Peer runs and reports back:
//   Put   FIND_NODE; then STORE at each of the k closest, and PutDone once all have answered or
//         rpc_timeout has passed. The record is republished every republish_interval until it
//         expires.
//   Get   FIND_VALUE, each answer reported with OnValue; then GetDone with the highest sequence,
//   and a
//         copy that lives for cache_ttl at most at the closest peer that had none.
// Holders are found over the buckets: on a ring alone, which has none, both end at once, without
// success, and so do the commands of a peer that is overloaded. Each is bounded by
// kMaxCommands under way and max_records published; what goes beyond counts as kOverload.
//
// The origin is a holder of what it publishes: it answers requests from here (Find, Answer) and
// never needs a second share for its own record store. If it is among the k closest itself, it
// stores at one peer less and counts itself in PutDone.
//
// Of one key the highest sequence is published. A Put of a lower one is refused; one of an equal
// sequence keeps the bytes published and the later expiry, as holders do. Times to live over
// max_ttl count as max_ttl.
//
// Ownership: the payload of every command, and of every record handed to OnValue or Answer, passes
// to this part. It ends in GetDone or is released. Thread rule: one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "overlay/command.h"
#include "overlay/message.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/record_table.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

// A lookup that a command or a publication needs.
struct KeyLookup {
  enum class Use : std::uint8_t { kPut, kGet, kRepublish };

  Use use = Use::kPut;
  std::uint32_t operation = 0;  // to be repeated with the results; 0 for kRepublish, which has none
  NodeId key;
};

// How the lookup ended. Only a Get looks beyond `closest`.
struct KeyLookupResult {
  std::span<const PeerRef> closest = {};  // closest first, without this peer
  PeerRef cache_at = PeerRef::kNone;  // the closest peer that was asked for the value and had none
  std::uint16_t hops = 0;
  std::uint16_t messages = 0;
};

class PutGet {
 public:
  static constexpr std::size_t kMaxCommands = 256;

  // The rpc numbers of this part carry this tag in their top two bits.
  static constexpr std::uint32_t kRpcTag = 0xc0000000U;
  static constexpr bool OwnsRpc(std::uint32_t rpc) { return (rpc & kRpcTag) == kRpcTag; }

  // nullopt if the command has ended already.
  std::optional<KeyLookup> OnPut(const Put& put, const PartStep& step);
  std::optional<KeyLookup> OnGet(const Get& get, const PartStep& step);

  // A record found by the lookup of a Get, with a share of its payload. False, and counted, if the
  // record cannot be an answer. Requires an operation whose lookup is under way, here and below.
  bool OnValue(std::uint32_t operation, const Record& record, const PartStep& step);

  // The lookup of a Put or Get has ended.
  void OnLookupDone(std::uint32_t operation, const KeyLookupResult& result, const PartStep& step);

  // The lookup could not be started: ends the command without success.
  void OnLookupRefused(std::uint32_t operation, const PartStep& step);

  // The lookup of a republication has ended: stores `record`, the newest that this peer holds or
  // publishes, at the closest peers. Nobody waits for their answers.
  void Republish(const Record& record, std::span<const PeerRef> closest, const PartStep& step);

  // For numbers that OwnsRpc accepts.
  void OnStoreAck(PeerRef from, const StoreAck& ack, const PartStep& step);

  // If this peer publishes the key with the same or a higher sequence: takes the record that
  // another peer wants to store here, and returns the answer. Otherwise nullopt, and the record is
  // the caller's.
  std::optional<StoreStatus> Answer(const Record& record, const PartStep& step);

  // The record published here, nullopt if none. Borrows the payload.
  std::optional<Record> Find(const NodeId& key, Time now) const {
    return published_.Live(key, now);
  }

  // Ends Puts that were not answered in time and drops what has expired. Returns the next
  // publication to be republished, if one is due; others follow at later deadlines.
  std::optional<KeyLookup> OnTimer(const PartStep& step);

  Time next_deadline() const;

  // Ends every command without success and stops publishing, as on departure.
  void Close(const PartStep& step);

  bool idle() const { return active_ == 0 && published_.size() == 0; }
  std::size_t commands() const { return active_; }
  std::span<const HeldRecord> published() const {
    return published_.records();
  }  // ascending by key

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(published_, commands_, ack_deadline_, active_, last_rpc_);
    if constexpr (Archive::kReading) {
      if (!IsConsistent()) archive.Fail("commands of puts and gets are miscounted");
    }
  }

 private:
  enum class Stage : std::uint8_t { kFree, kPutLookup, kPutStores, kGetLookup };

  struct CommandState {
    NodeId key;
    Time started;
    Time deadline = kNever;          // of the acknowledgements
    std::vector<PeerRef> waiting;    // asked to store, not heard from yet
    std::optional<HeldRecord> best;  // found so far
    std::uint32_t request = 0;
    std::uint32_t rpc = 0;  // the same for all stores of a Put: an answer is told by its sender
    std::uint16_t stored = 0;
    std::uint16_t rejected = 0;
    Stage stage = Stage::kFree;

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(key, started, deadline, waiting, best, request, rpc, stored, rejected, stage);
    }
  };

  bool IsConsistent() const;
  bool Publish(const Put& put, const PartStep& step);
  std::uint32_t Begin(Stage stage, std::uint32_t request, const NodeId& key, Time now);
  CommandState& At(std::uint32_t operation);
  void StartStores(CommandState& command, const KeyLookupResult& result, const PartStep& step);
  void EndPut(CommandState& command, const PartStep& step);
  void EndGet(CommandState& command, const KeyLookupResult& result, const PartStep& step);
  void Free(CommandState& command);
  void UpdateAckDeadline();

  RecordTable published_;
  std::vector<CommandState> commands_;  // free entries are used again, the lowest first
  Time ack_deadline_ = kNever;
  std::uint32_t active_ = 0;
  std::uint32_t last_rpc_ = 0;
};

}  // namespace tombolo
