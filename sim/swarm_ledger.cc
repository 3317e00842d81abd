#include "sim/swarm_ledger.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "sim/checkers.h"

namespace tombolo::sim {
namespace {

constexpr std::string_view kContent = "swarm ";
constexpr const char* kInTime = "S6 every operation ends in time";

// A timer may fire up to a microsecond late, and ties are settled by kind.
constexpr Duration kSlack = Duration::Milliseconds(1);
// A record's time to live is counted from its arrival, so every peer that passes it on adds the
// delay of a message.
constexpr Duration kAgeing = Duration::Seconds(10);

// A lookup asks every contact at most once, and waits for each for as long as an answer may take.
// A put then waits once more, for the acknowledgements of the stores.
// On the ring alone its asker tries again as often as it may.
Duration LongestLookup(const World& world) {
  const Config& core = world.options().core;
  if (!core.has_table()) return core.ring.find_timeout * core.ring.tries;
  return core.lookup.rpc_timeout * (world.peer_count() + 4);
}

// An attaching takes a lookup, and another one if too many holders are dead; a holder that answers
// late or not at all is asked for what it has at the next renewals. Under faults this goes on.
Duration LongestAttach(const World& world) {
  return LongestLookup(world) * 2 + world.options().core.attach.renew_interval * 3;
}

// Whoever's clock has leapt ahead forgets earlier what it holds for a time: by this at most.
Duration LongestLeap(const World& world) {
  const auto leaps = static_cast<std::size_t>(Injected::kClockJumps);
  return world.options().faults.clock_jump *
         static_cast<std::int64_t>(world.metrics().injected[leaps]);
}

std::string_view NameOf(OperationKind kind) {
  return kOperationNames[static_cast<std::size_t>(kind)];
}

}  // namespace

SwarmLedger::Entry SwarmLedger::Begin(const World& world, OperationKind kind, PeerRef source,
                                      Duration longest) const {
  Entry entry;
  entry.kind = kind;
  entry.source = source;
  entry.started = world.now();
  // A clock that is wrong by a hundredth makes a long wait that much longer.
  entry.due = world.now() + longest + longest / 50 + leniency_.late + kSlack;
  return entry;
}

void SwarmLedger::Add(const Entry& entry) {
  open_.push_back(static_cast<std::uint32_t>(entries_.size()));
  entries_.push_back(entry);
  if (entry.kind == OperationKind::kBroadcast) ++open_broadcasts_;
}

void SwarmLedger::Send(World& world, PeerRef source, PeerRef target, Duration deadline) {
  Entry entry = Begin(world, OperationKind::kSend, source, deadline);
  entry.target = target;
  SendOptions options;
  options.deadline = deadline;
  options.bytes = NextContent();
  entry.operation = world.StartSend(source, world.directory().id(target), 0, options);
  Add(entry);
}

void SwarmLedger::SendNowhere(World& world, PeerRef source, const NodeId& target,
                              Duration deadline) {
  Entry entry = Begin(world, OperationKind::kSend, source, deadline);
  SendOptions options;
  options.deadline = deadline;
  options.bytes = NextContent();
  entry.operation = world.StartSend(source, target, 0, options);
  Add(entry);
}

void SwarmLedger::Lookup(World& world, PeerRef source, const NodeId& key) {
  Entry entry = Begin(world, OperationKind::kLookup, source, LongestLookup(world));
  entry.operation = world.StartLookup(source, key);
  Add(entry);
}

void SwarmLedger::Put(World& world, PeerRef source, const NodeId& key, Duration ttl) {
  Entry entry = Begin(world, OperationKind::kPut, source, LongestLookup(world));
  entry.key = key;
  entry.ttl = ttl;
  PutOptions options;
  options.ttl = ttl;
  entry.operation = world.StartPut(source, key, NextContent(), options);
  Add(entry);
}

void SwarmLedger::Get(World& world, PeerRef source, const NodeId& key) {
  Entry entry = Begin(world, OperationKind::kGet, source, LongestLookup(world));
  entry.key = key;
  entry.operation = world.StartGet(source, key);
  Add(entry);
}

void SwarmLedger::Broadcast(World& world, PeerRef source, Duration ttl) {
  Entry entry = Begin(world, OperationKind::kBroadcast, source, ttl);
  entry.ttl = ttl;
  BroadcastOptions options;
  options.ttl = ttl;
  options.deadline = ttl;
  options.bytes = NextContent();
  entry.operation = world.StartBroadcast(source, 0, options);
  Add(entry);
}

void SwarmLedger::Attach(World& world, PeerRef home, const NodeId& client) {
  const Duration calm = std::max(leniency_.calm_from - world.now(), Duration{0});
  Entry entry = Begin(world, OperationKind::kAttach, home, calm + LongestAttach(world));
  entry.key = client;
  entry.operation = world.StartAttach(home, client);
  Add(entry);
}

void SwarmLedger::Resolve(World& world, PeerRef source, const NodeId& client) {
  Entry entry = Begin(world, OperationKind::kResolve, source, LongestLookup(world));
  entry.key = client;
  entry.operation = world.StartResolve(source, client);
  Add(entry);
}

// The entry that this content belongs to; nullptr for bytes that nobody asked to carry.
SwarmLedger::Entry* SwarmLedger::FindContent(std::string_view bytes) {
  if (!bytes.starts_with(kContent)) return nullptr;
  bytes.remove_prefix(kContent.size());
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), index);
  const bool whole = error == std::errc() && end == bytes.data() + bytes.size();
  return whole && index < entries_.size() ? &entries_[index] : nullptr;
}

std::optional<Violation> SwarmLedger::Check(World& world) {
  std::optional<Violation> found;
  for (const LoggedForgetting& logged : world.message_log().forgettings())
    forgot_[logged.peer].push_back(logged.at);
  for (const LoggedEvent& logged : world.events()) {
    found = CheckEvent(world, logged);
    if (found) break;
  }
  world.ClearEvents();
  for (std::size_t i = 0; i < open_.size() && !found;) {
    Entry& entry = entries_[open_[i]];
    if (world.operation(entry.operation).status == OperationStatus::kActive) {
      if (world.now() > entry.due) {
        found = Violation{kInTime, entry.source, world.now(),
                          "a " + std::string(NameOf(entry.kind)) + " has not ended"};
      }
      ++i;
      continue;
    }
    found = CheckEnd(world, entry);
    if (entry.kind == OperationKind::kBroadcast) --open_broadcasts_;
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return found;
}

std::optional<Violation> SwarmLedger::CheckEvent(const World& world, const LoggedEvent& logged) {
  if (const auto* arrived = std::get_if<MessageArrived>(&logged.event)) {
    return CheckArrival(world, logged, arrived->origin, arrived->payload, OperationKind::kSend);
  }
  if (const auto* arrived = std::get_if<BroadcastArrived>(&logged.event)) {
    return CheckArrival(world, logged, arrived->origin, arrived->payload,
                        OperationKind::kBroadcast);
  }
  return std::nullopt;
}

std::optional<Violation> SwarmLedger::CheckArrival(const World& world, const LoggedEvent& logged,
                                                   const NodeId& origin, const Payload& payload,
                                                   OperationKind kind) {
  const std::string bytes(world.bytes_of(payload));
  const auto broken = [&](const char* invariant) {
    return Violation{invariant, logged.peer, logged.at, "content '" + bytes + "'"};
  };
  Entry* entry = FindContent(bytes);
  if (entry == nullptr || entry->kind != kind) return broken("S1 content is what was sent");
  const bool sent = kind == OperationKind::kSend;
  if (sent && entry->target != logged.peer) return broken("S2 no delivery to the wrong peer");
  if (origin != world.directory().id(entry->source)) return broken("S1 origin is authentic");
  if (entry->arrivals.empty()) entry->first_arrival = logged.at;
  const auto [before, first] = entry->arrivals.emplace(logged.peer, logged.at);
  const bool excused = first || HasForgotten(logged.peer, before->second, logged.at);
  before->second = logged.at;
  if (excused) return std::nullopt;
  const Duration memory =
      sent ? world.options().core.relay.seen_ttl : world.options().core.gossip.seen_ttl;
  if (logged.at - entry->first_arrival + LongestLeap(world) > memory / 10 * 9) return std::nullopt;
  return broken("S3 at most once");
}

std::optional<Violation> SwarmLedger::CheckEnd(World& world, Entry& entry) {
  const Operation& done = world.operation(entry.operation);
  const bool succeeded = done.status == OperationStatus::kSucceeded;
  entry.stored = entry.kind == OperationKind::kPut && succeeded;
  entry.refused = entry.kind == OperationKind::kBroadcast &&
                  done.status == OperationStatus::kFailed && done.reason != FailReason::kDeadline;
  const bool nowhere = entry.kind == OperationKind::kSend && entry.target == PeerRef::kNone;
  if (!nowhere && entry.kind != OperationKind::kBroadcast) Count(world, entry, done);
  std::optional<Violation> found;
  if (done.ended > entry.due) {
    found = Violation{kInTime, entry.source, done.ended, "it ended late"};
  } else if (entry.kind == OperationKind::kSend && succeeded && entry.arrivals.empty()) {
    found = Violation{"S5 delivered means arrived", entry.source, done.ended, "no arrival"};
  } else if (entry.kind == OperationKind::kGet && succeeded) {
    found = CheckValue(world, entry, done);
  }
  if (at_rest(entry)) {
    if (auto short_of = CheckAtRest(world, entry, done)) {
      ++results_.failed;
      results_.last_failure = short_of;
    }
  }
  world.TakeOperation(entry.operation);
  return found;
}

// More is asked of a world at rest. It may take a while to come to it: a failure, which is tried
// again, and no violation yet.
std::optional<Violation> SwarmLedger::CheckAtRest(const World& world, const Entry& entry,
                                                  const Operation& done) {
  const auto short_of = [&](const char* invariant, std::string detail) {
    return Violation{invariant, entry.source, done.ended, std::move(detail)};
  };
  const bool succeeded = done.status == OperationStatus::kSucceeded;
  if (entry.kind == OperationKind::kSend && entry.target == PeerRef::kNone) {
    const bool told = !succeeded && done.reason == FailReason::kUnreachable;
    if (!told) return short_of("L4 a send to nobody is told to be unreachable", "it was not");
  } else if (entry.kind == OperationKind::kGet && succeeded && IsOutdated(world, entry, done)) {
    return short_of("L5 the newest record wins", "an older one was found");
  } else if (entry.kind == OperationKind::kResolve) {
    const auto client = world.clients().find(entry.key);
    const bool known = client != world.clients().end() && client->second.home != PeerRef::kNone;
    if (known && (!succeeded || done.target != client->second.home))
      return short_of("I13 every client is found at its home",
                      "one of peer " + std::to_string(Index(client->second.home)));
  }
  return std::nullopt;
}

// Later entries have higher sequences.
bool SwarmLedger::IsOutdated(const World& world, const Entry& get, const Operation& done) {
  const Entry* put = FindContent(world.value_of(done));
  return put != nullptr &&
         std::any_of(put + 1, std::as_const(entries_).data() + entries_.size(),
                     [&](const Entry& other) { return other.stored && other.key == get.key; });
}

void SwarmLedger::Count(const World& world, const Entry& entry, const Operation& done) {
  const bool lookup = entry.kind == OperationKind::kLookup;
  if (lookup) {
    // The ring finds the one peer that is responsible for a key.
    const Config& core = world.options().core;
    const auto k = static_cast<std::uint64_t>(core.table.k);
    if (core.has_table()) {
      results_.wanted += std::min<std::uint64_t>(k, world.live_count() - 1);
      results_.found += CountClosestFound(world, done);
    }
  }
  // Who cannot be dialled is found through those that it is linked to, or not at all.
  const bool exact = world.options().nat_share == 0;
  if (done.status == OperationStatus::kSucceeded && (!lookup || !exact || done.closest_ok)) {
    ++results_.succeeded;
    return;
  }
  ++results_.failed;
  results_.last_failure =
      Violation{"L2 at rest, everything succeeds", entry.source, done.ended,
                std::string(NameOf(entry.kind)) + " without success, begun at " +
                    std::to_string(entry.started.us / 1000) + " ms"};
}

std::optional<Violation> SwarmLedger::CheckValue(const World& world, const Entry& get,
                                                 const Operation& done) {
  const auto broken = [&](const char* invariant) {
    return Violation{invariant, get.source, done.ended,
                     "content '" + std::string(world.value_of(done)) + "'"};
  };
  const Entry* put = FindContent(world.value_of(done));
  if (put == nullptr || put->kind != OperationKind::kPut || put->key != get.key)
    return broken("S1 content is what was put");
  if (!leniency_.slow && get.started > put->started + put->ttl + kAgeing)
    return broken("S9 nothing outlives its time");
  return std::nullopt;
}

bool SwarmLedger::HasForgotten(PeerRef peer, Time since, Time until) const {
  const auto times = forgot_.find(peer);
  if (times == forgot_.end()) return false;
  const auto next = std::ranges::lower_bound(times->second, since);
  return next != times->second.end() && *next <= until;
}

// Somebody is up who has had it ever since: whoever is connected with them gets it.
bool SwarmLedger::HasHolder(const World& world, const Entry& broadcast) const {
  const auto holds = [&](PeerRef peer) {
    const bool had = peer == broadcast.source || broadcast.arrivals.contains(peer);
    return had && !HasForgotten(peer, broadcast.started);
  };
  const bool began = at_rest(broadcast) || !broadcast.refused;
  return began && !HasForgotten(broadcast.source, Time{}) &&
         std::ranges::any_of(world.oracle().live(), holds);
}

std::optional<Violation> SwarmLedger::FirstMissing(const World& world,
                                                   const Entry& broadcast) const {
  if (broadcast.kind != OperationKind::kBroadcast || !HasHolder(world, broadcast))
    return std::nullopt;
  for (const PeerRef peer : world.oracle().live()) {
    if (peer == broadcast.source || broadcast.arrivals.contains(peer)) continue;
    return Violation{"L6 broadcasts reach everybody", peer, world.now(),
                     "one of peer " + std::to_string(Index(broadcast.source)) + ", begun at " +
                         std::to_string(broadcast.started.us / 1000) + " ms, has not come"};
  }
  return std::nullopt;
}

std::optional<Violation> SwarmLedger::CheckBroadcasts(const World& world) const {
  for (const Entry& entry : entries_) {
    const Duration leap = at_rest(entry) ? Duration{0} : LongestLeap(world);
    if (world.now() + leap >= entry.started + entry.ttl) continue;
    if (auto missing = FirstMissing(world, entry)) return missing;
  }
  return std::nullopt;
}

// A clock that is too fast by a hundredth lets it expire that much earlier.
std::optional<Violation> SwarmLedger::CheckCaughtUp(const World& world, Time due) const {
  if (world.now() < due) return std::nullopt;
  for (const Entry& entry : entries_) {
    if (entry.started + entry.ttl * 49 / 50 < due + LongestLeap(world)) continue;
    if (auto missing = FirstMissing(world, entry)) return missing;
  }
  return std::nullopt;
}

}  // namespace tombolo::sim
