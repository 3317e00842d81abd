#include "sim/heal_run.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <vector>

#include "sim/checkers_tables.h"
#include "sim/conditions.h"
#include "sim/distribution.h"
#include "sim/greedy_route.h"
#include "sim/islands.h"
#include "sim/latency.h"

namespace tombolo::sim {
namespace {

constexpr std::uint32_t kDelaySamples = 4096;
constexpr std::uint32_t kWatchedPairs = 1000;  // of one island, walked in turn while it heals
constexpr std::uint32_t kWalksPerLook = 100;
constexpr std::uint32_t kSendsPerLook = 2;
constexpr Duration kSendDeadline = Duration::Seconds(30);

template <class Kind>
constexpr std::size_t KindOf() {
  return Message(Kind{}).index();
}

// Of the latency model between the first peers, jitter included.
Duration MeanDelay(const WorldOptions& options) {
  const Latency latency(options.latency, options.seed);
  Rng rng = Rng::Split(options.seed, 0x64656c6179);
  std::int64_t total = 0;
  for (std::uint32_t i = 0; i < kDelaySamples; ++i) {
    const std::uint32_t from = rng.Below(options.peers);
    const std::uint64_t salt = rng.Next();  // first: arguments have no order
    total += latency.OneWay(from, rng.Below(options.peers), salt).us;
  }
  return Duration{total / kDelaySamples};
}

// Transmissions so far, by what they are for.
struct Traffic {
  std::uint64_t merge = 0, acks = 0, refresh = 0, all = 0;
  std::uint64_t confirm = 0;  // of merge: for some time after it, now and then a false alarm
};

Traffic CountTraffic(const Metrics& metrics) {
  const std::array<bool, kMessageKinds> merge = MergeKinds();
  Traffic traffic;
  for (std::size_t kind = 0; kind < kMessageKinds; ++kind) {
    if (merge[kind]) traffic.merge += metrics.messages[kind];
  }
  traffic.confirm =
      metrics.messages[KindOf<MergeConfirm>()] + metrics.messages[KindOf<MergeConfirmed>()];
  traffic.acks = metrics.messages[KindOf<MergeAck>()];
  traffic.refresh =
      metrics.messages[KindOf<MergeRefresh>()] + metrics.messages[KindOf<MergeRefreshed>()];
  traffic.all = metrics.total_messages();
  return traffic;
}

class HealRun {
 public:
  HealRun(World& world, const HealOptions& options, std::span<const std::uint32_t> sizes,
          const GoOn& go_on)
      : world_(world),
        options_(options),
        go_on_(go_on),
        rng_(Rng::Split(world.options().seed, 0x6865616c)),
        sizes_(sizes.begin(), sizes.end()),
        ring_(Condition::kRingOk),
        tables_(Condition::kTablesOk) {
    figures_.delay = MeanDelay(world.options());
    figures_.smallest_island = *std::min_element(sizes_.begin(), sizes_.end());
  }

  HealFigures Measure() {
    FindIslands();
    ScheduleDeath();
    const bool apart = options_.start != HealStart::kSplit || CutAndWait();
    if (!apart) return figures_;
    ChoosePairs();
    world_.WatchKinds(MergeKinds());
    world_.ResetMetrics();
    OpenPaths();
    if (options_.start == HealStart::kSeparate) IntroduceAll();
    Watch();
    Conclude();
    return figures_;
  }

 private:
  struct Pair {
    PeerRef from;
    PeerRef to;
  };

  void FindIslands() {
    if (options_.start == HealStart::kSplit) {
      std::vector<std::uint16_t> labels;
      for (std::size_t island = 0; island < sizes_.size(); ++island)
        labels.insert(labels.end(), sizes_[island], static_cast<std::uint16_t>(island));
      for (std::size_t i = labels.size(); i > 1; --i)
        std::swap(labels[i - 1], labels[rng_.Below(static_cast<std::uint32_t>(i))]);
      labels_ = labels;
    } else {
      const Islands islands(world_.options());
      for (std::uint32_t i = 0; i < world_.peer_count(); ++i)
        labels_.push_back(static_cast<std::uint16_t>(islands.of(PeerRef{i})));
    }
    members_.resize(sizes_.size());
  }

  // False if the run is cut short.
  bool CutAndWait() {
    world_.PartitionInto(labels_);
    const Time end = world_.now() + options_.cut;
    while (world_.now() < end) {
      RunTo(std::min(end, world_.now() + Duration::Seconds(1)));
      if (!go_on_()) return false;
    }
    // Newcomers have come.
    labels_.clear();
    for (std::uint32_t i = 0; i < world_.peer_count(); ++i)
      labels_.push_back(static_cast<std::uint16_t>(world_.island_of(PeerRef{i})));
    return true;
  }

  void OpenPaths() {
    begin_ = whole_at_ = world_.now();
    if (options_.churn_half_life > Duration{}) churn_end_ = begin_ + options_.churn_time;
    if (options_.one_way == Duration{}) return world_.Heal();
    whole_at_ = begin_ + options_.one_way;
    world_.PartitionInto(labels_, Crossing::kUpward);
  }

  // Lets time pass, and what belongs to it happen.
  void RunTo(Time end) {
    while (std::min(next_death_, open_both_ways_at()) <= end) {
      const bool opens = open_both_ways_at() <= next_death_;
      world_.RunUntil(opens ? whole_at_ : next_death_);
      if (opens) {
        world_.Heal();
        is_whole_ = true;
      } else {
        ReplaceSomebody();
        ScheduleDeath();
      }
      quiet_since_ = world_.now();
    }
    world_.RunUntil(end);
  }
  Time open_both_ways_at() const {
    return options_.one_way > Duration{} && !is_whole_ ? whole_at_ : kNever;
  }

  void ScheduleDeath() {
    if (options_.churn_half_life == Duration{}) return;
    constexpr double kLn2 = 0.6931471805599453;
    const double mean_us =
        static_cast<double>(options_.churn_half_life.us) / (kLn2 * world_.live_count());
    next_death_ = world_.now() + Duration{static_cast<std::int64_t>(Exponential(rng_, mean_us))};
    if (next_death_ > churn_end_) next_death_ = kNever;
  }

  // The newcomer joins through one peer, or it would be a bridge of its own.
  void ReplaceSomebody() {
    if (world_.live_count() < 2) return;
    world_.Crash(RandomLive());
    const std::array<PeerRef, 1> through = {RandomLive()};
    world_.Join(world_.AddPeer(), through);
  }

  PeerRef RandomLive() { return world_.oracle().live()[rng_.Below(world_.live_count())]; }

  PeerRef RandomOf(const std::vector<PeerRef>& peers) {
    return peers[rng_.Below(static_cast<std::uint32_t>(peers.size()))];
  }

  // Pairs of one island that a walk joins before anything happens.
  void ChoosePairs() {
    for (const PeerRef peer : world_.oracle().live())
      members_[labels_[Index(peer)]].push_back(peer);
    for (std::uint32_t i = 0; i < kWatchedPairs; ++i) {
      const PeerRef from = RandomLive();
      const PeerRef to = RandomOf(members_[labels_[Index(from)]]);
      if (from != to && WalkRoute(world_, from, to).arrived) pairs_.push_back({from, to});
    }
  }

  void IntroduceAll() {
    for (std::uint32_t i = 0; i < options_.false_alarms; ++i) {
      const std::vector<PeerRef>& island = members_[i % members_.size()];
      world_.Introduce(RandomOf(island), RandomOf(island));
    }
    if (options_.false_alarms > 0) return;
    // An island whose peers are all dead is none.
    std::erase_if(members_, [](const std::vector<PeerRef>& island) { return island.empty(); });
    for (std::uint32_t i = 0; i < options_.bridges; ++i) {
      const PeerRef hub = RandomOf(members_[0]);
      for (std::size_t island = 1; island < members_.size(); ++island) {
        const bool chain = options_.topology == Bridges::kChain;
        const PeerRef from = chain ? RandomOf(members_[island - 1]) : hub;
        world_.Introduce(from, RandomOf(members_[island]));
      }
    }
  }

  Duration Since() const { return world_.now() - begin_; }

  void Watch() {
    const Duration look = std::max(figures_.delay / 2, Duration::Milliseconds(1));
    quiet_since_ = begin_;
    do {
      Look();
      if (Done()) break;
      RunTo(world_.now() + look);
    } while (Since() < options_.limit && go_on_());
  }

  void Look() {
    if (!figures_.ring_ok && ring_.Holds(world_)) figures_.ring_ok = Since();
    if (!figures_.tables_ok && tables_.Holds(world_)) figures_.tables_ok = Since();
    LookAtTraffic();
    if (refreshing_) return;
    WalkPairs();
    SendBetweenPairs();
  }

  void LookAtTraffic() {
    const Traffic now = CountTraffic(world_.metrics());
    if (now.merge > 0 && !figures_.detected) figures_.detected = Since();
    const bool merges = now.merge - now.confirm != seen_.merge - seen_.confirm;
    if (merges || now.refresh != seen_.refresh) quiet_since_ = world_.now();
    if (!refreshing_ && now.merge != seen_.merge) figures_.merged = Since();
    if (!refreshing_ && now.refresh > 0) {
      refreshing_ = true;
      figures_.false_empty_before_refresh = CountFalseEmptyBuckets(world_);
    }
    seen_ = now;
  }

  bool Done() {
    const bool was_right = figures_.ring_ok && figures_.tables_ok;
    const bool detected = options_.start == HealStart::kSeparate || figures_.detected;
    const bool disturbed = world_.now() < whole_at_ || next_death_ != kNever;
    if (!was_right || !detected || disturbed) return false;
    if (world_.now() - quiet_since_ < options_.quiet) return false;
    return ring_.Holds(world_) && tables_.Holds(world_);
  }

  void WalkPairs() {
    for (std::uint32_t i = 0; i < kWalksPerLook && !pairs_.empty(); ++i) {
      const Pair& pair = pairs_[next_pair_++ % pairs_.size()];
      if (!BothAreUp(pair)) continue;
      ++figures_.walks_during;
      const Walk walk = WalkRoute(world_, pair.from, pair.to, world_.options().core.relay.tries);
      figures_.walks_during_ok += walk.arrived ? 1 : 0;
      figures_.walks_repeated += walk.tries > 1 ? 1 : 0;
      figures_.walks_handed_back += walk.handed_back > 0 ? 1 : 0;
    }
  }

  bool BothAreUp(const Pair& pair) const {
    return world_.is_up(pair.from) && world_.is_up(pair.to);
  }

  void SendBetweenPairs() {
    if (world_.options().core.links.max_links == 0 || figures_.ring_ok) return;
    for (std::uint32_t i = 0; i < kSendsPerLook && !pairs_.empty(); ++i) {
      const Pair& pair = pairs_[next_send_++ % pairs_.size()];
      if (!BothAreUp(pair)) continue;
      SendOptions send;
      send.deadline = kSendDeadline;
      sends_.push_back(world_.StartSend(pair.from, world_.directory().id(pair.to), 64, send));
    }
  }

  void Conclude() {
    if (!refreshing_) figures_.false_empty_before_refresh = CountFalseEmptyBuckets(world_);
    figures_.false_empty = CountFalseEmptyBuckets(world_);
    figures_.merge_messages = seen_.merge;
    figures_.acks = seen_.acks;
    figures_.refresh_messages = seen_.refresh;
    figures_.background_messages = seen_.all - seen_.merge - seen_.acks - seen_.refresh;
    const std::vector<std::uint32_t>& loads = world_.metrics().received_watched;
    figures_.busiest = loads.empty() ? 0 : *std::max_element(loads.begin(), loads.end());
    WalkAfter();
    for (const OperationId id : sends_) {
      world_.RunUntilEnded(id, world_.now() + kSendDeadline);
      ++figures_.sends;
      if (world_.operation(id).status == OperationStatus::kSucceeded) ++figures_.delivered;
    }
    figures_.healed = figures_.ring_ok && figures_.tables_ok && figures_.false_empty == 0 &&
                      figures_.walks_after == figures_.walks_after_ok &&
                      Holds(world_, Condition::kRingOk);
  }

  void WalkAfter() {
    const std::span<const PeerRef> live = world_.oracle().live();
    const bool all = live.size() <= kAllPairsPeers;
    const std::uint64_t count = all ? live.size() * live.size() : kSampledPairs;
    for (std::uint64_t i = 0; i < count; ++i) {
      const PeerRef from = all ? live[i / live.size()] : RandomLive();
      const PeerRef to = all ? live[i % live.size()] : RandomLive();
      ++figures_.walks_after;
      figures_.walks_after_ok += WalkRoute(world_, from, to).arrived ? 1 : 0;
    }
  }

  World& world_;
  const HealOptions options_;
  const GoOn& go_on_;
  Rng rng_;
  std::vector<std::uint32_t> sizes_;
  std::vector<std::uint16_t> labels_;  // the island of each peer
  std::vector<std::vector<PeerRef>> members_;
  std::vector<Pair> pairs_;
  std::vector<OperationId> sends_;
  std::size_t next_pair_ = 0;
  std::size_t next_send_ = 0;
  ConditionWatch ring_;
  ConditionWatch tables_;
  Time begin_;
  Time whole_at_ = kNever;
  bool is_whole_ = false;
  Time next_death_ = kNever;
  Time churn_end_ = kNever;
  Time quiet_since_;
  Traffic seen_;
  bool refreshing_ = false;
  HealFigures figures_;
};

}  // namespace

std::array<bool, kMessageKinds> MergeKinds() {
  std::array<bool, kMessageKinds> kinds{};
  for (const std::size_t kind :
       {KindOf<MergeConfirm>(), KindOf<MergeConfirmed>(), KindOf<MergeSync>(),
        KindOf<MergeSyncReply>(), KindOf<MergeBridge>(), KindOf<MergeFill>(), KindOf<MergeLookup>(),
        KindOf<MergeMeet>(), KindOf<UnifyLookup>(), KindOf<UnifyTry>(), KindOf<UnifyDetected>()}) {
    kinds[kind] = true;
  }
  return kinds;
}

HealFigures MeasureHeal(World& world, const HealOptions& options,
                        std::span<const std::uint32_t> sizes, const GoOn& go_on) {
  assert(!sizes.empty() && world.live_count() > 1);
  return HealRun(world, options, sizes, go_on).Measure();
}

}  // namespace tombolo::sim
