// Merging two islands: trie-zip for the tables, ring unification for the ring.
//
// Terms: two peers of different islands meet at a prefix of p bits that they share; q is the number
// of bits that they share in all. OWN(l) are up to config.heal.offered contacts (and neighbours on
// the ring) that share exactly l bits with us and belong to our own island; suspects only if there
// is nobody else.
//
// Procedure.
//  1. Confirm. A peer x is told of y (Introduce). If that is a neighbour, nothing happens. Else the
//     question "is anybody a neighbour of y" goes greedily through the tables of the own island,
//     and only "no", or no answer, starts a merge: a false alarm costs one lookup. Entries of the
//     tables prove nothing: after a split they still name peers of the other island.
//  2. Zip. x sends MergeSync(0) to y. Who receives MergeSync(p) from x names its OWN(p..q) in the
//     reply and acts at once. Below level q each side's subtree that both islands populate is
//     handed to an own contact in it (MergeBridge), which goes on with MergeSync. At level q the
//     two differ: each side goes on with its own half at q + 1, at the XOR-nearest of the contacts
//     that the other has named. So one message covers all levels that its two ends share.
//  3. Fill. Where one island has nobody in a subtree and the other has, the peers of the first one
//     that share the subtree's parent hear of those peers (MergeFill), each once: down the tree of
//     their own buckets.
//  4. Ring unification (after Shafaat, Ghodsi, Haridi, "Handling network partitions and mergers in
//     structured overlay networks", P2P 2007). Where a branch of the zip ends, a peer of one island
//     is placed in the ring of the other: MergeLookup goes towards the nearer side through own
//     contacts until it is between a peer and its neighbour. Whoever gets a new successor or
//     predecessor tells the new and the old one (MergeMeet, 4 + 4 neighbours); who is told and
//     knows somebody in between says so, once.
//  5. Refresh. When a peer has learned nothing for config.heal.refresh_after, it asks its two
//     neighbours, and those in its thin buckets, for contacts in these buckets and for their
//     neighbours, and names its own. They do the same if that was news to them and they did not of
//     late, or if it filled an empty bucket of theirs.
//
// Sessions. One merge of two islands has a name, made of the labels of both, so that many bridges
// share it: a prefix that was met, or is being met, is not met again. Of two peers that wait for
// each other the one with the larger id answers, so that no circle of peers waits for ever.
//
// Stale entries. Every message is acknowledged; a receiver that lets three transmissions pass is
// suspected and the next candidate is asked (up to config.heal.offered of them are known), while a
// lossy link is tried on. When all candidates of a subtree are silent the subtree counts as empty,
// is filled as such, and may be met again by another way. Ring neighbours that are suspected are
// passed over until they say something. What is still open then is closed by the refresh, which
// runs again after every late news, and when somebody who was asked leaves an empty bucket behind.
//
// Silence. A stranger that does not answer may be out of reach for a while, and whoever met it may
// be the only one of its island that knows of it: it tells a neighbour (UnifyDetected), who
// remembers the stranger as it does itself (remembered.h).
//
// Termination. A merge begins only with Introduce. Each MergeSync, MergeBridge and MergeFill that
// follows from another has a larger level, and levels end at the length of an id; MergeLookup comes
// strictly nearer to its target on the ring and has a time to live; MergeMeet is sent on a change
// of the nearest neighbours, which only come nearer or are given up as dead (and a suspect is not
// learned anew from others), and its answer is not answered. A refresh follows from news; from
// another refresh only once per session_ttl, or, a bounded number of times, where that filled an
// empty bucket or found one.
// Every message is transmitted a bounded number of times.
//
// Deliverability is monotone: contacts are added where there is room, none is dropped for an
// unproven one; a neighbour is dropped when it let 14 transmissions pass, and of a full list only
// the farthest gives way.
//
// Differences from the model that the constants come from, all found by losing whole branches: a
// repeated MergeSync whose reply was lost is answered anew, not as a duplicate; knowing the sender
// does not make a MergeSync a duplicate, only knowing everything that it names does; a prefix
// counts as met when it was, not when somebody was asked; every level gets its share of a list that
// is full; suspects serve where there is nobody else; fills go down a tree whatever its size.
//
// Instead of 2 and 3, ring unification can be all of a merge, for comparison
// (config.heal.strategy, merge_queue.h).
//
// Bounds: rows of AckedSends, sessions, kMaxQuestions questions, kMaxRepeats remembered messages;
// at the limit the oldest is forgotten. Owned by Healing. Thread rule: one caller at a time.
// Errors: messages that make no sense are dropped and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/acked_sends.h"
#include "overlay/lazy.h"
#include "overlay/merge_queue.h"
#include "overlay/merge_sessions.h"
#include "overlay/messages_heal.h"
#include "overlay/neighbours.h"
#include "overlay/peer_ref.h"
#include "overlay/routing_table.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

// A step, and what of its peer the merge works on.
struct MergeStep : PartStep {
  RoutingTable& table;
  Neighbours& ring;
  std::uint64_t island;  // label of our island: equal among its peers, different between islands
};

class Merge {
 public:
  static constexpr std::size_t kMaxQuestions = 16;
  static constexpr std::size_t kMaxRepeats = 64;

  // `peer` may live in another island.
  void Introduce(PeerRef peer, const MergeStep& step);

  // One message of another peer; `from` counts as heard of after the call.
  void On(PeerRef from, const MergeConfirm& confirm, const MergeStep& step);
  void On(PeerRef from, const MergeConfirmed& confirmed, const MergeStep& step);
  void On(PeerRef from, const MergeSync& sync, const MergeStep& step);
  void On(PeerRef from, const MergeSyncReply& reply, const MergeStep& step);
  void On(PeerRef from, const MergeBridge& bridge, const MergeStep& step);
  void On(PeerRef from, const MergeFill& fill, const MergeStep& step);
  void On(PeerRef from, const MergeLookup& lookup, const MergeStep& step);
  void On(PeerRef from, const MergeMeet& meet, const MergeStep& step);
  void On(PeerRef from, const MergeAck& ack, const MergeStep& step);
  void On(PeerRef from, const MergeRefresh& refresh, const MergeStep& step);
  void On(PeerRef from, const MergeRefreshed& refreshed, const MergeStep& step);
  void On(PeerRef from, const UnifyLookup& lookup, const MergeStep& step);
  void On(PeerRef from, const UnifyTry& found, const MergeStep& step);
  void On(PeerRef from, const UnifyDetected& detected, const MergeStep& step);

  void Tick(const MergeStep& step, std::vector<PeerRef>& dead);

  // To be called before the neighbours may change for the first time, and after every change.
  void Begin(const MergeStep& step);
  void Announce(const MergeStep& step);

  // Any message of a peer.
  void Heard(PeerRef peer) { sends_.Heard(peer); }

  bool idle() const {
    return sends_.idle() && sessions_.empty() && questions_.empty() && refresh_at_ == kNever &&
           retry_at_ == kNever && !queue_;
  }
  Time next_deadline() const;
  // The islands have met here and nothing new has come since: Tick asks the neighbours.
  bool RefreshDue(Time now) const { return refresh_at_ <= now; }

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(sends_, sessions_, questions_, repeats_, released_by_, next_question_, successor_,
            predecessor_, refresh_at_, retry_at_, next_refresh_, refreshes_, queue_);
  }

 private:
  static constexpr std::size_t kMaxReleased = 8;

  // Does anybody know `peer`?
  struct Question {
    std::uint32_t number;
    PeerRef peer;
    Time deadline;
  };

  // A message that was acted upon, in case it comes again.
  struct Repeat {
    PeerRef from;
    std::uint32_t number;
    bool duplicate;
  };

  // merge.cc: what all of it needs.
  const Repeat* FindRepeat(PeerRef from, std::uint32_t rpc) const;
  bool IsRepeat(PeerRef from, std::uint32_t rpc, bool duplicate = false);
  bool Acknowledge(PeerRef from, std::uint32_t rpc, const MergeStep& step);
  bool Knows(PeerRef peer, const MergeStep& step) const;
  bool IsContact(PeerRef peer, const MergeStep& step) const;
  bool Learn(PeerRef peer, const MergeStep& step);
  void LearnForeign(PeerRef peer, MergeSession& session, const MergeStep& step);
  void AddForeign(PeerRef peer, const MergeStep& step);
  void NoteStranger(PeerRef from, const MergeStep& step);
  bool IsSane(PeerRef peer, const MergeStep& step) const;
  bool IsSuspect(PeerRef peer, const MergeStep& step) const {
    return sends_.IsSuspect(peer, step.now);
  }
  MergeSession& Use(std::uint64_t session, const MergeStep& step);
  void Send(const HealMessage& message, std::span<const PeerRef> contacts,
            std::span<const PeerRef> receivers, const MergeStep& step,
            PeerRef partner = PeerRef::kNone, bool brief = false);
  void SendFailed(const SilentSend& silent, const MergeStep& step, std::vector<PeerRef>& dead);
  void ConfideStranger(PeerRef stranger, const MergeStep& step);

  // merge_confirm.cc
  void PassOn(const MergeConfirm& confirm, const MergeStep& step);
  void Answer(const MergeConfirm& confirm, bool known, const MergeStep& step);
  void Resolve(std::uint32_t question, bool known, const MergeStep& step);

  // merge_sync.cc
  std::vector<PeerRef> Own(const MergeSession& session, int level, const MergeStep& step) const;
  std::vector<PeerRef> OwnOf(const MergeSession& session, int first, int last,
                             const MergeStep& step) const;
  bool IsMeeting(const MergeSession& session, int level) const;
  bool IsNews(const MergeSession& session, std::span<const PeerRef> named,
              const MergeStep& step) const;
  bool IsDuplicate(const MergeSession& session, const MergeSync& sync, PeerRef from,
                   const MergeStep& step) const;
  void StartSync(MergeSession& session, std::vector<PeerRef> others, int level, PeerRef partner,
                 const MergeStep& step);
  void StartFirstSync(PeerRef other, const MergeStep& step);
  void Met(MergeSession& session, PeerRef other, int level, std::span<const PeerRef> named,
           bool responder, const MergeStep& step);
  void SyncFailed(const MergeSync& sync, PeerRef partner, const MergeStep& step);

  // merge_fill.cc
  void FillSubtree(MergeSession& session, std::span<const PeerRef> others, int level,
                   const MergeStep& step);
  void EndBranch(MergeSession& session, std::span<const PeerRef> others, int level,
                 const MergeStep& step);
  void Refresh(const MergeStep& step);
  void RefreshFailed(PeerRef silent, const MergeStep& step);
  bool HasUsable(int level, const MergeStep& step) const;
  void LearnAtRefresh(ListHandle contacts, const MergeStep& step);

  // merge_ring.cc
  PeerRef Nearest(std::span<const PeerRef> side, const MergeStep& step) const;
  void Place(MergeSession& session, PeerRef target, int ttl, const MergeStep& step);
  std::vector<PeerRef> TowardsOnRing(const MergeSession& session, PeerRef target,
                                     const MergeStep& step) const;
  void Meet(PeerRef to, MeetKind kind, const MergeStep& step);
  bool KnowsBetween(PeerRef other, std::span<const PeerRef> successors,
                    std::span<const PeerRef> predecessors, const MergeStep& step) const;
  void AnnounceChange(PeerRef& announced, PeerRef nearest, const MergeStep& step);

  // merge_unify.cc
  static std::uint8_t Fanout(const MergeStep& step);
  void StartMerge(PeerRef other, const MergeStep& step);
  void WorkOffQueue(const MergeStep& step);
  void Unify(PeerRef target, int fanout, int ttl, const MergeStep& step);
  std::vector<PeerRef> Preceding(PeerRef target, const MergeStep& step);
  void TellRandom(const MergeQueue::Detected& detected, const MergeStep& step);

  AckedSends sends_;
  MergeSessions sessions_;
  std::vector<Question> questions_;
  std::vector<Repeat> repeats_;       // oldest first
  std::vector<PeerRef> released_by_;  // peers that say that we are next to them no longer
  std::uint32_t next_question_ = 0;
  PeerRef successor_ = PeerRef::kNone;  // as last announced
  PeerRef predecessor_ = PeerRef::kNone;
  Time refresh_at_ = kNever;
  Time retry_at_ = kNever;       // of a refresh that has found a bucket empty
  Time next_refresh_;            // before it, the refresh of others asks for none
  std::uint32_t refreshes_ = 0;  // since one that came after next_refresh_
  Lazy<MergeQueue> queue_;       // while ring unification spreads a merge
};

}  // namespace tombolo
