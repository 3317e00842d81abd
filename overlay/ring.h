// The ring of one peer (Stoica et al., "Chord", SIGCOMM 2001, section 4): who its neighbours are,
// and which peer is the successor of a key.
//
// Upkeep, each a task with an interval of its own, counted from the end of its last run:
//   stabilise  ask the successor for its neighbours; a nearer one that it names takes its place;
//              tell the successor of us (notify)
//   fix        look up the successors of the starts of some fingers; after the last one, our own id
//   check      ask the predecessor for a sign of life
//   lookup     look up a key of our own accord (research; off by default)
// A task that is due waits until fewer than config.ring.outstanding requests are under way; of
// several the first of this list goes first.
//
// find_successor is recursive: each peer hands the request to the nearest peer before the key that
// it knows, the last one answers to the asker. All intervals are half-open, (from, to].
//
// Beside k-buckets (OverlayKind::kBoth) only stabilise and check run: the buckets shorten the way.
//
// Where this differs from the paper, and why (config.ring.corrected; false = as published):
//   - A joiner asks the successor it was told for its neighbours and becomes a member only when
//     that one has answered; members alone answer find_successor. It asks again until then: in turn
//     those that it was told to join through, and whoever has answered it meanwhile, as a ring may
//     lose all of the former within a moment. Whoever another peer names as a nearer successor is
//     asked before it is adopted. Without these rules rings can break for good (Zave, "Reasoning
//     about identifier spaces: how to make Chord correct", IEEE TSE 2017).
//   - A successor that does not answer is replaced at once by the next of the list, not one
//     interval later.
//   - The predecessor that is checked names its successors, and the first that is nearer than ours
//     is asked as well; a newcomer checks at once. Beside k-buckets that is what leads it on: where
//     its id and the next one differ in a high bit, no lookup by XOR finds the one from the other.
//   - A ring may go round the id space more than once, every member consistent with its neighbours.
//     The way round then leads past us: whoever is found for our own id, and is nearer than our
//     successor, is asked and adopted (Liben-Nowell, Balakrishnan, Karger, "Analysis of the
//     evolution of peer-to-peer systems", PODC 2002).
//   - Names that we cannot use, as nobody can dial them or they are buried, leave the end of a list
//     open to peers from anywhere. Then the last one before that end is asked as well, on both
//     sides, and so on outwards; but not the nearest itself, which has just answered.
// Always:
//   - Successor and predecessor are lists (paper, section 5.2), merged instead of replaced: what we
//     heard ourselves may be unknown to the successor. An entry that the successor should know and
//     does not is asked for a sign of life, so that the dead do not stay. All of them are: one that
//     lives, but unknown to the successor, must not hide a dead one behind it.
//   - A peer is taken for dead when kMaxTries requests in a row stayed without an answer, the first
//     for rpc_timeout, the others for half of it; as published, after one. At a loss of 20 % each
//     way that happens to a live peer with 5e-6. Others who miss an answer of it let us ask
//     (Doubt).
//   - Peers found dead are remembered for kBuriedFor, kMaxBuried of them (then the oldest is
//     forgotten), so that hearsay does not bring them back. Who hears of one asks it for a sign of
//     life, once per stabilise_interval at most; hearing from it cancels its death. So a peer that
//     was cut off is a neighbour again soon after the others have found it.
//   - Who cannot be dialled is learned from itself alone: it sees to it that its neighbours hear of
//     it, and nobody else could ask it.
//   - Answers to find_successor count by their number alone, drawn at random: they come from a peer
//     that the asker does not know. A find that is not answered is repeated past its first hop, up
//     to config.ring.tries times, and that hop is asked for a sign of life. There are no
//     acknowledgements between hops.
//   - config.ring.overhear: every message of a peer teaches it as a neighbour, so that a ring
//     repairs itself faster than by stabilising alone.
//   - Fingers are set only to peers at or after their start; between two levels whose finger is the
//     same nothing is looked up (unless fix_every_level).
//   - Ids have config.ring.bits bits; the rest of a NodeId is zero.
//
// Bounds: requests under way by `outstanding`, application lookups by config.lookup.max_active
// (more are refused, and counted), hops by max_hops. Memory: about 150 bytes, 4 per neighbour, 8
// per distinct finger. Thread rule: one caller at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "overlay/lazy.h"
#include "overlay/message.h"
#include "overlay/neighbours.h"
#include "overlay/node_id.h"
#include "overlay/peer_ref.h"
#include "overlay/prefetch.h"
#include "overlay/ring_fingers.h"
#include "overlay/short_vector.h"
#include "overlay/step.h"
#include "overlay/time.h"

namespace tombolo {

class Ring {
 public:
  static constexpr std::size_t kMaxBuried = 16;
  static constexpr int kMaxTries = 12;
  static constexpr Duration kBuriedFor = Duration::Minutes(5);

  Neighbours& neighbours() { return neighbours_; }
  const Neighbours& neighbours() const { return neighbours_; }
  const RingFingers& fingers() const { return fingers_; }
  bool is_member() const { return member_; }

  // A hint that the ring will be used soon.
  void Prefetch() const {
    PrefetchLine(this);
    PrefetchLine(reinterpret_cast<const char*>(this) + kCacheLine);
  }

  // ---- Life.

  // Joins a ring of its own overlay through any of these members; nobody to ask founds a ring.
  void Join(std::span<const PeerRef> bootstrap, const PartStep& step);
  // Becomes a member with the neighbours learned so far; stabilises and checks at once.
  void Start(const PartStep& step);
  // Becomes a member of an exact pre-built ring. Each task falls due at `start` plus a random part
  // of its interval. Requires a ring that has done nothing yet.
  void Build(std::span<const PeerRef> successors, std::span<const PeerRef> predecessors,
             std::span<const Finger> fingers, Time start, const PartStep& step);
  // Says goodbye to all neighbours and names them to each other; ends lookups without a result.
  void Depart(const PartStep& step);

  // At next_deadline(): gives up on what was not answered and appends those who are silent, then,
  // once they are buried, starts what is due.
  void Expire(const PartStep& step, std::vector<PeerRef>& silent);
  void RunDue(const PartStep& step);
  Time next_deadline() const { return deadline_; }

  // ---- Messages. OnPong and OnNeighbours: false if nobody waits for the answer.

  void OnFind(const FindSuccessor& find, const PartStep& step);
  void OnFound(const SuccessorFound& found, const PartStep& step);
  void OnAsk(PeerRef from, const AskNeighbours& ask, const PartStep& step);
  bool OnNeighbours(PeerRef from, const RingNeighbours& answer, const PartStep& step);
  bool OnPong(PeerRef from, const Pong& pong, const PartStep& step);
  void OnNotify(PeerRef from, const PartStep& step);
  void OnLeave(PeerRef from, const RingLeave& leave, const PartStep& step);

  // A live peer, heard from directly. Whoever calls the functions above says so first.
  void Heard(PeerRef peer, const PartStep& step);
  // A peer that others name: learned if they are believed. True if it is new.
  bool HeardOf(PeerRef peer, const PartStep& step);
  // True if it matters whom we hear from.
  bool Listens(const PartStep& step) const { return step.config.ring.overhear || rare_; }
  // A peer that left somebody else without an answer: a neighbour is asked for a sign of life.
  void Doubt(PeerRef peer, const PartStep& step);
  // A peer that is dead or gone.
  void Bury(PeerRef peer, const PartStep& step);

  // ---- Keys.

  // Looks up the successor of a key; ends in LookupDone.
  void LookUp(std::uint32_t request, const NodeId& key, const PartStep& step);

  // The successor of the key if this peer can tell, else kNone.
  PeerRef OwnerOf(const NodeId& key, const PartStep& step) const;
  // The nearest known peer before the key, kNone if this peer knows none or is the nearest. `avoid`
  // is taken only if there is nobody else.
  PeerRef NextHop(const NodeId& key, PeerRef avoid, const PartStep& step) const;

  template <class Archive>
  void Serialize(Archive& archive) {
    archive(neighbours_, fingers_, pending_, rare_, due_, deadline_, next_level_, member_);
  }

 private:
  enum Task : std::uint8_t { kStabilise, kFix, kCheck, kProbe, kTasks };

  enum class Purpose : std::uint8_t {
    kJoin,         // find the successor of our own id
    kCopy,         // ask it for its neighbours
    kStabilise,    // ask the successor
    kVerify,       // ask the one that the successor names
    kFix,          // find the successor of a start
    kOwn,          // find the successor of our own id, which should be us
    kCheck,        // ask the predecessor
    kAfter,        // ask the last successor that others vouch for
    kBefore,       // the same of the predecessors
    kProbe,        // find a key of our own accord
    kSign,         // ask for a sign of life
    kRevive,       // the same of a buried one: silence changes nothing
    kApplication,  // find a key for the application
  };

  // A request that was not answered yet.
  struct Pending {
    Time sent;  // the last try
    PeerRef to = PeerRef::kNone;
    std::uint32_t rpc = 0;
    Purpose purpose = Purpose::kJoin;
    std::uint8_t level = 0;  // of kFix
    std::uint16_t tries = 1;
  };

  // A find for a key that cannot be worked out again.
  struct KeyFind {
    NodeId key;
    NodeId target;  // the key as the application wrote it
    Time started;
    std::uint32_t request = 0;  // of the application
    std::uint32_t rpc = 0;
    int tries = 1;
  };

  struct Buried {
    PeerRef peer = PeerRef::kNone;
    Time until;
    Time ask_from;  // it is not asked before
  };

  // What most peers have no use for most of the time.
  struct Rare {
    std::vector<KeyFind> finds;
    std::vector<Buried> buried;
    std::vector<PeerRef> bootstrap;
    std::uint32_t next_bootstrap = 0;

    bool idle() const { return finds.empty() && buried.empty() && bootstrap.empty(); }

    template <class Archive>
    void Serialize(Archive& archive) {
      archive(finds, buried, bootstrap, next_bootstrap);
    }
  };

  // ring.cc: tasks.
  static Duration IntervalOf(Task task, const RingConfig& config);
  static bool IsOn(Task task, const Config& config);
  void BecomeMember(const PartStep& step);
  void AskToJoin(const PartStep& step);
  void JoinThrough(PeerRef peer);
  void Run(Task task, const PartStep& step);
  void End(Task task, const PartStep& step);
  void Stabilise(const PartStep& step);
  void EndStabilise(const PartStep& step);
  void Check(const PartStep& step);
  bool MayAsk(const PartStep& step) const;
  static Time DeadlineOf(const Pending& pending, const RingConfig& config);
  void UpdateDeadline(const PartStep& step);
  std::uint32_t Request(PeerRef to, Purpose purpose, const PartStep& step);
  static void Ask(const Pending& pending, const PartStep& step);
  static bool AskAgain(Pending& pending, const PartStep& step);

  // ring_answers.cc: answers and their absence.
  bool Take(PeerRef from, std::uint32_t rpc, bool find, Pending& taken);
  void AnswerJoin(PeerRef from, const RingNeighbours& answer, const PartStep& step);
  void AnswerStabilise(const Pending& asked, const RingNeighbours& answer, const PartStep& step);
  void AnswerCheck(PeerRef from, const RingNeighbours& answer, const PartStep& step);
  void AdoptSuccessors(PeerRef from, const RingNeighbours& answer, const PartStep& step);
  void AdoptPredecessors(PeerRef from, const RingNeighbours& answer, const PartStep& step);
  void AskBeyond(std::span<const PeerRef> side, std::ptrdiff_t room, PeerRef by, const NodeId& from,
                 const NodeId& to, Purpose purpose, const PartStep& step);
  void AskTheDoubtful(std::span<const PeerRef> side, PeerRef from, PeerRef to,
                      std::span<const PeerRef> named, const PartStep& step);
  void AskNearer(std::span<const PeerRef> named, const PartStep& step);
  void AskForSign(PeerRef peer, const PartStep& step);
  void AskOnce(PeerRef peer, Purpose purpose, const PartStep& step);
  void GiveUp(const Pending& pending, const PartStep& step, std::vector<PeerRef>& silent);
  bool Believes(PeerRef named, const PartStep& step);
  void DigUp(PeerRef peer);
  void TidyUp();

  // ring_find.cc: finds.
  static constexpr bool IsFind(Purpose purpose) {
    return purpose == Purpose::kJoin || purpose == Purpose::kFix || purpose == Purpose::kOwn ||
           purpose == Purpose::kProbe || purpose == Purpose::kApplication;
  }
  std::uint32_t SendFind(const NodeId& key, PeerRef hop, Purpose purpose, const PartStep& step);
  void FixSome(const PartStep& step);
  bool FixNext(const PartStep& step);
  void SetFinger(int level, PeerRef peer, const PartStep& step);
  void ProbeKey(const PartStep& step);
  void EndFind(const Pending& asked, PeerRef successor, std::uint16_t hops, const PartStep& step);
  void EndFix(const Pending& asked, PeerRef successor, const PartStep& step);
  void EndFixRound(const PartStep& step);
  void EndOwn(PeerRef successor, const PartStep& step);
  void EndKeyFind(const Pending& asked, PeerRef successor, std::uint16_t hops,
                  const PartStep& step);
  bool RetryKeyFind(const Pending& asked, const PartStep& step);

  Neighbours neighbours_;
  RingFingers fingers_;
  ShortVector<Pending, 1> pending_;
  Lazy<Rare> rare_;
  std::array<Time, kTasks> due_{kNever, kNever, kNever, kNever};  // kNever: under way, or not run
  Time deadline_ = kNever;
  std::uint8_t next_level_ = 0;  // of the next finger to fix
  bool member_ = false;
};

}  // namespace tombolo
