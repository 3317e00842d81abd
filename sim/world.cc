// The loop: events in order, what peers put into their outboxes, transmissions.
#include "sim/world.h"

#include <algorithm>
#include <cassert>
#include <span>

#include "overlay/archive.h"
#include "overlay/prefetch.h"

namespace tombolo::sim {
namespace {

constexpr Duration kInstant = Duration::Microseconds(1);

// How far ahead of the loop memory is asked for: enough for a miss to end before it is needed.
constexpr std::size_t kFarEvents = 8;
constexpr std::size_t kNearEvents = 4;
constexpr std::int64_t kFarSlots = 8;
constexpr std::int64_t kNearSlots = 4;

}  // namespace

World::World(const WorldOptions& options)
    : options_(options), rng_(Rng::Split(options.seed, 0x776f726c64)) {
  assert(!options.Validate());
  NetworkOptions network;
  network.latency = options.latency;
  network.bandwidth = options.bandwidth;
  network.loss = options.loss;
  network.dead_links = options.dead_links;
  network.ephemeral_hold = options.ephemeral_hold;
  network.track_ephemeral = options.nat_share > 0 || options.core.links.max_links > 0;
  network.seed = options.seed;
  network.peers = options.peers;
  network_ = Network(network);
  faults_ = FaultInjector(options.faults, options.seed);
  StartMembership();
  for (std::uint32_t rate = 0; rate < kFaultRates; ++rate) ScheduleFault(rate);
}

void World::RunUntil(Time end) {
  while (!RunSlice(end, ~std::uint64_t{0})) {
  }
}

// Processes the first event at or before `end`; false if there is none. At equal times messages go
// first, then timers, then actions. Inlined, as is what it asks for ahead: this runs for every
// event.
bool World::ProcessNext(Time end) {
  const Time bound = end == kNever ? kNever : end + kInstant;
  const auto until = [&](Time time) { return time < bound ? time + kInstant : bound; };
  const Time action_at = actions_.next_time();
  for (;;) {
    const Time timer_at = timers_.next_time();
    QueueEntry entry;
    if (queue_.PopBefore(until(std::min(timer_at, action_at)), entry)) {
      Deliver(entry);
      return true;
    }
    Timer timer;
    if (timers_.PopBefore(std::min(until(action_at), queue_.next_time()), timer)) {
      Fire(timer);
      return true;
    }
    if (timers_.next_time() != timer_at) continue;  // stale timers were dropped
    if (action_at >= bound || action_at >= queue_.next_time()) return false;
    now_ = action_at;
    ++metrics_.events;
    Perform(actions_.Pop());
    return true;
  }
}

bool World::RunSlice(Time end, std::uint64_t events_max) {
  for (std::uint64_t done = 0; done < events_max; ++done) {
    if (ProcessNext(end)) continue;
    now_ = std::max(now_, end);
    return true;
  }
  return false;
}

// At a million peers every step would wait for memory, several times over: what a step needs is
// asked for in the order in which one thing leads to the next, while earlier steps run. Where
// events are dense the sorted run shows what comes; where they are sparse, the slots after it.
void World::PrefetchAhead() {
  const std::span<const QueueEntry> ahead = queue_.Ahead();
  if (ahead.size() > kFarEvents) PrefetchPeer(ahead[kFarEvents]);
  if (ahead.size() > kNearEvents) peers_[ahead[kNearEvents].to].PrefetchParts();
  if (ahead.size() > 1) PrefetchContacts(ahead[1]);
  if (queue_.open_us() != prefetched_us_) PrefetchSlots();
}

void World::PrefetchSlots() {
  prefetched_us_ = queue_.open_us();
  queue_.VisitAhead(kFarSlots, [&](const QueueEntry& entry) { PrefetchPeer(entry); });
  queue_.VisitAhead(kNearSlots, [&](const QueueEntry& entry) { peers_[entry.to].PrefetchParts(); });
  queue_.VisitAhead(1, [&](const QueueEntry& entry) { PrefetchContacts(entry); });
}

// The same for the timers of one slot.
void World::PrefetchTimers() const {
  const std::span<const TimerQueue::Entry> ahead = timers_.Ahead();
  if (ahead.size() > kFarEvents) {
    peers_[ahead[kFarEvents].peer()].Prefetch();
    timers_.Prefetch(ahead[kFarEvents].peer());
  }
  if (ahead.size() > kNearEvents) peers_[ahead[kNearEvents].peer()].PrefetchParts();
  if (ahead.size() > 1) peers_[ahead[1].peer()].PrefetchRing();
}

void World::PrefetchPeer(const QueueEntry& entry) const {
  peers_[entry.to].Prefetch();
  directory_.Prefetch(static_cast<PeerRef>(entry.from));
  flights_.Prefetch(entry.slot);
  timers_.Prefetch(entry.to);
  PrefetchLine(sequence_.data() + entry.to);
  PrefetchLine(metrics_.received.data() + entry.to);
}

void World::PrefetchContacts(const QueueEntry& entry) const {
  peers_[entry.to].PrefetchRing();
  if (options_.core.has_table()) PrefetchBuckets(entry);
}

void World::PrefetchBuckets(const QueueEntry& entry) const {
  const Peer& peer = peers_[entry.to];
  peer.PrefetchContacts(directory_.id(static_cast<PeerRef>(entry.from)));
  if (const auto find = flights_.Find<FindNode>(entry.slot)) peer.PrefetchContacts(find->target);
}

// The step is made long before the peer copies it: the copy reads two words at once and would wait
// for stores of one word each.
void World::Deliver(const QueueEntry& entry) {
  now_ = {entry.time_us};
  const auto from = static_cast<PeerRef>(entry.from);
  const auto to = static_cast<PeerRef>(entry.to);
  const Step step = MakeStep(to);
  PrefetchAhead();
  ++metrics_.events;
  if (faults_.IsPaused(to, now_)) {
    QueueEntry later = entry;
    later.time_us = faults_.paused_until(to).us;
    return queue_.Push(later);
  }
  const Flight flight = flights_.Take(entry.slot);
  if (faults_.touches_arrivals() && !Arrives(entry, flight)) return;
  switch (flight.kind) {
    case FlightKind::kMessage:
    case FlightKind::kWaiting:
      return DeliverMessage(entry, flight.message, step);
    case FlightKind::kDial:
      return ArriveDial(from, to);
    case FlightKind::kLinkUp:
      return ArriveLinkUp(from, to);
    case FlightKind::kLinkDown:
      return ArriveLinkDown(from, to, flight.reason);
    case FlightKind::kCorrupted:
      Count(Injected::kCorrupted);
      return Discard(flight.message);
  }
}

void World::DeliverMessage(const QueueEntry& entry, const Message& message, const Step& step) {
  const auto from = static_cast<PeerRef>(entry.from);
  const auto to = static_cast<PeerRef>(entry.to);
  if (!is_up(to)) {
    ++metrics_.to_dead;
    return Discard(message);
  }
  ++metrics_.received[entry.to];
  if (metrics_.watched[message.index()]) ++metrics_.received_watched[entry.to];
  if (faults_.IsDropper(to, now_) && Swallow(from, to, message)) return Discard(message);
  // The share of the flight becomes the receiver's; the list stays ours.
  peers_[entry.to].Receive(from, message, step);
  lists_.Release(ListOf(message));
  Drain(to);
}

void World::Fire(const Timer& timer) {
  now_ = timer.time;
  const auto peer = static_cast<PeerRef>(timer.peer);
  const Step step = MakeStep(peer);
  PrefetchTimers();
  ++metrics_.events;
  if (!is_up(peer)) return;
  if (faults_.IsPaused(peer, now_)) return timers_.Arm(timer.peer, faults_.paused_until(peer));
  peers_[timer.peer].Tick(step);
  Drain(peer);
}

void World::Perform(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kJoinNext:
      return JoinNext(action.subject);
    case Action::Kind::kArrival:
      return Arrive();
    case Action::Kind::kSessionEnd:
      if (!is_up(static_cast<PeerRef>(action.subject))) return;
      if (options_.churn.graceful_share > 0 &&
          rng_.Chance(ChanceParts(options_.churn.graceful_share))) {
        return Leave(static_cast<PeerRef>(action.subject));
      }
      return Crash(static_cast<PeerRef>(action.subject));
    case Action::Kind::kRate:
      return HappenAtRate(action.subject);
    case Action::Kind::kWorkload:
      return FireWorkload(action.subject);
    case Action::Kind::kBroadcastEnd:
      return ExpireBroadcast(action.subject);
    case Action::Kind::kReattach:
      return Reattach(action.subject);
    case Action::Kind::kSilence:
      return SilenceLinksOf(static_cast<PeerRef>(action.subject));
    case Action::Kind::kSilenceAll:
      return SilenceAll(action.subject);
    case Action::Kind::kFault:
      return BeginFault(action.subject);
    case Action::Kind::kFlap:
      return TurnFlap(action.subject);
    case Action::Kind::kEndIslands:
      return EndIslands();
    case Action::Kind::kReturn:
      return TurnReturn(action.subject);
    case Action::Kind::kFlood:
      return Flood(static_cast<PeerRef>(action.subject));
  }
}

// Carries out what a peer has put into the outbox, in the order that outbox.h prescribes.
void World::Drain(PeerRef peer) {
  if (faults_.Misleads(peer, now_)) [[unlikely]] {
    const bool lies = faults_.IsLiar(peer, now_);
    const bool falsifies = faults_.HasFalseDigest(peer, now_);
    for (const OutgoingMessage& sent : outbox_.sends()) {
      const Message said = lies ? Lie(sent.message) : sent.message;
      Transmit(peer, sent.to, falsifies ? Falsify(said) : said);
    }
  } else {
    for (const OutgoingMessage& sent : outbox_.sends()) Transmit(peer, sent.to, sent.message);
  }
  if (outbox_.has_other()) {
    DrainRest(peer);
  } else {
    outbox_.Clear();
  }
  ArmTimer(peer);
}

void World::ArmTimer(PeerRef peer) {
  const Time deadline = faults_.HostTime(peer, peers_[Index(peer)].next_deadline());
  if (deadline != timers_.armed(Index(peer))) timers_.Arm(Index(peer), std::max(deadline, now_));
}

void World::DrainRest(PeerRef peer) {
  for (const PeerRef to : outbox_.dials()) DialLink(peer, to);
  for (const OutgoingHangup& hangup : outbox_.hangups()) HangUp(peer, hangup.peer);
  for (std::size_t i = 0; outbox_.has_drops() && i < kDropReasons; ++i)
    metrics_.drops[i] += outbox_.drops()[i];
  for (const Payload& payload : outbox_.shares()) payloads_.Share(payload);
  // Handling an event may end operations, never start a step: the outbox is not written to here.
  for (const Event& event : outbox_.events()) HandleEvent(peer, event);
  for (const Payload& payload : outbox_.releases()) payloads_.Release(payload);
  outbox_.Clear();
}

void World::Transmit(PeerRef from, PeerRef to, const Message& message) {
  const std::size_t kind = message.index();
  const std::uint32_t bytes = WireBytes(message, lists_);
  message_log_.Add(now_, from, to, message);
  ++metrics_.messages[kind];
  metrics_.bytes[kind] += bytes;
  if (const Forward* forward = std::get_if<Forward>(&message)) {
    ++metrics_.forwards[static_cast<std::size_t>(forward->kind)];
  }
  if (!CanReach(from, to, message)) {
    ++metrics_.unreachable;
    return lists_.Release(ListOf(message));
  }
  const std::uint32_t sequence = sequence_[Index(from)]++;
  const bool cut = !reach_.CanTalk(from, to);
  Duration delay = Network::kLost;
  if (std::holds_alternative<Evict>(message) && !cut) {
    // Said over a link that is hung up right after it: must neither be lost nor come later.
    delay = network_.Delay(from, to);
  } else if (!cut) {
    delay = network_.Carry(from, to, sequence, bytes * faults_.SqueezeOf(from, now_), now_);
    if (delay == Network::kLost) ++metrics_.lost;
  }
  if (cut) ++metrics_.cut;
  FlightKind arrives = FlightKind::kMessage;
  if (delay != Network::kLost && faults_.touches_messages()) {
    arrives = Disturb(from, to, sequence, message, delay);
  }
  const bool passes = delay != Network::kLost;
  const Time at = passes ? now_ + delay : now_;
  const QueueEntry entry{at.us, Index(to), Index(from), sequence, 0};
  CountTrace(entry, (static_cast<std::uint64_t>(bytes) << 8) | (kind << 1) | (passes ? 1U : 0U));
  if (!passes) return lists_.Release(ListOf(message));
  payloads_.Share(PayloadOf(message));
  const std::uint32_t slot = flights_.Add(arrives, {}, message);
  queue_.Push({entry.time_us, entry.to, entry.from, entry.sequence, slot});
}

// Gives up what a message that will not be received carries.
void World::Discard(const Message& message) {
  lists_.Release(ListOf(message));
  payloads_.Release(PayloadOf(message));
}

// Schedules something other than a message; `from` counts it like a transmission.
void World::Schedule(PeerRef from, PeerRef to, Duration delay, const Flight& flight) {
  const std::uint32_t sequence = sequence_[Index(from)]++;
  QueueEntry entry{(now_ + delay).us, Index(to), Index(from), sequence, 0};
  CountTrace(entry, static_cast<std::uint64_t>(flight.kind));
  entry.slot = flights_.Add(flight.kind, flight.reason, flight.message);
  queue_.Push(entry);
}

// A sum, so that it does not depend on the order in which shards or threads get to their events.
void World::CountTrace(const QueueEntry& entry, std::uint64_t content) {
  const std::uint64_t ends = (static_cast<std::uint64_t>(entry.to) << 32) | entry.from;
  const std::uint64_t what = (content << 32) ^ entry.sequence;
  trace_hash_ += Mix64(
      Mix64(static_cast<std::uint64_t>(entry.time_us) ^ (ends * 0x9e3779b97f4a7c15ULL)) ^ what);
}

void World::ClearEvents() {
  for (const LoggedEvent& logged : events_) DiscardEvent(logged.event);
  events_.clear();
  events_missed_ = 0;
}

bool World::IsConsistent() const {
  const std::size_t count = directory_.size();
  const bool columns = peers_.size() == count && up_.size() == count && sequence_.size() == count &&
                       timers_.peer_count() == count && metrics_.received.size() == count &&
                       reach_.Fits(count);
  return columns && oracle_.live().size() == live_count_ && live_count_ <= count &&
         !options_.Validate();
}

void World::ResetMetrics() {
  const std::size_t peers = metrics_.received.size();
  const std::array<bool, kMessageKinds> watched = metrics_.watched;
  metrics_ = Metrics();
  metrics_.received.assign(peers, 0);
  WatchKinds(watched);
}

void World::WatchKinds(const std::array<bool, kMessageKinds>& kinds) {
  const bool any = std::find(kinds.begin(), kinds.end(), true) != kinds.end();
  metrics_.watched = kinds;
  metrics_.received_watched.assign(any ? peer_count() : 0, 0);
}

}  // namespace tombolo::sim
