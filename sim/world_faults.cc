// What the injected faults do to the world (faults.h): links that flap or clog, partitions, pauses,
// masses that come and go, peers that break the rules. Crashes that end are in world_restart.cc.
#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "sim/distribution.h"
#include "sim/world.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kMostFlaps = 4096;     // links that flap at once; further ones do not begin
constexpr int kFalseDraws = 8;               // of a peer outside of a sketch, which may be all
constexpr std::uint32_t kShareParts = 1000;  // islands of random sizes: 1 to so many parts each

}  // namespace

Duration World::DrawMean(Duration mean) {
  const double us = Exponential(faults_.rng(), static_cast<double>(mean.us));
  return {std::max<std::int64_t>(static_cast<std::int64_t>(us), 1)};
}

// The next fault of a kind, if there is time for it.
void World::ScheduleFault(std::uint32_t rate) {
  const double per_s = faults_.RateOf(static_cast<FaultRate>(rate));
  if (per_s <= 0) return;
  const Time from = std::max(now_, Time{options_.faults.start.us});
  const Time at =
      from + Duration{static_cast<std::int64_t>(Exponential(faults_.rng(), 1e6 / per_s))};
  if (faults_.IsActive(at)) actions_.Schedule(at, Action::Kind::kFault, rate);
}

void World::BeginFault(std::uint32_t rate) {
  const auto kind = static_cast<FaultRate>(rate);
  if (kind != FaultRate::kPartition) ScheduleFault(rate);
  if (live_count_ < 2 || !faults_.IsTide(kind, now_)) return;
  switch (kind) {
    case FaultRate::kFlap:
      return BeginFlap();
    case FaultRate::kClog:
      return BeginClog();
    case FaultRate::kSwizzle:
      return BeginSwizzle();
    case FaultRate::kPartition:
      return BeginPartition();
    case FaultRate::kCrash:
      return BeginCrash();
    case FaultRate::kPause:
    case FaultRate::kClockJump:
      return BeginPeerFault(kind);
    case FaultRate::kMassJoin:
    case FaultRate::kMassLeave:
      return MoveMass(kind);
    case FaultRate::kHalfOpen:
    case FaultRate::kReset:
    case FaultRate::kRebind:
      return BeginLoss(kind);
  }
}

PeerRef World::DrawFaulty() {
  const std::span<const PeerRef> live = oracle_.live();
  return live[faults_.rng().Below(static_cast<std::uint32_t>(live.size()))];
}

// The other end of a random link of `peer`, or any other peer if it has none. Requires two live
// peers.
PeerRef World::DrawOtherEnd(PeerRef peer) {
  const std::span<const Link> links = peers_[Index(peer)].links();
  if (!links.empty())
    return links[faults_.rng().Below(static_cast<std::uint32_t>(links.size()))].peer;
  PeerRef other = DrawFaulty();
  while (other == peer) other = DrawFaulty();
  return other;
}

// ---- Messages.

// Changes the delay of a message that is on its way, and sends its second copy; no delay if it is
// dropped.
FlightKind World::Disturb(PeerRef from, PeerRef to, std::uint32_t sequence, const Message& message,
                          Duration& delay) {
  if (faults_.IsHalfOpen(from, to) && HasLink(from, to)) {
    Count(Injected::kUnheard);
    delay = Network::kLost;
    return FlightKind::kMessage;
  }
  // Said over a link that is hung up right after it: none of this happens to it.
  if (std::holds_alternative<Evict>(message)) return FlightKind::kMessage;
  const Duration wait = faults_.ClogWait(from, to, now_);
  if (wait > Duration{0}) {
    Count(Injected::kClogged);
    delay = delay + wait;
  }
  if (!faults_.acts_on_messages()) return FlightKind::kMessage;
  const Fate fate = faults_.FateOf(from, sequence, now_);
  if (fate.dropped) {
    Count(Injected::kDropped);
    delay = Network::kLost;
    return FlightKind::kMessage;
  }
  if (fate.delayed) Count(Injected::kDelayed);
  if (fate.reordered) Count(Injected::kReordered);
  if (fate.duplicated) SendCopy(from, to, message, delay + fate.copy_extra);
  delay = delay + fate.extra;
  return fate.corrupted ? FlightKind::kCorrupted : FlightKind::kMessage;
}

void World::SendCopy(PeerRef from, PeerRef to, const Message& message, Duration delay) {
  Count(Injected::kDuplicated);
  Message copy = message;
  std::visit(
      [&](auto& body) {
        if constexpr (requires { body.contacts; }) {
          const std::span<const PeerRef> listed = lists_.Get(body.contacts);
          body.contacts = lists_.Add(std::vector<PeerRef>(listed.begin(), listed.end()));
        }
      },
      copy);
  payloads_.Share(PayloadOf(copy));
  Schedule(from, to, delay, {FlightKind::kMessage, {}, copy});
}

// False if what has come by is lost with its link, or waits for a slow reader.
bool World::Arrives(const QueueEntry& entry, const Flight& flight) {
  const auto from = static_cast<PeerRef>(entry.from);
  const auto to = static_cast<PeerRef>(entry.to);
  // A host keeps one connection per pair: what comes over a new one ends the old one.
  if (faults_.EndHalfOpen(to, from, entry.sequence)) LoseLink(from, to, LinkDownReason::kClosed);
  const bool waited = flight.kind == FlightKind::kWaiting;
  if (flight.kind != FlightKind::kMessage && !waited) return true;
  if (faults_.IsBroken(from, to, entry.sequence)) {
    Count(Injected::kUnheard);
    Discard(flight.message);
    return false;
  }
  // What hangs up comes before the end of its link.
  if (waited || !is_up(to) || std::holds_alternative<Evict>(flight.message)) return true;
  const Time at = faults_.ReadTime(to, now_);
  if (at == now_) return true;
  if (at == kNever) {
    Count(Injected::kUnread);
    Discard(flight.message);
    return false;
  }
  Count(Injected::kReadLate);
  QueueEntry later = entry;
  later.time_us = at.us;
  later.slot = flights_.Add(FlightKind::kWaiting, {}, flight.message);
  queue_.Push(later);
  return false;
}

// ---- Links.

// `loser` has lost its end of a link to `holder`, with all that is under way to it.
void World::LoseEnd(PeerRef holder, PeerRef loser) {
  if (!faults_.HalfOpen(holder, loser, sequence_[Index(loser)], now_)) return;
  Count(Injected::kHalfOpens);
  faults_.Break(holder, loser, sequence_[Index(holder)], now_);
  ScheduleSilence(holder);
  LoseLink(holder, loser, LinkDownReason::kClosed);
}

void World::BeginLoss(FaultRate kind) {
  const PeerRef peer = DrawFaulty();
  std::vector<PeerRef> others;
  for (const Link& link : peers_[Index(peer)].links()) {
    if (is_up(link.peer) && HasLink(link.peer, peer)) others.push_back(link.peer);
  }
  if (others.empty()) return;
  if (kind == FaultRate::kRebind) {
    Count(Injected::kRebinds);
    for (const PeerRef other : others) LoseEnd(other, peer);
    return;
  }
  const PeerRef other = others[faults_.rng().Below(static_cast<std::uint32_t>(others.size()))];
  if (kind == FaultRate::kHalfOpen) return LoseEnd(peer, other);
  Count(Injected::kResets);
  faults_.Break(peer, other, sequence_[Index(peer)], now_);
  faults_.Break(other, peer, sequence_[Index(other)], now_);
  LoseLink(peer, other, LinkDownReason::kClosed);
  LoseLink(other, peer, LinkDownReason::kClosed);
}

void World::BeginFlap() {
  const PeerRef peer = DrawFaulty();
  const PeerRef other = DrawOtherEnd(peer);
  if (flaps_.in_use() >= kMostFlaps) return;
  TurnFlap(flaps_.Add({peer, other, options_.faults.flap_cycles, false}));
}

void World::TurnFlap(std::uint32_t slot) {
  Flap& flap = flaps_[slot];
  const FaultOptions& options = options_.faults;
  flap.down = !flap.down;
  if (flap.down) {
    Count(Injected::kFlaps);
    Cut(flap.a, flap.b);
    --flap.cycles_left;
  } else {
    reach_.Restore(flap.a, flap.b);
    if (flap.cycles_left == 0 || !faults_.IsActive(now_)) return flaps_.Free(slot);
  }
  const Duration span = DrawMean(flap.down ? options.flap_down : options.flap_up);
  actions_.Schedule(now_ + span, Action::Kind::kFlap, slot);
}

void World::BeginClog() {
  const PeerRef peer = DrawFaulty();
  const PeerRef other = DrawOtherEnd(peer);
  const Time until = now_ + DrawMean(options_.faults.clog);
  if (faults_.Clog(peer, other, now_, until, now_)) Count(Injected::kClogs);
}

// FoundationDB's swizzle: links stop one by one, and come back in another random order.
void World::BeginSwizzle() {
  const PeerRef peer = DrawFaulty();
  std::vector<PeerRef> others;
  for (const Link& link : peers_[Index(peer)].links()) others.push_back(link.peer);
  if (others.empty()) others.push_back(DrawOtherEnd(peer));
  const auto count = static_cast<std::uint32_t>(others.size());
  std::vector<std::uint32_t> frees(count);  // place of each in the order of coming back
  for (std::uint32_t i = 0; i < count; ++i) frees[i] = i;
  for (std::uint32_t left = count; left > 1; --left) {
    std::swap(others[left - 1], others[faults_.rng().Below(left)]);
    std::swap(frees[left - 1], frees[faults_.rng().Below(left)]);
  }
  const Duration spacing = options_.faults.swizzle_spacing;
  const Time all_clogged = now_ + spacing * count;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Time until = all_clogged + spacing * (frees[i] + 1);
    if (faults_.Clog(peer, others[i], now_ + spacing * i, until, now_)) Count(Injected::kClogs);
  }
}

// ---- Partitions.

void World::BeginPartition() {
  Rng& rng = faults_.rng();
  const FaultOptions& options = options_.faults;
  Count(Injected::kPartitions);
  if (rng.Chance(ChanceParts(options.isolate_share))) {
    Isolate(DrawFaulty());
  } else if (options.network_share > 0 && rng.Chance(ChanceParts(options.network_share))) {
    Count(Injected::kNetworkCuts);
    const bool asymmetric = rng.Chance(ChanceParts(options.asymmetric_share));
    Separate(faults_.CutOff(DrawFaulty(), peer_count()),
             asymmetric ? Crossing::kUpward : Crossing::kNone);
  } else {
    std::vector<double> shares(options.partition_islands);
    double total = 0;
    for (double& share : shares) total += share = 1.0 + rng.Below(kShareParts);
    for (double& share : shares) share /= total;
    const bool asymmetric = rng.Chance(ChanceParts(options.asymmetric_share));
    Separate(DrawIslands(shares, rng), asymmetric ? Crossing::kUpward : Crossing::kNone);
  }
  for (std::uint32_t i = 0; i < options.bridge_nodes; ++i) reach_.BridgeNode(DrawFaulty());
  actions_.Schedule(now_ + DrawMean(options.partition), Action::Kind::kEndIslands, 0);
}

void World::EndIslands() {
  reach_.EndIslands();
  ScheduleFault(static_cast<std::uint32_t>(FaultRate::kPartition));
}

// ---- Peers.

void World::Pause(PeerRef peer, Duration span) {
  Count(Injected::kPauses);
  faults_.Pause(peer, now_, now_ + span);
  if (span > options_.keepalive_timeout) ScheduleSilence(peer);
}

void World::BeginPeerFault(FaultRate kind) {
  const FaultOptions& options = options_.faults;
  const bool pauses = kind == FaultRate::kPause;
  const auto most = static_cast<std::uint64_t>((pauses ? options.pause : options.clock_jump).us);
  const Duration span{static_cast<std::int64_t>(faults_.rng().Below64(most)) + 1};
  const PeerRef peer = DrawFaulty();
  if (pauses) return Pause(peer, span);
  Count(Injected::kClockJumps);
  faults_.Leap(peer, span);
  ArmTimer(peer);
}

void World::MoveMass(FaultRate kind) {
  const double size = options_.faults.mass_share * live_count_ + 0.5;
  for (auto left = static_cast<std::uint32_t>(size); left > 0; --left) {
    if (kind == FaultRate::kMassJoin) {
      Count(Injected::kMassJoins);
      Join(AddPeer());
    } else if (live_count_ > 1) {
      Count(Injected::kMassLeaves);
      Leave(DrawFaulty());
    }
  }
}

// ---- Peers that break the rules: what they send and receive differs from what their core does.

// Names other peers than it should.
Message World::Lie(const Message& message) {
  Rng& rng = faults_.rng();
  const auto twist = [&](PeerRef& ref) {
    if (ref == PeerRef::kNone || !rng.Chance(ChanceParts(options_.faults.lie_share))) return;
    Count(Injected::kLies);
    ref = static_cast<PeerRef>(rng.Below(peer_count()));
  };
  Message lie = message;
  std::visit(
      [&](auto& body) {
        if constexpr (requires { body.contacts; }) {
          const std::span<const PeerRef> truth = lists_.Get(body.contacts);
          std::vector<PeerRef> named(truth.begin(), truth.end());
          for (PeerRef& ref : named) twist(ref);
          lists_.Release(body.contacts);
          body.contacts = lists_.Add(named);
        }
        if constexpr (requires { body.successor; }) twist(body.successor);
        if constexpr (requires { body.predecessor; }) twist(body.predecessor);
      },
      lie);
  return lie;
}

// Says of its island that it is random peers other than those that are it, all heard of now.
Message World::Falsify(const Message& message) {
  Message false_one = message;
  std::visit(
      [&](auto& body) {
        if constexpr (requires { body.ages; }) {
          Count(Injected::kFalseDigests);
          const std::span<const PeerRef> truth = lists_.Get(body.contacts);
          std::array<PeerRef, kSketchSize> named;
          for (PeerRef& ref : named) {
            for (int draws = 0; draws < kFalseDraws; ++draws) {
              ref = static_cast<PeerRef>(faults_.rng().Below(peer_count()));
              if (std::find(truth.begin(), truth.end(), ref) == truth.end()) break;
            }
          }
          lists_.Release(body.contacts);
          body.contacts = lists_.Add(named);
          body.ages = {};
        }
      },
      false_one);
  return false_one;
}

// A dropper takes responsibility for a message to forward, and drops it. True if it has.
bool World::Swallow(PeerRef from, PeerRef peer, const Message& message) {
  const Forward* forward = std::get_if<Forward>(&message);
  if (forward == nullptr || forward->target == directory_.id(peer)) return false;
  Count(Injected::kSwallowed);
  Transmit(peer, from, HopAck{forward->hop, HopStatus::kAccepted});
  return true;
}

void World::ScheduleFlood(PeerRef peer) {
  const double per_s = options_.faults.flood_per_s;
  if (per_s <= 0) return;
  const Time from = std::max(now_, Time{options_.faults.start.us});
  const auto gap = static_cast<std::int64_t>(Exponential(faults_.rng(), 1e6 / per_s));
  const Time at = from + Duration{std::max<std::int64_t>(gap, 1)};
  if (faults_.IsActive(at)) actions_.Schedule(at, Action::Kind::kFlood, Index(peer));
}

// Answers to these find nobody who waits for them.
void World::Flood(PeerRef peer) {
  ScheduleFlood(peer);
  if (!is_up(peer) || live_count_ < 2) return;
  PeerRef target = DrawFaulty();
  while (target == peer) target = DrawFaulty();
  Count(Injected::kFloods);
  Rng& rng = faults_.rng();
  const auto rpc = static_cast<std::uint32_t>(rng.Next());
  if (rng.Chance(ChanceParts(0.5))) return Transmit(peer, target, Ping{rpc});
  FindNode find{rpc, {}, 0};
  for (std::uint32_t& word : find.target.words) word = static_cast<std::uint32_t>(rng.Next() >> 32);
  Transmit(peer, target, find);
}

}  // namespace tombolo::sim
