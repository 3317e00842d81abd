// Messages that are repeated until they are acknowledged.
//
// Each goes to the first of its receivers that acknowledges it: kTurn transmissions to one, then to
// the next, round and round, so that a dead receiver costs little time while a lossy link costs no
// live one. A receiver that let a whole turn pass is suspected: it is not chosen for a while, but
// forgotten by nobody until kMaxTries in a row stayed without an answer. Whatever it says clears
// it. At a loss of 20 % each way an exchange fails kMaxTries
// times in a row with 6e-7.
//
// The retransmission time-out follows RFC 6298 with a smaller margin and is exact for repeats too:
// the last four bits of an rpc count them. It starts at 3 one-way delays of 50 ms and doubles with
// every round that stayed silent, twice at most.
//
// Rate: config.heal.rate transmissions per second after a burst of config.heal.burst. What exceeds
// it waits, up to kMaxRows messages; more are dropped and counted (kOverload).
//
// Owned by Merge; rows hold copies of their contacts. Thread rule: one caller at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "overlay/messages_heal.h"
#include "overlay/peer_ref.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

using HealMessage = HealMessages::Variant;

struct AckedSend {
  std::uint32_t number = 0;
  HealMessage message;               // its rpc and list are set at each transmission
  std::vector<PeerRef> contacts;     // the list
  std::vector<PeerRef> receivers;    // by preference
  PeerRef partner = PeerRef::kNone;  // of the sender's concern: whom to tell if it fails
  bool brief = false;                // given up when all receivers have let their turn pass
  bool waiting = false;              // for the rate to allow the next transmission
  std::uint16_t tries = 0;           // transmissions so far
  Time first_sent;
  Time last_sent;
  Time deadline;  // of the next transmission

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(number, message, contacts, receivers, partner, brief, waiting, tries, first_sent,
            last_sent, deadline);
  }
};

// What a row has come to.
struct SilentSend {
  AckedSend send;
  bool ended;       // false: the row goes on
  bool all_silent;  // each receiver has let its first turn pass; said once
};

class AckedSends {
 public:
  static constexpr int kTurn = 3;
  static constexpr int kMaxTries = 14;
  static constexpr std::size_t kMaxRows = 512;
  static constexpr std::size_t kMaxReceivers = 16;
  static constexpr std::size_t kMaxSuspects = 64;
  static constexpr Duration kSuspicion = Duration::Seconds(60);

  // Sends it, now or when the rate allows. Fills in number and times. Requires a receiver.
  void Send(AckedSend send, const PartStep& step);

  // The row that `from` acknowledges, which ends; nullopt if there is none.
  std::optional<AckedSend> Acked(PeerRef from, std::uint32_t rpc, const PartStep& step);

  // The rows under way, for questions about them.
  std::span<const AckedSend> rows() const { return rows_; }

  // Repeats what is due; appends what has come to nothing.
  void Tick(const PartStep& step, std::vector<SilentSend>& silent);

  // Any message from a peer clears it.
  void Heard(PeerRef peer);
  bool IsSuspect(PeerRef peer, Time now) const;

  Time next_deadline() const;
  bool idle() const { return rows_.empty() && suspects_.empty(); }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(rows_, suspects_, next_number_, srtt_, rttvar_, budget_at_);
  }

 private:
  struct Suspect {
    PeerRef peer;
    Time until;
  };

  void Transmit(AckedSend& send, const PartStep& step);
  Duration Timeout(const AckedSend& send, const HealConfig& config) const;
  void Sample(Duration sample);
  void AddSuspect(PeerRef peer, Time now);

  std::vector<AckedSend> rows_;    // in order of their numbers
  std::vector<Suspect> suspects_;  // oldest first
  std::uint32_t next_number_ = 0;
  Duration srtt_;
  Duration rttvar_;
  Time budget_at_;  // when the transmissions so far are paid for, at the steady rate
};

}  // namespace tombolo
