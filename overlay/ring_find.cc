// find_successor: requests of this peer, and of others on their way.
#include <algorithm>

#include "overlay/ring.h"
#include "overlay/ring_interval.h"

namespace tombolo {

// ---- Keys.

PeerRef Ring::OwnerOf(const NodeId& key, const PartStep& step) const {
  const std::span<const PeerRef> successors = neighbours_.successors();
  if (successors.empty() || key == step.self_id) return step.self;
  const PeerRef next = successors.front();
  return InHalfOpen(step.self_id, key, step.ids.id(next)) ? next : PeerRef::kNone;
}

PeerRef Ring::NextHop(const NodeId& key, PeerRef avoid, const PartStep& step) const {
  const PeerRef finger = fingers_.NextHop(key, avoid, step);
  const std::span<const PeerRef> successors = neighbours_.successors();
  for (std::size_t i = successors.size(); i-- > 0;) {
    const PeerRef peer = successors[i];
    const NodeId& id = step.ids.id(peer);
    if (peer == avoid || !InOpen(step.self_id, id, key)) continue;
    const bool past = finger != PeerRef::kNone && InOpen(id, step.ids.id(finger), key);
    return past ? finger : peer;
  }
  return finger != PeerRef::kNone || avoid == PeerRef::kNone ? finger
                                                             : NextHop(key, PeerRef::kNone, step);
}

// ---- Requests of others.

void Ring::OnFind(const FindSuccessor& find, const PartStep& step) {
  if (!member_ && step.config.ring.corrected) return step.out.Drop(DropReason::kNotJoined);
  PeerRef owner = OwnerOf(find.key, step);
  if (owner == PeerRef::kNone) {
    const PeerRef hop = NextHop(find.key, PeerRef::kNone, step);
    if (find.hops >= step.config.ring.max_hops) return step.out.Drop(DropReason::kTtlExceeded);
    FindSuccessor onward = find;
    ++onward.hops;
    return step.out.Send(hop, onward);
  }
  const SuccessorFound found{find.rpc, owner, find.hops};
  if (find.asker == step.self) return OnFound(found, step);
  step.out.Send(find.asker, found);
}

// ---- Requests of our own.

void Ring::OnFound(const SuccessorFound& found, const PartStep& step) {
  Pending asked;
  if (!Take(PeerRef::kNone, found.rpc, true, asked)) {
    return step.out.Drop(DropReason::kUnknownRpc);
  }
  EndFind(asked, found.successor, found.hops, step);
  RunDue(step);
}

std::uint32_t Ring::SendFind(const NodeId& key, PeerRef hop, Purpose purpose,
                             const PartStep& step) {
  const auto rpc = static_cast<std::uint32_t>(step.rng.Next() >> 33);
  pending_.emplace_back(step.now, hop, rpc, purpose);
  step.out.Send(hop, FindSuccessor{rpc, step.self, key, 1});
  return rpc;
}

void Ring::EndFind(const Pending& asked, PeerRef successor, std::uint16_t hops,
                   const PartStep& step) {
  if (asked.purpose == Purpose::kFix) return EndFix(asked, successor, step);
  if (asked.purpose == Purpose::kOwn) return EndOwn(successor, step);
  if (asked.purpose != Purpose::kJoin) return EndKeyFind(asked, successor, hops, step);
  // Somebody has not noticed yet that we were gone: the peer that was asked leads on as well.
  if (successor == PeerRef::kNone || successor == step.self) successor = asked.to;
  if (step.config.ring.corrected) {
    Request(successor, Purpose::kCopy, step);
  } else {
    neighbours_.LearnSuccessor(successor, step);
    BecomeMember(step);
  }
}

// ---- Fingers.

// One round, at most once through all levels.
void Ring::FixSome(const PartStep& step) {
  for (int i = 0; i < step.config.ring.fingers_per_fix && FixNext(step); ++i) {
  }
  EndFixRound(step);
}

// Unless somebody is still asked. After the last level we look for ourselves.
void Ring::EndFixRound(const PartStep& step) {
  const bool asking = std::any_of(pending_.begin(), pending_.end(), [](const Pending& pending) {
    return pending.purpose == Purpose::kFix;
  });
  if (asking) return;
  End(kFix, step);
  if (next_level_ != 0 || !step.config.ring.corrected) return;
  const PeerRef hop = NextHop(step.self_id, PeerRef::kNone, step);
  if (hop != PeerRef::kNone) SendFind(step.self_id, hop, Purpose::kOwn, step);
}

void Ring::EndOwn(PeerRef successor, const PartStep& step) {
  const std::span<const PeerRef> successors = neighbours_.successors();
  if (successor == PeerRef::kNone || successor == step.self || successors.empty()) return;
  const NodeId& next = step.ids.id(successors.front());
  if (InOpen(step.self_id, step.ids.id(successor), next) && Believes(successor, step)) {
    Request(successor, Purpose::kVerify, step);
  }
}

// False if the round is over.
bool Ring::FixNext(const PartStep& step) {
  const RingConfig& config = step.config.ring;
  int level = next_level_;
  const std::span<const PeerRef> successors = neighbours_.successors();
  if (!config.fix_every_level && !successors.empty()) {
    // Up to here every finger is the successor.
    const int near = DistanceExponent(step.self_id, step.ids.id(successors.front()));
    level = std::max(level, near - (kIdBits - config.bits) + 1);
  }
  next_level_ = level + 1 < config.bits ? static_cast<std::uint8_t>(level + 1) : 0;
  if (level >= config.bits) return false;
  const NodeId start = RingFingers::StartOf(level, step);
  if (const PeerRef owner = OwnerOf(start, step); owner != PeerRef::kNone) {
    SetFinger(level, owner, step);
  } else {
    SendFind(start, NextHop(start, PeerRef::kNone, step), Purpose::kFix, step);
    pending_.back().level = static_cast<std::uint8_t>(level);
  }
  return next_level_ > 0;
}

void Ring::SetFinger(int level, PeerRef peer, const PartStep& step) {
  const RingConfig& config = step.config.ring;
  fingers_.Set(level, peer, step);
  if (config.fix_every_level) return;
  // The starts of the next levels, up to the peer found, have the same successor.
  const int last = peer == step.self ? config.bits - 1
                                     : DistanceExponent(step.self_id, step.ids.id(peer)) -
                                           (kIdBits - config.bits);
  for (int next = level + 1; next <= last; ++next) fingers_.Set(next, peer, step);
  if (next_level_ > level && next_level_ <= last) {
    next_level_ = last + 1 < config.bits ? static_cast<std::uint8_t>(last + 1) : 0;
  }
}

void Ring::EndFix(const Pending& asked, PeerRef successor, const PartStep& step) {
  if (successor != PeerRef::kNone) SetFinger(asked.level, successor, step);
  EndFixRound(step);
}

// ---- Keys of the application, and of our own accord.

void Ring::LookUp(std::uint32_t request, const NodeId& target, const PartStep& step) {
  const NodeId key = Truncated(target, step.config.ring.bits);
  const std::size_t active = rare_ ? rare_->finds.size() : 0;
  const bool full = active >= static_cast<std::size_t>(step.config.lookup.max_active);
  if (!member_ || full) {
    if (full) step.out.Drop(DropReason::kOverload);
    step.out.Notify(LookupDone{request, target, ListHandle::kEmpty, 0, 0, 0, step.now});
    return;
  }
  if (const PeerRef owner = OwnerOf(key, step); owner != PeerRef::kNone) {
    step.out.Notify(LookupDone{request, target, step.lists.Add({&owner, 1}), 0, 0, 0, step.now});
    return;
  }
  const PeerRef hop = NextHop(key, PeerRef::kNone, step);
  const std::uint32_t rpc = SendFind(key, hop, Purpose::kApplication, step);
  rare_.Ensure().finds.push_back({key, target, step.now, request, rpc, 1});
  UpdateDeadline(step);
}

void Ring::ProbeKey(const PartStep& step) {
  const RingConfig& config = step.config.ring;
  NodeId key = step.self_id;
  if (config.lookup_keys == ProbeKeys::kUniform) {
    for (std::uint32_t& word : key.words) word = static_cast<std::uint32_t>(step.rng.Next() >> 32);
    key = Truncated(key, config.bits);
  } else {
    // The finger of level 0 is the successor. One that is unknown is ourselves.
    const auto level = static_cast<int>(step.rng.Below(static_cast<std::uint32_t>(config.bits)));
    const std::span<const PeerRef> successors = neighbours_.successors();
    const PeerRef next = successors.empty() ? PeerRef::kNone : successors.front();
    const PeerRef finger = level == 0 ? next : fingers_.At(level);
    if (finger != PeerRef::kNone) key = step.ids.id(finger);
  }
  if (const PeerRef owner = OwnerOf(key, step); owner != PeerRef::kNone) {
    step.out.Notify(KeyProbed{key, owner, 0, step.now});
    return End(kProbe, step);
  }
  const PeerRef hop = NextHop(key, PeerRef::kNone, step);
  const std::uint32_t rpc = SendFind(key, hop, Purpose::kProbe, step);
  rare_.Ensure().finds.push_back({key, key, step.now, 0, rpc, 1});
}

void Ring::EndKeyFind(const Pending& asked, PeerRef successor, std::uint16_t hops,
                      const PartStep& step) {
  std::vector<KeyFind>& finds = rare_->finds;
  const auto find = std::find_if(finds.begin(), finds.end(),
                                 [&](const KeyFind& other) { return other.rpc == asked.rpc; });
  const KeyFind ended = *find;
  finds.erase(find);
  TidyUp();
  if (asked.purpose == Purpose::kProbe) {
    step.out.Notify(KeyProbed{ended.key, successor, hops, ended.started});
    return End(kProbe, step);
  }
  const bool found = successor != PeerRef::kNone;
  const ListHandle list = found ? step.lists.Add({&successor, 1}) : ListHandle::kEmpty;
  const auto messages = static_cast<std::uint16_t>(found ? hops + 1 : 0);
  const auto dead = static_cast<std::uint16_t>(ended.tries - (found ? 1 : 0));
  step.out.Notify(
      LookupDone{ended.request, ended.target, list, hops, messages, dead, ended.started});
}

// False if there is no key to look up again, or it was tried often enough.
bool Ring::RetryKeyFind(const Pending& asked, const PartStep& step) {
  if (!rare_) return false;
  for (KeyFind& find : rare_->finds) {
    if (find.rpc != asked.rpc || find.tries >= step.config.ring.tries) continue;
    ++find.tries;
    const PeerRef hop = NextHop(find.key, asked.to, step);
    if (hop == PeerRef::kNone) return false;
    find.rpc = SendFind(find.key, hop, asked.purpose, step);
    return true;
  }
  return false;
}

}  // namespace tombolo
