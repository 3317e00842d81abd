#include "sim/swarm_safety.h"

#include <algorithm>
#include <array>
#include <string>
#include <variant>

#include "sim/checkers.h"

namespace tombolo::sim {
namespace {

// A message is sent over a link once, resent three times at most (relay_hops.cc), and after it was
// handed back it may pass once more as a detour.
constexpr std::uint32_t kMaxPassages = 8;

// A quantity and the limit it has to keep.
struct Bound {
  const char* what;
  std::size_t size;
  std::size_t limit;
};

std::size_t Limit(int configured) { return static_cast<std::size_t>(configured); }

template <class Bounds>
std::optional<Violation> FirstExceeded(const Bounds& bounds, PeerRef peer, Time now) {
  const auto broken =
      std::find_if(bounds.begin(), bounds.end(), [](const Bound& b) { return b.size > b.limit; });
  if (broken == bounds.end()) return std::nullopt;
  return Violation{"S7 everything is bounded", peer, now,
                   std::to_string(broken->size) + " " + broken->what + ", allowed are " +
                       std::to_string(broken->limit)};
}

std::optional<Violation> CheckRelaying(const RelayParts& parts, const Config& config, PeerRef peer,
                                       Time now) {
  // One link more while the newcomer and the one that makes room are both there.
  const std::array<Bound, 5> bounds = {
      Bound{"links", parts.links.rows().size(), Limit(config.links.max_links)},
      Bound{"dials", parts.links.dialing().size(), Limit(config.links.max_dialing)},
      Bound{"pending hops", parts.relay.pending_hops(), Limit(config.relay.max_pending)},
      Bound{"pending sends", parts.relay.pending_sends(), Limit(config.relay.max_pending)},
      Bound{"remembered messages", parts.relay.remembered(), Limit(config.relay.max_seen)}};
  return FirstExceeded(bounds, peer, now);
}

std::optional<Violation> CheckPeer(const World& world, PeerRef ref) {
  const PeerParts* parts = world.peer(ref).parts();
  if (parts == nullptr) return std::nullopt;
  const Config& config = world.options().core;
  const std::array<Bound, 3> bounds = {
      Bound{"lookups", parts->lookups.active(), Limit(config.lookup.max_active)},
      Bound{"records", parts->records ? parts->records->size() : 0,
            Limit(config.store.max_records)},
      Bound{"puts and gets", parts->put_get ? parts->put_get->commands() : 0,
            PutGet::kMaxCommands}};
  if (auto found = FirstExceeded(bounds, ref, world.now())) return found;
  if (!parts->relaying) return std::nullopt;
  return CheckRelaying(*parts->relaying, config, ref, world.now());
}

}  // namespace

std::optional<Violation> SafetyWatch::CheckMessages(World& world) {
  std::optional<Violation> found;
  for (const LoggedMessage& logged : world.message_log().messages()) {
    const Forward* forward = std::get_if<Forward>(&logged.message);
    if (forward != nullptr) found = CheckForward(world, logged, *forward);
    if (found) break;
  }
  return found;
}

std::optional<Violation> SafetyWatch::CheckForward(const World& world, const LoggedMessage& logged,
                                                   const Forward& forward) {
  const Directory& ids = world.directory();
  const auto broken = [&](const char* detail) {
    return Violation{"S4 no forwarding loop", logged.from, logged.at, detail};
  };
  const int ttl = world.options().core.relay.ttl;
  if (forward.kind != ForwardKind::kReceipt && forward.ttl + forward.hops != ttl)
    return broken("a hop did not take from the ttl");
  if (!forward.detouring && !IsCloser(ids.id(logged.to), ids.id(logged.from), forward.target))
    return broken("a greedy hop does not come closer");
  if (++passages_[{forward.id, logged.from, logged.to, forward.copy}] > kMaxPassages)
    return broken("the same copy goes the same way again and again");
  return std::nullopt;
}

std::optional<Violation> SafetyWatch::CheckBounds(const World& world) {
  for (const Finding& finding : RunCheckers(world, false)) {
    if (!finding.ok())
      return Violation{std::string(NameOf(finding.invariant)), finding.peer, world.now(),
                       finding.detail};
  }
  for (const PeerRef peer : world.oracle().live()) {
    if (auto found = CheckPeer(world, peer)) return found;
  }
  return std::nullopt;
}

}  // namespace tombolo::sim
