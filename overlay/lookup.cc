#include "overlay/lookup.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace tombolo {
namespace {

constexpr std::size_t kMaxFailed = 256;  // a lookup that met more silent peers may ask one again

// Lookups that look for the way, not for peers that are to hold something.
bool IsForTables(LookupPurpose purpose) {
  return purpose == LookupPurpose::kRefreshSelf || purpose == LookupPurpose::kRefreshBucket;
}

}  // namespace

std::size_t LookupState::Closest(std::span<PeerRef> out) const {
  std::size_t count = 0;
  for (const Candidate& candidate : candidates_) {
    if (count == out.size()) break;
    if (candidate.state >= State::kAnswered) out[count++] = candidate.peer;
  }
  return count;
}

std::uint16_t LookupState::hops() const {
  for (const Candidate& candidate : candidates_) {
    if (candidate.state >= State::kAnswered) return candidate.depth;
  }
  return 0;
}

PeerRef LookupState::closest_without_value() const {
  for (const Candidate& candidate : candidates_) {
    if (candidate.state == State::kAnswered) return candidate.peer;
  }
  return PeerRef::kNone;
}

bool LookupState::HasAnswered(PeerRef peer) const {
  return std::any_of(candidates_.begin(), candidates_.end(), [&](const Candidate& candidate) {
    return candidate.peer == peer &&
           (candidate.state == State::kAnswered || candidate.state == State::kHadValue);
  });
}

std::vector<LookupState::Candidate>::iterator LookupState::FindCandidate(PeerRef peer) {
  return std::find_if(candidates_.begin(), candidates_.end(),
                      [&](const Candidate& candidate) { return candidate.peer == peer; });
}

// Most contacts of a reply have been named before. False if this one has lately: then it is in the
// list, or was too far for it.
bool LookupState::Remember(PeerRef peer) {
  PeerRef& recent = recent_[Index(peer) % recent_.size()];
  return std::exchange(recent, peer) != peer;
}

void LookupState::AddAll(std::span<const PeerRef> peers, std::uint8_t depth, const PartStep& step) {
  std::array<PeerRef, kMaxListed> fresh;
  std::size_t count = 0;
  for (const PeerRef peer : peers) {
    if (!Remember(peer) || !step.ids.Contains(peer)) continue;
    step.ids.Prefetch(peer);
    fresh[count++] = peer;
  }
  for (std::size_t i = 0; i < count; ++i) Add(fresh[i], depth, step);
}

// Takes a silent peer out of the list. What was too far for the list may be wanted now.
void LookupState::Drop(PeerRef peer) {
  if (const auto candidate = FindCandidate(peer); candidate != candidates_.end()) {
    candidates_.erase(candidate);
  }
  if (failed_.size() < kMaxFailed) failed_.push_back(peer);
  recent_.fill(PeerRef::kNone);
  ++dead_;
}

// Inserts by distance unless the peer is known, failed, ourselves, or farther than a full list.
void LookupState::Add(PeerRef peer, std::uint8_t depth, const PartStep& step) {
  const NodeId& id = step.ids.id(peer);
  const std::uint64_t distance = id.prefix64() ^ goal_.target.prefix64();
  const auto limit = static_cast<std::size_t>(step.config.table.k + step.config.lookup.backups);
  if (candidates_.size() >= limit && distance > candidates_[limit - 1].distance) return;
  if (peer == step.self) return;

  auto position = candidates_.end();
  while (position != candidates_.begin() && (position - 1)->distance > distance) --position;
  // Equal leading bits: the peer itself, or an id made to look like its own.
  for (auto equal = position; equal != candidates_.begin() && (equal - 1)->distance == distance;) {
    --equal;
    if (equal->peer == peer) return;
    if (IsCloser(id, step.ids.id(equal->peer), goal_.target)) position = equal;
  }
  if (!failed_.empty() && std::find(failed_.begin(), failed_.end(), peer) != failed_.end()) return;

  State state = State::kFresh;
  if (!step.ids.dialable(peer)) {
    if (goal_.purpose != LookupPurpose::kApplication) return;
    state = State::kVouched;
  }
  candidates_.insert(position, Candidate{distance, peer, state, depth});
  // Beyond the limit only those stay that were asked, so that none is asked twice.
  if (candidates_.size() > limit) {
    const auto pushed_out = candidates_.begin() + static_cast<std::ptrdiff_t>(limit);
    if (pushed_out->state == State::kFresh || pushed_out->state == State::kVouched) {
      candidates_.erase(pushed_out);
    }
  }
}

bool Lookups::Start(const LookupGoal& goal, std::span<const PeerRef> contacts,
                    const PartStep& step) {
  if (active_ >= static_cast<std::uint32_t>(step.config.lookup.max_active)) return false;
  auto slot =
      std::find_if(slots_.begin(), slots_.end(), [](const LookupState& s) { return !s.active_; });
  if (slot == slots_.end()) slot = slots_.insert(slots_.end(), LookupState());
  ++active_;
  LookupState& state = *slot;
  const auto sequence =
      static_cast<std::uint16_t>(step.rng.Next());  // late answers to the last user miss
  state = LookupState();
  state.goal_ = goal;
  state.started_ = step.now;
  state.sequence_ = sequence;
  state.active_ = true;
  state.candidates_.reserve(
      static_cast<std::size_t>(step.config.table.k + step.config.lookup.backups));
  state.in_flight_.reserve(static_cast<std::size_t>(step.config.lookup.alpha));
  state.AddAll(contacts, 1, step);
  if (IsForTables(goal.purpose)) AddLinked(state, contacts, step);
  Advance(state, step);
  return true;
}

// Where nobody is known who can be dialled, at all or in the bucket of the target, those who have
// dialled us know others.
void Lookups::AddLinked(LookupState& state, std::span<const PeerRef> contacts,
                        const PartStep& step) {
  const NodeId& target = state.goal_.target;
  const int level = CommonPrefixLength(step.self_id, target);
  const auto is_beside_target = [&](PeerRef peer) {
    return CommonPrefixLength(step.ids.id(peer), target) > level;
  };
  const bool alone = state.candidates_.empty();
  if (!alone && is_beside_target(state.candidates_.front().peer)) return;
  for (const PeerRef peer : contacts) {
    if (peer == step.self || !step.ids.Contains(peer)) continue;
    if (!alone && !is_beside_target(peer)) continue;
    const std::uint64_t distance = step.ids.id(peer).prefix64() ^ state.goal_.target.prefix64();
    state.candidates_.push_back({distance, peer, LookupState::State::kFresh, 1});
  }
  std::ranges::sort(state.candidates_, {}, &LookupState::Candidate::distance);
}

// Finds the lookup that asked `from` with this number and takes the request out of flight.
LookupState* Lookups::Match(PeerRef from, std::uint32_t rpc, std::uint8_t& depth) {
  const std::uint32_t slot = rpc & ((1U << kSlotBits) - 1U);
  if (slot >= slots_.size() || !slots_[slot].active_) return nullptr;
  LookupState& state = slots_[slot];
  for (auto request = state.in_flight_.begin(); request != state.in_flight_.end(); ++request) {
    if (request->rpc != rpc || request->peer != from) continue;
    depth = request->depth;
    state.in_flight_.erase(request);
    ++state.messages_;
    return &state;
  }
  return nullptr;
}

bool Lookups::OnNodes(PeerRef from, const Nodes& nodes, const PartStep& step) {
  std::uint8_t depth = 0;
  LookupState* state = Match(from, nodes.rpc, depth);
  if (state == nullptr) {
    step.out.Drop(DropReason::kUnknownRpc);
    return false;
  }
  if (const auto candidate = state->FindCandidate(from); candidate != state->candidates_.end()) {
    candidate->state = LookupState::State::kAnswered;
  }
  const auto next_depth = static_cast<std::uint8_t>(std::min(depth + 1, 255));
  state->AddAll(step.lists.Get(nodes.contacts), next_depth, step);
  Advance(*state, step);
  return true;
}

bool Lookups::Answers(const Record& record, const LookupGoal& goal, const StoreConfig& config) {
  return goal.purpose == LookupPurpose::kGet && record.key == goal.target &&
         record.payload.bytes <= config.max_value_bytes && record.ttl > Duration{0};
}

std::optional<std::uint32_t> Lookups::OnValue(PeerRef from, const Value& value,
                                              const PartStep& step) {
  std::uint8_t depth = 0;
  LookupState* state = Match(from, value.rpc, depth);
  if (state == nullptr) {
    step.out.Drop(DropReason::kUnknownRpc);
    return std::nullopt;
  }
  return TakeAnswer(*state, from, Answers(value.record, state->goal_, step.config.store), step);
}

std::optional<std::uint32_t> Lookups::OnLeaseFound(PeerRef from, std::uint32_t rpc,
                                                   const PartStep& step) {
  std::uint8_t depth = 0;
  LookupState* state = Match(from, rpc, depth);
  if (state == nullptr) {
    step.out.Drop(DropReason::kUnknownRpc);
    return std::nullopt;
  }
  return TakeAnswer(*state, from, state->goal_.purpose == LookupPurpose::kResolve, step);
}

// What was asked for, or something else: then the peer counts as silent.
std::optional<std::uint32_t> Lookups::TakeAnswer(LookupState& state, PeerRef from, bool valid,
                                                 const PartStep& step) {
  if (!valid) {
    step.out.Drop(DropReason::kRecordRejected);
    state.Drop(from);
    Advance(state, step);
    return std::nullopt;
  }
  ++state.values_;
  if (const auto candidate = state.FindCandidate(from); candidate != state.candidates_.end()) {
    candidate->state = LookupState::State::kHadValue;
  }
  const std::uint32_t request = state.goal_.request;
  Advance(state, step);
  return request;
}

void Lookups::OnTimer(const PartStep& step, std::vector<PeerRef>& silent) {
  if (step.now < deadline_) return;
  for (LookupState& state : slots_) {
    if (!state.active_) continue;
    bool changed = false;
    while (!state.in_flight_.empty() && state.in_flight_.front().deadline <= step.now) {
      const PeerRef peer = state.in_flight_.front().peer;
      state.in_flight_.erase(state.in_flight_.begin());
      state.Drop(peer);
      silent.push_back(peer);
      changed = true;
    }
    if (changed) Advance(state, step);
  }
  UpdateDeadline();
}

// Asks the closest contacts not asked yet; marks the lookup finished when there is nothing to wait
// for.
void Lookups::Advance(LookupState& state, const PartStep& step) {
  const bool resolves = state.goal_.purpose == LookupPurpose::kResolve;
  const int quorum = resolves ? step.config.attach.resolve_quorum : step.config.store.quorum;
  const bool satisfied = state.values_ >= quorum;
  const auto window =
      std::min(state.candidates_.size(), static_cast<std::size_t>(step.config.table.k));
  const auto alpha = static_cast<std::size_t>(step.config.lookup.alpha);
  for (std::size_t i = 0; i < window && state.in_flight_.size() < alpha && !satisfied; ++i) {
    LookupState::Candidate& candidate = state.candidates_[i];
    if (candidate.state == LookupState::State::kFresh) Ask(state, candidate, step);
  }
  if (state.in_flight_.empty() || satisfied) {
    state.in_flight_.clear();
    finished_.push_back(static_cast<std::uint8_t>(&state - slots_.data()));
  }
}

void Lookups::Ask(LookupState& state, LookupState::Candidate& candidate, const PartStep& step) {
  candidate.state = LookupState::State::kAsked;
  const auto slot = static_cast<std::uint32_t>(&state - slots_.data());
  const std::uint32_t rpc = (static_cast<std::uint32_t>(state.sequence_++) << kSlotBits) | slot;
  const Time deadline = step.now + step.config.lookup.rpc_timeout;
  state.in_flight_.push_back({candidate.peer, rpc, deadline, candidate.depth});
  ++state.messages_;
  deadline_ = std::min(deadline_, deadline);
  if (state.goal_.purpose == LookupPurpose::kGet) {
    step.out.Send(candidate.peer, FindValue{rpc, state.goal_.target});
  } else if (state.goal_.purpose == LookupPurpose::kResolve) {
    step.out.Send(candidate.peer, FindLease{rpc, state.goal_.target});
  } else {
    step.out.Send(candidate.peer, FindNode{rpc, state.goal_.target, state.dead_});
  }
}

bool Lookups::TakeFinished(LookupState& done) {
  if (finished_.empty()) return false;
  LookupState& slot = slots_[finished_.back()];
  finished_.pop_back();
  assert(slot.active_ && active_ > 0);
  done = std::exchange(slot, LookupState());
  if (--active_ == 0) deadline_ = kNever;
  return true;
}

std::vector<LookupState> Lookups::Abandon() {
  std::vector<LookupState> abandoned;
  for (LookupState& slot : slots_) {
    if (slot.active_) abandoned.push_back(std::exchange(slot, LookupState()));
  }
  *this = Lookups();
  return abandoned;
}

void Lookups::UpdateDeadline() {
  deadline_ = kNever;
  for (const LookupState& state : slots_) {
    if (!state.in_flight_.empty())
      deadline_ = std::min(deadline_, state.in_flight_.front().deadline);
  }
}

}  // namespace tombolo
