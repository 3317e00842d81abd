// Kademlia hops: table 1.2 of docs/ground-truth.md. Cells are mean and 99th percentile of greedy
// hops to an existing id with distinct contacts, the delivery hop counted. The figures are good
// within 1.3 % and 1 hop.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "overlay/rng.h"
#include "sim/greedy_route.h"
#include "sim/validate.h"
#include "sim/world.h"

namespace tombolo::sim {
namespace {

constexpr std::array kBuckets = {1, 2, 3, 4, 8, 10, 16, 20};

struct Cell {
  double mean;
  int p99;
};
struct Population {
  int bits;  // 2^bits peers
  std::array<Cell, kBuckets.size()> by_k;
};
constexpr std::array<Population, 5> kTable = {{
    {10,
     {{{4.95, 9}, {3.72, 6}, {3.20, 5}, {2.91, 5}, {2.38, 4}, {2.25, 3}, {2.02, 3}, {1.94, 3}}}},
    {12,
     {{{5.94, 10}, {4.47, 7}, {3.84, 6}, {3.48, 5}, {2.84, 4}, {2.68, 4}, {2.40, 3}, {2.30, 3}}}},
    {14,
     {{{6.94, 11}, {5.22, 8}, {4.47, 7}, {4.05, 6}, {3.29, 5}, {3.10, 4}, {2.78, 4}, {2.65, 4}}}},
    {17,
     {{{8.45, 13}, {6.34, 10}, {5.45, 8}, {4.91, 7}, {3.97, 6}, {3.74, 5}, {3.33, 5}, {3.17, 4}}}},
    {20,
     {{{9.93, 15}, {7.48, 11}, {6.38, 9}, {5.76, 8}, {4.63, 7}, {4.37, 6}, {3.90, 5}, {3.69, 5}}}},
}};

// The standard deviation is at most 2 hops: the error of the mean is 0.01 hops, a fifth of the
// least tolerance.
constexpr double kRoutes = 50'000;
constexpr double kMeanTolerance = 0.03;  // share of the expected mean

WorldOptions OptionsOf(int bits, int k, std::uint64_t seed) {
  WorldOptions options;
  options.peers = std::uint32_t{1} << bits;
  options.seed = seed;
  options.core.table.k = k;
  options.core.links.max_links = 0;
  options.core.links.reserved = 0;
  return options;
}

HopHistogram MeasureHops(const World& world, std::uint64_t routes) {
  HopHistogram hops;
  Rng rng = Rng::Split(world.options().seed, 0x686f7073);
  const auto table_of = [&](PeerRef peer) -> const RoutingTable& {
    return world.peer(peer).table();
  };
  while (hops.count() < routes) {
    const auto source = static_cast<PeerRef>(rng.Below(world.peer_count()));
    const auto target = static_cast<PeerRef>(rng.Below(world.peer_count()));
    if (source == target) continue;
    // A failed route would be a false-empty bucket: it counts as endless.
    hops.Add(
        GreedyHops(world.directory(), table_of, source, target).value_or(HopHistogram::kSize - 1));
  }
  return hops;
}

void AddRows(int bits, int k, const Cell& cell, const HopHistogram& hops, Validation& validation) {
  const std::string row = "n=2^" + std::to_string(bits) + " k=" + std::to_string(k);
  validation.rows.push_back(
      {"1.2", row, "hops_mean", cell.mean, hops.mean(), cell.mean * kMeanTolerance, Rule::kWithin});
  validation.rows.push_back({"1.2", row, "hops_p99", static_cast<double>(cell.p99),
                             static_cast<double>(hops.quantile(0.99)), 1, Rule::kWithin});
}

}  // namespace

void ValidateHops(const ValidateOptions& options, const ValidateWatch& watch,
                  Validation& validation) {
  const auto routes = static_cast<std::uint64_t>(kRoutes * options.scale);
  const std::size_t populations = options.large ? kTable.size() : kTable.size() - 1;
  for (std::size_t i = populations; i < kTable.size(); ++i)
    validation.skipped.push_back("1.2    n=2^" + std::to_string(kTable[i].bits));
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < populations; ++i) {
    const auto& [bits, by_k] = kTable[i];
    for (std::size_t j = 0; j < kBuckets.size(); ++j) {
      if (!watch.Begin("hops by k and n", done++, populations * kBuckets.size())) return;
      const World world(OptionsOf(bits, kBuckets[j], validation.seed));
      AddRows(bits, kBuckets[j], by_k[j], MeasureHops(world, routes), validation);
      validation.peers = std::max(validation.peers, world.peer_count());
    }
  }
}

}  // namespace tombolo::sim
