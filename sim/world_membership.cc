// Who is in the world: the start, joins, deaths and churn.
#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <utility>

#include "overlay/ring_interval.h"
#include "sim/build.h"
#include "sim/build_ring.h"
#include "sim/distribution.h"
#include "sim/world.h"

namespace tombolo::sim {
namespace {

constexpr std::uint64_t kIdStream = 0x6964;        // ids of the first peers
constexpr std::uint64_t kPeerStream = 0x70656572;  // seeds of peers
constexpr std::uint64_t kNatStream = 0x6e6174;
// Kinds of rates: what ChurnOptions lets happen beside the sessions.
enum Rate : std::uint32_t { kJoins, kCrashes, kLeaves, kRates };

constexpr std::size_t kBootstrapPeers = 3;  // random live peers that a newcomer is told about

NodeId RandomIdOf(int bits, Rng& rng) {
  NodeId id;
  for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng.Next() >> 32);
  return bits == kIdBits ? id : Truncated(id, bits);
}

// Of several equal ids the first stays.
void RedrawEqualIds(int bits, Rng& rng, std::vector<NodeId>& ids) {
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  for (bool redrawn = true; std::exchange(redrawn, false);) {
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return ids[a] != ids[b] ? ids[a] < ids[b] : a < b;
    });
    std::vector<std::uint32_t> later;
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (ids[order[i]] == ids[order[i - 1]]) later.push_back(order[i]);
    }
    std::sort(later.begin(), later.end());
    for (const std::uint32_t i : later) ids[i] = RandomIdOf(bits, rng);
    redrawn = !later.empty();
  }
}

}  // namespace

// Ids of a narrow ring that are not taken. Requires room for it: see WorldOptions::Validate.
NodeId World::NewId() {
  for (;;) {
    const NodeId id = RandomIdOf(options_.core.id_bits(), rng_);
    if (options_.core.id_bits() == kIdBits || !directory_.Find(id)) return id;
  }
}

NodeId World::RandomId() {
  NodeId id;
  for (std::uint32_t& word : id.words) word = static_cast<std::uint32_t>(rng_.Next() >> 32);
  return id;
}

PeerRef World::RandomLivePeer() {
  const std::span<const PeerRef> live = oracle_.live();
  assert(!live.empty());
  return live[rng_.Below(static_cast<std::uint32_t>(live.size()))];
}

bool World::DrawDialable(PeerRef peer) const {
  // Nobody could join through a founder behind a NAT.
  if (options_.start == StartMode::kJoin && Index(peer) == 0) return true;
  return !Rng::Split(options_.seed ^ kNatStream, Index(peer))
              .Chance(ChanceParts(options_.nat_share));
}

void World::StartMembership() {
  Rng ids = Rng::Split(options_.seed, kIdStream);
  std::vector<NodeId> chosen(options_.peers);
  for (NodeId& id : chosen) id = RandomIdOf(options_.core.id_bits(), ids);
  if (options_.core.id_bits() < kIdBits) RedrawEqualIds(options_.core.id_bits(), ids, chosen);
  // In id order, peers that are close in the id space are close in memory.
  if (options_.start == StartMode::kBuilt) std::sort(chosen.begin(), chosen.end());
  directory_.Reserve(options_.peers);
  peers_.reserve(options_.peers);
  up_.reserve(options_.peers);
  sequence_.reserve(options_.peers);
  metrics_.received.reserve(options_.peers);
  for (const NodeId& id : chosen) AddPeer(id);

  if (options_.start == StartMode::kBuilt) {
    BuildWorld();
  } else if (options_.peers > 0) {
    // Until its turn comes a peer is down.
    actions_.Schedule(now_, Action::Kind::kJoinNext, 0);
  }
  if (options_.churn.enabled()) ScheduleArrival();
  for (std::uint32_t kind = 0; kind < kRates; ++kind) ScheduleRate(kind);
}

void World::BuildWorld() {
  std::vector<PeerRef> everyone(peers_.size());
  for (std::uint32_t i = 0; i < everyone.size(); ++i) everyone[i] = static_cast<PeerRef>(i);
  const Islands islands(options_);
  if (options_.core.has_table()) BuildTables(options_, islands, directory_, peers_);
  if (options_.core.has_ring()) BuildRings(options_, islands, peers_, MakeStep());
  if (options_.core.links.max_links > 0) BuildLinks(options_, islands, peers_, MakeStep());
  if (options_.core.heals()) BuildSketches(islands, peers_, MakeStep());
  outbox_.Clear();
  live_count_ = peer_count();
  Rng deaths = Rng::Split(options_.seed, 0x64656164);
  for (const PeerRef peer : everyone) {
    up_[Index(peer)] = deaths.Chance(ChanceParts(options_.dead_share)) ? 0 : 1;
    if (up_[Index(peer)] == 0) --live_count_;
    ArmTimer(peer);
    if (options_.churn.enabled()) ScheduleSessionEnd(peer, true);
  }
  std::erase_if(everyone, [&](PeerRef peer) { return !is_up(peer); });
  oracle_.Assign(std::move(everyone), directory_);
}

PeerRef World::AddPeer(std::optional<NodeId> id, std::optional<bool> dialable) {
  PeerAttributes attributes;
  const auto next = static_cast<PeerRef>(directory_.size());
  attributes.dialable = dialable.value_or(DrawDialable(next));
  const PeerRef peer = directory_.Add(id ? *id : NewId(), attributes);
  peers_.emplace_back(peer, directory_.id(peer),
                      Mix64(options_.seed ^ Mix64(kPeerStream ^ Index(peer))));
  up_.push_back(0);
  sequence_.push_back(0);
  metrics_.received.push_back(0);
  if (!metrics_.received_watched.empty()) metrics_.received_watched.push_back(0);
  timers_.AddPeer();
  if (peer_count() > options_.peers) network_.AddPeer();
  reach_.AddPeer(rng_);
  if (faults_.IsFlooder(peer)) ScheduleFlood(peer);
  return peer;
}

void World::Join(PeerRef peer, std::span<const PeerRef> bootstrap) {
  assert(peers_[Index(peer)].state() == PeerState::kIdle);
  if (!bootstrap.empty()) reach_.Follow(peer, bootstrap.front());
  std::array<PeerRef, kBootstrapPeers> drawn;
  if (bootstrap.empty() && live_count_ > 0) {
    for (PeerRef& ref : drawn) ref = RandomReachable(peer);
    // All or none: an island where nobody is up is founded anew.
    if (drawn[0] != PeerRef::kNone) bootstrap = drawn;
  }
  up_[Index(peer)] = 1;
  ++live_count_;
  ++metrics_.joins;
  oracle_.Add(peer, directory_);
  const ListHandle list = lists_.Add(bootstrap);
  Issue(peer, tombolo::Join{list});
  lists_.Release(list);
}

// The initial joins go one after the other, through peer 0 or any before.
void World::JoinNext(std::uint32_t index) {
  const bool earlier = options_.join_through == JoinThrough::kEarlier && index > 0;
  const std::array<PeerRef, 1> founder = {PeerRef{earlier ? rng_.Below(index) : 0}};
  const auto peer = static_cast<PeerRef>(index);
  const bool found = index > 0 && is_up(founder[0]) && reach_.CanTalkBothWays(peer, founder[0]);
  Join(peer, found ? std::span<const PeerRef>(founder) : std::span<const PeerRef>());
  if (options_.churn.enabled()) ScheduleSessionEnd(peer, true);
  if (index + 1 < options_.peers) {
    actions_.Schedule(now_ + options_.join_spacing, Action::Kind::kJoinNext, index + 1);
  }
}

void World::Crash(PeerRef peer, bool keep_state) {
  if (!is_up(peer)) return;
  Kill(peer, keep_state);
  VoidOrphans();
}

void World::Kill(PeerRef peer, bool keep_state) {
  ++metrics_.crashes;
  CutLinksOf(peer, LinkDownReason::kTimeout, options_.keepalive_timeout);
  TakeDown(peer);
  if (!keep_state) Bury(peer);
}

void World::Leave(PeerRef peer) {
  if (!is_up(peer)) return;
  ++metrics_.leaves;
  up_[Index(peer)] = 0;  // its operations end here, before the peer itself ends them as failures
  VoidOrphans();
  up_[Index(peer)] = 1;
  Issue(peer, Depart{});
  TakeDown(peer);
}

void World::CrashShare(double share) {
  const std::vector<PeerRef> live(oracle_.live().begin(), oracle_.live().end());
  for (const PeerRef peer : live) {
    if (rng_.Chance(ChanceParts(share))) Kill(peer);
  }
  VoidOrphans();  // once: it looks at all operations
}

// The peer is silent from now on.
void World::TakeDown(PeerRef peer) {
  up_[Index(peer)] = 0;
  --live_count_;
  oracle_.Remove(peer, directory_);
  timers_.Arm(Index(peer), kNever);
  if (!clients_.empty()) LoseClients(peer);
}

// What a crashed peer held is given up, or long runs with churn would grow without bound. Nobody
// hears of it: its goodbyes are not sent, its events not told.
void World::Bury(PeerRef peer) {
  peers_[Index(peer)].Execute(Depart{}, MakeStep(peer));
  for (const OutgoingMessage& sent : outbox_.sends()) lists_.Release(ListOf(sent.message));
  for (const Payload& payload : outbox_.shares()) payloads_.Share(payload);
  for (const Event& event : outbox_.events()) {
    const GetDone* done = std::get_if<GetDone>(&event);
    if (done != nullptr && done->found) payloads_.Release(done->record.payload);
    DiscardEvent(event);
  }
  for (const Payload& payload : outbox_.releases()) payloads_.Release(payload);
  outbox_.Clear();
  timers_.Arm(Index(peer), kNever);
}

void World::ScheduleSessionEnd(PeerRef peer, bool residual) {
  Rng draws = Rng::Split(options_.seed ^ 0x73657373696f6eULL, Index(peer));
  const Sessions sessions(options_.churn);
  const Duration life = residual ? sessions.DrawResidual(draws) : sessions.DrawLifetime(draws);
  actions_.Schedule(now_ + life, Action::Kind::kSessionEnd, Index(peer));
}

// Newcomers arrive as a Poisson process at the rate that keeps the population, peers / mean
// session.
void World::ScheduleArrival() {
  const Sessions sessions(options_.churn);
  const double mean_us = sessions.mean().seconds() * 1e6 / std::max(options_.peers, 1U);
  const auto gap = static_cast<std::int64_t>(Exponential(rng_, mean_us));
  actions_.Schedule(now_ + Duration{gap}, Action::Kind::kArrival, 0);
}

void World::Arrive() {
  const PeerRef peer = AddPeer();
  Join(peer);
  ScheduleSessionEnd(peer, false);
  ScheduleArrival();
}

void World::ScheduleRate(std::uint32_t kind) {
  const std::array<double, kRates> rates = {options_.churn.join_per_s, options_.churn.crash_per_s,
                                            options_.churn.leave_per_s};
  if (rates[kind] <= 0) return;
  const auto gap = static_cast<std::int64_t>(Exponential(rng_, 1e6 / rates[kind]));
  actions_.Schedule(now_ + Duration{gap}, Action::Kind::kRate, kind);
}

void World::HappenAtRate(std::uint32_t kind) {
  ScheduleRate(kind);
  if (kind == kJoins) {
    const PeerRef peer = AddPeer();
    Join(peer);
    if (options_.churn.enabled()) ScheduleSessionEnd(peer, false);
  } else if (live_count_ > 1) {  // somebody stays, for newcomers to join through
    const PeerRef peer = RandomLivePeer();
    if (kind == kCrashes) return Crash(peer);
    Leave(peer);
  }
}

}  // namespace tombolo::sim
