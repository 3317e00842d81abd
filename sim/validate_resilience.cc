// Static resilience: table 1.4 of docs/ground-truth.md, XOR columns. 2^16 peers whose ids use up
// all values of their first 16 bits; a share of them dies, contacts that died are dropped, nothing
// is repaired; a route between live peers fails where a peer knows nobody closer to the target than
// itself.
//
// The table was measured with contacts drawn with replacement; tables hold distinct ones, and the
// cells of the published correction are used where it has them. Rows are one-sided: not worse than
// the table.
//
// The last rows have 8+8 neighbours on the ring beside k = 8 contacts, and go as relays do: over
// whom they know, the ring where nobody is XOR-closer (WalkRoute). Their ids are random.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "overlay/rng.h"
#include "sim/greedy_route.h"
#include "sim/validate.h"

namespace tombolo::sim {
namespace {

constexpr int kIdWidth = 16;
constexpr std::uint32_t kPeers = 1U << kIdWidth;
constexpr std::array kBuckets = {1, 2, 4, 8};

struct Row {
  int dead_percent;
  std::array<double, kBuckets.size()> failed_percent;  // by k
};
constexpr std::array<Row, 7> kTable = {{
    {10, {6.9, .27, .02, 0}},
    {20, {16.7, 2.6, .11, 0}},
    {30, {31.1, 4.1, .45, .01}},
    {40, {48.4, 12.0, 1.0, .04}},
    {50, {67.6, 19.3, 1.84, .12}},
    {60, {85.1, 39.4, 7.7, .28}},
    {70, {95.5, 63.2, 18.5, 2.2}},
}};

struct RingRow {
  int dead_percent;
  double failed_percent;
};
constexpr std::array<RingRow, 4> kRingTable = {{{40, 0}, {50, .003}, {60, .03}, {70, .26}}};
constexpr int kRingBuckets = 8;

constexpr std::size_t kSteps = kBuckets.size() * kTable.size() + kRingTable.size();  // of progress

constexpr double kRoutes = 100'000;
// Of the difference of two measured shares, ours and the table's (taken as no smaller a sample than
// 20,000 routes): 4 standard deviations, so that one in 30,000 honest rows fails; and the last
// digit given.
constexpr double kDeviations = 4;
constexpr double kTheirRoutes = 20'000;

double Tolerance(double percent, double routes) {
  // No failures seen in the table still allows the share at which seeing none is likely.
  const double share = std::max(percent / 100, 1 / kTheirRoutes);
  const double variance = share * (1 - share) * (1 / routes + 1 / kTheirRoutes);
  const double last_digit = percent >= 10 ? .1 : .01;
  return kDeviations * std::sqrt(variance) * 100 + last_digit;
}

class Network16 {
 public:
  Network16(int k, std::uint64_t seed)
      : rng_(Rng::Split(seed, static_cast<std::uint64_t>(k))), tables_(kPeers), dead_(kPeers, 0) {
    TableConfig config;
    config.k = k;
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      NodeId id;
      id.words[0] = i << (32 - kIdWidth);
      ids_.Add(id);
      order_.push_back(i);
    }
    for (std::uint32_t i = 0; i < kPeers; ++i) Fill(i, config);
    for (std::uint32_t i = kPeers - 1; i > 0; --i) std::swap(order_[i], order_[rng_.Below(i + 1)]);
  }

  // Raises the dead share; everybody drops the dead at once.
  void Kill(int percent) {
    const std::uint32_t wanted = kPeers / 100 * static_cast<std::uint32_t>(percent);
    for (; killed_ < wanted; ++killed_) dead_[order_[killed_]] = 1;
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      if (dead_[i] == 0) DropDead(i);
    }
  }

  // Share of routes between random live pairs that fail, in percent.
  double FailedPercent(std::uint64_t routes) {
    std::uint64_t failed = 0;
    const auto table_of = [&](PeerRef peer) -> const RoutingTable& { return tables_[Index(peer)]; };
    for (std::uint64_t i = 0; i < routes; ++i) {
      failed += GreedyHops(ids_, table_of, RandomLive(), RandomLive()) ? 0 : 1;
    }
    return 100 * static_cast<double>(failed) / static_cast<double>(routes);
  }

 private:
  // min(k, population) distinct random members of each subtree.
  void Fill(std::uint32_t owner, const TableConfig& config) {
    RoutingTable& table = tables_[owner];
    for (int level = 0; level < kIdWidth; ++level) {
      const std::uint32_t size = kPeers >> (level + 1);
      const std::uint32_t first = (owner ^ size) / size * size;
      const std::uint32_t wanted = std::min(size, static_cast<std::uint32_t>(config.k));
      const std::uint32_t offset = size == wanted ? 0 : rng_.Below(size);
      for (std::uint32_t taken = 0, draw = offset; taken < wanted;) {
        const auto contact = static_cast<PeerRef>(first + draw);
        if (table.Seen(contact, level, config, ids_) == SeenResult::kInserted) ++taken;
        draw = size == wanted ? draw + 1 : rng_.Below(size);
      }
    }
  }

  void DropDead(std::uint32_t owner) {
    RoutingTable& table = tables_[owner];
    for (int level = 0; level < table.levels(); ++level) {
      const std::span<const PeerRef> live = table.live(level);
      const std::vector<PeerRef> contacts(live.begin(), live.end());
      for (const PeerRef contact : contacts) {
        if (dead_[Index(contact)] != 0) table.Remove(contact, level);
      }
    }
  }

  PeerRef RandomLive() {
    return static_cast<PeerRef>(order_[killed_ + rng_.Below(kPeers - killed_)]);
  }

  Rng rng_;
  Directory ids_;
  std::vector<RoutingTable> tables_;
  std::vector<std::uint8_t> dead_;
  std::vector<std::uint32_t> order_;  // of dying
  std::uint32_t killed_ = 0;
};

World RingWorld(std::uint64_t seed) {
  WorldOptions options;
  options.peers = kPeers;
  options.seed = seed;
  options.core.overlay = OverlayKind::kBoth;
  options.core.table.k = kRingBuckets;
  return World(options);
}

double FailedWalksPercent(const World& world, std::uint64_t routes, Rng& rng) {
  const std::span<const PeerRef> live = world.oracle().live();
  const auto draw = [&] { return live[rng.Below(static_cast<std::uint32_t>(live.size()))]; };
  std::uint64_t failed = 0;
  for (std::uint64_t i = 0; i < routes; ++i) {
    const PeerRef source = draw();
    failed += WalkRoute(world, source, draw()).arrived ? 0 : 1;
  }
  return 100 * static_cast<double>(failed) / static_cast<double>(routes);
}

void ValidateRing(std::uint64_t routes, const ValidateWatch& watch, Validation& validation) {
  World world = RingWorld(validation.seed);
  Rng rng = Rng::Split(validation.seed, kRingBuckets);
  for (const RingRow& row : kRingTable) {
    if (!watch.Begin("static resilience", kSteps - kRingTable.size(), kSteps)) return;
    const double survivors = kPeers * (1 - row.dead_percent / 100.0);
    world.CrashShare(1 - survivors / world.live_count());
    validation.rows.push_back(
        {"1.4", std::to_string(row.dead_percent) + " % dead k=8, ring 8+8", "failed_percent",
         row.failed_percent, FailedWalksPercent(world, routes, rng),
         Tolerance(row.failed_percent, static_cast<double>(routes)), Rule::kAtMost});
  }
}

}  // namespace

void ValidateResilience(const ValidateOptions& options, const ValidateWatch& watch,
                        Validation& validation) {
  const auto routes = static_cast<std::uint64_t>(kRoutes * options.scale);
  std::uint64_t done = 0;
  for (std::size_t column = 0; column < kBuckets.size(); ++column) {
    Network16 network(kBuckets[column], validation.seed);
    for (const Row& row : kTable) {
      if (!watch.Begin("static resilience", done++, kSteps)) return;
      network.Kill(row.dead_percent);
      const double expected = row.failed_percent[column];
      validation.rows.push_back(
          {"1.4",
           std::to_string(row.dead_percent) + " % dead k=" + std::to_string(kBuckets[column]),
           "failed_percent", expected, network.FailedPercent(routes),
           Tolerance(expected, static_cast<double>(routes)), Rule::kAtMost});
    }
  }
  ValidateRing(routes, watch, validation);
}

}  // namespace tombolo::sim
