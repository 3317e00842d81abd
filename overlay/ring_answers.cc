// What the ring makes of messages, and of their absence.
#include <algorithm>

#include "overlay/ring.h"
#include "overlay/ring_interval.h"

namespace tombolo {
namespace {

constexpr int kMaxSteps = 16;  // of a stabilisation, from one named predecessor to the next

bool Holds(std::span<const PeerRef> peers, PeerRef peer) {
  return std::find(peers.begin(), peers.end(), peer) != peers.end();
}

std::span<const PeerRef> SuccessorsIn(const RingNeighbours& answer, const PartStep& step) {
  const std::span<const PeerRef> list = step.lists.Get(answer.contacts);
  return list.first(std::min<std::size_t>(answer.successors, list.size()));
}

std::vector<PeerRef> PredecessorsIn(const RingNeighbours& answer, const PartStep& step) {
  std::vector<PeerRef> named;
  const std::span<const PeerRef> list = step.lists.Get(answer.contacts);
  if (answer.predecessor != PeerRef::kNone) named.push_back(answer.predecessor);
  for (std::size_t i = answer.successors; i < list.size(); ++i) named.push_back(list[i]);
  return named;
}

}  // namespace

// ---- Questions of others.

void Ring::OnAsk(PeerRef from, const AskNeighbours& ask, const PartStep& step) {
  std::array<PeerRef, kMaxListed> list;
  // Of those the asker would keep, one is ourselves.
  const auto successors = neighbours_.successors();
  const auto predecessors = neighbours_.predecessors();
  const auto most = static_cast<std::size_t>(step.config.successors() - 1);
  const std::size_t named = std::min(most, successors.size());
  auto end = std::copy_n(successors.begin(), named, list.begin());
  if (!predecessors.empty()) end = std::copy(predecessors.begin() + 1, predecessors.end(), end);
  const auto count = static_cast<std::size_t>(end - list.begin());
  const PeerRef predecessor = predecessors.empty() ? PeerRef::kNone : predecessors.front();
  step.out.Send(from, RingNeighbours{ask.rpc, predecessor, step.lists.Add({list.data(), count}),
                                     static_cast<std::uint8_t>(named)});
}

void Ring::OnNotify(PeerRef from, const PartStep& step) {
  neighbours_.LearnPredecessor(from, step);
}

void Ring::OnLeave(PeerRef from, const RingLeave& leave, const PartStep& step) {
  const auto successors = neighbours_.successors();
  const bool next = !successors.empty() && successors.front() == from;
  Bury(from, step);
  for (const PeerRef peer : step.lists.Get(leave.contacts)) HeardOf(peer, step);
  if (next && due_[kStabilise] != kNever) due_[kStabilise] = step.now;
  RunDue(step);
}

// ---- Answers.

// The request that is answered; answers to finds may come from anybody.
bool Ring::Take(PeerRef from, std::uint32_t rpc, bool find, Pending& taken) {
  for (Pending& pending : pending_) {
    if (pending.rpc != rpc || IsFind(pending.purpose) != find) continue;
    if (!find && pending.to != from) return false;
    taken = pending;
    pending = pending_.back();
    pending_.pop_back();
    return true;
  }
  return false;
}

bool Ring::OnNeighbours(PeerRef from, const RingNeighbours& answer, const PartStep& step) {
  Pending asked;
  if (!Take(from, answer.rpc, false, asked)) return false;
  switch (asked.purpose) {
    case Purpose::kCopy:
      AnswerJoin(from, answer, step);
      break;
    case Purpose::kStabilise:
    case Purpose::kVerify:
      AnswerStabilise(asked, answer, step);
      break;
    case Purpose::kCheck:
      AnswerCheck(from, answer, step);
      break;
    case Purpose::kAfter:
      AdoptSuccessors(from, answer, step);
      break;
    case Purpose::kBefore:
      AdoptPredecessors(from, answer, step);
      break;
    default:
      break;
  }
  RunDue(step);
  return true;
}

bool Ring::OnPong(PeerRef from, const Pong& pong, const PartStep& step) {
  Pending asked;
  if (!Take(from, pong.rpc, false, asked)) return false;
  if (asked.purpose == Purpose::kCheck) End(kCheck, step);
  RunDue(step);
  return true;
}

void Ring::AnswerJoin(PeerRef from, const RingNeighbours& answer, const PartStep& step) {
  neighbours_.LearnSuccessor(from, step);
  AdoptSuccessors(from, answer, step);
  AnswerCheck(from, answer, step);
  BecomeMember(step);
  EndStabilise(step);
}

void Ring::AnswerStabilise(const Pending& asked, const RingNeighbours& answer,
                           const PartStep& step) {
  const PeerRef from = asked.to;
  if (asked.purpose == Purpose::kVerify) neighbours_.LearnSuccessor(from, step);
  AdoptSuccessors(from, answer, step);
  const PeerRef nearer = answer.predecessor;
  const bool is_nearer = nearer != PeerRef::kNone && nearer != step.self &&
                         InOpen(step.self_id, step.ids.id(nearer), step.ids.id(from)) &&
                         Believes(nearer, step);
  if (is_nearer && !step.config.ring.corrected) neighbours_.LearnSuccessor(nearer, step);
  // So many steps per round: newcomers that joined at once are passed one by one, but who names
  // ever nearer peers cannot keep us busy.
  if (is_nearer && step.config.ring.corrected && asked.level < kMaxSteps) {
    Request(nearer, Purpose::kVerify, step);
    pending_.back().level = static_cast<std::uint8_t>(asked.level + 1);
    return;
  }
  EndStabilise(step);
}

void Ring::AnswerCheck(PeerRef from, const RingNeighbours& answer, const PartStep& step) {
  AdoptPredecessors(from, answer, step);
  AskNearer(SuccessorsIn(answer, step), step);
  End(kCheck, step);
}

// The successors of our predecessor: the first of them that is nearer than ours is asked.
void Ring::AskNearer(std::span<const PeerRef> named, const PartStep& step) {
  const std::span<const PeerRef> successors = neighbours_.successors();
  if (!step.config.ring.corrected || successors.empty() || !MayAsk(step)) return;
  const NodeId& next = step.ids.id(successors.front());
  for (const PeerRef peer : named) {
    if (peer == step.self || !InOpen(step.self_id, step.ids.id(peer), next)) continue;
    if (Believes(peer, step)) return void(Request(peer, Purpose::kVerify, step));
  }
}

void Ring::AdoptSuccessors(PeerRef from, const RingNeighbours& answer, const PartStep& step) {
  const std::span<const PeerRef> named = SuccessorsIn(answer, step);
  if (named.empty()) return;
  AskTheDoubtful(neighbours_.successors(), from, named.back(), named, step);
  for (const PeerRef peer : named) {
    if (Believes(peer, step)) neighbours_.LearnSuccessor(peer, step);
  }
  const std::ptrdiff_t room = step.config.successors();
  if (std::ssize(named) < room - 1) return;
  AskBeyond(neighbours_.successors(), room, from, step.ids.id(named.back()), step.self_id,
            Purpose::kAfter, step);
}

void Ring::AdoptPredecessors(PeerRef from, const RingNeighbours& answer, const PartStep& step) {
  const std::vector<PeerRef> named = PredecessorsIn(answer, step);
  if (named.empty()) return;
  AskTheDoubtful(neighbours_.predecessors(), named.back(), from, named, step);
  for (const PeerRef peer : named) {
    if (Believes(peer, step)) neighbours_.LearnPredecessor(peer, step);
  }
  const std::ptrdiff_t room = step.config.predecessors();
  if (std::ssize(named) < room) return;
  AskBeyond(neighbours_.predecessors(), room, from, step.self_id, step.ids.id(named.back()),
            Purpose::kBefore, step);
}

// `by`, of this side, has named as many as it may, none of them in (from, to). If those of ours
// outside of it are fewer than there is `room` for, the last of them is asked whom it knows: always
// one beyond `by`, so that this ends.
void Ring::AskBeyond(std::span<const PeerRef> side, std::ptrdiff_t room, PeerRef by,
                     const NodeId& from, const NodeId& to, Purpose purpose, const PartStep& step) {
  const auto asked = std::find(side.begin(), side.end(), by);
  if (!step.config.ring.corrected || from == to || asked == side.end()) return;
  const auto end = std::find_if(asked + 1, side.end(),
                                [&](PeerRef peer) { return InOpen(from, step.ids.id(peer), to); });
  if (end - asked > 1 && end - side.begin() < room) AskOnce(end[-1], purpose, step);
}

// Our neighbours on a side, between two peers that know this part of the ring, that were not named
// although they should have been if they were alive.
void Ring::AskTheDoubtful(std::span<const PeerRef> side, PeerRef from, PeerRef to,
                          std::span<const PeerRef> named, const PartStep& step) {
  for (const PeerRef peer : side) {
    if (!InOpen(step.ids.id(from), step.ids.id(peer), step.ids.id(to))) continue;
    if (!Holds(named, peer)) AskForSign(peer, step);
  }
}

void Ring::AskForSign(PeerRef peer, const PartStep& step) { AskOnce(peer, Purpose::kSign, step); }

// Not while it has the same question to answer.
void Ring::AskOnce(PeerRef peer, Purpose purpose, const PartStep& step) {
  const bool asked = std::any_of(pending_.begin(), pending_.end(), [&](const Pending& pending) {
    return pending.purpose == purpose && pending.to == peer;
  });
  if (!asked && MayAsk(step)) Request(peer, purpose, step);
}

// ---- Silence.

void Ring::GiveUp(const Pending& pending, const PartStep& step, std::vector<PeerRef>& silent) {
  const bool corrected = step.config.ring.corrected;
  switch (pending.purpose) {
    case Purpose::kJoin:
    case Purpose::kCopy:
      return AskToJoin(step);
    case Purpose::kStabilise:
      silent.push_back(pending.to);
      End(kStabilise, step);
      if (corrected) due_[kStabilise] = step.now;
      return;
    case Purpose::kVerify:
      silent.push_back(pending.to);
      return EndStabilise(step);
    case Purpose::kCheck:
      silent.push_back(pending.to);
      End(kCheck, step);
      if (corrected) due_[kCheck] = step.now;
      return;
    case Purpose::kAfter:
    case Purpose::kBefore:
    case Purpose::kSign:
      silent.push_back(pending.to);
      return;
    case Purpose::kRevive:
      return;
    case Purpose::kOwn:
      return AskForSign(pending.to, step);
    case Purpose::kFix:
    case Purpose::kProbe:
    case Purpose::kApplication:
      AskForSign(pending.to, step);
      if (!RetryKeyFind(pending, step)) EndFind(pending, PeerRef::kNone, 0, step);
      return;
  }
}

void Ring::Heard(PeerRef peer, const PartStep& step) {
  DigUp(peer);
  if (!member_ && step.config.ring.corrected) JoinThrough(peer);
  if (step.config.ring.overhear) neighbours_.Learn(peer, step);
}

bool Ring::HeardOf(PeerRef peer, const PartStep& step) {
  return Believes(peer, step) && neighbours_.Learn(peer, step);
}

void Ring::Doubt(PeerRef peer, const PartStep& step) {
  if (!neighbours_.Contains(peer)) return;
  AskForSign(peer, step);
  UpdateDeadline(step);
}

void Ring::Bury(PeerRef peer, const PartStep& step) {
  neighbours_.Forget(peer);
  fingers_.Forget(peer);
  DigUp(peer);
  std::vector<Buried>& buried = rare_.Ensure().buried;
  std::erase_if(buried, [&](const Buried& grave) { return grave.until <= step.now; });
  if (buried.size() >= kMaxBuried) buried.erase(buried.begin());
  buried.push_back({peer, step.now + kBuriedFor, step.now + step.config.ring.stabilise_interval});
}

// True if a peer may be learned because others name it.
bool Ring::Believes(PeerRef named, const PartStep& step) {
  if (!step.ids.dialable(named)) return false;
  if (!rare_) return true;
  std::vector<Buried>& buried = rare_->buried;
  const auto grave = std::find_if(buried.begin(), buried.end(), [&](const Buried& other) {
    return other.peer == named && other.until > step.now;
  });
  if (grave == buried.end()) return true;
  if (step.config.ring.corrected && grave->ask_from <= step.now && MayAsk(step)) {
    grave->ask_from = step.now + step.config.ring.stabilise_interval;
    Request(named, Purpose::kRevive, step);
  }
  return false;
}

void Ring::DigUp(PeerRef peer) {
  if (!rare_ || rare_->buried.empty()) return;
  std::erase_if(rare_->buried, [&](const Buried& grave) { return grave.peer == peer; });
  TidyUp();
}

void Ring::TidyUp() {
  if (rare_ && rare_->idle()) rare_.Reset();
}

}  // namespace tombolo
