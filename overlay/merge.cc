#include "overlay/merge.h"

#include <algorithm>

#include "overlay/node_id.h"

namespace tombolo {
namespace {

constexpr int kTryBits = 4;             // of an rpc (acked_sends.h)
constexpr std::size_t kConfidants = 4;  // to try, for one to know of a stranger

bool IsIn(std::span<const PeerRef> peers, PeerRef peer) {
  return std::find(peers.begin(), peers.end(), peer) != peers.end();
}

}  // namespace

const Merge::Repeat* Merge::FindRepeat(PeerRef from, std::uint32_t rpc) const {
  for (const Repeat& repeat : repeats_) {
    if (repeat.from == from && repeat.number == rpc >> kTryBits) return &repeat;
  }
  return nullptr;
}

// True if the message was acted upon before; remembers it else.
bool Merge::IsRepeat(PeerRef from, std::uint32_t rpc, bool duplicate) {
  if (FindRepeat(from, rpc) != nullptr) return true;
  if (repeats_.size() >= kMaxRepeats) repeats_.erase(repeats_.begin());
  repeats_.push_back({from, rpc >> kTryBits, duplicate});
  return false;
}

// True if the message is new.
bool Merge::Acknowledge(PeerRef from, std::uint32_t rpc, const MergeStep& step) {
  step.out.Send(from, MergeAck{rpc});
  return !IsRepeat(from, rpc);
}

bool Merge::Knows(PeerRef peer, const MergeStep& step) const {
  return IsContact(peer, step) || step.ring.Contains(peer);
}

// Those that failed are contacts no more: after a split they are of the other island.
bool Merge::IsContact(PeerRef peer, const MergeStep& step) const {
  return IsIn(step.table.live(CommonPrefixLength(step.self_id, step.ids.id(peer))), peer);
}

// A peer that somebody names and that can be asked.
bool Merge::IsSane(PeerRef peer, const MergeStep& step) const {
  return step.ids.Contains(peer) && peer != step.self && step.ids.dialable(peer);
}

// Takes a peer that others name into table and ring, where there is room. True if it was news.
bool Merge::Learn(PeerRef peer, const MergeStep& step) {
  if (!IsSane(peer, step) || IsSuspect(peer, step)) return false;
  const int level = CommonPrefixLength(step.self_id, step.ids.id(peer));
  if (level == kIdBits) return false;
  bool news = false;
  const std::span<const PeerRef> bucket = step.table.live(level);
  const bool room = bucket.size() < static_cast<std::size_t>(step.config.table.k);
  if (room && !IsIn(bucket, peer)) {
    step.table.Seen(peer, level, step.config.table, step.ids);
    news = IsContact(peer, step);
  }
  news = step.ring.Learn(peer, step) || news;
  if (news) refresh_at_ = step.now + step.config.heal.refresh_after;
  return news;
}

void Merge::LearnForeign(PeerRef peer, MergeSession& session, const MergeStep& step) {
  if (Learn(peer, step)) MergeSessions::AddForeign(session, peer);
}

// Who speaks to us of a merge and was unknown belongs to the other island, as far as we can tell:
// it will be a contact in a moment, by having spoken.
void Merge::NoteStranger(PeerRef from, const MergeStep& step) {
  if (!Knows(from, step)) AddForeign(from, step);
}

void Merge::AddForeign(PeerRef peer, const MergeStep& step) {
  sessions_.AddForeign(peer, step.now + step.config.heal.session_ttl);
}

MergeSession& Merge::Use(std::uint64_t session, const MergeStep& step) {
  return sessions_.Ensure(session, step.now + step.config.heal.session_ttl);
}

void Merge::Send(const HealMessage& message, std::span<const PeerRef> contacts,
                 std::span<const PeerRef> receivers, const MergeStep& step, PeerRef partner,
                 bool brief) {
  if (receivers.empty()) return;
  AckedSend send;
  send.message = message;
  send.contacts.assign(contacts.begin(), contacts.end());
  send.receivers.assign(receivers.begin(), receivers.end());
  send.partner = partner;
  send.brief = brief;
  sends_.Send(std::move(send), step);
}

void Merge::On(PeerRef from, const MergeAck& ack, const MergeStep& step) {
  NoteStranger(from, step);
  if (!sends_.Acked(from, ack.rpc, step)) step.out.Drop(DropReason::kUnknownRpc);
}

void Merge::Tick(const MergeStep& step, std::vector<PeerRef>& dead) {
  std::vector<SilentSend> silent;
  sends_.Tick(step, silent);
  for (const SilentSend& send : silent) SendFailed(send, step, dead);
  std::vector<std::uint32_t> overdue;
  for (const Question& question : questions_) {
    if (question.deadline <= step.now) overdue.push_back(question.number);
  }
  for (const std::uint32_t question : overdue) Resolve(question, false, step);
  sessions_.Expire(step.now);
  WorkOffQueue(step);
  if (refresh_at_ <= step.now || retry_at_ <= step.now) Refresh(step);
}

// Goes on without an answer: once, as soon as nobody is left to ask for the first time. That may be
// when it ends as well, if there were many to ask.
void Merge::SendFailed(const SilentSend& silent, const MergeStep& step,
                       std::vector<PeerRef>& dead) {
  const AckedSend& send = silent.send;
  const bool one = send.receivers.size() == 1 && !send.brief;
  if (silent.ended && one) {
    sessions_.Reopen(send.receivers[0]);
    dead.push_back(send.receivers[0]);
  }
  if (!silent.all_silent) return;
  if (std::holds_alternative<MergeRefresh>(send.message)) {
    return RefreshFailed(send.receivers[0], step);
  }
  if (one) ConfideStranger(send.receivers[0], step);
  if (const auto* sync = std::get_if<MergeSync>(&send.message)) {
    SyncFailed(*sync, send.partner, step);
  } else if (const auto* bridge = std::get_if<MergeBridge>(&send.message)) {
    EndBranch(Use(bridge->session, step), send.contacts, bridge->level - 1, step);
  } else if (const auto* lookup = std::get_if<MergeLookup>(&send.message)) {
    Place(Use(lookup->session, step), lookup->target, lookup->ttl, step);
  } else if (const auto* confirm = std::get_if<MergeConfirm>(&send.message)) {
    PassOn(*confirm, step);
  } else if (const auto* unify = std::get_if<UnifyLookup>(&send.message)) {
    Unify(unify->target, 1, unify->ttl, step);
  }
}

// Nobody else in our island may know of a peer of the other one that is silent, and we may die
// before it is heard again: a neighbour is told of it.
void Merge::ConfideStranger(PeerRef stranger, const MergeStep& step) {
  if (step.config.heal.strategy != MergeStrategy::kZip) return;
  if (Knows(stranger, step) && !sessions_.IsForeign(stranger)) return;
  const bool told = std::any_of(sends_.rows().begin(), sends_.rows().end(), [&](const auto& send) {
    const auto* detected = std::get_if<UnifyDetected>(&send.message);
    return detected != nullptr && detected->target == stranger;
  });
  if (told) return;
  std::vector<PeerRef> neighbours;
  for (const PeerRef peer : step.ring.all()) {
    const bool own = peer != stranger && !sessions_.IsForeign(peer) && !IsSuspect(peer, step);
    if (own && neighbours.size() < kConfidants) neighbours.push_back(peer);
  }
  Send(UnifyDetected{0, stranger, 1}, {}, neighbours, step, PeerRef::kNone, true);
}

Time Merge::next_deadline() const {
  Time next = std::min({sends_.next_deadline(), sessions_.next_deadline(), refresh_at_, retry_at_});
  for (const Question& question : questions_) next = std::min(next, question.deadline);
  if (queue_) next = std::min(next, queue_->next_deadline());
  return next;
}

}  // namespace tombolo
