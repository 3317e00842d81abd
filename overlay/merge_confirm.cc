// Merging: is the other peer in our island already?
#include <algorithm>
#include <array>

#include "overlay/merge.h"
#include "overlay/node_id.h"

namespace tombolo {
namespace {

constexpr std::uint8_t kConfirmHops = 32;
constexpr std::size_t kNextHops = 4;  // candidates per hop
constexpr int kPatience = 20;         // initial time-outs that the answer may take

}  // namespace

void Merge::Introduce(PeerRef peer, const MergeStep& step) {
  if (!IsSane(peer, step) || step.ring.Contains(peer)) return;
  const bool asked = std::any_of(questions_.begin(), questions_.end(),
                                 [&](const Question& open) { return open.peer == peer; });
  if (asked) return;
  if (questions_.size() >= kMaxQuestions) return step.out.Drop(DropReason::kOverload);
  // At random, so that no late answer to an earlier life of this part is taken for another.
  if (next_question_ == 0) next_question_ = static_cast<std::uint32_t>(step.rng.Next() >> 33) + 1;
  const std::uint32_t number = next_question_++;
  questions_.push_back({number, peer, step.now + step.config.heal.initial_rto * kPatience});
  PassOn({0, number, step.self, peer, kConfirmHops}, step);
}

void Merge::On(PeerRef from, const MergeConfirm& confirm, const MergeStep& step) {
  const bool sane = step.ids.Contains(confirm.origin) && step.ids.Contains(confirm.target);
  if (!sane || confirm.origin == step.self) return step.out.Drop(DropReason::kUnknownRpc);
  if (!Acknowledge(from, confirm.rpc, step)) return;
  const bool known = confirm.target == step.self || step.ring.Contains(confirm.target);
  if (known || confirm.ttl == 0) return Answer(confirm, known, step);
  MergeConfirm next = confirm;
  --next.ttl;
  PassOn(next, step);
}

// To a contact that is closer to the target; where there is none, nobody knows it.
void Merge::PassOn(const MergeConfirm& confirm, const MergeStep& step) {
  const NodeId& target = step.ids.id(confirm.target);
  std::array<PeerRef, 2 * kNextHops> closest;
  const std::size_t count =
      step.table.Closest(step.self_id, target, closest.size(), step.ids, closest);
  std::vector<PeerRef> next(closest.begin(), closest.begin() + static_cast<std::ptrdiff_t>(count));
  std::erase_if(next, [&](PeerRef peer) {
    return IsSuspect(peer, step) || !IsSane(peer, step) || peer == confirm.origin ||
           peer == confirm.target || !IsCloser(step.ids.id(peer), step.self_id, target);
  });
  if (next.empty()) return Answer(confirm, false, step);
  std::sort(next.begin(), next.end(),
            [&](PeerRef a, PeerRef b) { return IsCloser(step.ids.id(a), step.ids.id(b), target); });
  if (next.size() > kNextHops) next.resize(kNextHops);
  Send(confirm, {}, next, step, PeerRef::kNone, true);
}

void Merge::Answer(const MergeConfirm& confirm, bool known, const MergeStep& step) {
  if (confirm.origin == step.self) return Resolve(confirm.question, known, step);
  Send(MergeConfirmed{0, confirm.question, known}, {}, std::span(&confirm.origin, 1), step);
}

void Merge::On(PeerRef from, const MergeConfirmed& confirmed, const MergeStep& step) {
  if (Acknowledge(from, confirmed.rpc, step)) Resolve(confirmed.question, confirmed.known, step);
}

void Merge::Resolve(std::uint32_t question, bool known, const MergeStep& step) {
  const auto open = std::find_if(questions_.begin(), questions_.end(),
                                 [&](const Question& asked) { return asked.number == question; });
  if (open == questions_.end()) return step.out.Drop(DropReason::kUnknownRpc);
  const PeerRef peer = open->peer;
  questions_.erase(open);
  if (!known) StartMerge(peer, step);
}

}  // namespace tombolo
