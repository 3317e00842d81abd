#include "sim/checkers.h"

#include <algorithm>
#include <span>
#include <vector>

#include "sim/checkers_budget.h"
#include "sim/checkers_ring.h"
#include "sim/checkers_routes.h"

namespace tombolo::sim {
namespace {

// Longer than any lookup: every round of one ends at the latest with its time-outs.
constexpr Duration kLookupLimit = Duration::Minutes(10);

// The true k closest live peers to the key, but for the asker, who does not look for itself.
std::vector<PeerRef> TrueClosest(const World& world, const Operation& lookup) {
  const auto k = static_cast<std::size_t>(world.options().core.table.k);
  std::vector<PeerRef> closest = world.oracle().Closest(lookup.key, k + 1, world.directory());
  std::erase(closest, lookup.source);
  if (closest.size() > k) closest.resize(k);
  return closest;
}

void Judge(const World& world, const Operation& lookup, LookupCheck& check) {
  if (lookup.status != OperationStatus::kSucceeded) {
    ++check.failed;
    return;
  }
  ++check.lookups;
  const std::size_t wanted = TrueClosest(world, lookup).size();
  const std::size_t found = CountClosestFound(world, lookup);
  check.wanted += wanted;
  check.found += found;
  if (found == wanted) {
    ++check.exact;
  } else if (!check.first_target) {
    check.first_target = lookup.key;
    check.first_source = lookup.source;
  }
}

}  // namespace

std::size_t CountClosestFound(const World& world, const Operation& lookup) {
  const std::vector<PeerRef> truth = TrueClosest(world, lookup);
  return static_cast<std::size_t>(std::count_if(truth.begin(), truth.end(), [&](PeerRef peer) {
    return std::find(lookup.closest.begin(), lookup.closest.end(), peer) != lookup.closest.end();
  }));
}

LookupCheck CheckLookups(World& world, std::uint32_t count) {
  LookupCheck check;
  std::vector<OperationId> started;
  for (std::uint32_t i = 0; i < count && world.live_count() > 1; ++i) {
    const NodeId key = world.RandomId();  // first: arguments have no order
    started.push_back(world.StartLookup(world.RandomLivePeer(), key));
  }
  const Time limit = world.now() + kLookupLimit;
  for (const OperationId id : started) {
    if (world.RunUntilEnded(id, limit)) {
      Judge(world, world.TakeOperation(id), check);
    } else {
      ++check.failed;
    }
  }
  return check;
}

std::vector<Finding> RunCheckers(const World& world, bool at_quiescence) {
  std::vector<Finding> findings;
  if (at_quiescence) {
    findings = CheckRing(world);
    findings.push_back(CheckTables(world));
    findings.push_back(CheckRoutable(world));
    findings.push_back(CheckNoDeadTraffic(world));
  }
  findings.push_back(CheckNoLoops(world));
  findings.push_back(CheckMemory(world));
  std::sort(findings.begin(), findings.end(),
            [](const Finding& a, const Finding& b) { return a.invariant < b.invariant; });
  return findings;
}

}  // namespace tombolo::sim
