// Peers that come back after a crash: with their last state, with an older one, or with none.
//
// A peer holds shares of payloads. Its last state keeps them while the peer is down; a copy of an
// older state takes shares of its own. It draws anew, as a process restored from a copy does.
#include <algorithm>
#include <cassert>
#include <utility>

#include "sim/world.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kMostReturns = 256;  // crashes under way at once; further ones do not begin

}  // namespace

void World::Restart(PeerRef peer, bool forget) {
  assert(!is_up(peer));
  Peer& state = peers_[Index(peer)];
  if (forget || state.state() == PeerState::kLeft || state.state() == PeerState::kIdle) {
    Bury(peer);
    const std::uint64_t life = faults_.rng().Next();
    state = Peer(peer, directory_.id(peer), Mix64(options_.seed ^ life));
    Count(Injected::kForgetful);
    message_log_.AddForgetting(now_, peer);
    return Join(peer);
  }
  Count(Injected::kRestarts);
  Continue(peer);
}

// Goes on from its state as a process would whose connections are gone, those too that were being
// opened: nobody else would tell it what became of them.
void World::Continue(PeerRef peer) {
  up_[Index(peer)] = 1;
  ++live_count_;
  oracle_.Add(peer, directory_);
  Peer& state = peers_[Index(peer)];
  std::vector<PeerRef> linked;
  std::vector<PeerRef> dialing;
  for (const Link& link : state.links()) linked.push_back(link.peer);
  if (state.parts() != nullptr && state.parts()->relaying) {
    const std::span<const PeerRef> dials = state.parts()->relaying->links.dialing();
    dialing.assign(dials.begin(), dials.end());
  }
  for (const PeerRef other : linked) {
    state.LinkDown(other, LinkDownReason::kTimeout, MakeStep(peer));
    Drain(peer);
  }
  for (const PeerRef other : dialing) {
    state.LinkDown(other, LinkDownReason::kDialFailed, MakeStep(peer));
    Drain(peer);
  }
  ArmTimer(peer);
}

// ---- Injected crashes.

void World::BeginCrash() {
  if (returns_.in_use() >= kMostReturns) return;
  Rng& rng = faults_.rng();
  const FaultOptions& options = options_.faults;
  Return back;
  back.peer = DrawFaulty();
  const std::uint64_t drawn = rng.Next() >> 32;
  const std::uint64_t forgets = ChanceParts(options.forget_share);
  const std::uint64_t rolls = ChanceParts(options.rollback_share);
  back.how = drawn < forgets           ? Return::kForgets
             : drawn < forgets + rolls ? Return::kRollsBack
                                       : Return::kRemembers;
  if (back.how == Return::kRollsBack) back.state = CopyState(back.peer);
  const std::uint32_t slot = returns_.Add(back);
  if (back.how != Return::kRollsBack) return TurnReturn(slot);
  // The crash that ends the copied life is a fault as well: it does not come after their end.
  const Time end{options.end.us};
  const Time crash = std::min(now_ + DrawMean(options.rollback_age), end);
  actions_.Schedule(crash, Action::Kind::kReturn, slot);
}

// First the crash, then the return.
void World::TurnReturn(std::uint32_t slot) {
  Return& back = returns_[slot];
  if (is_up(back.peer) == back.down) return ForgetReturn(slot);  // somebody else saw to it
  if (!back.down) {
    back.down = true;
    Crash(back.peer, back.how == Return::kRemembers);
    return actions_.Schedule(now_ + DrawMean(options_.faults.down), Action::Kind::kReturn, slot);
  }
  if (back.how == Return::kRollsBack) {
    Bury(back.peer);
    peers_[Index(back.peer)] = std::exchange(back.state, Peer());
    peers_[Index(back.peer)].Reseed(Mix64(options_.seed ^ faults_.rng().Next()));
    Count(Injected::kRollbacks);
    message_log_.AddForgetting(now_, back.peer);
    Continue(back.peer);
  } else {
    Restart(back.peer, back.how == Return::kForgets);
  }
  returns_[slot] = {};
  returns_.Free(slot);
}

void World::ForgetReturn(std::uint32_t slot) {
  Return& back = returns_[slot];
  if (back.how == Return::kRollsBack) {
    // The copy's shares are given up as those of the peer itself would be.
    std::swap(peers_[Index(back.peer)], back.state);
    const Time timer = timers_.armed(Index(back.peer));
    Bury(back.peer);
    timers_.Arm(Index(back.peer), timer);
    std::swap(peers_[Index(back.peer)], back.state);
  }
  returns_[slot] = {};
  returns_.Free(slot);
}

// A copy of a peer's state with shares of its own: one for each that the peer would give up if it
// died now.
Peer World::CopyState(PeerRef peer) {
  const Peer state = peers_[Index(peer)];
  Peer dying = state;
  dying.Execute(Depart{}, MakeStep(peer));
  for (const Payload& payload : outbox_.releases()) payloads_.Share(payload);
  for (const Event& event : outbox_.events()) {
    const GetDone* done = std::get_if<GetDone>(&event);
    if (done != nullptr && done->found) payloads_.Share(done->record.payload);
  }
  for (const Payload& payload : outbox_.shares()) payloads_.Release(payload);
  for (const Event& event : outbox_.events()) {
    if (const LookupDone* done = std::get_if<LookupDone>(&event)) lists_.Release(done->closest);
  }
  for (const OutgoingMessage& sent : outbox_.sends()) lists_.Release(ListOf(sent.message));
  outbox_.Clear();
  return state;
}

}  // namespace tombolo::sim
