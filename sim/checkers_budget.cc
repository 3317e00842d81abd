#include "sim/checkers_budget.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <string>

#include "sim/conditions.h"
#include "sim/greedy_route.h"
#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

// One more thing of which a peer holds `held`, where `allowed` are allowed.
void CheckHeld(PeerRef peer, const std::string& what, std::size_t held, int allowed,
               Finding& finding) {
  ++finding.checked;
  if (held <= static_cast<std::size_t>(allowed)) return;
  finding.Report(peer, "it holds " + std::to_string(held) + " " + what + ", allowed are " +
                           std::to_string(allowed));
}

// Reports `peer` for every one of `others` that is down.
void CheckUp(const World& world, PeerRef peer, const std::string& what,
             std::span<const PeerRef> others, Finding& finding) {
  finding.checked += others.size();
  for (const PeerRef other : others) {
    if (world.is_up(other)) continue;
    finding.Report(peer, what + " peer " + std::to_string(Index(other)) + ", which is down");
  }
}

}  // namespace

Finding CheckMemory(const World& world) {
  Finding finding = StartFinding(world, Invariant::kBudgets);
  const Config& core = world.options().core;
  for (const PeerRef ref : world.oracle().live()) {
    const Peer& peer = world.peer(ref);
    for (int level = 0; level < peer.table().levels(); ++level) {
      const RoutingTable& table = peer.table();
      CheckHeld(ref, "contacts in bucket " + std::to_string(level),
                table.live(level).size() + table.failed(level).size(), core.table.k, finding);
      CheckHeld(ref, "replacements in bucket " + std::to_string(level),
                table.replacements(level).size(), core.table.replacements, finding);
    }
    CheckHeld(ref, "links", peer.links().size(), core.links.max_links, finding);
    CheckHeld(ref, "successors", SuccessorsOf(peer).size(), core.successors(), finding);
    CheckHeld(ref, "predecessors", PredecessorsOf(peer).size(), core.predecessors(), finding);
  }
  return finding;
}

Finding CheckMessages(const World& world, const MessageBudget& budget) {
  Finding finding = StartFinding(world, Invariant::kBudgets);
  const double live = std::max(world.live_count(), 1U);
  const double sent = static_cast<double>(world.metrics().total_messages()) / live;
  finding.checked = 1 + world.metrics().received.size();
  if (sent > budget.per_peer) {
    finding.Report(PeerRef::kNone, NumberText(sent) + " messages per peer, allowed are " +
                                       NumberText(budget.per_peer));
  }
  for (std::uint32_t i = 0; i < world.peer_count(); ++i) {
    const std::uint32_t received = world.metrics().received[i];
    if (received <= budget.busiest) continue;
    finding.Report(PeerRef{i}, "it received " + std::to_string(received) +
                                   " messages, allowed are " + std::to_string(budget.busiest));
  }
  return finding;
}

Finding CheckNoDeadTraffic(const World& world) {
  Finding finding = StartFinding(world, Invariant::kNoDeadTraffic);
  for (const PeerRef ref : world.oracle().live()) {
    if (!IsMember(world, ref)) continue;
    const Peer& peer = world.peer(ref);
    for (const Link& link : peer.links())
      CheckUp(world, ref, "it keeps a link to", {&link.peer, 1}, finding);
    CheckUp(world, ref, "its successors name", SuccessorsOf(peer), finding);
    CheckUp(world, ref, "its predecessors name", PredecessorsOf(peer), finding);
  }
  return finding;
}

TrafficMark MarkTraffic(const World& world) {
  return {world.now(), world.metrics().total_messages()};
}

double TrafficSince(const World& world, const TrafficMark& mark) {
  assert(world.now() > mark.at);
  return static_cast<double>(world.metrics().total_messages() - mark.messages) /
         (world.now() - mark.at).seconds();
}

Finding CheckTermination(const World& world, double baseline, const TrafficMark& mark) {
  Finding finding = StartFinding(world, Invariant::kTermination);
  finding.checked = 1;
  const double allowed = kTrafficSlack * baseline + world.live_count() / 60.0;
  const double rate = TrafficSince(world, mark);
  if (rate > allowed) {
    finding.Report(PeerRef::kNone,
                   NumberText(rate) + " messages a second, allowed are " + NumberText(allowed));
  }
  return finding;
}

}  // namespace tombolo::sim
