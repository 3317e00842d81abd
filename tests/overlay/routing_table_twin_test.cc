// The routing table against a dumb twin, over random calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "overlay/routing_table.h"
#include "tests/overlay/toy_peers.h"

namespace tombolo {
namespace {

std::vector<PeerRef> Copy(std::span<const PeerRef> peers) { return {peers.begin(), peers.end()}; }

// The table in a form too simple to be wrong.
class ModelTable {
 public:
  struct Bucket {
    std::vector<PeerRef> failed, live, cached;
  };

  SeenResult Seen(PeerRef peer, int level, const TableConfig& config, const Directory& ids) {
    Bucket& b = buckets_[level];
    if (Erase(b.cached, peer)) {
      b.cached.push_back(peer);
      return SeenResult::kCached;
    }
    if (Erase(b.failed, peer) || Erase(b.live, peer)) {
      b.live.push_back(peer);
      return SeenResult::kKnown;
    }
    if (GroupIsFull(b, peer, config, ids)) return SeenResult::kIgnored;
    const bool full = b.failed.size() + b.live.size() >= static_cast<std::size_t>(config.k);
    if (full && b.failed.empty() && config.policy != BucketPolicy::kReplaceOldest) {
      if (config.replacements == 0) return SeenResult::kIgnored;
      b.cached.push_back(peer);
      if (b.cached.size() > static_cast<std::size_t>(config.replacements)) {
        b.cached.erase(b.cached.begin());
      }
      return SeenResult::kCached;
    }
    if (full) {
      std::vector<PeerRef>& victims = b.failed.empty() ? b.live : b.failed;
      victims.erase(victims.begin());
    }
    b.live.push_back(peer);
    return SeenResult::kInserted;
  }

  void Failed(PeerRef peer, int level) {
    Bucket& b = buckets_[level];
    const bool again = std::count(b.failed.begin(), b.failed.end(), peer) > 0;
    if (b.cached.empty() && Erase(b.live, peer)) {
      b.failed.push_back(peer);
    } else if (!again || !b.live.empty()) {
      Remove(peer, level);
    }
  }

  void Remove(PeerRef peer, int level) {
    Bucket& b = buckets_[level];
    if (Erase(b.cached, peer)) return;
    if ((Erase(b.live, peer) || Erase(b.failed, peer)) && !b.cached.empty()) {
      b.live.push_back(b.cached.back());
      b.cached.pop_back();
    }
  }

  std::vector<PeerRef> AllLive() const {
    std::vector<PeerRef> all;
    for (const auto& [level, b] : buckets_) all.insert(all.end(), b.live.begin(), b.live.end());
    return all;
  }

  void ExpectSame(const RoutingTable& table) {
    for (int level = 0; level < kIdBits; ++level) {
      const Bucket& b = buckets_[level];
      ASSERT_EQ(Copy(table.failed(level)), b.failed) << level;
      ASSERT_EQ(Copy(table.live(level)), b.live) << level;
      ASSERT_EQ(Copy(table.replacements(level)), b.cached) << level;
      if (!b.live.empty()) {
        ASSERT_LT(level, table.levels());
      }
    }
    ASSERT_EQ(table.live_count(), AllLive().size());
  }

 private:
  static bool Erase(std::vector<PeerRef>& peers, PeerRef peer) {
    return std::erase(peers, peer) > 0;
  }
  static bool GroupIsFull(const Bucket& b, PeerRef peer, const TableConfig& config,
                          const Directory& ids) {
    const std::uint32_t group = ids.attributes(peer).address_group;
    if (config.group_max == 0 || group == 0) return false;
    int same = 0;
    for (const auto* region : {&b.failed, &b.live}) {
      for (const PeerRef other : *region) same += ids.attributes(other).address_group == group;
    }
    return same >= config.group_max;
  }

  std::map<int, Bucket> buckets_;
};

class TableTwin : public testing::TestWithParam<TableConfig> {
 protected:
  // Few peers for many calls, so that every path is taken; deep levels share long prefixes, where
  // the leading 64 bits no longer tell ids apart.
  TableTwin() {
    for (const int level : {0, 1, 2, 3, 5, 9, 63, 64, 65, 100, 150}) {
      for (std::uint32_t i = 0; i < 12; ++i) {
        peers_.push_back(ids_.Add(RandomIdSharing(owner_, level, rng_), {.address_group = i % 4}));
      }
    }
    peers_.push_back(ids_.Add(RandomIdSharing(owner_, 159, rng_)));
  }

  NodeId RandomTarget() {
    const NodeId& near = ids_.id(peers_[rng_.Below(static_cast<std::uint32_t>(peers_.size()))]);
    switch (rng_.Below(4)) {
      case 0:
        return owner_;
      case 1:
        return near;
      case 2:
        return RandomIdSharing(near, static_cast<int>(rng_.Below(kIdBits)), rng_);
      default:
        return RandomId(rng_);
    }
  }

  void Mutate(const TableConfig& config) {
    const PeerRef peer = peers_[rng_.Below(static_cast<std::uint32_t>(peers_.size()))];
    const int level = CommonPrefixLength(owner_, ids_.id(peer));
    const std::uint32_t choice = rng_.Below(8);
    if (choice < 5) {
      ASSERT_EQ(table_.Seen(peer, level, config, ids_), model_.Seen(peer, level, config, ids_));
    } else if (choice < 7) {
      table_.Failed(peer, level);
      model_.Failed(peer, level);
    } else {
      table_.Remove(peer, level);
      model_.Remove(peer, level);
    }
  }

  void ExpectSameClosest() {
    const NodeId target = RandomTarget();
    const std::size_t count = rng_.Below(65);
    std::vector<PeerRef> found(count);
    found.resize(table_.Closest(owner_, target, count, ids_, found));
    ASSERT_EQ(DumbClosest(found, target, count, ids_),
              DumbClosest(model_.AllLive(), target, count, ids_))
        << target.ToHex();
  }

  Rng rng_{23};
  NodeId owner_ = RandomId(rng_);
  Directory ids_;
  std::vector<PeerRef> peers_;
  RoutingTable table_;
  ModelTable model_;
};

TEST_P(TableTwin, RandomCallsLeaveTheSameContactsInTheSameOrder) {
  for (int call = 0; call < 4000; ++call) {
    ASSERT_NO_FATAL_FAILURE(Mutate(GetParam())) << call;
    ASSERT_NO_FATAL_FAILURE(ExpectSameClosest()) << call;
    if (call % 20 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(model_.ExpectSame(table_)) << call;
    const std::vector<std::uint8_t> bytes = Saved(table_);
    RoutingTable loaded;
    Reader reader(bytes);
    reader(loaded);
    ASSERT_TRUE(reader.ok() && reader.at_end()) << reader.error();
    ASSERT_EQ(Saved(loaded), bytes);
    table_ = call % 40 == 0 ? loaded : RoutingTable(table_);  // runs on as if nothing had happened
  }
}

INSTANTIATE_TEST_SUITE_P(
    Policies, TableTwin,
    testing::Values(TableConfig{.k = 1, .replacements = 0}, TableConfig{.k = 1, .replacements = 1},
                    TableConfig{.k = 4, .replacements = 0}, TableConfig{.k = 4, .replacements = 3},
                    TableConfig{.k = 8, .group_max = 1},
                    TableConfig{.k = 5, .replacements = 2, .group_max = 2},
                    TableConfig{.k = 4, .policy = BucketPolicy::kReplaceWhenDead},
                    TableConfig{.k = 4, .policy = BucketPolicy::kReplaceOldest},
                    TableConfig{.k = 64, .replacements = 16}));

}  // namespace
}  // namespace tombolo
