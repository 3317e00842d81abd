// Iterative lookups of one peer: FIND_NODE and FIND_VALUE (Maymounkov & Mazieres, "Kademlia", IPTPS
// 2002, section 2.3).
//
// A lookup keeps the closest contacts heard of, sorted by distance, and asks the closest ones that
// were not asked yet, `alpha` at a time. It ends when the k closest that are not known to be dead
// have all answered: a contact that does not answer in time leaves the list, and the next closest
// takes its place.
//
// Contacts that cannot be dialled are not asked; where the lookup wants peers only (FIND_NODE for
// the application) they stay in the list, vouched for by the peer that named them. Only a lookup
// that refreshes the table, and has nobody else in the bucket of its target to begin with, asks
// those of its own contacts: they have dialled us, and a peer that was cut off finds its way back
// through them.
//
// Messages per lookup are bounded by the list: each contact is asked at most once. Thread rule: one
// caller at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "overlay/message.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

// What a lookup is for; decides what Peer does with its result.
enum class LookupPurpose : std::uint8_t {
  kApplication,
  kRefreshSelf,
  kRefreshBucket,
  kPut,
  kGet,
  kRepublish,
  kLease,   // places the lease of a client or a room
  kResolve  // finds the lease of a client
};

struct LookupGoal {
  LookupPurpose purpose = LookupPurpose::kApplication;
  std::uint32_t request = 0;  // of the application, or the operation that wants the result
  NodeId target;
};

class LookupState {
 public:
  const LookupGoal& goal() const { return goal_; }
  Time started() const { return started_; }
  std::uint16_t messages() const { return messages_; }
  std::uint16_t dead() const { return dead_; }

  // The k closest contacts that answered or were vouched for, closest first.
  std::size_t Closest(std::span<PeerRef> out) const;
  // Depth of the closest: 1 = known to the asker from the start, 0 = nobody answered.
  std::uint16_t hops() const;
  // The closest contact that was asked for a value and had none; kNone if there is none.
  PeerRef closest_without_value() const;
  bool HasAnswered(PeerRef peer) const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(goal_, started_, candidates_, in_flight_, failed_, recent_, messages_, dead_, values_,
            sequence_, active_);
  }

 private:
  friend class Lookups;

  enum class State : std::uint8_t { kFresh, kAsked, kAnswered, kHadValue, kVouched };

  struct Candidate {
    std::uint64_t distance;  // leading 64 bits; ties are settled by the whole ids
    PeerRef peer;
    State state;
    std::uint8_t depth;
  };

  struct InFlight {
    PeerRef peer;
    std::uint32_t rpc;
    Time deadline;
    std::uint8_t depth;
  };

  bool Remember(PeerRef peer);
  void AddAll(std::span<const PeerRef> peers, std::uint8_t depth, const PartStep& step);
  void Drop(PeerRef peer);
  static constexpr std::array<PeerRef, 128> NoPeers() {
    std::array<PeerRef, 128> none{};
    none.fill(PeerRef::kNone);
    return none;
  }

  void Add(PeerRef peer, std::uint8_t depth, const PartStep& step);
  std::vector<Candidate>::iterator FindCandidate(PeerRef peer);

  LookupGoal goal_;
  Time started_;
  std::vector<Candidate> candidates_;  // sorted; k + backups, and those asked that fell behind
  std::vector<InFlight> in_flight_;    // oldest first; alpha at most
  std::vector<PeerRef> failed_;        // must not come back; bounded by kMaxFailed
  // Peers named lately, by their low bits: only a shortcut, it never changes a result.
  std::array<PeerRef, 128> recent_ = NoPeers();
  std::uint16_t messages_ = 0;
  std::uint16_t dead_ = 0;
  std::uint16_t values_ = 0;    // answers with a value
  std::uint16_t sequence_ = 0;  // tells this user of the slot from the last one
  bool active_ = false;
};

class Lookups {
 public:
  // Starts a lookup from the given contacts. Returns false, and does nothing, if max_active are
  // under way. A lookup without anybody to ask is finished at once: see TakeFinished.
  bool Start(const LookupGoal& goal, std::span<const PeerRef> contacts, const PartStep& step);

  // Answers. Those that nobody waits for are counted and dropped: false, nullopt. OnValue returns
  // the request of the lookup that the value answers. Who answers with a record that was not asked
  // for, or that nobody may keep, counts as silent.
  bool OnNodes(PeerRef from, const Nodes& nodes, const PartStep& step);
  std::optional<std::uint32_t> OnValue(PeerRef from, const Value& value, const PartStep& step);

  // A lease, which only a lookup to resolve a client asks for; returns its request.
  std::optional<std::uint32_t> OnLeaseFound(PeerRef from, std::uint32_t rpc, const PartStep& step);

  // Gives up on requests whose time is over and appends the silent peers to `silent`.
  void OnTimer(const PartStep& step, std::vector<PeerRef>& silent);

  // Moves the next lookup that has ended into `done` and frees its slot; false if there is none.
  bool TakeFinished(LookupState& done);
  bool HasFinished() const { return !finished_.empty(); }

  // Ends all lookups where they are and returns them; late answers find nothing.
  std::vector<LookupState> Abandon();

  // kNever while nothing is in flight.
  Time next_deadline() const { return deadline_; }
  bool idle() const { return active_ == 0; }
  std::size_t active() const { return active_; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(slots_, finished_, deadline_, active_);
  }

 private:
  static constexpr std::uint32_t kSlotBits = 8;  // an rpc number names the slot of its lookup

  static bool Answers(const Record& record, const LookupGoal& goal, const StoreConfig& config);
  LookupState* Match(PeerRef from, std::uint32_t rpc, std::uint8_t& depth);
  std::optional<std::uint32_t> TakeAnswer(LookupState& state, PeerRef from, bool valid,
                                          const PartStep& step);
  static void AddLinked(LookupState& state, std::span<const PeerRef> contacts,
                        const PartStep& step);
  void Advance(LookupState& state, const PartStep& step);
  void Ask(LookupState& state, LookupState::Candidate& candidate, const PartStep& step);
  void UpdateDeadline();

  std::vector<LookupState> slots_;
  std::vector<std::uint8_t> finished_;
  Time deadline_ = kNever;
  std::uint32_t active_ = 0;
};

}  // namespace tombolo
